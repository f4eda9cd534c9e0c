/// @file  laws.cpp
/// @brief Laws, densities, moments and characteristic functions at the ends of their parameters,
///        against values of mpmath with 60 digits for the same doubles.

#include "no_allocation.hpp"

#include <cmath>
#include <complex>
#include <vector>

#include "catch.hpp"
#include "row.hpp"

#include <fokker/processes/models/brownian_motion.hpp>
#include <fokker/processes/models/cox_ingersoll_ross.hpp>
#include <fokker/processes/models/double_well.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/processes/models/heston.hpp>
#include <fokker/processes/models/ornstein_uhlenbeck.hpp>
#include <fokker/processes/schemes/cir_schemes.hpp>

using namespace fokker;

namespace {

/// Whether two values agree to 1e-10, relative above 1.
bool agree(double value, double exact) {
  return std::abs(value - exact) <= 1e-10 * std::max(1.0, std::abs(exact));
}

/// Whether they agree to 1e-10, relative.
bool agree_relatively(double value, double exact) {
  return std::abs(value - exact) <= 1e-10 * std::abs(exact);
}

/// Mean and variance of exact values of a CIR process.
std::pair<double, double> sampled(const CoxIngersollRoss& p, double x0, Time t, Index paths) {
  PathRandom random(7, 0, paths);
  Block<double> x(1, paths);
  p.sample_exact(x0, t, random, x);
  const double mean = x.mean();
  return {mean, (x - mean).square().sum() / static_cast<double>(paths - 1)};
}

}  // namespace

TEST_CASE("the CIR density holds from no noise to much, and from no time to a long one") {
  struct Case {
    double x, x0, t, kappa, theta, sigma, exact;
  };
  for (const Case& c :
       std::vector<Case>{{1.0, 1.0, 0.001, 1.0, 1.0, 1e-05, 14.048364487923284},
                         {1.0000004, 1.0, 0.001, 1.0, 1.0, 1e-05, 13.247564081324052},
                         {1.0000000002, 1.0, 0.001, 1.0, 1.0, 1e-08, 20.755919666979488},
                         {0.3, 0.5, 2.0, 1.0, 0.7, 1e-08, -3574936602650007.9},
                         {0.36, 0.5, 1.0, 1e-13, 0.7, 0.5, 0.21540722088582974},
                         {0.2, 0.0, 0.5, 1.5, 0.4, 0.6, 1.262821360019368},
                         {0.2, 1e-09, 0.5, 1.5, 0.4, 0.6, 1.2628213596286456},
                         {0.5, 0.5, 1e-12, 1.0, 1.0, 0.5, 13.936292795599472},
                         {0.5000001, 0.5, 1e-12, 1.0, 1.0, 0.5, 13.896293049641515},
                         {0.7, 0.5, 1000.0, 1.0, 1.0, 0.5, 0.013646364802146385},
                         {1.1, 1.0, 1.0, 1.0, 1.0, 0.01, -104.96415370174396},
                         {0.9, 1.2, 1.0, 1.0, 1.0, 0.07, -4.8678496026713653},
                         {0.01, 1.0, 1.0, 0.5, 1.0, 20.0, -1.4128354975255228},
                         {0.5, 0.4, 0.1, 1.0, 1.0, 0.02, -51.694873274655917},
                         {5.0, 0.4, 0.1, 1.0, 1.0, 0.02, -133883.86594421087},
                         {0.4, 0.4, 0.001, 1e-06, 1.0, 0.3, 4.1970361834561485},
                         {0.4, 0.41, 0.001, 1.0, 1e-06, 0.3, 2.9402760944062698}}) {
    const CoxIngersollRoss p{.kappa = c.kappa, .theta = c.theta, .sigma = c.sigma};
    CAPTURE(c.x, c.x0, c.t, c.kappa, c.theta, c.sigma);
    CHECK(agree(p.log_density(c.x, c.x0, c.t), c.exact));
  }
  const CoxIngersollRoss silent{.kappa = 1, .theta = 1, .sigma = 1e-200};
  CHECK(silent.log_density(2, 1, 1) == -INFINITY);
  CHECK(silent.log_density(-1, 1, 1) == -INFINITY);
  CHECK(CoxIngersollRoss{}.log_density(1, 1, 0) == INFINITY);
  limit_row("laws", "CIR, log_density", "sigma from 1e-8 to 20; t from 1e-12 to 1000; x0 = 0",
            "right to 1e-10; a point mass (infinite at the mean) where t = 0");
}

TEST_CASE("the stationary CIR density holds from no noise to much") {
  struct Case {
    double x, kappa, theta, sigma, exact;
  };
  for (const Case& c : std::vector<Case>{{1.0000003, 1.0, 1.0, 1e-06, 13.153145333067704},
                                         {0.9, 1.0, 1.0, 0.001, -10714.590564842548},
                                         {1.0, 1.0, 1.0, 0.14, 1.3929312493958164},
                                         {1.3, 1.0, 1.0, 0.1, -6.0597078872193833},
                                         {0.5, 1e-09, 1.0, 1.0, -19.336971517118621},
                                         {0.5, 1.0, 1.0, 30.0, -5.4310493018204452}}) {
    const CoxIngersollRoss p{.kappa = c.kappa, .theta = c.theta, .sigma = c.sigma};
    CAPTURE(c.x, c.kappa, c.theta, c.sigma);
    CHECK(agree(p.stationary_log_density(c.x), c.exact));
  }
  limit_row("laws", "CIR, stationary_log_density", "sigma from 1e-6 to 30; kappa = 1e-9",
            "right to 1e-10");
}

TEST_CASE("exact CIR values have their law where the noise is nearly zero") {
  for (const double sigma : {1e-3, 1e-5, 1e-8, 1e-12}) {
    const CoxIngersollRoss p{.kappa = 1, .theta = 1, .sigma = sigma};
    CAPTURE(sigma);
    const auto [mean, variance] = sampled(p, 1, 1e-3, 4000);
    const double exact = p.variance(1.0, 1e-3), rounding = 1e-32;
    CHECK(std::abs(mean - 1) < 5 * std::sqrt(exact / 4000) + 1e-15);
    if (exact > 100 * rounding) CHECK(variance == Approx(exact).epsilon(0.1));
  }
  const CoxIngersollRoss silent{.kappa = 2, .theta = 3, .sigma = 1e-170};
  CHECK(sampled(silent, 1, 0.5, 10).first == Approx(silent.mean(1.0, 0.5)).epsilon(1e-15));
  CHECK(sampled(CoxIngersollRoss{}, 0.7, 0, 10) == std::pair(0.7, 0.0));
  CHECK(std::isfinite(sampled({.kappa = 1, .theta = 1e-6, .sigma = 1e-4}, 5e9, 1e-9, 10).first));
  limit_row("laws", "CIR, sample_exact", "sigma from 1e-3 to 1e-170; t = 0",
            "exact in law; the mean where the noise is below its last digit");
}

TEST_CASE("expansions of the noncentral chi-square quantiles join the inversion") {
  struct Case {
    double degrees, lambda;
  };
  for (const Case& c : {Case{0.5, 1.1e7}, Case{1.1e7, 0}, Case{1e7, 2e6}, Case{9e6, 5e6}})
    for (const double u : {1e-6, 0.3, 0.9})
      for (const double v : {1e-5, 0.5, 0.999}) {
        CAPTURE(c.degrees, c.lambda, u, v);
        const double sd = std::sqrt(2 * (c.degrees + 2 * c.lambda));
        const double inverted = detail::noncentral_chi_squared_value(c.degrees, c.lambda, u, v);
        const double offset = detail::noncentral_chi_squared_offset(c.degrees, c.lambda, u, v);
        CHECK(std::abs(offset - (inverted - c.degrees - c.lambda)) < 1e-9 * sd);
      }
}

TEST_CASE("CIR moments keep their digits at short times, small noise and no return") {
  const CoxIngersollRoss p{.kappa = 1, .theta = 1, .sigma = 0.5};
  CHECK(agree_relatively(p.mean(0.0, 1e-12), 9.999999999995e-13));
  CHECK(agree_relatively(p.variance(0.0, 1e-12), 1.249999999999e-25));
  const CoxIngersollRoss slow{.kappa = 1e-300, .theta = 1, .sigma = 0.5};
  CHECK(agree_relatively(slow.variance(2.0, 3), 1.5));
  const CoxIngersollRoss none{.kappa = 0, .theta = 1, .sigma = 0.5};
  CHECK(agree_relatively(none.variance(2.0, 3), 1.5));
  CHECK(agree_relatively(none.mean(2.0, 3), 2));
  CHECK(agree_relatively(p.variance(2.0, 1e6), 0.125));
  limit_row("laws", "CIR, moments", "t = 1e-12 from x0 = 0; kappa = 0 and 1e-300; t = 1e6",
            "right to 1e-10, relative");
}

TEST_CASE("Heston's moments hold at the ends of its parameters") {
  struct Case {
    std::vector<double> p, exact;
  };
  for (const Case& c :
       std::vector<Case>{{{0.05, 1.5, 0.04, 0.3, -0.7, 4.6, 0.04, 1.0},
                          {4.6299999999999996, 0.040000000000000001, 0.042812050407517586,
                           -0.0045918818023971943, 0.0011402555179585632}},
                         {{0.05, 1.5, 0.04, 1e-09, -0.7, 0.0, 0.04, 1.0},
                          {0.030000000000000002, 0.040000000000000001, 0.040000000008998954,
                           -1.4501570346578318e-11, 1.2669505755095149e-20}},
                         {{0.05, 1e-09, 0.04, 0.3, 1.0, 0.0, 0.02, 1.0},
                          {0.039999999995000003, 0.02000000002, 0.017150000009925,
                           0.0055500000002999999, 0.0017999999990999999}},
                         {{0.0, 1.5, 0.04, 0.3, -1.0, 0.0, 0.0, 1e-06},
                          {-1.4999992500002811e-14, 5.9999955000022499e-8, 2.9999988000003485e-14,
                           -8.9999914500043865e-15, 2.6999959500035434e-15}},
                         {{0.0, 2.0, 0.04, 0.3, -1.0, 0.0, 0.1, 30.0},
                          {-0.61500000000000001, 0.040000000000000001, 1.41825,
                           -0.0062249999999999999, 0.00089999999999999995}},
                         {{0.0, 0.6, 0.04, 0.3, 0.5, 0.0, 0.1, 2.0},
                          {-0.074940289404389899, 0.058071652714732129, 0.13532907924192109,
                           0.0100565539040962, 0.0046221324677368689}}}) {
    const Heston p{.mu = c.p[0], .kappa = c.p[1], .theta = c.p[2], .xi = c.p[3], .rho = c.p[4]};
    const Eigen::ArrayXd x0 = Eigen::Array2d(c.p[5], c.p[6]);
    CAPTURE(c.p);
    const Eigen::ArrayXd mean = p.mean(x0, c.p[7]);
    const Eigen::MatrixXd covariance = p.covariance(x0, c.p[7]);
    CHECK(agree_relatively(mean[0], c.exact[0]));
    CHECK(agree_relatively(mean[1], c.exact[1]));
    CHECK(agree_relatively(covariance(0, 0), c.exact[2]));
    CHECK(agree_relatively(covariance(0, 1), c.exact[3]));
    CHECK(agree_relatively(covariance(1, 1), c.exact[4]));
  }
  limit_row("laws", "Heston, moments",
            "xi = 1e-9; kappa = 1e-9; v0 = 0; t = 1e-6 and 30; rho = -1 and 1",
            "right to 1e-10, relative");
}

TEST_CASE("Heston's characteristic function holds at the ends of its parameters") {
  struct Case {
    std::complex<double> u;
    std::vector<double> p;
    std::complex<double> exact;
  };
  for (const Case& c : std::vector<Case>{{{1.5, 0.0},
                                          {0.05, 1.5, 0.04, 0.3, -0.7, 4.6, 0.04, 1.0},
                                          {0.74935464885613907, 0.5899252894245849}},
                                         {{1.5, 0.0},
                                          {0.05, 1.5, 0.04, 1e-09, -0.7, 0.0, 0.04, 1.0},
                                          {0.95502969770252939, 0.04300536895480092}},
                                         {{1.5, 0.0},
                                          {0.05, 1e-09, 0.04, 0.3, 1.0, 0.0, 0.02, 1.0},
                                          {0.98017671448751825, 0.055003101640543157}},
                                         {{1.5, 0.0},
                                          {0.0, 1.5, 0.04, 0.3, -1.0, 0.0, 0.0, 1e-06},
                                          {0.99999999999996625, -2.2499983687506495e-14}},
                                         {{1.5, 0.0},
                                          {0.0, 2.0, 0.04, 0.3, -1.0, 0.0, 0.1, 30.0},
                                          {0.18813503300110789, -0.12229360016529411}},
                                         {{1.5, 0.0},
                                          {0.0, 0.6, 0.04, 0.3, 0.5, 0.0, 0.1, 2.0},
                                          {0.8568399336205663, -0.11220746997590321}},
                                         {{1.5, 0.0},
                                          {0.05, 1.5, 0.04, 1e-05, 0.3, 0.0, 0.04, 0.001},
                                          {0.99995500000009784, 4.4997974929183202e-5}},
                                         {{1.5, 0.0},
                                          {0.05, 1.5, 0.04, 5.0, 1.0, 0.0, 0.04, 50.0},
                                          {-0.68987936278153659, 0.47724731282076299}},
                                         {{40.0, 0.0},
                                          {0.05, 1.5, 0.04, 0.3, -0.7, 4.6, 0.04, 1.0},
                                          {-0.00017137657231239316, -0.00034064373983758722}},
                                         {{40.0, 0.0},
                                          {0.05, 1.5, 0.04, 1e-09, -0.7, 0.0, 0.04, 1.0},
                                          {4.5889551586420099e-15, 1.1803498519405957e-14}},
                                         {{40.0, 0.0},
                                          {0.05, 1e-09, 0.04, 0.3, 1.0, 0.0, 0.02, 1.0},
                                          {0.49006977429670977, -0.44009772517593988}},
                                         {{40.0, 0.0},
                                          {0.0, 1.5, 0.04, 0.3, -1.0, 0.0, 0.0, 1e-06},
                                          {0.99999999997600001, -5.9990370004331683e-13}},
                                         {{40.0, 0.0},
                                          {0.0, 2.0, 0.04, 0.3, -1.0, 0.0, 0.1, 30.0},
                                          {-8.4995366475001873e-41, 1.5280154690084041e-40}},
                                         {{40.0, 0.0},
                                          {0.0, 0.6, 0.04, 0.3, 0.5, 0.0, 0.1, 2.0},
                                          {-1.2785527428228892e-7, -1.3613512308718501e-8}},
                                         {{40.0, 0.0},
                                          {0.05, 1.5, 0.04, 1e-05, 0.3, 0.0, 0.04, 0.001},
                                          {0.96850588480323802, 0.0011622057610190611}},
                                         {{40.0, 0.0},
                                          {0.05, 1.5, 0.04, 5.0, 1.0, 0.0, 0.04, 50.0},
                                          {0.031441549498876058, -0.21000963094946016}},
                                         {{9.9999999999999995e-7, 0.0},
                                          {0.05, 1.5, 0.04, 0.3, -0.7, 4.6, 0.04, 1.0},
                                          {0.99999999998926014, 4.6299999999833597e-6}},
                                         {{9.9999999999999995e-7, 0.0},
                                          {0.05, 1.5, 0.04, 1e-09, -0.7, 0.0, 0.04, 1.0},
                                          {0.99999999999997955, 2.9999999999999397e-8}},
                                         {{9.9999999999999995e-7, 0.0},
                                          {0.05, 1e-09, 0.04, 0.3, 1.0, 0.0, 0.02, 1.0},
                                          {0.99999999999999062, 3.9999999994998425e-8}},
                                         {{9.9999999999999995e-7, 0.0},
                                          {0.0, 1.5, 0.04, 0.3, -1.0, 0.0, 0.0, 1e-06},
                                          {1.0, -1.4999992500002811e-20}},
                                         {{9.9999999999999995e-7, 0.0},
                                          {0.0, 2.0, 0.04, 0.3, -1.0, 0.0, 0.1, 30.0},
                                          {0.99999999999910176, -6.1499999999941268e-7}},
                                         {{9.9999999999999995e-7, 0.0},
                                          {0.0, 0.6, 0.04, 0.3, 0.5, 0.0, 0.1, 2.0},
                                          {0.99999999999992953, -7.4940289404390458e-8}},
                                         {{9.9999999999999995e-7, 0.0},
                                          {0.05, 1.5, 0.04, 1e-05, 0.3, 0.0, 0.04, 0.001},
                                          {0.99999999999999998, 3.0000000000000001e-11}},
                                         {{9.9999999999999995e-7, 0.0},
                                          {0.05, 1.5, 0.04, 5.0, 1.0, 0.0, 0.04, 50.0},
                                          {0.99999999999844167, 1.4999999999997277e-6}},
                                         {{0.5, -1.5},
                                          {0.05, 1.5, 0.04, 0.3, -0.7, 4.6, 0.04, 1.0},
                                          {-753.34964904638234, 773.69180128174129}},
                                         {{0.5, -1.5},
                                          {0.05, 1.5, 0.04, 1e-09, -0.7, 0.0, 0.04, 1.0},
                                          {1.0876149266724906, 0.048975734776435341}},
                                         {{0.5, -1.5},
                                          {0.05, 1e-09, 0.04, 0.3, 1.0, 0.0, 0.02, 1.0},
                                          {1.0826750219054006, 0.041364288339202188}},
                                         {{0.5, -1.5},
                                          {0.0, 1.5, 0.04, 0.3, -1.0, 0.0, 0.0, 1e-06},
                                          {1.0000000000000075, 1.4999989875005258e-14}},
                                         {{0.5, -1.5},
                                          {0.0, 2.0, 0.04, 0.3, -1.0, 0.0, 0.1, 30.0},
                                          {1.1684434376462768, 0.62115661339140739}},
                                         {{0.5, -1.5},
                                          {0.0, 0.6, 0.04, 0.3, 0.5, 0.0, 0.1, 2.0},
                                          {1.0337822864487026, 0.096690005455432802}},
                                         {{0.5, -1.5},
                                          {0.05, 1.5, 0.04, 1e-05, 0.3, 0.0, 0.04, 0.001},
                                          {1.0000850026000238, 4.5003825199856876e-5}},
                                         {{0.5, -1.5},
                                          {0.05, 1.5, 0.04, 5.0, 1.0, 0.0, 0.04, 50.0},
                                          {7.8341640071483786, 9.5816909665582201}}}) {
    const Heston p{.mu = c.p[0], .kappa = c.p[1], .theta = c.p[2], .xi = c.p[3], .rho = c.p[4]};
    const Eigen::ArrayXd x0 = Eigen::Array2d(c.p[5], c.p[6]);
    CAPTURE(c.u, c.p);
    const auto value = p.characteristic_function(c.u, x0, c.p[7]);
    CHECK(std::abs(value - c.exact) <= 1e-10 * std::abs(c.exact));
  }
  const Heston p{.mu = 0.05, .kappa = 0.1, .theta = 0.04, .xi = 1.5, .rho = 0.9};
  const Eigen::ArrayXd x0 = Eigen::Array2d(0.5, 0.04);
  CHECK(p.characteristic_function(0, x0, 100) == 1.0);
  CHECK(agree_relatively(p.characteristic_function({0, -1}, x0, 100).real(), std::exp(5.5)));
  CHECK(p.characteristic_function(3, x0, 0) == std::exp(std::complex<double>(0, 1.5)));
  const Heston silent{.mu = 0, .kappa = 1, .theta = 0.04, .xi = 0, .rho = 0};
  CHECK(std::abs(silent.characteristic_function(2, x0, 1) -
                 std::exp(std::complex<double>(-0.08, 0.96))) < 1e-14);
  limit_row("laws", "Heston, characteristic_function",
            "xi = 0 and 1e-9; kappa = 1e-9; t = 0, 1e-6, 50; rho = -1 and 1; u = 0 and -i",
            "right to 1e-10, relative");
}

TEST_CASE("the stationary law of the double well holds from no noise to much") {
  struct Case {
    double x, sigma, exact;
  };
  for (const Case& c : std::vector<Case>{{1.0000001, 1e-07, 13.199156915418169},
                                         {1.001, 0.001, 3.9868158707771556},
                                         {1.0, 1e-170, 390.52052727578309},
                                         {0.5, 100000000.0, -9.9785025160341892},
                                         {1e+80, 1e+170, -196.487895043772},
                                         {0.3, 0.02236, -825.26899612034811},
                                         {1.1, 0.3, -0.004336516154728409}}) {
    CAPTURE(c.x, c.sigma);
    CHECK(agree(DoubleWell{.sigma = c.sigma}.stationary_log_density(c.x), c.exact));
  }
  limit_row("laws", "double-well, stationary_log_density", "sigma from 1e-170 to 1e170",
            "right to 1e-10");
}

TEST_CASE("the Ornstein-Uhlenbeck law holds at the ends of its parameters") {
  struct Case {
    double x, x0, t, theta, mu, sigma, mean, variance, density;
  };
  for (const Case& c :
       std::vector<Case>{{1.0000001, 1.0, 1e-14, 1.0, 2.0, 0.001, 1.00000000000001,
                          9.9999999999999004e-21, -499977.79367148036},
                         {0.5, 1.0, 3.0, 1e-12, 2.0, 0.7, 1.000000000003, 1.4699999999955898,
                          -1.1966037472052128},
                         {2.0, 1.0, 1000.0, 1.0, 2.0, 1e-170, 2.0, 0, 390.86710086606307},
                         {1.5, 1.0, 100000.0, 1.0, 2.0, 0.5, 2.0, 0.125, -0.87921776236475478}}) {
    const OrnsteinUhlenbeck p{.theta = c.theta, .mu = c.mu, .sigma = c.sigma};
    CAPTURE(c.x, c.t, c.theta, c.sigma);
    CHECK(agree_relatively(p.mean(c.x0, c.t), c.mean));
    if (c.variance > 1e-300) CHECK(agree_relatively(p.variance(c.x0, c.t), c.variance));
    CHECK(agree(p.log_density(c.x, c.x0, c.t), c.density));
  }
  const OrnsteinUhlenbeck none{.theta = 0, .mu = 1, .sigma = 2};
  CHECK(none.variance(0.0, 3) == 12);
  CHECK(agree_relatively(OrnsteinUhlenbeck{.theta = 1, .mu = 1}.mean(0.0, 1e-13),
                         9.9999999999995e-14));
  CHECK(none.log_density(1, 1, 0) == INFINITY);
  CHECK(none.log_density(2, 1, 0) == -INFINITY);
  limit_row("laws", "ou, moments and log_density",
            "sigma = 1e-170; theta = 0 and 1e-12; t = 0, 1e-14, 1e5",
            "right to 1e-10; a point mass where t = 0");
}

TEST_CASE("geometric Brownian motion holds at the ends of its parameters") {
  struct Case {
    double x, x0, t, mu, sigma, variance, density;
  };
  for (const Case& c : std::vector<Case>{
           {1.0000001, 1.0, 1e-06, 0.05, 1e-05, 1.0000001000000052e-16, 5.0017445565540571},
           {2.0, 1.0, 1.0, 0.05, 1e-10, 1.1051709180756477e-20, -2.0681914793110343e+19},
           {1.0, 1.0, 1.0, -500.0, 28.0, 1.557370374296946e-94, -511.68991855358396},
           {3.0, 1.0, 100.0, 0.05, 1.0, 5.9209720276646736e+47, -14.94554618957154}}) {
    const GeometricBrownianMotion p{.mu = c.mu, .sigma = c.sigma};
    CAPTURE(c.x, c.t, c.mu, c.sigma);
    CHECK(agree_relatively(p.variance(c.x0, c.t), c.variance));
    CHECK(agree(p.log_density(c.x, c.x0, c.t), c.density));
  }
  CHECK(GeometricBrownianMotion{}.log_density(-1, 1, 1) == -INFINITY);
  CHECK(GeometricBrownianMotion{}.log_density(1, 1, 0) == INFINITY);
  limit_row("laws", "gbm, variance and log_density",
            "sigma = 1e-10 and 28; mu = -500; t = 0, 1e-6, 100; x <= 0",
            "right to 1e-10; -infinite density for x <= 0; a point mass where t = 0");
}

TEST_CASE("the density of Brownian motion keeps its digits where the noise is nearly zero") {
  const BrownianMotion p{.mu = 1, .sigma = 1e-170};
  CHECK(agree(p.log_density(1, 0, 1), 390.52052727578309));
  CHECK(p.log_density(1.5, 0, 1) == -INFINITY);
  CHECK(p.log_density(2, 2, 0) == INFINITY);
  limit_row("laws", "bm, log_density", "sigma = 1e-170; t = 0",
            "right to 1e-10; a point mass where t = 0");
}
