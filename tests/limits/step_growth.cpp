/// @file  limits/step_growth.cpp
/// @brief Steps that are unstable on a linear process: found without Monte Carlo.

#include "limits/row.hpp"

#include <cmath>

#include "catch.hpp"

#include <fokker/analysis/catalogue/solver_registry.hpp>
#include <fokker/analysis/law/step_growth.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/processes/models/kubo.hpp>
#include <fokker/processes/models/ornstein_uhlenbeck.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein.hpp>

using namespace fokker;

TEST_CASE("the growth of Euler-Maruyama on linear processes is its formula") {
  const OrnsteinUhlenbeck ou{.theta = 2};
  const GeometricBrownianMotion gbm{.mu = -3, .sigma = 0.5};
  const KuboOscillator kubo{.omega = 2, .sigma = 0.6};

  for (const double h : {0.01, 0.3, 1.1}) {
    CHECK_THAT(*growth_of_scheme(ou, EulerMaruyama{}, 1, 0, h),
               WithinAbs(2 * std::log(std::abs(1 - 2 * h)), 1e-12));
    CHECK_THAT(growth_of_solution(ou, 1, h), WithinAbs(-4 * h, 1e-12));
    CHECK_THAT(*growth_of_scheme(gbm, EulerMaruyama{}, 1, 0, h),
               WithinAbs(std::log(std::pow(1 - 3 * h, 2) + 0.25 * h), 1e-12));
    CHECK_THAT(*growth_of_scheme(gbm, Milstein{}, 1, 0, h),
               WithinAbs(std::log(std::pow(1 - 3 * h, 2) + 0.25 * h + 0.03125 * h * h), 1e-12));
    CHECK_THAT(growth_of_solution(gbm, 1, h), WithinAbs((-6 + 0.25) * h, 1e-12));
    const double damping = 0.18 * h;
    CHECK_THAT(*growth_of_scheme(kubo, EulerMaruyama{}, 2, 0, h),
               WithinAbs(std::log(std::pow(1 - damping, 2) + 4 * h * h + 0.36 * h), 1e-12));
    CHECK_THAT(growth_of_solution(kubo, 2, h), WithinAbs(0, 1e-12));
  }
}

TEST_CASE("every fixed-step solver that is unstable on a stable linear process is found so") {
  const auto growth = [](const char* process, const std::map<std::string, double>& parameters,
                         const char* solver, double h) {
    return step_growth_by_name(make_process(process, parameters), solver, 0, h);
  };
  // h omega = 2.5 and, by Euler-Maruyama's 1 - h theta, h theta = 2.1.
  for (const char* solver : {"baoab", "aboba", "obabo"})
    CHECK(growth("langevin", {}, solver, 2.5)->unstable(40));
  for (const char* solver : {"ubu", "align", "sort", "quicsort", "sort-published"})
    CHECK(growth("langevin", {{"gamma", 0.1}}, solver, 5)->unstable(40));
  for (const char* solver : {"euler-maruyama", "milstein", "sra1", "sriw1", "ri6", "dri1", "platen",
                             "heun-sde", "simplified-euler"}) {
    CHECK(growth("ou", {{"theta", 1}}, solver, 3.1)->unstable(3));
    CHECK_FALSE(growth("ou", {{"theta", 1}}, solver, 0.1)->unstable(1000));
  }
  CHECK(growth("ou", {{"theta", 100}}, "euler-maruyama", 0.021)->unstable(48));
  CHECK(growth("kubo", {{"omega", 10}}, "euler-maruyama", 0.1)->unstable(100));
  CHECK_FALSE(growth("kubo", {}, "euler-maruyama", 0.01)->unstable(100));
  CHECK(growth("linear-commuting", {}, "milstein", 1.5)->unstable(20));
  CHECK(growth("linear", {}, "milstein-levy", 8)->unstable(20));
  CHECK(growth("gbm", {{"mu", -3}, {"sigma", 0.5}}, "slow-rk", 1.5)->unstable(20));
  for (const char* solver : {"drift-implicit-euler", "exact-linear", "exponential-euler"})
    CHECK_FALSE(growth("ou", {{"theta", 1}}, solver, 100)->unstable(1'000'000));
  CHECK_FALSE(growth("double-well", {}, "euler-maruyama", 10).has_value());
  limit_row("langevin", "baoab, aboba, obabo", "h > 2 / omega",
            "unstable: `fokker integrate` warns, with a stable step");
  limit_row("sde", "fixed steps on linear processes", "beyond their stability",
            "`fokker integrate` warns, with a stable step");
}
