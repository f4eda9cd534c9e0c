#pragma once
/// @file  fokker/diffusion/schedule/tabulated_schedule.hpp
/// @brief The schedule of a user-defined dx = f(t) x dt + g(t) dw, by quadrature.

#include <functional>
#include <memory>

#include <fokker/diffusion/schedule/schedule.hpp>

namespace fokker {

/// The schedule of dx = f(t) x dt + g(t) dw from the data at t = 0:
///
///     s(t) = exp int_0^t f,   sigma(t)^2 = int_0^t (g / s)^2
///
/// The integrals are tabulated at construction on cells that are halved until Gauss-Kronrod
/// quadrature is exact to rounding, and finished by the same rule inside a cell: 15 values of f for
/// s, 225 for sigma. Copies share the table.
/// Source: Karras et al. (2022), arXiv 2206.00364, appendix B.1.
class TabulatedSchedule {
 public:
  /// @param f    rate of the drift: f(t) times x
  /// @param g    diffusion coefficient
  /// @param end  T > 0; f and g must be integrable up to it
  /// @throws std::invalid_argument  if T is not positive and finite, or quadrature of an integral
  ///                                fails
  TabulatedSchedule(std::function<double(Time)> f, std::function<double(Time)> g, Time end);

  AffineCoefficients at(Time t) const;
  double frozen_score_weight(Time t, Time t_next) const;  ///< without sigma, which costs the most
  ScheduleEnds ends() const;

 private:
  struct Table;
  std::shared_ptr<const Table> table_;
};

/// (f, g) -> (s, sigma) of dx = f(t) x dt + g(t) dw on [0, end]; the inverse map, (s, sigma) -> (f,
/// g), is log_scale_rate and diffusion of any schedule.
inline TabulatedSchedule schedule_from_coefficients(std::function<double(Time)> f,
                                                    std::function<double(Time)> g, Time end = 1) {
  return {std::move(f), std::move(g), end};
}

}  // namespace fokker
