#pragma once
/// @file  fokker/solvers/ode/embedded_runge_kutta.hpp
/// @brief Adaptive explicit Runge-Kutta methods for ODEs: one generic solver over embedded pairs.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fokker/solvers/core/interval.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/ode/adaptive_run.hpp>
#include <fokker/solvers/ode/embedded_lanes.hpp>
#include <fokker/solvers/ode/embedded_tableaus.hpp>

namespace fokker {

namespace detail {

/// out = number, stored by itself. Compilers store neighbours as one vector; for its sake they do
/// the arithmetic before on vectors too, with more moves than sums, and a load of one number right
/// behind waits until the vector is in the cache.
template <class S>
void store_alone(S& out, S number) {
  static_cast<volatile S&>(out) = number;
}

/// The same for the numbers of a small state.
template <State X>
void store_apart(X& out, const X& x) {
  for_each_number<X>([&](Index i) { store_alone(out.coeffRef(i), x.coeff(i)); });
}

/// An adaptive run of the embedded pair `Pair` over one state: a path, or a block with a joint
/// step.
template <class Pair, class P, State X>
class EmbeddedRun : public AdaptiveRun<EmbeddedRun<Pair, P, X>, P, X> {
  using Base = AdaptiveRun<EmbeddedRun, P, X>;
  friend Base;
  using S = typename X::Scalar;
  using Base::error_, Base::next_;
  using typename Base::Trial;
  using Rows = PairRows<Pair>;
  static constexpr auto& tableau_ = Pair::tableau;
  static constexpr std::size_t s_ = Pair::tableau.b.size();
  static constexpr std::size_t all_ = std::tuple_size_v<decltype(Pair::dense(0.0))>;

 public:
  /// False where the tableau says so.
  static constexpr bool interpolates_as_steps = !requires { Pair::coarse_interpolant; };

  static constexpr int dense_degree = [] {
    if constexpr (requires { Pair::dense_degree; })
      return Pair::dense_degree;
    else
      return Pair::dense_order;
  }();

  /// @throws std::invalid_argument  as ErrorControl and AdaptiveRun
  template <class Method>
  EmbeddedRun(const Method& /*method*/, const Adaptive& steps, const P& process, Index d)
      : Base(process, {Method::facts.name, steps, NoiseKind::none, Method::control, d}, steps,
             Pair::error_order, d) {}

  /// The steps of an interval of a small state: those that keep their size follow each other in
  /// `attempt`.
  /// @return as step_by_step
  template <class Taken>
  Status advance(X& x, Time& t, Interval& interval, Counts& counts, StepObserver<X>* observer,
                 const Taken& taken) requires fits_in_registers<X> {
    if (t < interval.end && interval.tries > 0) Base::begin(x, t, interval.stop(t), counts);
    bool ended = false;
    return step_by_step(
        t, interval,
        [&](Time stop) {
          const Status status = Base::prepare(x, t, counts);
          if (status != Status::success) return status;
          const Trial trial = Base::trial(t, stop);
          const bool alone =
              trial.last || interval.max_dt > 0 || Base::doubtful() || !resolved(trial.h, t, stop);
          std::uint64_t more = alone ? 0 : std::min(interval.tries, until_look());
          interval.tries -= more;
          ended = attempts(x, t, trial, more, interval, counts, observer);
          interval.tries += more;
          Base::settle(x, t, trial, counts);
          return Status::success;
        },
        [&] { return !ended && (!Base::accepted() || taken()); });
  }

  /// out = x(t) for t in the last accepted step, with an error of O(h^(dense_order + 1)); to be
  /// called before the next step is tried. The first call in a step may evaluate f: once where the
  /// pair's error estimate does without the slope at its end (the next step then has it), and in
  /// the stages that the interpolant adds.
  /// @throws std::invalid_argument  for t outside the step, or if no step was accepted
  void interpolate(Time t, X& out) const {
    const double theta = this->theta(t);
    const Time h = this->step_size();
    complete();
    const auto w = Pair::dense(theta);
    out = next_;  // the state at the start of the step
    for (std::size_t i = 0; i < all_; ++i)
      if (w[i] != 0) out += S(h * w[i]) * k_[i];
  }

  /// Calls of f by `interpolate`, which the counts of `try_step` do not have.
  std::uint64_t dense_evaluations() const { return by_interpolant_.drift_evaluations; }

  /// Whether the problem is stiff for this pair: in 15 accepted steps in a row (steps that are not
  /// break the row after 6) h times an estimate of the largest eigenvalue was on the border of the
  /// region of stability. Looked at every 20 steps, and at every step while there is suspicion.
  /// Never set for pairs with `stability` 0.
  /// Source: Hairer & Wanner (1996), IV.2 (2.9).
  bool stiff() const { return stiff_; }

 private:
  static constexpr bool last_in_error_ = Pair::error[s_] != 0;

  using Stages = std::array<X, all_>;

  /// h times the coefficients: computed when the step changes.
  struct Weights {
    Time h = 0;
    std::array<S, Rows::terms> all;

    void set(Time step) {
      if (h == step) return;
      h = step;
      for (std::size_t i = 0; i < Rows::terms; ++i) store_alone(all[i], S(h * Rows::flat[i]));
    }
    template <std::size_t row, std::size_t j>
    S at() const {
      constexpr std::size_t place = Rows::place(row, j);
      return all[place];
    }
  };

  /// The coefficients themselves.
  struct Unit {
    template <std::size_t row, std::size_t j>
    static constexpr S at() {
      return S(Rows::coefficient(row, j));
    }
  };

  void start(const X& x) {
    argument_.resizeLike(x);
    for (X& k : k_) k.resizeLike(x);
  }

  void refresh(const X& x, Time t, Counts& counts) {
    if (has_slope_) return;
    if (!has_last_) this->evaluate(x, t, k_[s_], counts);
    if (suspicious_) look_for_stiffness();
    swap_states(k_[0], k_[s_]);
    has_slope_ = true;
    has_last_ = has_dense_ = false;
  }

  const X& slope() const { return k_[0]; }

  /// Whether s + h differs from s for every time s from t to t1.
  static bool resolved(Time h, Time t, Time t1) {
    const Time largest = std::max(std::abs(t), std::abs(t1));
    return largest + h / 2 != largest;
  }

  /// Steps that may be taken without a look for stiffness.
  std::uint64_t until_look() const {
    if (Pair::stability == 0 || stiff_) return std::numeric_limits<std::uint64_t>::max();
    return on_border_ > 0 ? 0 : static_cast<std::uint64_t>(until_look_ - 1);
  }

  double attempt(X& x, Time t, Time h, Counts& counts) {
    if constexpr (fits_in_registers<X>) {
      std::uint64_t more = 0;
      attempts(x, t, {.h = h, .stop = t + h, .last = true}, more, {}, counts, nullptr);
      return error_;
    } else {
      weights_.set(h);
      return attempt(x, t, h, weights_, k_, argument_, next_, counts);
    }
  }

  /// Tries a step of a small state and, as long as it is accepted and keeps its size, `more` after
  /// it, of which those not made are left. All that changes is local, so that compilers keep it in
  /// registers.
  /// @return whether the observer ended the run with the step tried last, which is to be accepted
  [[gnu::flatten, gnu::noinline]] bool attempts(X& x, Time& t, const Trial& trial,
                                                std::uint64_t& more, const Interval& interval,
                                                Counts& counts, StepObserver<X>* observer) {
    const Time due = observer ? observer->due() : std::numeric_limits<Time>::infinity();
    const bool every_step = observer && observer->every_step();
    bool ended = false;
    weights_.set(trial.h);
    X at(x), argument, next;
    Stages k;
    assign(k[0], k_[0]);
    Time now = t;
    Counts counted = counts;
    const Weights* const volatile weights = &weights_;  // else compilers load and store all first
    double error = 0, last = 0, before = 0;             // of the step tried and the last two taken
    std::uint64_t taken = 0;
    while (true) {
      error = attempt(at, now, trial.h, *weights, k, argument, next, counted);
      if (taken == more || !this->controller_.keeps(error) || !all_finite(next) ||
          Base::ends(now + trial.h, trial.h, trial.stop) || now + trial.h >= due ||
          interval.cancelled())
        break;
      if (every_step) {
        ended = !show(*observer, now + trial.h, next);
        if (ended) break;
      }
      ++taken;
      before = last;
      last = error;
      assign(at, next);
      now += trial.h;
      if constexpr (last_in_error_)
        assign(k[0], k[s_]);
      else
        this->evaluate(at, now, k[0], counted);
    }
    store_apart(x, at);
    store_apart(next_, next);
    for_each_stage([&](auto i) { store_apart(k_[i], k[i]); });
    t = now;
    counts = counted;
    counts.accepted += taken;
    error_ = error;
    if (taken > 1) this->controller_.keep(before);
    if (taken > 0) this->controller_.keep(last);
    if (Pair::stability > 0 && !stiff_) until_look_ -= static_cast<int>(taken);
    more -= taken;
    return ended;
  }

  /// A copy of x to the observer, so that compilers keep x itself in registers.
  [[gnu::always_inline]] static bool show(StepObserver<X>& observer, Time t, const X& x) {
    X copy;
    assign(copy, x);
    return observer.passing(t, copy);
  }

  /// Calls f(i) for the slopes k_i that a step makes.
  template <class F>
  static void for_each_stage(const F& f) {
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      (f(std::integral_constant<std::size_t, i>{}), ...);
    }
    (std::make_index_sequence < last_in_error_ ? s_ + 1 : s_ > {});
  }

  double attempt(const X& x, Time t, Time h, const Weights& w, Stages& k, X& argument, X& next,
                 Counts& counts) const {
    stages<1>(x, t, h, w, k, argument, counts);
    combine<Rows::b>(x, w, k, next);
    if constexpr (last_in_error_) this->evaluate(next, t + h, k[s_], counts);
    if constexpr (requires { Pair::error_low; }) {
      double worst = 0;
      for (Index j = 0; j < x.cols(); ++j) {  // the norms are those of a path
        const auto of_path = [&](const auto& e) {
          return this->norm(e.col(j), x.col(j), next.col(j));
        };
        const double e5 = of_path(weighted<Rows::error>(w, k)),
                     e3 = of_path(weighted<Rows::low>(w, k));
        const double error = e5 == 0 ? 0 * e3 : e5 * (e5 / std::sqrt(e5 * e5 + 0.01 * e3 * e3));
        if (std::isnan(error)) return error;
        worst = std::max(worst, error);
      }
      return worst;
    } else {
      return this->norm(weighted<Rows::error>(w, k), x, next);
    }
  }

  /// The step to next_ is taken; k_ stays as it is for `interpolate` until the next is tried.
  void accept() {
    has_slope_ = false;
    has_last_ = last_in_error_;
    if constexpr (Pair::stability > 0)
      suspicious_ = !stiff_ && (on_border_ > 0 || --until_look_ == 0);
    if (until_look_ == 0) until_look_ = 20;
  }

  /// k_i for i, i+1, ..., s-1.
  template <std::size_t i>
  void stages(const X& x, Time t, Time h, const Weights& w, Stages& k, X& argument,
              Counts& counts) const {
    if constexpr (i < s_) {
      combine<i>(x, w, k, argument);
      this->evaluate(argument, t + tableau_.c[i] * h, k[i], counts);
      stages<i + 1>(x, t, h, w, k, argument, counts);
    }
  }

  /// out = x + h (c_0 k_0 + ...) with the coefficients of `row`.
  template <std::size_t row>
  static void combine(const X& x, const Weights& w, const Stages& k, X& out) {
    if constexpr (fits_in_registers<X>)
      for_each_number<X>([&](Index r) {
        out.coeffRef(r) = Rows::template combine<row>(x.coeff(r), w,
                                                      [&](std::size_t j) { return k[j].coeff(r); });
      });
    else
      out = Rows::template combine<row>(x, w, [&](std::size_t j) -> const X& { return k[j]; });
  }

  /// w_0 k_0 + ..., an expression or, of a small state, an array; w_0 is not 0.
  template <std::size_t row, class W>
  static auto weighted(const W& w, const Stages& k) {
    const S first = w.template at<row, 0>();
    if constexpr (fits_in_registers<X>) {
      X e;
      for_each_number<X>([&](Index r) {
        e.coeffRef(r) = Rows::template combine<row, 1>(
            first * k[0].coeff(r), w, [&](std::size_t j) { return k[j].coeff(r); });
      });
      return e;
    } else {
      return Rows::template combine<row, 1>(first * k[0], w,
                                            [&](std::size_t j) -> const X& { return k[j]; });
    }
  }

  /// The stages that the interpolant has beyond those of the step.
  void complete() const {
    if (has_dense_) return;
    const Time t = this->step_start(), h = this->step_size();
    if (!has_last_) {
      combine<Rows::b>(next_, weights_, k_, argument_);
      this->evaluate(argument_, t + h, k_[s_], by_interpolant_);
      has_last_ = true;
    }
    if constexpr (requires { Pair::dense_stages; }) {
      for (std::size_t i = s_ + 1; i < all_; ++i) {
        const auto& a = Pair::dense_stages.a[i - s_ - 1];
        argument_ = next_;
        for (std::size_t j = 0; j < i; ++j)
          if (a[j] != 0) argument_ += S(h * a[j]) * k_[j];
        this->evaluate(argument_, t + Pair::dense_stages.c[i - s_ - 1] * h, k_[i], by_interpolant_);
      }
    }
    has_dense_ = true;
  }

  /// h |k_s - k_s-1| / |z_s - z_s-1| for the last two stages, both at t + h, whose arguments are y
  /// and z_s-1.
  void look_for_stiffness() {
    const double of_slopes = square(k_[s_] - k_[s_ - 1]);
    const double of_arguments = square(weighted<Rows::last_two>(Unit{}, k_));
    const double near = 0.98 * Pair::stability;
    if (of_slopes > near * near * of_arguments) {
      within_ = 0;
      if (++on_border_ == 15) stiff_ = true;
    } else if (++within_ == 6) {
      on_border_ = within_ = 0;
    }
  }

  /// |v|^2.
  template <class V>
  static double square(const V& v) {
    if constexpr (fits_in_registers<X>) {
      S sum = 0;
      for_each_number<X>([&](Index i) { sum += v.coeff(i) * v.coeff(i); });
      return static_cast<double>(sum);
    } else {
      return static_cast<double>(v.square().sum());
    }
  }

  Weights weights_;
  // What `interpolate` may add is mutable: a cache of the step.
  mutable X argument_;
  mutable Stages k_;  // k_0 .. k_s = f(y, t + h), and the interpolant's
  mutable bool has_last_ = false,
               has_dense_ = false;  // k_s, and the interpolant's stages, are known
  mutable Counts by_interpolant_;
  bool has_slope_ = false;  // k_0 is f at the state to come from
  int until_look_ = 20, on_border_ = 0, within_ = 0;
  bool suspicious_ = false, stiff_ = false;
};

}  // namespace detail

/// An adaptive explicit Runge-Kutta solver for ODEs, carried on with the higher order of `Pair`. A
/// step is accepted where
///
///     max |error estimate| / (atol + rtol max(|x|, |y|)) <= 1
///
/// over the components and, for a block, over its paths, which share the step. y is the new state.
/// A step that meets a nan or an infinity is rejected and shortened, and ends in a Status if that
/// does not help. No allocation after the first step. On Fixed and OnGrid steps it is
/// ExplicitRungeKutta<Pair>.
template <class Pair>
struct EmbeddedRungeKutta {
  static constexpr Facts facts{.name = Pair::name,
                               .source = Pair::source,
                               .noise = {NoiseKind::none},
                               .order = {.deterministic = Pair::order},
                               .cost = {.drift = static_cast<int>(Pair::tableau.b.size())}};

  static constexpr bool adaptive = true;
  static constexpr int dense_order = Pair::dense_order;  ///< order of `interpolate`

  template <class P, State X>
  using Run = detail::EmbeddedRun<Pair, P, X>;

  /// The paths of an ensemble of small autonomous systems are solved several at once.
  template <class P, class S, int d>
  static constexpr bool in_lanes = detail::solved_in_lanes<Pair, P, S, d>;
  /// Sixteen paths in vector lanes.
  template <class P, class S, int d>
  using Lanes = detail::EmbeddedLanes<Pair, P, S, d>;

  /// From errors to steps, unless `Adaptive` has another.
  static constexpr StepControl control =
      Pair::order > 5 ? step_controls::prompt : step_controls::calm;

  using FixedSteps = ExplicitRungeKutta<Pair>;  ///< the same tableau on steps that are given
};

using Bs3 = EmbeddedRungeKutta<tableaus::Bs3>;
using Dopri5 = EmbeddedRungeKutta<tableaus::Dopri5>;
using Tsit5 = EmbeddedRungeKutta<tableaus::Tsit5>;
using Vern7 = EmbeddedRungeKutta<tableaus::Vern7>;
using Dop853 = EmbeddedRungeKutta<tableaus::Dop853>;

}  // namespace fokker
