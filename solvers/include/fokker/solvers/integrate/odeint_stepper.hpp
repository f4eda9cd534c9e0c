#pragma once
/// @file  fokker/solvers/integrate/odeint_stepper.hpp
/// @brief A fixed-step solver of fokker as a Boost.Odeint Stepper.

#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include <fmt/core.h>
#include <boost/numeric/odeint/stepper/stepper_categories.hpp>
#include <boost/numeric/odeint/util/unwrap_reference.hpp>

#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/integrate/contract.hpp>
#include <fokker/solvers/integrate/stepping.hpp>
#include <fokker/solvers/noise/brownian.hpp>

namespace fokker {

/// A fixed-step solver that odeint's own functions drive:
///
///     OdeintStepper stepper{Milstein{}, process, x, BrownianIncrements<double>(seed, 0, 1, 1)};
///     boost::numeric::odeint::integrate_const(stepper, std::ref(process), x, t0, t1, dt);
///
/// odeint copies steppers and systems by value. Copies of this one share the noise and the scratch:
/// each step, by whichever copy, takes the next increment, so the caller's stepper carries on where
/// odeint stopped. For the same noise again make a new one; never use copies on two threads.
/// Intervals must follow each other upwards in time, as integrate_const's do. ODEs take no source.
template <class M, class P, State X, class Source = NoNoise>
class OdeintStepper {
 public:
  /// As odeint requires.
  using state_type = X;
  /// As odeint requires.
  using deriv_type = X;
  /// As odeint requires.
  using value_type = typename X::Scalar;
  /// As odeint requires.
  using time_type = Time;
  /// As odeint requires.
  using order_type = unsigned short;
  /// As odeint requires.
  using stepper_category = boost::numeric::odeint::stepper_tag;

  /// @param method   a fixed-step solver that takes the process (checked at compile time)
  /// @param process  the one that will be passed as system; its noise dimension is read here
  /// @param x        a state of the shape to come, d x n
  /// @param source   BrownianIncrements of n paths and the process's noise dimension
  /// @param check    the contract of the coefficients near x at t = 0 (contract.hpp)
  /// @throws std::invalid_argument  for a solver with memory, or coefficients that break their
  ///                                contract
  OdeintStepper(M method, const P& process, const X& x, Source source = {}, bool check = true)
      : shared_(
            std::make_shared<Shared>(std::move(method), std::move(source), x.rows(), x.cols())) {
    require_compatible<M, P>();
    static_assert(noise_kind<P> == NoiseKind::none || !std::same_as<Source, NoNoise>,
                  "an SDE needs a source of noise: pass BrownianIncrements");
    if (has_memory(shared_->method))
      throw std::invalid_argument(
          fmt::format("{} carries something from step to step, and odeint's steps may start "
                      "anywhere: choose a one-step solver",
                      name_of(shared_->method)));
    if (check) detail::check_contract<X>(process, x, x.cols() > 1, 0, 0);
    shared_->dw.w.resize(wiener_dimension(process, x.rows()), x.cols());
  }

  /// odeint's meaning of order: the one without noise.
  order_type order() const {
    return static_cast<order_type>(
        facts_of(shared_->method).orders(noise_kind<P>).deterministic.value_or(0));
  }

  /// x = x(t + dt), one step.
  /// @param system  the process, or a std::ref to it
  /// @throws std::invalid_argument  for an SDE and dt <= 0
  template <class System>
  void do_step(System system, X& x, Time t, Time dt) {
    const typename boost::numeric::odeint::unwrap_reference<System>::type& process = system;
    if (noise_kind<P> != NoiseKind::none && !(dt > 0))
      throw std::invalid_argument(fmt::format("an SDE is stepped up in time: got dt={}", dt));
    Shared& s = *shared_;
    s.source.increment(t, t + dt, s.dw);
    s.method.step(process, x, t, dt, s.dw, s.y, s.workspace);
    x.swap(s.y);
  }

 private:
  struct Shared {
    Shared(M m, Source src, Index d, Index n)
        : method(std::move(m)), source(std::move(src)), y(d, n), workspace(d, n) {}
    M method;
    Source source;
    Increment<P, X> dw;
    X y;
    typename M::template Workspace<X> workspace;
  };
  std::shared_ptr<Shared> shared_;
};

template <class M, class P, State X>
OdeintStepper(M, const P&, const X&) -> OdeintStepper<M, P, X>;
template <class M, class P, State X, class Source>
OdeintStepper(M, const P&, const X&, Source, bool = true) -> OdeintStepper<M, P, X, Source>;

}  // namespace fokker
