#include "integrate/summary.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace fokker::app {
namespace {

/// A value of the sorted sample x by linear interpolation. Source: Hyndman & Fan (1996), type 7.
double quantile(const std::vector<double>& x, double probability) {
  const double at = probability * static_cast<double>(x.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, x.size() - 1);
  return x[low] + (at - static_cast<double>(low)) * (x[high] - x[low]);
}

}  // namespace

Summary summarise(const FourMoments& moments, std::vector<double> x) {
  Summary s{moments.n, NAN, NAN, NAN, NAN, {}};
  s.quantiles.fill(NAN);
  if (moments.n > 0) s.mean = moments.mean;
  if (moments.n < 2) return s;
  s.sd = std::sqrt(moments.variance());
  s.mean_error = moments.mean_error();
  s.sd_error = s.sd > 0 ? moments.sd_error() : 0;
  std::erase_if(x, [](double value) { return !std::isfinite(value); });
  if (x.empty()) return s;
  std::sort(x.begin(), x.end());
  for (std::size_t q = 0; q < probabilities.size(); ++q)
    s.quantiles[q] = quantile(x, probabilities[q]);
  return s;
}

Summary summarise(std::vector<double> x) {
  std::erase_if(x, [](double value) { return !std::isfinite(value); });
  return summarise(FourMoments::of(x), x);
}

}  // namespace fokker::app
