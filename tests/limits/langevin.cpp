/// @file  limits/langevin.cpp
/// @brief Langevin solvers from weak to strong friction: stationary laws by Lyapunov's equation.

#include "langevin_map.hpp"
#include "limits/row.hpp"

#include <cmath>
#include <string>

#include "catch.hpp"

#include <fokker/solvers/langevin/langevin_high_order.hpp>
#include <fokker/solvers/langevin/langevin_splitting.hpp>

using namespace fokker;

namespace {

/// The stationary covariance in q^2/2 with kT = 1.
template <class M>
Eigen::Matrix2d law(const M& method, double h, double gamma_h) {
  const Langevin process{.gamma = gamma_h / h, .kT = 1, .mass = 1, .stiffness = 1};
  return test::stationary_covariance(test::map_of(method, process, h), h);
}

constexpr double frictions[] = {1e-3, 1e-2, 0.1, 0.5, 1, 2, 5, 10, 25, 100, 300, 1e3};

/// The largest error of <q^2> and <v^2>, both exactly 1, over all gamma h.
template <class M>
double worst(const M& method, double h) {
  double error = 0;
  for (const double x : frictions) {
    const Eigen::Matrix2d p = law(method, h, x);
    error = std::max({error, std::abs(p(0, 0) - 1), std::abs(p(1, 1) - 1)});
  }
  return error;
}

template <class M>
void check_second_order(const M& method) {
  const double coarse = worst(method, 0.2), fine = worst(method, 0.1);

  INFO(name_of(method) << ": " << coarse << ", " << fine);
  CHECK(coarse < 0.011);
  CHECK(fine < 0.26 * coarse);
  limit_row("langevin", std::string(name_of(method)), "gamma h from 0.001 to 1000, omega h = 0.2",
            "<q^2> and <v^2> within 1.1 %, within 0.28 % at half the step");
}

/// The temperature of a Runge-Kutta method without friction falls, by omega^4 h^3 / 72 in 1 / time.
template <class M>
void check_third_order(const M& method) {
  for (const double h : {0.1, 0.2, 0.4})
    for (const double x : frictions) {
      const double damped = x / (x + std::pow(h, 4) / 72);
      const Eigen::Matrix2d p = law(method, h, x);

      INFO(name_of(method) << ", h " << h << ", gamma h " << x);
      CHECK_THAT(p(0, 0) / damped, WithinAbs(1, 0.12 * h * h));
      CHECK_THAT(p(1, 1) / damped, WithinAbs(1, 0.12 * h * h));
    }
  limit_row("langevin", std::string(name_of(method)), "gamma h from 0.001 to 1000",
            "temperature gamma / (gamma + omega^4 h^3 / 72) of the exact one, within 0.12 (omega "
            "h)^2");
}

}  // namespace

TEST_CASE("the Langevin solvers of order 2 have the right temperature at every friction") {
  check_second_order(Baoab{});
  check_second_order(Aboba{});
  check_second_order(Obabo{});
  check_second_order(Ubu{});
  check_second_order(Align{});
}

TEST_CASE("the Langevin solvers of order 3 have the right temperature at every friction") {
  check_third_order(Sort{});
  check_third_order(Quicsort{});
}

TEST_CASE("UBU at strong friction has the stationary law of the published scheme") {
  CHECK_THAT(law(Ubu{}, 0.5, 5)(1, 1), WithinAbs(1.0011, 5e-5));
  CHECK_THAT(law(Ubu{}, 0.5, 25)(1, 1), WithinAbs(1.0000, 5e-5));
}

TEST_CASE("SORT and QUICSORT as published are too hot at strong friction, by the factor stated") {
  CHECK_THAT(law(SortPublished{}, 0.5, 5)(1, 1), WithinAbs(1.4050, 5e-5));
  CHECK_THAT(law(SortPublished{}, 0.5, 25)(1, 1), WithinAbs(6.3833, 5e-5));
  CHECK_THAT(law(QuicsortPublished{}, 0.5, 5)(1, 1), WithinAbs(1.4054, 5e-5));
  CHECK_THAT(law(QuicsortPublished{}, 0.5, 25)(1, 1), WithinAbs(6.3629, 5e-5));
  limit_row("langevin", "sort-published, quicsort-published", "gamma h = 25",
            "<v^2> 6.4 times too large, as in the published schemes");
}
