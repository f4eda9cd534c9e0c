/// @file  preconditioning.cpp
/// @brief The columns of EDM's table.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numbers>

#include <boost/math/special_functions/erf.hpp>

#include <fokker/diffusion/train/preconditioning.hpp>

namespace fokker {

double IddpmPreconditioning::c_noise(double sigma) const {
  const auto last = levels.end() - 2;  // u_{M-1}
  auto nearest = std::lower_bound(levels.begin(), last, sigma, std::greater<>{});
  if (nearest != levels.begin() && nearest[-1] - sigma < sigma - *nearest) --nearest;
  return static_cast<double>(last - nearest);
}

double IddpmPreconditioning::training_sigma(double u) const {
  const auto count = static_cast<double>(levels.size() - 1);
  return levels[static_cast<std::size_t>(std::clamp(std::floor(u * count), 0.0, count - 1))];
}

double EdmPreconditioning::c_skip(double sigma) const {
  const double ratio = sigma / sigma_data;
  return 1 / (1 + ratio * ratio);
}

double EdmPreconditioning::c_out(double sigma) const { return sigma * sigma_data * c_in(sigma); }

double EdmPreconditioning::weight(double sigma) const {
  const double root = 1 / c_out(sigma);
  return root * root;
}

double EdmPreconditioning::training_sigma(double u) const {
  const double normal = -std::numbers::sqrt2 * boost::math::erfc_inv(2 * u);
  return std::exp(log_mean + log_std * normal);
}

}  // namespace fokker
