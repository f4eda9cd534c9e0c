#pragma once
/// @file  fokker/diffusion/detail/exponential_moments.hpp
/// @brief The integrals that exponential integrators weigh polynomials with.

#include <array>
#include <cmath>
#include <cstddef>

namespace fokker::detail {

/// m_k = integral of e^{-(h - v)} v^k dv over [0, h], k = 0, ..., count - 1, for any finite h, also
/// negative, to rounding. In terms of the phi functions m_k = k! h^{k+1} phi_{k+1}(-h).
///
/// They satisfy m_k = h^k - k m_{k-1}, which cancels upwards for small h: there the last is summed
/// as a series, m_k = h^{k+1} (1/(k+1) - h/((k+1)(k+2)) + ...), and the recursion run downwards.
template <std::size_t count>
std::array<double, count> exponential_moments(double h) {
  std::array<double, count> m{};
  if (std::abs(h) < 1) {
    double term = 1;
    for (std::size_t k = 1; k <= count; ++k) term *= h;
    term /= static_cast<double>(count);
    double& last = m[count - 1];
    for (std::size_t n = 1; std::abs(term) > 1e-17 * std::abs(last); ++n) {
      last += term;
      term *= -h / static_cast<double>(count + n);
    }
    for (std::size_t k = count - 1; k > 0; --k)
      m[k - 1] = (std::pow(h, static_cast<double>(k)) - m[k]) / static_cast<double>(k);
  } else {
    m[0] = -std::expm1(-h);
    for (std::size_t k = 1; k < count; ++k)
      m[k] = std::pow(h, static_cast<double>(k)) - static_cast<double>(k) * m[k - 1];
  }
  return m;
}

}  // namespace fokker::detail
