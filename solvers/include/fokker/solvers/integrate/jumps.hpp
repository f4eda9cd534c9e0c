#pragma once
/// @file  fokker/solvers/integrate/jumps.hpp
/// @brief Jump-diffusions: jumps of a given rate or intensity, and steps that land on them.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/core/steps.hpp>
#include <fokker/solvers/integrate/stepping.hpp>
#include <fokker/solvers/noise/noise_source.hpp>
#include <fokker/solvers/noise/random.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// The random numbers of the jumps of one path, in order: its stream of Purpose::jump.
class JumpRandom {
 public:
  explicit JumpRandom(PathKey key) : lane_(key.seed, key.path, 1, Purpose::jump) {}

  /// Uniform in (0, 1).
  double uniform() {
    double u = 0;
    lane_.uniform(&u);
    return u;
  }
  /// Standard normal.
  double normal() {
    double z = 0, other = 0;
    lane_.normal_pair(&z, &other, 1.0, 1.0);
    return z;
  }
  /// Exponential of mean 1.
  double exponential() { return -std::log(uniform()); }

 private:
  StreamLanes lane_;
};

/// Jumps of a constant rate (compound Poisson): at the times of a Poisson process of that rate,
/// x = X(t-) becomes X(t) by
///
///     jump(x, t, random)      // in place: x += c(x, t, z), z drawn from `random`, a JumpRandom
///
/// with x a d x 1 array.
template <class Jump>
struct PoissonJumps {
  double rate;  ///< jumps per unit of time, >= 0
  Jump jump;

  double bound() const { return rate; }
};
template <class Jump>
PoissonJumps(double, Jump) -> PoissonJumps<Jump>;

/// Jumps of an intensity that depends on the state: given the past, one comes in [t, t + dt] with
/// probability intensity(X(t-), t) dt. By thinning: candidates come at the times of a Poisson
/// process of rate `most`, and each is a jump with probability intensity / most.
/// Source: Lewis & Shedler (1979), Naval Research Logistics Quarterly 26; Ogata (1981).
template <class Intensity, class Jump>
struct IntensityJumps {
  Intensity intensity;  ///< intensity(x, t) -> number in [0, most]
  double most;          ///< never exceeded by the intensity; the cost follows it
  Jump jump;            ///< as in PoissonJumps

  double bound() const { return most; }
};
template <class Intensity, class Jump>
IntensityJumps(Intensity, double, Jump) -> IntensityJumps<Intensity, Jump>;

/// Jumps of an intensity without a bound: the next one comes when the integral of
/// intensity(X(s), s) ds since the last has reached an exponential number of mean 1. Where the
/// intensity at the start of a step would reach it within the step, the step ends there. The
/// integral is taken by the trapezoid rule over the steps; what it has in excess at a jump counts
/// for the next.
///
/// Exact in law where the intensity is constant between the jumps, such as a birth process. Where
/// it is a function of time the number of jumps is Poisson with the trapezoid rule's mean, which is
/// wrong by O(h^2), and a jump is late by O(h) with probability O(h). No order is claimed where it
/// follows a diffusion. The grid needs points where the intensity jumps in time. A path with more
/// than 1000 jumps at one time (the intensity explodes, or the steps are too long for its growth)
/// ends with step_underflow. Cost: two intensities a step, and a step or two more for each jump.
/// Source: Daley & Vere-Jones (2003), 7.4 (random time change).
template <class Intensity, class Jump>
struct ClockJumps {
  Intensity intensity;  ///< intensity(x, t) -> finite number >= 0
  Jump jump;            ///< as in PoissonJumps
};
template <class Intensity, class Jump>
ClockJumps(Intensity, Jump) -> ClockJumps<Intensity, Jump>;

/// Steps that land on the jumps of an SDE with jumps, dX = f dt + sum_k g_k dW_k + dJ, by a
/// fixed-step solver `M` for the SDE between them (jump-adapted steps):
///
///     const PoissonJumps jumps{1.0, [](auto& x, Time, JumpRandom& random) {
///                                x *= std::exp(-0.1 + 0.15 * random.normal());
///                              }};
///     simulate(process, Milstein{}, JumpAdapted{Fixed{0.01}, jumps}, 100.0, {0, 1}, options,
///              reduction);
///
/// The times of the jumps are exact. They and the numbers that each jump takes do not depend on the
/// steps, at a constant rate and if every jump takes as many of them. Between jumps the steps are
/// those of `steps`, with Wiener increments of the path's stream. A solution holds X(t), the value
/// after a jump; between two steps it is interpolated as if the jump were spread over its step.
///
/// Order         that of M between the jumps, in the longest step, at a constant rate with
///               Lipschitz coefficients and jumps; none claimed where the intensity depends on the
///               state or the time.
/// Cost          per path that of M, and one step more for each jump (or candidate).
/// Source        Platen & Bruti-Liberati (2010), chapters 8 (strong) and 13 (weak).
template <class Steps, class Jumps>
struct JumpAdapted {
  Steps steps;  ///< Fixed{h} or OnGrid{times}
  Jumps jumps;  ///< PoissonJumps, IntensityJumps or ClockJumps
};
template <class Steps, class Jumps>
JumpAdapted(Steps, Jumps) -> JumpAdapted<Steps, Jumps>;

namespace detail {

/// One path of a jump-diffusion on its way. The process must outlive it.
template <class M, class Steps, class Jumps, class P, State X>
class JumpRun {
  using S = typename X::Scalar;

 public:
  /// @param steps  JumpAdapted, whose regular times begin where the run does
  /// @param d      rows of the state
  /// @param key    seed and number of the path
  /// @throws std::invalid_argument  for a rate that is negative or not finite, a step size that is
  ///                                not positive, or time that runs down
  JumpRun(const M& method, const JumpAdapted<Steps, Jumps>& steps, const P& process, Index d,
          const NoiseKey& key)
      : steps_(steps.steps),
        jumps_(steps.jumps),
        random_(key.key()),
        step_(process, method, X::Zero(d, 1).eval(),
              RunNoise<S>(key, 1, wiener_dimension(process, d), needs_of(method))) {
    if (has_memory(method))
      throw std::invalid_argument(
          text("{} carries something from step to step, which a jump makes wrong: choose a "
               "one-step solver such as euler-maruyama",
               {name_of(method)}));
    if constexpr (std::same_as<Steps, Fixed>) RegularTimes(0, steps_);  // refuses a bad step
    if constexpr (!by_clock) {
      if (!(jumps_.bound() >= 0) || !std::isfinite(jumps_.bound()))
        throw std::invalid_argument(
            text("the rate of jumps must be finite and not negative: got {} (ClockJumps takes an "
                 "intensity without a bound)",
                 {jumps_.bound()}));
    }
    if (key.down) throw std::invalid_argument("jumps run up in time only: give an increasing grid");
  }

  /// One step from (x, t) to the next of: a candidate for a jump, a regular time, the stop t1 > t.
  /// The jump, if there is one, is part of the step.
  /// @return success, non_finite, or step_underflow for too many jumps at one time
  /// @throws std::invalid_argument  for a block of paths, and for an intensity outside its bounds,
  ///                                with its time
  Status try_step(X& x, Time& t, Time t1, Counts& counts) {
    if (!started_) start(x, t);
    [[maybe_unused]] double rate = 0;
    if constexpr (by_clock) {
      rate = intensity(x, t);
      candidate_ = t + std::max(left_, resolution(rate, t)) / rate;
    }
    [[maybe_unused]] const Time begin = t;
    const Time end = regular_.next(std::min(t1, candidate_));
    swap_states(step_.x(), x);
    step_.to(t, end);
    swap_states(step_.x(), x);
    t = end;
    const Counts before = std::exchange(counted_, step_.counts());
    counts += {counted_.accepted - before.accepted, 0,
               counted_.drift_evaluations - before.drift_evaluations,
               counted_.diffusion_evaluations - before.diffusion_evaluations};
    if constexpr (by_clock) {
      if (!x.isFinite().all()) return Status::non_finite;
      left_ -= 0.5 * (t - begin) * (rate + intensity(x, t));
      if (!jump_while_due(x, t)) return Status::step_underflow;
    } else {
      jump_until(x, t);
    }
    return x.isFinite().all() ? Status::success : Status::non_finite;
  }

  /// Every step is.
  bool accepted() const { return true; }

 private:
  void start(X& x, Time t) {
    if (x.cols() != 1)
      throw std::invalid_argument(
          text("jumps come to each path at its own times, so paths are integrated one by "
               "one (or by `simulate`): got a block of {}",
               {x.cols()}));
    started_ = true;
    if constexpr (std::same_as<Steps, Fixed>)
      regular_ = RegularTimes(t, steps_);
    else
      regular_ = RegularTimes(steps_.times);
    if constexpr (by_clock) {
      left_ = random_.exponential();
    } else {
      candidate_ = t + gap();
      jump_until(x, t);
    }
  }

  Time gap() { return random_.exponential() / jumps_.bound(); }

  /// Decides the candidates up to t, where the state before them is x.
  void jump_until(X& x, Time t) {
    for (; candidate_ <= t && x.isFinite().all(); candidate_ += gap())
      if (happens(x, t)) jumps_.jump(x, t, random_);
  }

  bool happens([[maybe_unused]] const X& x, [[maybe_unused]] Time t) {
    if constexpr (requires { jumps_.intensity(x, t); }) {
      const double intensity = static_cast<double>(jumps_.intensity(x, t));
      if (!(intensity >= 0 && intensity <= jumps_.bound()))
        throw std::invalid_argument(
            text("the intensity of jumps must lie in [0, {}], its bound: it is {} at t = {} "
                 "(ClockJumps takes one without a bound)",
                 {jumps_.bound(), intensity, t}));
      return random_.uniform() * jumps_.bound() < intensity;
    } else {
      return true;
    }
  }

  double intensity(const X& x, Time t) {
    const double rate = static_cast<double>(jumps_.intensity(x, t));
    if (!(rate >= 0) || !std::isfinite(rate))
      throw std::invalid_argument(text(
          "the intensity of jumps must be finite and not negative: it is {} at t = {}", {rate, t}));
    return rate;
  }

  /// What the clock may be short of at a jump: that of some roundings of t, or next to nothing.
  static double resolution(double rate, Time t) {
    constexpr double next_to_nothing = 1e-12;  // in probability
    return std::max(next_to_nothing,
                    4 * std::numeric_limits<double>::epsilon() * std::abs(t) * rate);
  }

  /// Jumps while the clock has run out. @return whether it came to an end
  bool jump_while_due(X& x, Time t) {
    constexpr int most = 1000;
    for (int n = 0; x.isFinite().all() && left_ <= resolution(intensity(x, t), t); ++n) {
      if (n == most) return false;
      jumps_.jump(x, t, random_);
      left_ += random_.exponential();
    }
    return true;
  }

  static constexpr bool by_clock = !requires(const Jumps& jumps) { jumps.bound(); };

  Steps steps_;
  Jumps jumps_;
  JumpRandom random_;
  Stepping<P, M, X, RunNoise<S>> step_;
  Counts counted_;
  RegularTimes regular_;
  Time candidate_ = 0;
  double left_ = 0;  // of the exponential number, by the clock
  bool started_ = false;
};

}  // namespace detail

}  // namespace fokker
