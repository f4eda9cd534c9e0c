/// @file  forward_process.cpp
/// @brief The forward SDE, simulated from x0, has the law of the one-step noising, for every
/// process.

#include <cmath>
#include <vector>

#include <fokker/diffusion/schedule/discrete_schedule.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

#include "catch.hpp"
#include "gaussian_model.hpp"

using namespace fokker;

namespace {

constexpr double x0 = 1.7;

/// Every process of the list, and what parameters make of some.
std::vector<AnySchedule> all_schedules() {
  std::vector<AnySchedule> all;
  for (const ScheduleInfo& info : list_schedules()) all.push_back(make_schedule(info.name));
  all.push_back(make_schedule("interpolant", {{"gamma", "sine"}}));
  all.push_back(make_schedule("flow", {{"shift", "3"}}));
  all.push_back(make_schedule("gvp", {{"shift", "0.5"}}));
  all.push_back(make_schedule("vp", {{"shift", "4"}}));
  return all;
}

/// n steps from the data up to the noise, graded to where the coefficients are steep: t = 0, where
/// g may vanish like sqrt t; for processes that are singular at t = 1, and the cosine schedule,
/// t = 1, in equal steps of log(1 - t).
TimeGrid grid_up(const AnySchedule& schedule, Index n) {
  const bool steep_end =
      schedule.ends().sde_start < schedule.ends().end || schedule.name() == "vp-cosine";
  const Time end = schedule.ends().sde_start;
  TimeGrid grid;
  for (Index k = 0; k <= n; ++k) {
    const double part = static_cast<double>(k) / static_cast<double>(n);
    grid.push_back(steep_end ? 1 - std::pow(1 - end, part) : end * part * part);
  }
  return grid;
}

/// The law of a solver along the grid from the point x0, without Monte Carlo.
template <class Solver = HeunSde>
test::Law scheme_law(const test::Process& process, const TimeGrid& grid) {
  std::vector<test::AffineStep> steps;
  for (std::size_t k = 0; k + 1 < grid.size(); ++k)
    steps.push_back(test::probe(Solver{}, process, grid[k], grid[k + 1]));
  return test::propagate(steps, grid, {x0, 0});
}

test::Law noising(const test::Process& process, Time t) {
  return {process.scale(t) * x0, process.std(t) * process.std(t)};
}

}  // namespace

TEST_CASE("the forward SDE converges to the one-step noising at its end, mean and variance") {
  for (const AnySchedule& schedule : all_schedules()) {
    const test::Process process{schedule};
    std::vector<double> mean, variance;
    for (const Index n : {2000, 4000}) {
      const TimeGrid grid = grid_up(process.schedule, n);

      const test::Law scheme = scheme_law(process, grid), exact = noising(process, grid.back());

      mean.push_back(std::abs(scheme.mean - exact.mean));
      variance.push_back(std::abs(scheme.variance / exact.variance - 1));
    }
    INFO(schedule.name() << " mean " << mean[1] << " variance " << variance[1]);
    CHECK(mean[1] < 1e-5);
    CHECK(variance[1] < 1e-5);
    if (mean[1] > 1e-12) CHECK_THAT(test::last_order(mean), WithinAbs(2.0, 0.15));
    CHECK_THAT(test::last_order(variance), WithinAbs(2.0, 0.3));
  }
}

TEST_CASE(
    "an ensemble of the forward SDE has the moments of the one-step noising, on the way too") {
  const Index paths = 10000;
  for (const AnySchedule& schedule : all_schedules()) {
    const test::Process process{schedule};
    for (const double part : {0.3, 1.0}) {
      const TimeGrid whole = grid_up(process.schedule, 600);
      const auto last = static_cast<std::ptrdiff_t>(part * 600);
      const TimeGrid grid(whole.begin(), whole.begin() + last + 1);

      const auto result =
          simulate(process, HeunSde{}, OnGrid{grid}, x0, {.paths = paths, .seed = 5}, Moments{});

      const test::Law exact = noising(process, grid.back());
      const double z_mean = (result.value.mean[0] - exact.mean) / std::sqrt(exact.variance / paths);
      const double z_variance =
          (result.value.variance[0] / exact.variance - 1) / std::sqrt(2.0 / paths);
      INFO(schedule.name() << " t " << grid.back() << " z " << z_mean << " " << z_variance);
      CHECK(std::abs(z_mean) < 5);
      CHECK(std::abs(z_variance) < 5);
    }
  }
}

TEST_CASE("song's variance exploding process adds to the noise of sigma_min what its SDE gives") {
  const test::Process song{make_schedule("ve", {{"variance", "song"}})};
  const TimeGrid grid = grid_up(song.schedule, 4000);

  const test::Law scheme = scheme_law(song, grid);

  CHECK_THAT(scheme.variance + 0.01 * 0.01, WithinRel(song.std(1) * song.std(1), 1e-5));
}

TEST_CASE("the forward SDE of a discrete table converges to its levels, however it is refined") {
  const std::vector<double> betas{0.01, 0.1, 0.2, 0.3, 0.3, 0.4, 0.4, 0.5};
  const test::Process process{AnySchedule(schedule_from_betas(betas))};
  double alpha_bar = 1;
  for (const double beta : betas) alpha_bar *= 1 - beta;
  std::vector<double> mean, variance;
  for (const Index n : {8000, 16000}) {
    const TimeGrid grid = uniform_grid(0, 1, n);

    const test::Law scheme = scheme_law<EulerMaruyama>(process, grid);

    mean.push_back(std::abs(scheme.mean - std::sqrt(alpha_bar) * x0));
    variance.push_back(std::abs(scheme.variance - (1 - alpha_bar)));
  }
  CHECK(mean[1] < 1e-3);
  CHECK(variance[1] < 1e-3);
  CHECK_THAT(test::last_order(mean), WithinAbs(1.0, 0.05));
  CHECK_THAT(test::last_order(variance), WithinAbs(1.0, 0.05));
}
