/// @file  interval.cpp
/// @brief What is refused before an adaptive run begins.

#include <fokker/solvers/core/interval.hpp>

#include <cmath>
#include <limits>
#include <stdexcept>

#include <fokker/solvers/support/checks.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

void check_tolerances(std::string_view solver, double rtol, double atol) {
  if (!(rtol > 0) || !(atol > 0) || !std::isfinite(rtol) || !std::isfinite(atol))
    throw std::invalid_argument(
        text("{} needs tolerances above zero: got rtol={}, atol={}", {solver, rtol, atol}));
  constexpr double least = 4 * std::numeric_limits<double>::epsilon();
  if (rtol < least)
    throw std::invalid_argument(text(
        "{} cannot keep a relative tolerance below the rounding of a step, {}: got rtol={} (for "
        "an absolute tolerance alone take rtol=1e-15)",
        {solver, least, rtol}));
}

void check_first_step(Time h) { check_not_negative("first_step", h, "0 lets the solver choose"); }

}  // namespace fokker::detail
