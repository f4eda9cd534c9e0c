/// @file  exact.cpp
/// @brief `fokker compare --exact` against recursions written out by hand for every eigenvalue.
///
/// The schemes on Gaussian data N(0, diag(lambda)) under the VP process beta(t) = 0.1 + 19.9 t, per
/// eigenvalue: Pierret & Galerne (2024), arXiv 2405.14250, table of discretised schemes; there
/// dx = -b x dt + sqrt(2 b) dw with b = beta / 2 and B the integral of b.

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/program.hpp"
#include "catch.hpp"

namespace {

const std::vector<double> eigenvalues = {4.0, 1.0, 0.25, 0.01, 1e-4};
constexpr double t_min = 1e-3;

double b(double t) { return 0.05 + 9.95 * t; }
double integral(double t) { return 0.05 * t + 4.975 * t * t; }
/// The variance of x_t along an eigenvector.
double noised(double lambda, double t) {
  return std::exp(-2 * integral(t)) * lambda + 1 - std::exp(-2 * integral(t));
}
/// The drift of the flow is -c x in t.
double c(double lambda, double t) { return b(t) * (1 - 1 / noised(lambda, t)); }

/// V after one step from t down to t - h.
using Recursion = std::function<double(double variance, double lambda, double t, double h)>;

const std::map<std::string, Recursion> recursions = {
    {"euler-maruyama",
     [](double v, double lambda, double t, double h) {
       const double a = 1 + h * b(t) * (1 - 2 / noised(lambda, t));
       return a * a * v + 2 * h * b(t);
     }},
    {"exponential-euler-maruyama",
     [](double v, double lambda, double t, double h) {
       const double step = integral(t) - integral(t - h);
       const double a = std::exp(step) - 2 * std::expm1(step) / noised(lambda, t);
       return a * a * v + std::expm1(2 * step);
     }},
    {"euler",
     [](double v, double lambda, double t, double h) {
       const double a = 1 + h * c(lambda, t);
       return a * a * v;
     }},
    {"heun",
     [](double v, double lambda, double t, double h) {
       const double a =
           1 + 0.5 * h * c(lambda, t) + 0.5 * h * c(lambda, t - h) * (1 + h * c(lambda, t));
       return a * a * v;
     }},
    {"rk4", [](double v, double lambda, double t, double h) {
       const double c0 = c(lambda, t), cm = c(lambda, t - h / 2), c1 = c(lambda, t - h);
       const double k2 = cm * (1 + h / 2 * c0), k3 = cm * (1 + h / 2 * k2), k4 = c1 * (1 + h * k3);
       const double a = 1 + h / 6 * (c0 + 2 * k2 + 2 * k3 + k4);
       return a * a * v;
     }}};

/// W2 between N(0, diag(V_N)) and the data, from N(0, I) in N equal steps.
double scheme_error(const std::string& sampler, int steps) {
  double squares = 0;
  for (const double lambda : eigenvalues) {
    double variance = 1;
    const double h = (1 - t_min) / steps;
    for (int k = 0; k < steps; ++k)
      variance = recursions.at(sampler)(variance, lambda, 1 - k * h, h);
    squares += std::pow(std::sqrt(variance) - std::sqrt(lambda), 2);
  }
  return std::sqrt(squares);
}

/// The rows of `fokker compare --exact ARGS` on the eigenvalues.
nlohmann::json exact_rows(const std::string& args) {
  const Program fokker;
  std::string spectrum;
  for (const double lambda : eigenvalues) spectrum += std::to_string(lambda) + "\n";
  fokker.write("spectrum.csv", spectrum);
  const Outcome run =
      fokker("compare --exact --data spectrum:spectrum.csv --t-min 1e-3 --json - " + args);
  INFO(run.err);
  REQUIRE(run.code == 0);
  return nlohmann::json::parse(run.out).at("rows");
}

}  // namespace

TEST_CASE("exact errors are those of the recursion per eigenvalue") {
  const auto rows = exact_rows(
      "--grid uniform --steps 10,50,250 "
      "--samplers euler-maruyama,exponential-euler-maruyama,euler,heun,rk4");

  REQUIRE(rows.size() == 15);
  for (const auto& row : rows) {
    const auto sampler = row.at("sampler").get<std::string>();
    INFO(sampler << " at " << row.at("steps"));
    CHECK_THAT(row.at("error").get<double>(),
               WithinRel(scheme_error(sampler, row.at("steps").get<int>()), 1e-8));
  }
}

TEST_CASE("an exact error is at most the sum of its three parts") {
  const auto rows = exact_rows("--nfe 8,32,128");

  REQUIRE(rows.size() >= 9);
  for (const auto& row : rows) {
    INFO(row.dump());
    const double parts = row.at("error_init").get<double>() +
                         row.at("error_truncation").get<double>() +
                         row.at("error_discretisation").get<double>();
    CHECK(row.at("error").get<double>() <= parts * (1 + 1e-12));
    CHECK(row.at("error_stderr").get<double>() == 0.0);
  }
}

TEST_CASE("truncation is the distance of the exact marginal at t_min to the data") {
  const auto rows = exact_rows("--samplers euler,euler-maruyama --steps 20");

  double squares = 0;
  for (const double lambda : eigenvalues)
    squares += std::pow(std::sqrt(noised(lambda, t_min)) - std::sqrt(lambda), 2);
  for (const auto& row : rows)
    CHECK_THAT(row.at("error_truncation").get<double>(), WithinRel(std::sqrt(squares), 1e-8));
}

TEST_CASE("noise contracts the mismatch of the prior, the flow keeps it") {
  const auto rows = exact_rows("--samplers euler,euler-maruyama --steps 20");

  // In z = x/s the variance V becomes M^2 (V - v - sigma^2) + v + sigma'^2 per eigenvalue v, with
  // M = ((v + sigma'^2) / (v + sigma^2))^p, p = 1 for the SDE and 1/2 for the flow.
  const auto init_error = [](double p) {
    double squares = 0;
    for (const double lambda : eigenvalues) {
      const double end = noised(lambda, t_min), start = noised(lambda, 1);
      const double scales = std::exp(integral(t_min) - integral(1));  // s(1) / s(t_min)
      const double m = std::pow(end / start, p) * std::pow(scales, 2 * p - 1);
      const double variance = m * m * (1 - start) + end;
      squares += std::pow(std::sqrt(variance) - std::sqrt(end), 2);
    }
    return std::sqrt(squares);
  };
  for (const auto& row : rows)
    CHECK_THAT(row.at("error_init").get<double>(),
               WithinRel(init_error(row.at("equation") == "sde" ? 1.0 : 0.5), 1e-6));
}

TEST_CASE("starting at the exact marginal leaves no initial error") {
  for (const auto& row : exact_rows("--samplers heun,euler-maruyama --steps 20 --init exact"))
    CHECK(row.at("error_init").get<double>() < 1e-12);
}

TEST_CASE("a Gaussian of low rank is the one of its spectrum") {
  const Program fokker;
  fokker.write("factor.csv", "2,0\n0,1\n0,0\n");
  fokker.write("spectrum.csv", "4.5\n1.5\n0.5\n");
  const auto error = [&](const std::string& data) {
    const Outcome run =
        fokker("compare --exact --samplers dpm++2m --steps 20 --json - --data " + data);
    INFO(run.err);
    REQUIRE(run.code == 0);
    return nlohmann::json::parse(run.out).at("rows").at(0).at("error").get<double>();
  };

  CHECK_THAT(error("low-rank:factor.csv:0.5"), WithinRel(error("spectrum:spectrum.csv"), 1e-12));
  CHECK(error("low-rank:factor.csv") != error("low-rank:factor.csv:0.5"));
}
