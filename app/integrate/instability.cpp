#include "integrate/instability.hpp"

#include <cmath>
#include <tuple>

#include <fmt/format.h>

namespace fokker::app {

std::string instability_warning(const RegisteredProcess& process, std::string_view solver, Time t,
                                Time h, Index steps) {
  const auto growth = step_growth_by_name(process, solver, t, h);
  if (!growth || !growth->unstable(steps)) return "";
  std::string message = fmt::format(
      "{} is unstable at steps of {:.6g} on this process: each step multiplies the mean square by "
      "{:.4g}, the exact solution by {:.4g}",
      solver, h, std::exp(growth->scheme), std::exp(growth->solution));
  for (int halvings = 1; halvings <= 20; ++halvings) {
    const double smaller = std::ldexp(h, -halvings);
    const auto other = step_growth_by_name(process, solver, t, smaller);
    if (other && !other->unstable(steps << halvings))
      return message + fmt::format("; --dt {:.6g} is stable", smaller);
  }
  return message;
}

std::string far_from_exact(std::span<const Summary> found, std::span<const double> means,
                           std::span<const double> deviations, std::span<const double> x0) {
  for (std::size_t r = 0; r < found.size(); ++r) {
    const Summary& s = found[r];
    const double size = 2 * (std::abs(means[r]) + deviations[r] + std::abs(x0[r]));
    const auto far = [&](double value, double exact, double error) {
      return std::abs(value - exact) > size + 5 * (std::isfinite(error) ? error : 0);
    };
    for (const auto& [name, value, exact, error] :
         {std::tuple{"mean", s.mean, means[r], s.mean_error},
          std::tuple{"standard deviation", s.sd, deviations[r], s.sd_error}})
      if (far(value, exact, error))
        return fmt::format(
            "the {} of component {} is {:.4g} and exactly {:.4g}: the solver is unstable at these "
            "steps, or they are far too long; try a smaller --dt",
            name, r + 1, value, exact);
  }
  return "";
}

}  // namespace fokker::app
