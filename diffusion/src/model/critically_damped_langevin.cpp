/// @file  critically_damped_langevin.cpp
/// @brief The moments of critically damped Langevin diffusion.

#include <stdexcept>
#include <string>

#include <boost/math/special_functions/gamma.hpp>

#include <fokker/diffusion/model/critically_damped_langevin.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

void CriticallyDampedLangevin::validate() const {
  const auto positive = [](const char* name, double value) {
    if (!(value > 0) || !std::isfinite(value))
      throw std::invalid_argument(std::string(name) + " must be positive and finite: got " + name +
                                  "=" + text(value));
  };
  positive("inverse_mass", inverse_mass);
  positive("beta", beta);
  positive("gamma", gamma);
  positive("end", end);
}

PhaseMoments CriticallyDampedLangevin::moments(Time t) const {
  const double w = omega(), u = w * beta * t;
  const double decay = std::exp(-u), squared = decay * decay;
  // xx without velocities is 1 - exp(-2u) (1 + 2u + 2u^2) = P(3, 2u), the incomplete gamma function
  const double xx = boost::math::gamma_p(3, 2 * u) + gamma * u * u * squared;
  const double xv = squared * u / w * (2 * u + gamma * (1 - u));
  const double vv =
      (-std::expm1(-2 * u) + squared * (2 * u * (1 - u) + gamma * (1 - u) * (1 - u))) /
      inverse_mass;
  return {decay * (1 + u), -decay * u / w, xx, xv, vv};
}

}  // namespace fokker
