/// @file  reverse_process.cpp
/// @brief The way back has the exact law, for every process, sampler and eta.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fokker/analysis/law/linear_law.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>

#include "catch.hpp"
#include "gaussian_model.hpp"

using namespace fokker;
using test::GaussianScore;
using test::Law;

namespace {

std::vector<AnySchedule> all_schedules() {
  std::vector<AnySchedule> all;
  for (const ScheduleInfo& info : list_schedules()) all.push_back(make_schedule(info.name));
  all.push_back(make_schedule("ve", {{"variance", "song"}}));
  return all;
}

/// W2 between the scheme and the exact law of the continuous equation at t_min, with n and 2n steps
/// that are equal in log-SNR, from `start` at the default start of the SDE.
template <class Sampler, class Model>
std::vector<double> distances(const Sampler& sampler, const Model& model,
                              const GaussianScore& score, const Law& start, Index n) {
  const AnySchedule& schedule = score.process.schedule;
  const Time from = schedule.ends().sde_start, to = schedule.ends().t_min;
  const Law exact = exact_transition(score, model.eta, start, from, to);
  std::vector<double> errors;
  for (const Index steps : {n, 2 * n}) {
    const TimeGrid grid = make_grid("logsnr", schedule, from, to, steps);
    TimeGrid clock(grid.size());
    std::transform(grid.begin(), grid.end(), clock.begin(), [](Time t) { return -t; });
    const DiagonalGaussian law =
        propagate(TimeReversed<Model>{model}, sampler,
                  DiagonalGaussian{Eigen::VectorXd::Constant(1, start.mean),
                                   Eigen::VectorXd::Constant(1, start.variance)},
                  clock);
    errors.push_back(distance(Law{law.mean[0], law.variance[0]}, exact));
  }
  return errors;
}

}  // namespace

TEST_CASE("the exact transition from the forward marginal is the forward marginal, for every eta") {
  for (const AnySchedule& schedule : all_schedules()) {
    const GaussianScore score{test::Process{schedule}, 0.5, 0.25};
    const Time from = schedule.ends().sde_start, to = schedule.ends().t_min;
    for (const double eta : {0.0, 0.5, 1.0}) {
      const Law end = exact_transition(score, eta, marginal(score, from), from, to);

      CHECK(distance(end, marginal(score, to)) < 1e-12);
    }
  }
}

TEST_CASE("the reverse SDE from the forward marginal has the forward marginal at t_min") {
  for (const AnySchedule& schedule : all_schedules()) {
    const GaussianScore score{test::Process{schedule}, 0.5, 0.25};
    const Law start = marginal(score, schedule.ends().sde_start);
    for (const double eta : {1.0, 0.5}) {
      for (const SamplerInfo& info : list_samplers()) {
        if (info.equation != ModelEquation::sde || !info.etas.contains(eta) || !info.orders.weak)
          continue;

        const auto errors = distances(make_reverse_sampler<double>(info.name),
                                      test::reverse_model(score, eta), score, start, 1000);

        INFO(schedule.name() << " " << info.name << " eta=" << eta << " W2 " << errors[0] << " "
                             << errors[1]);
        CHECK(errors[1] < 0.02);
        // below 2e-5 parts of unlike sign may be left alone
        CHECK((errors[1] < 2e-5 || test::last_order(errors) > 0.85));
      }
    }
  }
}

TEST_CASE("the flow from the forward marginal has the forward marginal at t_min") {
  for (const AnySchedule& schedule : all_schedules()) {
    const GaussianScore score{test::Process{schedule}, 0.5, 0.25};
    const Law start = marginal(score, schedule.ends().sde_start);
    for (const SamplerInfo& info : list_samplers()) {
      if (info.equation != ModelEquation::ode || info.adaptive) continue;
      const double order = *info.orders.deterministic;
      const auto sampler = make_flow_sampler<double>(info.name);

      const auto errors =
          distances(sampler, test::flow_model(score), score, start, order > 2 ? 120 : 1000);

      INFO(schedule.name() << " " << info.name << " W2 " << errors[0] << " " << errors[1]);
      if (sampler.facts().has_memory) {  // settles later: its order is in the certificates
        CHECK(errors[1] < 1e-3);
      } else {
        CHECK(errors[1] < (order > 1 ? 1e-4 : 0.02));
        CHECK((errors[1] < 1e-14 || test::last_order(errors) > order - 0.25));
      }
    }
  }
}

TEST_CASE("from the prior, the way back has the law of the exact transition with its eta") {
  for (const AnySchedule& schedule : all_schedules()) {
    const GaussianScore score{test::Process{schedule}, 0.5, 0.25};
    const double prior = AffineProcess{schedule}.prior_std(schedule.ends().sde_start);
    const Law start{0, prior * prior};

    const auto sde = distances(make_reverse_sampler<double>("ddpm"), test::reverse_model(score, 1),
                               score, start, 1000);
    const auto half = distances(make_reverse_sampler<double>("edm-euler-maruyama"),
                                test::reverse_model(score, 0.5), score, start, 1000);
    const auto ode = distances(make_flow_sampler<double>("edm-heun"), test::flow_model(score),
                               score, start, 1000);

    INFO(schedule.name());
    CHECK(sde[1] < 0.02);
    CHECK(half[1] < 0.02);
    CHECK(ode[1] < 1e-4);
  }
}

TEST_CASE("noise contracts an error of the start") {
  const GaussianScore score{test::Process{make_schedule("vp")}, 0.5, 0.25};
  const Law wrong{0, 4};

  double before = 1e300;
  for (const double eta : {0.0, 0.5, 1.0}) {
    const Law end = exact_transition(score, eta, wrong, 1, 1e-3);
    const double error = distance(end, marginal(score, 1e-3));
    CHECK(error < before);
    before = error;
  }
}

TEST_CASE("an ensemble has the law of the scheme, for every process") {
  const Index paths = 20000;
  for (const AnySchedule& schedule : all_schedules()) {
    const GaussianScore score{test::Process{schedule}, 0.5, 0.25};
    const Time from = schedule.ends().sde_start;
    const TimeGrid grid = make_grid("logsnr", schedule, from, schedule.ends().t_min, 40);
    const auto prior = score.process.prior_at(from);
    const Law start{0, prior.std * prior.std};
    const auto agrees = [&](const auto& model, const auto& sampler) {
      const Law law = test::propagate(test::probe_down(sampler, model, grid), grid, start);
      const auto result =
          simulate(model, sampler, OnGrid{grid}, prior, {.paths = paths, .seed = 11}, Moments{});
      const double z_mean = (result.value.mean[0] - law.mean) / std::sqrt(law.variance / paths);
      const double z_variance =
          (result.value.variance[0] / law.variance - 1) / std::sqrt(2.0 / paths);
      INFO(schedule.name() << " " << name_of(sampler) << " z " << z_mean << " " << z_variance);
      CHECK(result.status == Status::success);
      CHECK(std::abs(z_mean) < 5);
      CHECK(std::abs(z_variance) < 5);
    };

    for (const char* name : {"ddpm", "exponential-euler-maruyama"})
      agrees(test::reverse_model(score, 1), make_reverse_sampler<double>(name));
    agrees(test::reverse_model(score, 0.5), make_reverse_sampler<double>("ddim"));
    agrees(test::flow_model(score), make_flow_sampler<double>("edm-heun"));
  }
}

// Gaussian data with eigenvalue `lambda` under dx = -b x dt + sqrt(2 b) dw, b = 0.05 + 9.95 t: the
// variance after each scheme, by the recursions of Pierret & Galerne (2024), arXiv 2405.14250. In
// this library's VP process beta is 2 b.
TEST_CASE("the published recursions of the variance on Gaussian data are met to rounding") {
  const int points = 40;
  const Time eps = 1e-3, delta = (1 - eps) / (points - 1);
  const auto time = [&](double k) { return 1 - delta * k; };
  const auto b = [](Time t) { return 0.05 + 9.95 * t; };
  const auto integral = [](Time t) { return 0.05 * t + 4.975 * t * t; };
  for (const double lambda : {1e-3, 0.3, 1.0, 5.0}) {
    INFO("lambda " << lambda);
    const auto total = [&](Time t) {
      return std::exp(-2 * integral(t)) * lambda + 1 - std::exp(-2 * integral(t));
    };
    const auto c = [&](double k) { return b(time(k)) * (1 - 1 / total(time(k))); };
    double em = 1, ei = 1, euler = 1, heun = 1, rk4 = 1;
    for (int k = 0; k + 1 < points; ++k) {
      const double db = delta * b(time(k));
      em = std::pow(1 + db * (1 - 2 / total(time(k))), 2) * em + 2 * db;
      const double dB = integral(time(k)) - integral(time(k + 1));
      const double gamma = std::exp(dB) - 1;
      ei = std::pow(1 + gamma * (1 - 2 / total(time(k))), 2) * ei + std::exp(2 * dB) - 1;
      euler *= std::pow(1 + delta * c(k), 2);
      heun *= std::pow(1 + 0.5 * delta * c(k) + 0.5 * delta * c(k + 1) * (1 + delta * c(k)), 2);
      const double k1 = c(k), k2 = c(k + 0.5) * (1 + 0.5 * delta * k1);
      const double k3 = c(k + 0.5) * (1 + 0.5 * delta * k2), k4 = c(k + 1) * (1 + delta * k3);
      rk4 *= std::pow(1 + delta / 6 * (k1 + 2 * k2 + 2 * k3 + k4), 2);
    }
    // EI with the score frozen: e^dB x + 2 (e^dB - 1) score = (1 + gamma (1 - 2 / total)) x.

    const GaussianScore score{test::Process{make_schedule("vp")}, 0, lambda};
    const TimeGrid grid = uniform_grid(1, eps, points - 1);
    const auto sde = [&](const char* name) {
      const auto steps =
          test::probe_down(make_reverse_sampler<double>(name), test::reverse_model(score, 1), grid);
      return test::propagate(steps, grid, {0, 1}).variance;
    };
    const auto ode = [&](const char* name) {
      const auto steps =
          test::probe_down(make_flow_sampler<double>(name), test::flow_model(score), grid);
      return test::propagate(steps, grid, {0, 1}).variance;
    };

    CHECK_THAT(sde("euler-maruyama"), WithinRel(em, 1e-12));
    CHECK_THAT(sde("exponential-euler-maruyama"), WithinRel(ei, 1e-12));
    CHECK_THAT(ode("euler"), WithinRel(euler, 1e-12));
    CHECK_THAT(ode("heun"), WithinRel(heun, 1e-12));
    CHECK_THAT(ode("rk4"), WithinRel(rk4, 1e-12));
  }
}

// Pierret & Galerne's DDPM takes the noise variance 2 b delta per step; ours the posterior's. They
// are two schemes of the same order, so one step of them differs by O(delta^2).
TEST_CASE("ddpm agrees with DDPM's discrete form to second order in a step") {
  const GaussianScore score{test::Process{make_schedule("vp")}, 0, 0.3};
  const auto reverse = test::reverse_model(score, 1);
  const Time t = 0.4;
  std::vector<double> drift, noise;
  for (const double h : {1e-3, 5e-4}) {
    const double b = h * (0.1 + 19.9 * t);
    const auto ours = test::probe_down(make_reverse_sampler<double>("ddpm"), reverse, t, t - h);
    drift.push_back(std::abs(ours.a - (1 - b / score.total(t)) / std::sqrt(1 - b)));
    noise.push_back(std::abs(ours.b * ours.b * h - b));
  }

  CHECK_THAT(test::last_order(drift), WithinAbs(2.0, 0.05));
  CHECK_THAT(test::last_order(noise), WithinAbs(2.0, 0.05));
}
