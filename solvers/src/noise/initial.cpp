/// @file  initial.cpp
/// @brief Starts that are refused.

#include <fokker/solvers/noise/initial.hpp>

#include <stdexcept>
#include <string>

#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

void refuse_dimension(Index of_process, Index of_x0) {
  throw std::invalid_argument("the process has dimension " + std::to_string(of_process) +
                              " and x0 has " + std::to_string(of_x0));
}

void refuse_start(Index component, double x0, double low, double high) {
  throw std::invalid_argument("component " + std::to_string(component) + " of x0 is " + text(x0) +
                              ", outside the domain [" + text(low) + ", " + text(high) +
                              "] of the process");
}

}  // namespace fokker::detail
