/// @file  discrete_schedule.cpp
/// @brief Schedules of tables of betas and alpha-bars.

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fokker/diffusion/schedule/any_schedule.hpp>
#include <fokker/diffusion/schedule/discrete_schedule.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

/// DDPM's betas: M equal steps from 1e-4 to 0.02.
std::vector<double> linear_betas(int m) {
  std::vector<double> betas;
  for (int j = 0; j < m; ++j) betas.push_back(1e-4 + (0.02 - 1e-4) * j / (m - 1));
  return betas;
}

std::vector<double> alpha_bars(const std::vector<double>& betas) {
  std::vector<double> products;
  double product = 1;
  for (const double beta : betas) products.push_back(product *= 1 - beta);
  return products;
}

}  // namespace

TEST_CASE("a discrete schedule meets every level of its table") {
  const std::vector<double> betas = linear_betas(1000), bars = alpha_bars(betas);
  const DiscreteVariancePreserving from_betas = schedule_from_betas(betas), from_bars(bars);

  CHECK(from_betas.levels() == 1000);
  CHECK(from_betas.at(0).scale == 1);
  CHECK(from_betas.at(0).sigma == 0);
  CHECK(from_betas.ends().t_min == 0.001);
  for (const int j : {1, 2, 500, 999, 1000}) {
    INFO("level " << j);
    const double bar = bars[static_cast<std::size_t>(j) - 1];
    const Time t = from_betas.time_of_level(j);
    for (const AffineProcess<DiscreteVariancePreserving>& c :
         {AffineProcess{from_betas}, AffineProcess{from_bars}}) {
      CHECK_THAT(c.scale(t) * c.scale(t), WithinRel(bar, 1e-11));
      CHECK_THAT(c.std(t), WithinRel(std::sqrt(1 - bar), 1e-10));
      CHECK_THAT(c.sigma(t), WithinRel(std::sqrt((1 - bar) / bar), 1e-10));
      CHECK_THAT(c.time_of_sigma(c.sigma(t)), WithinRel(t, 1e-12));
    }
  }
}

TEST_CASE("a step between two levels is the discrete model's") {
  const std::vector<double> betas = linear_betas(10);
  const AffineProcess process{schedule_from_betas(betas)};

  for (int j = 1; j <= 10; ++j) {
    const double beta = betas[static_cast<std::size_t>(j) - 1];
    const Time before = (j - 1) / 10.0, now = j / 10.0, middle = 0.5 * (before + now);

    // x_j = sqrt(1 - beta) x_{j-1} + sqrt(beta) eps
    const double shrink = process.scale(now) / process.scale(before);
    const double added = std::pow(process.std(now), 2) - std::pow(shrink * process.std(before), 2);

    CHECK_THAT(shrink, WithinRel(std::sqrt(1 - beta), 1e-13));
    CHECK_THAT(added, WithinRel(beta, 1e-12));
    CHECK_THAT(process.diffusion(middle), WithinRel(std::sqrt(-10 * std::log1p(-beta)), 1e-12));
    CHECK_THAT(process.time_of_sigma(process.sigma(middle)), WithinRel(middle, 1e-12));
  }
}

TEST_CASE("between its levels a discrete schedule has the rates of its s, sigma and std") {
  const AffineProcess c{schedule_from_betas(linear_betas(10))};
  for (const Time t : {0.013, 0.55, 0.987}) {
    const double h = 1e-5;
    const auto slope = [&](auto f) { return (std::log(f(t + h)) - std::log(f(t - h))) / (2 * h); };
    CHECK_THAT(c.log_scale_rate(t), WithinRel(slope([&](Time u) { return c.scale(u); }), 1e-6));
    CHECK_THAT(c.log_sigma_rate(t), WithinRel(slope([&](Time u) { return c.sigma(u); }), 1e-6));
    CHECK_THAT(c.log_std_rate(t), WithinRel(slope([&](Time u) { return c.std(u); }), 1e-6));
    const double weight =
        c.scale(0.5 * t) *
        detail::integral([&](Time u) { return std::pow(c.diffusion(u), 2) / c.scale(u); }, 0.5 * t,
                         t);
    CHECK_THAT(c.frozen_score_weight(t, 0.5 * t), WithinRel(weight, 1e-4));
  }
}

TEST_CASE("tables are read from files with a header that says what they hold") {
  const auto path = std::filesystem::temp_directory_path() / "fokker_test_table.csv";
  const auto make = [&](const std::string& text, const Parameters& parameters = {}) {
    std::ofstream(path) << text;
    return make_schedule("table:" + path.string(), parameters);
  };

  const AnySchedule betas = make("beta\n0.1\n0.2\n"), bars = make("alpha_bar\n0.9\n0.72\n");
  CHECK(betas.name() == "table");
  CHECK_THAT(betas.at(1).scale, WithinRel(std::sqrt(0.72), 1e-15));
  CHECK_THAT(bars.at(0.5).scale, WithinRel(std::sqrt(0.9), 1e-15));
  CHECK_THAT(make("beta\n0.1\n0.2\n", {{"shift", "2"}}).at(0.5).sigma,
             WithinRel(2 * betas.at(0.5).sigma, 1e-14));
  CHECK(schedule_info("table:anything").default_grid == "uniform");

  CHECK_THROWS_WITH(make("0.1\n0.2\n"), EndsWith("got 1 columns and no header"));
  CHECK_THROWS_WITH(make("betas\n0.1\n"), EndsWith("got 1 columns, the first called betas"));
  CHECK_THROWS_WITH(make("beta\n0.1\n1\n"),
                    path.string() + ": beta must lie in (0, 1): level 2 has beta=1");
  CHECK_THROWS_WITH(make("alpha_bar\n0.9\n0.9\n"),
                    path.string() +
                        ": alpha_bar must fall from below 1 and stay above 0: level 2 "
                        "is 0.9 after 0.9");
  CHECK_THROWS_WITH(make("alpha_bar\n0.9\n0\n"), ContainsSubstring("level 2 is 0 after 0.9"));
  CHECK_THROWS_WITH(make("beta\n0.1\n", {{"beta_min", "1"}}),
                    ContainsSubstring("parameter of table"));
  std::filesystem::remove(path);
  CHECK_THROWS_WITH(make_schedule("table:" + path.string()), ContainsSubstring("cannot be read"));
  CHECK_THROWS_WITH(schedule_from_betas({}), "a discrete schedule needs at least one beta");
  CHECK_THROWS_WITH(schedule_from_betas(std::vector<double>{0.1}).time_of_level(2),
                    "the level must lie in [0, 1]: got 2");
}
