/// @file  stiff_table.cpp
/// @brief Steps, evaluations and errors of adaptive methods on stiff ODEs: the table of
///        docs/work_precision.md.
///
///     stiff_table
///
/// Jacobians are the process's own, and counted. The error is the largest over the components of
/// |x - exact| / (scale + |exact|) at the end, with rtol = tol and atol = tol scale.

#include <cmath>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>

#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/radau.hpp>
#include <fokker/solvers/ode/rosenbrock.hpp>

namespace {

using namespace fokker;

/// Van der Pol's oscillator, y'' = ((1 - y^2) y' - y) / eps.
struct VanDerPol {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr bool autonomous = true;
  static constexpr double scale = 1, end = 2;
  static inline const PathState<double, 2> start{2, -0.66};
  double eps;
  std::uint64_t* jacobians;
  void drift(const auto& x, Time, auto& out) const {
    out(0) = x(1);
    out(1) = ((1 - x(0) * x(0)) * x(1) - x(0)) / eps;
  }
  void drift_jacobian(const auto& x, Time, auto& j) const {
    ++*jacobians;
    j << 0, 1, (-2 * x(0) * x(1) - 1) / eps, (1 - x(0) * x(0)) / eps;
  }
};

/// The Oregonator: a reaction with a limit cycle. Source: Hairer & Wanner (1996), IV.10.
struct Oregonator {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr bool autonomous = true;
  static constexpr double scale = 1e-6, end = 360;
  static inline const PathState<double, 3> start{1, 2, 3};
  std::uint64_t* jacobians;
  void drift(const auto& x, Time, auto& out) const {
    out(0) = 77.27 * (x(1) + x(0) * (1 - 8.375e-6 * x(0) - x(1)));
    out(1) = (x(2) - (1 + x(0)) * x(1)) / 77.27;
    out(2) = 0.161 * (x(0) - x(2));
  }
  void drift_jacobian(const auto& x, Time, auto& j) const {
    ++*jacobians;
    j << 77.27 * (1 - 2 * 8.375e-6 * x(0) - x(1)), 77.27 * (1 - x(0)), 0,  //
        -x(1) / 77.27, -(1 + x(0)) / 77.27, 1 / 77.27,                     //
        0.161, 0, -0.161;
  }
};

/// Robertson's reaction. Source: Hairer & Wanner (1996), IV.10.
struct Robertson {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr bool autonomous = true;
  static constexpr double scale = 1e-6, end = 1e11;
  static inline const PathState<double, 3> start{1, 0, 0};
  std::uint64_t* jacobians;
  void drift(const auto& x, Time, auto& out) const {
    out(0) = -0.04 * x(0) + 1e4 * x(1) * x(2);
    out(2) = 3e7 * x(1) * x(1);
    out(1) = -out(0) - out(2);
  }
  void drift_jacobian(const auto& x, Time, auto& j) const {
    ++*jacobians;
    j << -0.04, 1e4 * x(2), 1e4 * x(1),               //
        0.04, -1e4 * x(2) - 6e7 * x(1), -1e4 * x(1),  //
        0, 6e7 * x(1), 0;
  }
};

/// HIRES: a plant's response to light. Source: Hairer & Wanner (1996), IV.10.
struct Hires {
  [[maybe_unused]] static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr bool autonomous = true;
  static constexpr double scale = 1e-4, end = 321.8122;
  static inline const PathState<double, 8> start{1, 0, 0, 0, 0, 0, 0, 0.0057};
  std::uint64_t* jacobians;
  void drift(const auto& y, Time, auto& out) const {
    out(0) = -1.71 * y(0) + 0.43 * y(1) + 8.32 * y(2) + 0.0007;
    out(1) = 1.71 * y(0) - 8.75 * y(1);
    out(2) = -10.03 * y(2) + 0.43 * y(3) + 0.035 * y(4);
    out(3) = 8.32 * y(1) + 1.71 * y(2) - 1.12 * y(3);
    out(4) = -1.745 * y(4) + 0.43 * (y(5) + y(6));
    out(5) = -280 * y(5) * y(7) + 0.69 * (y(3) + y(6)) + 1.71 * y(4) - 0.43 * y(5);
    out(6) = 280 * y(5) * y(7) - 1.81 * y(6);
    out(7) = -out(6);
  }
  void drift_jacobian(const auto& y, Time, auto& j) const {
    ++*jacobians;
    const double u = 280 * y(5), v = 280 * y(7);
    j << -1.71, 0.43, 8.32, 0, 0, 0, 0, 0,         //
        1.71, -8.75, 0, 0, 0, 0, 0, 0,             //
        0, 0, -10.03, 0.43, 0.035, 0, 0, 0,        //
        0, 8.32, 1.71, -1.12, 0, 0, 0, 0,          //
        0, 0, 0, 0, -1.745, 0.43, 0.43, 0,         //
        0, 0, 0, 0.69, 1.71, -0.43 - v, 0.69, -u,  //
        0, 0, 0, 0, 0, v, -1.81, u,                //
        0, 0, 0, 0, 0, -v, 1.81, -u;
  }
};

template <class M, class P>
auto solve(const P& process, double tolerance, Counts& counts) {
  auto x = P::start;
  typename M::template Run<P, std::remove_cvref_t<decltype(x)>> run(
      M{}, Adaptive{.rtol = tolerance, .atol = tolerance * P::scale}, process, x.rows());
  detail::Interval interval{.end = P::end, .tries = 10'000'000};
  detail::run_to(run, x, 0, interval, counts);
  return x;
}

template <class M, class P>
void rows(std::string_view problem, P process, const auto& exact) {
  for (const double tolerance : {1e-4, 1e-6, 1e-8}) {
    std::uint64_t jacobians = 0;
    process.jacobians = &jacobians;
    Counts n;
    const auto x = solve<M>(process, tolerance, n);
    const double error = ((x - exact).abs() / (P::scale + exact.abs())).maxCoeff();
    fmt::print("| {} | {} | {:.0e} | {:.1e} | {} | {} | {} | {} |\n", problem, M::facts.name,
               tolerance, error, n.accepted, n.rejected, n.drift_evaluations, jacobians);
  }
}

/// @param mild  explicit methods get through it too
template <class P>
void compare(std::string_view problem, P process, bool mild = false) {
  std::uint64_t uncounted = 0;
  process.jacobians = &uncounted;
  Counts n;
  const auto exact = solve<Radau5>(process, 1e-13, n);
  rows<Radau5>(problem, process, exact);
  rows<Rodas5P>(problem, process, exact);
  if (!mild) return;
  rows<Dop853>(problem, process, exact);
  rows<Dopri5>(problem, process, exact);
}

}  // namespace

int main() {
  fmt::print("| problem | method | tol | error | steps | rejected | f | Jacobians |\n");
  fmt::print("|---|---|---:|---:|---:|---:|---:|---:|\n");
  compare("Van der Pol, eps = 1", VanDerPol{1, nullptr}, true);
  compare("Van der Pol, eps = 1e-3", VanDerPol{1e-3, nullptr}, true);
  compare("Van der Pol, eps = 1e-6", VanDerPol{1e-6, nullptr});
  compare("HIRES", Hires{nullptr});
  compare("OREGO", Oregonator{nullptr});
  compare("ROBER", Robertson{nullptr});
}
