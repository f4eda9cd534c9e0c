/// @file  integrate_equation.cpp
/// @brief What a method says that does not take the noise of an equation.

#include <fokker/processes/equation/integrate_equation.hpp>

#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

void refuse_noise(std::string_view method, const NoiseStructure& noise, bool method_of_odes) {
  if (noise.kind == NoiseKind::none)
    throw std::invalid_argument(
        text("{} is for SDEs and the equation has no noise: use an ODE solver such as Rk4 "
             "or Dopri5",
             {method}));
  if (method_of_odes)
    throw std::invalid_argument(
        text("{} is for ODEs and the equation has {} noise: use an SDE solver such as "
             "EulerMaruyama or HeunSde",
             {method, to_string(noise.kind)}));
  throw std::invalid_argument(
      text("{} does not take {} noise ({}): EulerMaruyama and HeunSde take every kind",
           {method, to_string(noise.kind), noise.reason}));
}

}  // namespace fokker::detail
