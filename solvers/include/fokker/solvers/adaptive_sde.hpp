#pragma once
/// @file  fokker/solvers/adaptive_sde.hpp
/// @brief Adaptive steps for SDEs: any SDE step, an error estimate and a Brownian tree.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <fokker/solvers/brownian_tree.hpp>
#include <fokker/solvers/run.hpp>
#include <fokker/solvers/solution.hpp>
#include <fokker/solvers/solver.hpp>
#include <fokker/solvers/step_control.hpp>

namespace fokker {

/// Whether adaptive steps converge for a step of this calculus, needs and orders on a kind of
/// noise.
constexpr bool adaptable(Calculus calculus, Needs needs, const Orders& orders, NoiseKind kind) {
  return !needs.area && orders.strong &&
         (kind == NoiseKind::additive || calculus == Calculus::stratonovich || *orders.strong >= 1);
}

namespace detail {

/// An adaptive run over one state: a path, or a block with a joint step. The process must outlive
/// it.
template <class M, class P, State X>
class AdaptiveSdeRun {
  using S = typename X::Scalar;

 public:
  /// @param method  an AdaptiveSde
  /// @param d       rows of the state
  /// @param key     seed, and number of the path in column 0
  /// @throws std::invalid_argument  for tolerances that are not positive and finite, or a step that
  ///                                needs the Levy area, which a tree does not have
  template <class Method>
  AdaptiveSdeRun(const Method& method, const P& process, Index d, PathKey key)
      : process_(&process),
        method_(method.method),
        rtol_(method.rtol),
        atol_(method.atol),
        key_(key),
        wieners_(wiener_dimension(process, d)),
        needs_(needs_of(method_)),
        controller_(method.control, error_power()) {
    check_tolerances(name_of(method_), rtol_, atol_);
    if (!adaptable(M::calculus, needs_, method_.orders(noise_kind<P>), noise_kind<P>))
      throw std::invalid_argument(fmt::format(
          "{} cannot adapt its steps on {} noise: it needs Levy areas, which are drawn on fixed "
          "steps only, or is an Ito step of strong order below 1, which steps that look at the "
          "noise lead to a wrong limit: choose for instance sra3 (additive noise), sriw1 (scalar "
          "or diagonal), milstein (commutative) or heun-sde (any, Stratonovich)",
          name_of(method_), to_string(noise_kind<P>)));
  }

  /// The largest first step to try; 0: a sixteenth of the way to the first stop.
  /// @throws std::invalid_argument  for h < 0 or not finite
  void first_step(Time h) {
    check_first_step(h);
    wanted_ = h;
  }

  /// Tries one step from (x, t) towards the stop t1 > t, which is never passed. An accepted step
  /// (see `accepted`) replaces x and t; the last one sets t = t1 exactly.
  /// @return success; step_underflow, or non_finite if a nan is the cause
  Status try_step(X& x, Time& t, Time t1, Counts& counts) {
    accepted_ = false;
    if (!tree_ || at_ == end) start(x, t, t1);
    std::uint64_t size = end;
    while (at_ % size != 0 || span_ * fraction(size) > wanted_) {
      size /= 2;
      if (size < 2) return finite_ ? Status::step_underflow : Status::non_finite;
    }
    const Time h = span_ * fraction(size);
    if (t + h == t) return finite_ ? Status::step_underflow : Status::non_finite;

    const double error = attempt(x, t, h, size, counts);
    finite_ = y_.isFinite().all();
    accepted_ = StepController::accepts(error) && finite_;
    wanted_ = h * controller_.factor(finite_ ? error : std::numeric_limits<double>::infinity());
    if (!accepted_) {
      ++counts.rejected;
      return Status::success;
    }
    ++counts.accepted;
    x.swap(y_);
    at_ += size;
    t = at_ == end ? stop_ : start_ + span_ * fraction(at_);
    return Status::success;
  }

  /// Whether the last `try_step` advanced the state.
  bool accepted() const { return accepted_; }

  /// Advances x from t0 to t1 > t0.
  /// @return as try_step; too_many_steps after ten million tries; non_finite for such an x
  Status to(X& x, Time t0, Time t1, Counts& counts) { return run_to(*this, x, t0, t1, counts); }

 private:
  static constexpr std::uint64_t end = std::uint64_t{1} << BrownianTree<S>::depth;
  static constexpr bool embedded = EmbeddedStepper<M, P, X>;

  /// The power of h that the error of a step follows: half an order above the strong order of the
  /// step, or of the method of order 1 at most inside an embedded estimate.
  double error_power() const {
    const double strong = method_.orders(noise_kind<P>).strong.value_or(0.5);
    return (has_estimate() ? std::min(strong, 1.0) : strong) + 0.5;
  }

  bool has_estimate() const {
    if constexpr (embedded && requires { method_.has_error_estimate(); })
      return method_.has_error_estimate();
    else
      return embedded;
  }

  static Time fraction(std::uint64_t points) {
    return static_cast<double>(points) / static_cast<double>(end);
  }

  /// A new stretch of the path, to the next stop.
  void start(const X& x, Time t, Time t1) {
    if (!tree_) {
      const Index d = x.rows(), n = x.cols();
      for (X* scratch : {&y_, &middle_, &error_}) scratch->resizeLike(x);
      workspace_.emplace(d, n);
      dw_.resize(wieners_, n, needs_);
    }
    start_ = t;
    stop_ = t1;
    span_ = t1 - t;
    at_ = 0;
    if (tree_)
      tree_->restart(t, t1, piece_++);
    else
      tree_.emplace(key_.seed, key_.path, x.cols(), wieners_, t, t1, piece_++);
    if (wanted_ == 0) wanted_ = span_ / 16;
  }

  /// y_ = x(t + h); the error, 1 just allowed.
  double attempt(const X& x, Time t, Time h, std::uint64_t size, Counts& counts) {
    if constexpr (embedded) {
      if (has_estimate()) {
        tree_->increment_between(at_, at_ + size, dw_);
        method_.step(*process_, x, t, h, dw_, y_, error_, *workspace_);
        count(1, counts);
        return norm(x);
      }
    }
    tree_->increment_between(at_, at_ + size, dw_);
    method_.step(*process_, x, t, h, dw_, error_, *workspace_);
    tree_->increment_between(at_, at_ + size / 2, dw_);
    method_.step(*process_, x, t, h / 2, dw_, middle_, *workspace_);
    tree_->increment_between(at_ + size / 2, at_ + size, dw_);
    method_.step(*process_, middle_, t + h / 2, h / 2, dw_, y_, *workspace_);
    count(3, counts);
    error_ -= y_;
    return norm(x);
  }

  void count(std::uint64_t steps, Counts& counts) const {
    const Evaluations per_step = method_.evaluations(noise_kind<P>);
    counts.drift_evaluations += steps * static_cast<std::uint64_t>(per_step.drift);
    counts.diffusion_evaluations += steps * static_cast<std::uint64_t>(per_step.diffusion);
  }

  double norm(const X& x) const {
    return static_cast<double>((error_.abs() / (S(atol_) + S(rtol_) * x.abs().max(y_.abs())))
                                   .template maxCoeff<Eigen::PropagateNaN>());
  }

  const P* process_;
  M method_;
  double rtol_, atol_;
  PathKey key_;
  Index wieners_;
  Needs needs_;
  StepController controller_;
  std::optional<BrownianTree<S>> tree_;
  std::optional<typename M::template Workspace<X>> workspace_;
  Increment<P, X> dw_;
  X y_, middle_, error_;
  Time start_ = 0, stop_ = 0, span_ = 0, wanted_ = 0;
  std::uint64_t at_ = 0, piece_ = 0;  // place in this stretch, and how many there were
  bool accepted_ = false, finite_ = true;
};

}  // namespace detail

/// An SDE step `M` with adaptive step sizes: `AdaptiveSde{StochasticHeun{}}`. A step is accepted
/// where, in the maximum over the components (and, for a block, over the paths),
///
///     |error| <= atol + rtol max(|x|, |y|)
///
/// with the step's own error estimate if it has one, otherwise the difference between the step and
/// two half steps, whose result is then kept (three steps' evaluations).
///
/// Steps are halves of halves of the way to the next stop, and a rejected step is tried again in
/// its first half: every time that was looked at is visited, on the same Brownian path. So steps
/// may depend on the noise without changing its law, and smaller tolerances converge to the
/// solution on the same path wherever the step converges on fixed grids and needs no Levy area.
/// Ito steps of strong order 1/2 on noise that is not additive may not, also with one source: over
/// steps that looked at dw the sum of dw^2 does not tend to that of h, and EulerMaruyama has a
/// wrong limit. Milstein or a Stratonovich step do.
///
/// Order         none proved in the tolerance; the error falls with it.
/// Source        Gaines & Lyons (1997), SIAM J. Appl. Math. 57, steps by halving; Foster & Jelincic
///               (2023), arXiv 2311.14201, convergence under steps that look at the noise.
template <class M>
struct AdaptiveSde {
  static constexpr bool adaptive = true;
  static constexpr Calculus calculus = M::calculus;

  static constexpr bool supports(NoiseKind kind) { return M::supports(kind); }
  static constexpr Orders orders(NoiseKind) { return {}; }

  template <class P, State X>
  using Run = detail::AdaptiveSdeRun<M, P, X>;

  M method;
  double rtol = 1e-3;                           ///< relative tolerance
  double atol = 1e-6;                           ///< absolute tolerance, in the unit of x
  StepControl control = step_controls::h211pi;  ///< quiet, for errors that are random
};

template <class M>
AdaptiveSde(M) -> AdaptiveSde<M>;
template <class M>
AdaptiveSde(M, double, double) -> AdaptiveSde<M>;

}  // namespace fokker
