#pragma once
/// @file  fokker/solvers/ode/ode.hpp
/// @brief Adaptive methods for ODEs: Dormand-Prince 5(4), Fehlberg 7(8), Bulirsch-Stoer.
///
/// The steppers and their step size control are Boost.Odeint's; the loop, the landing on t1 and the
/// treatment of nan are ours. Not part of fokker.hpp: odeint doubles the time to compile.

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <boost/numeric/odeint/algebra/default_operations.hpp>
#include <boost/numeric/odeint/algebra/vector_space_algebra.hpp>
#include <boost/numeric/odeint/external/eigen/eigen_resize.hpp>
#include <boost/numeric/odeint/stepper/bulirsch_stoer.hpp>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_fehlberg78.hpp>

#include <fokker/solvers/core/interval.hpp>
#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/core/steps.hpp>
#include <fokker/solvers/ode/adaptive_run.hpp>
#include <fokker/solvers/support/text.hpp>

/// @cond
/// Eigen arrays are assigned; odeint takes those of Eigen 3.4 for ranges and would copy by
/// iterators.
template <class S, int R, int C, int O, int MR, int MC>
struct boost::numeric::odeint::copy_impl<Eigen::Array<S, R, C, O, MR, MC>,
                                         Eigen::Array<S, R, C, O, MR, MC>> {
  using X = Eigen::Array<S, R, C, O, MR, MC>;
  static void copy(const X& from, X& to) { to = from; }
};
/// @endcond

namespace fokker {

namespace detail {

/// odeint's algebra on Eigen arrays. The norm of an array with a nan is infinite, so that odeint's
/// controllers, which would accept a nan, reject the step and shorten it.
struct OdeintAlgebra : boost::numeric::odeint::vector_space_algebra {
  template <class X>
  static typename X::Scalar norm_inf(const X& x) {
    using S = typename X::Scalar;
    const S norm = x.abs().template maxCoeff<Eigen::PropagateNaN>();
    return std::isnan(norm) ? std::numeric_limits<S>::infinity() : norm;
  }
};

/// odeint's operations with the factors (double, as time is) cast to the scalar of the state.
struct OdeintOperations : boost::numeric::odeint::default_operations {
  /// out = a_1 in_1 + ... + a_n in_n, in one expression.
  template <std::size_t n>
  struct ScaleSum {
    using result_type = void;
    explicit ScaleSum(auto... factors) : a{static_cast<double>(factors)...} {}

    template <class X, class... In>
    void operator()(X& out, const In&... in) const {
      sum(out, std::make_index_sequence<n>{}, in...);
    }
    template <class X, std::size_t... i, class... In>
    void sum(X& out, std::index_sequence<i...>, const In&... in) const {
      out = (... + (static_cast<typename X::Scalar>(a[i]) * in));
    }

    std::array<double, n> a;
  };
  // clang-format off
  template <class...> using scale_sum1 = ScaleSum<1>;
  template <class...> using scale_sum2 = ScaleSum<2>;
  template <class...> using scale_sum3 = ScaleSum<3>;
  template <class...> using scale_sum4 = ScaleSum<4>;
  template <class...> using scale_sum5 = ScaleSum<5>;
  template <class...> using scale_sum6 = ScaleSum<6>;
  template <class...> using scale_sum7 = ScaleSum<7>;
  template <class...> using scale_sum8 = ScaleSum<8>;
  template <class...> using scale_sum9 = ScaleSum<9>;
  template <class...> using scale_sum10 = ScaleSum<10>;
  template <class...> using scale_sum11 = ScaleSum<11>;
  template <class...> using scale_sum12 = ScaleSum<12>;
  template <class...> using scale_sum13 = ScaleSum<13>;
  template <class...> using scale_sum14 = ScaleSum<14>;
  // clang-format on

  /// x1 = a_1 x2 + a_2 x3 with the old x1 left in x2.
  template <class...>
  struct scale_sum_swap2 {
    using result_type = void;
    scale_sum_swap2(double a1, double a2) : sum(a1, a2) {}

    template <class X>
    void operator()(X& x1, X& x2, const X& x3) const {
      x1.swap(x2);
      sum(x1, x1, x3);
    }

    ScaleSum<2> sum;
  };
};

/// An adaptive run of the odeint stepper of `OdeintMethod` over one state: a path, or a block with
/// a joint step. The process must outlive it.
template <class OdeintMethod, class P, State X>
class OdeintRun {
  using S = typename X::Scalar;
  using Stepper = typename OdeintMethod::template Stepper<X>;
  static constexpr bool may_be_blind = requires { OdeintMethod::blind; };

 public:
  /// @throws std::invalid_argument  as ErrorControl, and for what odeint does not take: an absolute
  ///                                tolerance for each component, a control
  template <class Method>
  OdeintRun(const Method& /*method*/, const Adaptive& steps, const P& process, Index d)
      : OdeintRun(process, ErrorControl(Method::facts.name, steps, NoiseKind::none, {}, d),
                  Method::control_order) {
    if (steps.control || (steps.atol && steps.atol->values().size() > 1))
      throw std::invalid_argument(
          text("{} is odeint's: it takes one absolute tolerance for all components and has a step "
               "control of its own",
               {Method::facts.name}));
    first_step(steps.first_step);
  }

  /// As AdaptiveRun::first_step.
  void first_step(Time h) {
    check_first_step(h);
    h_ = h;
    unconfirmed_ = h > 0;
  }

  /// Tries one step from (x, t) towards t1 > t, which is never passed. An accepted step (see
  /// `accepted`) replaces x and t; the last one sets t = t1 exactly. A rejected one, also one that
  /// met a nan, shortens the next. Between calls x and t must stay what the last accepted step made
  /// them.
  /// @return success; step_underflow, or non_finite if a nan is the cause, where t + h == t
  Status try_step(X& x, Time& t, Time t1, Counts& counts) {
    accepted_ = false;
    const auto system = this->system(counts);
    if (!has_slope_) {
      for (X* scratch : {&slope_, &slope_out_, &out_}) scratch->resizeLike(x);
      out_ = x;
      system(x, slope_, t);
      has_slope_ = true;
    }
    if (h_ == 0) h_ = initial_step(system, x, t, t1);
    if (t + h_ == t) return blame(system, t);

    // The step is clipped at t1, or stretched a little to meet it, and resumed after this stop.
    // Times are measured from the last stop: t + h need not be representable.
    if (t != now_) {
      stop_ = t;
      since_ = 0;
    }
    const Time resumed = h_, rest = (t1 - stop_) - since_;
    const bool last = 1.0001 * h_ >= rest;
    const Time h = last ? rest : h_;
    h_ = h;
    bool within_tolerance = odeint_step(system, x, t);
    accepted_ = within_tolerance && out_.isFinite().all();
    if (accepted_ && unconfirmed_ && !confirmed(x, t, h, counts)) {
      accepted_ = within_tolerance = false;
      h_ = h / 5;
    }
    if (!accepted_) {
      if (within_tolerance) h_ = h / 10;  // an overflow that the error estimate does not show
      unconfirmed_ = unconfirmed_ || h_ < 0.21 * h;
      ++counts.rejected;
      return Status::success;
    }
    ++counts.accepted;
    unconfirmed_ = false;
    reach_ = std::max(reach_, rest);
    if ((x == out_).all()) h_ = std::min(h_, std::max(h, 0.1 * reach_));  // as AdaptiveRun
    x.swap(out_);
    if constexpr (first_same_as_last)
      slope_.swap(slope_out_);
    else
      has_slope_ = false;
    since_ += h;
    now_ = t = last ? t1 : stop_ + since_;
    if (last) {
      stop_ = t1;
      since_ = 0;
    }
    if (last) h_ = std::max(h_, resumed);
    return Status::success;
  }

  /// Whether the last `try_step` advanced the state.
  bool accepted() const { return accepted_; }

  double rtol() const { return rtol_; }
  double least_atol() const { return atol_; }

 private:
  OdeintRun(const P& process, const ErrorControl& errors, int control_order)
      : process_(&process),
        stepper_(make_stepper(errors.rtol, errors.atol[0])),
        rtol_(errors.rtol),
        atol_(errors.atol[0]),
        order_(control_order) {}

  static constexpr bool first_same_as_last = requires {
    requires std::same_as<typename Stepper::stepper_category,
                          boost::numeric::odeint::explicit_controlled_stepper_fsal_tag>;
  };

  static Stepper make_stepper(double rtol, double atol) {
    if constexpr (requires { typename Stepper::stepper_type; }) {
      // Copied by odeint; static, because its arrays are never initialised and those of a static
      // are 0.
      static const typename Stepper::stepper_type blank;
      return Stepper({S(atol), S(rtol), S(1), S(1)}, {}, blank);
    } else {
      return Stepper(S(atol), S(rtol), S(1), S(1));
    }
  }

  /// f for odeint.
  auto system(Counts& counts) {
    return [this, &counts](const X& at, X& slope, Time t) {
      evaluate_drift(*process_, at, t, slope);
      ++counts.drift_evaluations;
      if constexpr (may_be_blind)
        if (++stage_ < stages_.size()) stages_[stage_] = &slope;
    };
  }

  /// out_ = x(t + h_) if the error allows it; h_ becomes the next step to try.
  template <class System>
  bool odeint_step(const System& system, const X& x, Time t) {
    using boost::numeric::odeint::success;
    [[maybe_unused]] const Time h = h_;
    stage_ = 0;
    if constexpr (first_same_as_last)
      return stepper_.try_step(system, x, slope_, t, out_, slope_out_, h_) == success;
    else if (stepper_.try_step(system, x, slope_, t, out_, h_) != success)
      return false;
    if constexpr (may_be_blind) {
      const double error = unseen_error(x, h);
      if (error > 0) {
        const Time next = h * std::clamp(0.9 * std::pow(error, -1.0 / (order_ + 1)), 0.2, 5.0);
        h_ = error > 1 ? next : std::min(h_, next);
      }
      return !(error > 1);
    }
    return true;
  }

  /// The error of the step of h just made by the second estimate of a method whose own is blind, in
  /// odeint's measure; 0 where its own is not.
  double unseen_error(const X& x, Time h) {
    const auto norm = [&](const std::array<double, 13>& weights) {
      stages_[0] = &slope_;
      slope_out_.setZero();
      for (std::size_t i = 0; i < weights.size(); ++i)
        if (weights[i] != 0) slope_out_ += S(h * weights[i]) * *stages_[i];
      return static_cast<double>(
          (slope_out_.abs() / (S(atol_) + S(rtol_) * (x.abs() + S(h) * slope_.abs()))).maxCoeff());
    };
    const double high = norm(OdeintMethod::blind[1]), low = norm(OdeintMethod::blind[2]);
    const double error = high == 0 ? 0 : high * (high / std::hypot(high, 0.1 * low));
    // Of smooth solutions the ratio is about 1e-2 (1e-3 at the tightest tolerances).
    const double blind = unconfirmed_ ? 1e-2 : 1e-3;
    return norm(OdeintMethod::blind[0]) < blind * error ? error : 0;
  }

  /// Whether two steps whose sizes have no simple ratio to each other lead to out_ too.
  bool confirmed(const X& x, Time t, Time h, Counts& counts) {
    constexpr double part = 0.3819660112501051;  // (3 - sqrt 5) / 2
    const auto scale = S(atol_) + S(rtol_) * (x.abs() + S(h) * slope_.abs());
    OdeintRun other(*this);
    const auto system = other.system(counts);
    other.h_ = part * h;
    if (!other.odeint_step(system, x, t)) return false;
    const X middle = other.out_;
    system(middle, other.slope_, t + part * h);
    other.h_ = h - part * h;
    return other.odeint_step(system, middle, t + part * h) &&
           ((other.out_ - out_).abs() / scale).maxCoeff() <= 1;
  }

  /// See FirstStep.
  template <class System>
  Time initial_step(const System& system, const X& x, Time t, Time t1) {
    const X scale = S(atol_) + S(rtol_) * x.abs();
    const auto norm = [&](const X& v) { return static_cast<double>((v / scale).abs().maxCoeff()); };
    FirstStep first(norm(x), norm(slope_), t, t1 - t);
    do {
      out_ = x + S(first.look()) * slope_;
      system(out_, slope_out_, t + first.look());
    } while (first.again(norm(slope_out_ - slope_)));
    return first.size(order_ + 1);
  }

  /// Why the step at t became too small: a state or slope that is not finite, or accuracy.
  template <class System>
  Status blame(const System& system, Time t) {
    if (!slope_.isFinite().all() || !out_.isFinite().all()) return Status::non_finite;
    system(out_, slope_out_, t);
    return slope_out_.isFinite().all() ? Status::step_underflow : Status::non_finite;
  }

  const P* process_;
  Stepper stepper_;
  X slope_, slope_out_, out_;  // f(x, t), f(out, t + h) and the state tried
  bool has_slope_ = false;
  double rtol_, atol_;
  int order_;
  Time h_ = 0;
  Time reach_ = 0;  // the longest way to a stop that there was
  Time now_ = std::numeric_limits<Time>::quiet_NaN(), stop_ = 0, since_ = 0;  // now = stop + since
  bool accepted_ = false;
  bool unconfirmed_ = false;              // error estimates may be blind to the next step
  std::array<const X*, 13> stages_ = {};  // of the last step, in the stepper, if they are asked for
  std::size_t stage_ = 0;
};

}  // namespace detail

/// The adaptive methods that odeint supplies: name, source, order (0: it varies), the order that
/// the first step is chosen with, and the stepper on states X.
namespace odeint_methods {

/// The pair of Dopri5 (embedded_runge_kutta.hpp), which is the faster one. Six evaluations
/// of f per step, the seventh being the first of the next.
struct DormandPrince5 {
  static constexpr std::string_view name = "odeint-dopri5";
  static constexpr std::string_view source = "Dormand & Prince (1980)";
  static constexpr int order = 5, control_order = 5, stages = 6;
  template <State X>
  using Stepper =
      boost::numeric::odeint::controlled_runge_kutta<boost::numeric::odeint::runge_kutta_dopri5<
          X, typename X::Scalar, X, Time, detail::OdeintAlgebra, detail::OdeintOperations>>;
};

/// Fehlberg's pair of orders 7 and 8, the solution carried on with order 8: for tight tolerances.
/// Thirteen evaluations of f per step. Its error estimate takes f at the start and at the end only
/// and is 0 where f depends on t alone; where it is far below that of quadrature rules over the
/// same evaluations, of orders 6 and 4 and put together to follow h^9, that one counts.
struct Fehlberg78 {
  static constexpr std::string_view name = "fehlberg78";
  static constexpr std::string_view source = "Fehlberg (1968), NASA TR R-287";
  static constexpr int order = 8, control_order = 8, stages = 13;
  static constexpr std::array<std::array<double, 13>, 3> blind{
      {{41. / 840, 0, 0, 0, 0, 0, 0, 0, 0, 0, 41. / 840, -41. / 840, -41. / 840},
       {41. / 840 - 7. / 150, 0, 0, 0, 0, 34. / 105 - 11. / 30, 9. / 35 - 27. / 100,
        9. / 35 - 27. / 100, 9. / 280, 9. / 280, 41. / 840 - 7. / 150},
       {41. / 840 - 1. / 6, 0, 0, 0, 0, 34. / 105 - 2. / 3, 9. / 35, 9. / 35, 9. / 280, 9. / 280,
        41. / 840 - 1. / 6}}};
  template <State X>
  using Stepper =
      boost::numeric::odeint::controlled_runge_kutta<boost::numeric::odeint::runge_kutta_fehlberg78<
          X, typename X::Scalar, X, Time, detail::OdeintAlgebra, detail::OdeintOperations>>;
};

/// Extrapolation of the modified midpoint rule with variable step and order, for smooth f and tight
/// tolerances. odeint allocates two short vectors per step.
struct BulirschStoer {
  static constexpr std::string_view name = "bulirsch-stoer";
  static constexpr std::string_view source = "Bulirsch & Stoer (1966)";
  static constexpr int order = 0, control_order = 4;
  static constexpr int stages = 0;  // they vary
  template <State X>
  using Stepper =
      boost::numeric::odeint::bulirsch_stoer<X, typename X::Scalar, X, Time, detail::OdeintAlgebra,
                                             detail::OdeintOperations>;
};

}  // namespace odeint_methods

/// An adaptive solver for ODEs. A step is accepted where, in the maximum over the components (and,
/// for a block, over the paths),
///
///     |error estimate| <= atol + rtol (|x| + h |f(x, t)|)
///
/// which is odeint's measure: a given rtol is looser here than where |x| alone is the scale. A step
/// that meets a nan or an infinity is rejected and shortened, and ends in a Status if that does not
/// help. No allocation after the first step, except as the method says.
template <class Method>
struct AdaptiveOde {
  static constexpr Facts facts{
      .name = Method::name,
      .source = Method::source,
      .noise = {NoiseKind::none},
      .order = {.deterministic =
                    Method::order > 0 ? std::optional<double>(Method::order) : std::nullopt},
      .cost = {.drift = Method::stages}};

  static constexpr bool adaptive = true;
  static constexpr int control_order = Method::control_order;

  template <class P, State X>
  using Run = detail::OdeintRun<Method, P, X>;
};

using OdeintDopri5 = AdaptiveOde<odeint_methods::DormandPrince5>;
using Fehlberg78 = AdaptiveOde<odeint_methods::Fehlberg78>;
using BulirschStoer = AdaptiveOde<odeint_methods::BulirschStoer>;

}  // namespace fokker
