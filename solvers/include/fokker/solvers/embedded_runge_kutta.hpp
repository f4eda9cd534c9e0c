#pragma once
/// @file  fokker/solvers/embedded_runge_kutta.hpp
/// @brief Adaptive explicit Runge-Kutta methods for ODEs: one generic solver over embedded pairs.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fokker/solvers/adaptive_run.hpp>
#include <fokker/solvers/embedded_lanes.hpp>
#include <fokker/solvers/embedded_tableaus.hpp>
#include <fokker/solvers/solver.hpp>

namespace fokker {

namespace detail {

/// An adaptive run of the embedded pair `Pair` over one state: a path, or a block with a joint
/// step.
template <class Pair, class P, State X>
class EmbeddedRun : public AdaptiveRun<EmbeddedRun<Pair, P, X>, P, X> {
  using Base = AdaptiveRun<EmbeddedRun, P, X>;
  friend Base;
  using S = typename X::Scalar;
  using Base::next_;
  using Rows = PairRows<Pair>;
  static constexpr auto& tableau_ = Pair::tableau;
  static constexpr std::size_t s_ = Pair::tableau.b.size();
  static constexpr std::size_t all_ = std::tuple_size_v<decltype(Pair::dense(0.0))>;

 public:
  template <class Method>
  EmbeddedRun(const Method& method, const P& process, Index /*d*/)
      : Base(Method::name, process, method.rtol, method.atol, method.control, Pair::error_order) {}

  /// As AdaptiveRun's.
  Status try_step(X& x, Time& t, Time t1, Counts& counts) {
    if constexpr (is_small<X>) {
      Leg one{.end = t1, .tries = 1};
      const Status status = walk(x, t, one, counts);
      return status == Status::too_many_steps ? Status::success : status;
    } else {
      return Base::try_step(x, t, t1, counts);
    }
  }

  /// The steps of a leg of a small state, on a copy of the run that nobody else knows of, so that
  /// the compiler keeps it in registers.
  [[gnu::flatten, gnu::noinline]] Status walk(X& x, Time& t, Leg& leg,
                                              Counts& counts) requires is_small<X> {
    if (t < leg.end && leg.tries > 0) Base::begin(x, t, leg.stop(t), counts);
    EmbeddedRun run(*this);
    Leg left = leg;
    Counts counted = counts;
    X at(x);
    Time now = t;
    const Status status = step_by_step(
        now, left, [&](Time stop) { return run.step(at, now, stop, counted); },
        [&] { return run.accepted(); });
    hide_origin(at);
    hide_origin(run.next_);
    hide_origin(run.argument_);
    std::construct_at(this, run);  // Eigen's assignment would go by pairs
    leg = left;
    counts = counted;
    assign(x, at);
    t = now;
    return status;
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

  double attempt(const X& x, Time t, Time h, Counts& counts) {
    stages<1>(x, t, h, counts);
    combine<Rows::b>(x, h, next_);
    if constexpr (last_in_error_) this->evaluate(next_, t + h, k_[s_], counts);
    if constexpr (requires { Pair::error_low; }) {
      double worst = 0;
      for (Index j = 0; j < x.cols(); ++j) {  // the norms are those of a path
        const auto of_path = [&](const auto& e) {
          return this->norm(e.col(j), x.col(j), next_.col(j));
        };
        const double e5 = of_path(weighted<Rows::error>(h)), e3 = of_path(weighted<Rows::low>(h));
        const double error = e5 == 0 ? 0 * e3 : e5 * (e5 / std::sqrt(e5 * e5 + 0.01 * e3 * e3));
        if (std::isnan(error)) return error;
        worst = std::max(worst, error);
      }
      return worst;
    } else {
      return this->norm(weighted<Rows::error>(h), x, next_);
    }
  }

  /// The step to next_ is taken; k_ stays as it is for `interpolate` until the next is tried.
  void accept() {
    has_slope_ = false;
    has_last_ = last_in_error_;
    if constexpr (Pair::stability > 0)
      suspicious_ = !stiff_ && (on_border_ > 0 || ++steps_ % 20 == 0);
  }

  /// Copied one by one: the loop that copies an array would keep it out of registers.
  struct Stages : std::array<X, all_> {
    Stages() = default;
    Stages(const Stages& other) : Stages(other, std::make_index_sequence<all_>{}) {}
    Stages& operator=(const Stages&) = default;

   private:
    template <std::size_t... i>
    Stages(const Stages& other, std::index_sequence<i...>) : std::array<X, all_>{other[i]...} {}
  };

  /// k_i for i, i+1, ..., s-1.
  template <std::size_t i>
  void stages(const X& x, Time t, Time h, Counts& counts) {
    if constexpr (i < s_) {
      combine<i>(x, h, argument_);
      this->evaluate(argument_, t + tableau_.c[i] * h, k_[i], counts);
      stages<i + 1>(x, t, h, counts);
    }
  }

  static auto times(Time h) {
    return [h](double coefficient) { return S(h * coefficient); };
  }

  /// out = x + h (c_0 k_0 + ...).
  template <std::size_t row>
  void combine(const X& x, Time h, X& out) const {
    if constexpr (is_small<X>)
      for_each_number<X>([&](Index r) {
        out.coeffRef(r) = Rows::template combine<row>(
            x.coeff(r), times(h), [&](std::size_t j) { return k_[j].coeff(r); });
      });
    else
      out = Rows::template combine<row>(x, times(h),
                                        [&](std::size_t j) -> const X& { return k_[j]; });
  }

  /// h (c_0 k_0 + ...), an expression or, of a small state, an array; c_0 is not 0.
  template <std::size_t row>
  auto weighted(Time h) const {
    const S first = times(h)(Rows::coefficient(row, 0));
    if constexpr (is_small<X>) {
      X e;
      for_each_number<X>([&](Index r) {
        e.coeffRef(r) = Rows::template combine<row, 1>(
            first * k_[0].coeff(r), times(h), [&](std::size_t j) { return k_[j].coeff(r); });
      });
      return e;
    } else {
      return Rows::template combine<row, 1>(first * k_[0], times(h),
                                            [&](std::size_t j) -> const X& { return k_[j]; });
    }
  }

  /// The stages that the interpolant has beyond those of the step.
  void complete() const {
    if (has_dense_) return;
    const Time t = this->step_start(), h = this->step_size();
    if (!has_last_) {
      combine<Rows::b>(next_, h, argument_);
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
    const double of_arguments = square(weighted<Rows::last_two>(1));
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
    if constexpr (is_small<X>) {
      S sum = 0;
      for_each_number<X>([&](Index i) { sum += v.coeff(i) * v.coeff(i); });
      return static_cast<double>(sum);
    } else {
      return static_cast<double>(v.square().sum());
    }
  }

  // What `interpolate` may add is mutable: a cache of the step.
  mutable X argument_;
  mutable Stages k_;  // k_0 .. k_s = f(y, t + h), and the interpolant's
  mutable bool has_last_ = false,
               has_dense_ = false;  // k_s, and the interpolant's stages, are known
  mutable Counts by_interpolant_;
  bool has_slope_ = false;  // k_0 is f at the state to come from
  std::uint64_t steps_ = 0;
  int on_border_ = 0, within_ = 0;
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
/// does not help. No allocation after the first step. A run throws std::invalid_argument for
/// tolerances that are not positive and finite and for a controller outside its ranges.
///
/// With fixed steps: ExplicitRungeKutta<Pair>.
template <class Pair>
struct EmbeddedRungeKutta {
  static constexpr std::string_view name = Pair::name;
  static constexpr std::string_view source = Pair::source;
  static constexpr bool adaptive = true;
  static constexpr int dense_order = Pair::dense_order;  ///< order of `interpolate`
  static constexpr Calculus calculus = Calculus::ito;

  static constexpr bool supports(NoiseKind kind) { return kind == NoiseKind::none; }
  static constexpr Orders orders(NoiseKind kind) {
    if (!supports(kind)) return {};
    return {.strong = {}, .weak = {}, .deterministic = Pair::order};
  }

  template <class P, State X>
  using Run = detail::EmbeddedRun<Pair, P, X>;

  /// The paths of an ensemble of small autonomous systems are solved several at once.
  template <class P, class S, int d>
  static constexpr bool in_lanes = detail::solved_in_lanes<Pair, P, S, d>;
  template <class P, class S, int d>
  using Lanes = detail::EmbeddedLanes<Pair, P, S, d>;

  double rtol = 1e-6;                       ///< relative tolerance
  double atol = 1e-9;                       ///< absolute tolerance, in the unit of x
  StepControl control = step_controls::pi;  ///< from errors to steps
};

using BogackiShampine32 = EmbeddedRungeKutta<tableaus::BogackiShampine32>;
using DormandPrince54 = EmbeddedRungeKutta<tableaus::DormandPrince54>;
using Tsitouras54 = EmbeddedRungeKutta<tableaus::Tsitouras54>;
using Verner76 = EmbeddedRungeKutta<tableaus::Verner76>;
using DormandPrince853 = EmbeddedRungeKutta<tableaus::DormandPrince853>;

}  // namespace fokker
