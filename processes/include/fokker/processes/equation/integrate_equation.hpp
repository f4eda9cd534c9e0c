#pragma once
/// @file  fokker/processes/equation/integrate_equation.hpp
/// @brief `integrate` and `simulate` of an equation from text.

#include <array>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include <fokker/processes/equation/equation.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/integrate.hpp>

namespace fokker {

namespace detail {

/// @throws std::invalid_argument  always: the method does not take this noise
[[noreturn]] void refuse_noise(std::string_view method, const NoiseStructure& noise,
                               bool method_of_odes);

/// run(process) for the process of the equation, in the calculus of the method.
/// @throws std::invalid_argument  if the method does not take its kind of noise
template <class Result, class M, class Run>
Result with_process(const Equation& equation, const M& method, const Run& run) {
  return std::visit(
      [&](const auto& process) -> Result {
        using P = std::remove_cvref_t<decltype(process)>;
        if constexpr (ProcessFor<P, M, Block<double>>)
          return run(process);
        else
          refuse_noise(name_of(method), equation.noise(), supports<M>(NoiseKind::none));
      },
      equation.process<calculus_of_method<M>>());
}

}  // namespace detail

/// `integrate` of an equation from text: arguments, options and result are those of a process on
/// states Block<double> (integrate.hpp). The equation is converted, exactly, to the calculus of the
/// method.
/// @throws std::invalid_argument  also if the method does not take the noise of the equation
template <class M, class Steps, class X0, class OnStep>
requires(!detail::GivesGrid<Steps>) auto integrate(const Equation& equation, const M& method,
                                                   const Steps& steps, const X0& x0,
                                                   std::array<Time, 2> span,
                                                   const IntegrateOptions& options,
                                                   OnStep&& on_step) {
  return detail::with_process<Solution<Block<double>>>(equation, method, [&](const auto& process) {
    return detail::integrate(process, method, steps, x0, span, options, on_step);
  });
}
/// The same without a callback.
template <class M, class Steps, class X0>
requires(!detail::GivesGrid<Steps>) auto integrate(const Equation& equation, const M& method,
                                                   const Steps& steps, const X0& x0,
                                                   std::array<Time, 2> span,
                                                   const IntegrateOptions& options = {}) {
  return integrate(equation, method, steps, x0, span, options, detail::go_on);
}
/// The same on a grid.
template <class M, detail::GivesGrid Steps, class X0, class OnStep>
auto integrate(const Equation& equation, const M& method, const Steps& steps, const X0& x0,
               const IntegrateOptions& options, OnStep&& on_step) {
  return detail::with_process<Solution<Block<double>>>(equation, method, [&](const auto& process) {
    return detail::integrate(process, method, steps, x0, detail::span_of(steps), options, on_step);
  });
}
/// The same on a grid, without a callback.
template <class M, detail::GivesGrid Steps, class X0>
auto integrate(const Equation& equation, const M& method, const Steps& steps, const X0& x0,
               const IntegrateOptions& options = {}) {
  return integrate(equation, method, steps, x0, options, detail::go_on);
}

/// `simulate` of an equation from text, in double precision: arguments, options and result are those
/// of a process (simulate.hpp). The equation is converted, exactly, to the calculus of the method.
/// @throws std::invalid_argument  also if the method does not take the noise of the equation
template <class M, class Steps, class X0, class Reduction>
requires(!detail::GivesGrid<Steps>) auto simulate(const Equation& equation, const M& method,
                                                  const Steps& steps, const X0& x0,
                                                  std::array<Time, 2> span,
                                                  const SimulateOptions& options,
                                                  Reduction reduction) {
  return detail::with_process<Ensemble<typename Reduction::Value>>(
      equation, method, [&](const auto& process) {
        return detail::simulate<double>(process, method, steps, x0, span, options,
                                        std::move(reduction));
      });
}
/// The same on a grid.
template <class M, detail::GivesGrid Steps, class X0, class Reduction>
auto simulate(const Equation& equation, const M& method, const Steps& steps, const X0& x0,
              const SimulateOptions& options, Reduction reduction) {
  return detail::with_process<Ensemble<typename Reduction::Value>>(
      equation, method, [&](const auto& process) {
        return detail::simulate<double>(process, method, steps, x0, detail::span_of_ensemble(steps),
                                        options, std::move(reduction));
      });
}

}  // namespace fokker
