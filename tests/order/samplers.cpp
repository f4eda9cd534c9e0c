/// @file  samplers.cpp
/// @brief The orders of the samplers on Gaussian data, measured without Monte Carlo, two-sided.

#include <cmath>
#include <string>
#include <vector>

#include <fokker/diffusion/time_grids.hpp>

#include "catch.hpp"
#include "gaussian_model.hpp"

using namespace fokker;
using test::GaussianScore;
using test::Law;

namespace {

constexpr double slack = 0.1;

/// A process with the times between which the orders are measured: where its noise and its data are
/// of one size, so that no error is negligible.
struct Setting {
  std::string schedule;
  Time start, end;
};

std::vector<Setting> settings() {
  return {{"vp", 0.6, 0.1},  {"vp-cosine", 0.8, 0.2}, {"sub-vp", 0.6, 0.1},
          {"ve", 0.7, 0.45}, {"edm", 3, 0.3},         {"flow", 0.8, 0.2}};
}

/// Errors of a run with n and 2n equal steps in t.
struct Errors {
  std::vector<double> mean, variance, strong;
};

/// On Gaussian data D and the score are affine, and with eta = 1 a difference of z = x/s shrinks by
/// (v^2 + sigma'^2) / (v^2 + sigma^2): just what freezing D does, and freezing the score where s
/// = 1.
bool mean_is_exact(const std::string& sampler, double eta, const std::string& schedule) {
  const bool unscaled = schedule == "ve" || schedule == "edm";
  return sampler == "ddpm" || (sampler == "exponential-euler-maruyama" && eta == 1 && unscaled);
}

template <class Sampler, class Model>
Errors measure(const Sampler& sampler, const Model& model, const GaussianScore& score,
               const Setting& setting) {
  const Law start{1.3, 0.6};
  const Law exact = exact_transition(score, model.eta, start, setting.start, setting.end);
  Errors errors;
  for (const Index steps : {1024, 2048}) {
    const TimeGrid grid = uniform_grid(setting.start, setting.end, steps);
    const auto taken = test::probe_down(sampler, model, grid);
    const Law law = test::propagate(taken, grid, start);
    errors.mean.push_back(std::abs(law.mean - exact.mean));
    errors.variance.push_back(std::abs(law.variance - exact.variance));
    errors.strong.push_back(test::strong_error(taken, model, score, grid, start));
  }
  return errors;
}

}  // namespace

TEST_CASE(
    "samplers of the reverse SDE have the weak and strong orders they claim, in every process") {
  struct Case {
    std::string sampler;
    double eta;
  };
  for (const Setting& setting : settings()) {
    const GaussianScore score{test::Process{make_schedule(setting.schedule)}, 0.5, 0.25};
    for (const Case& c : {Case{"ddpm", 1}, Case{"exponential-euler-maruyama", 1},
                          Case{"exponential-euler-maruyama", 0.5}, Case{"edm-euler-maruyama", 1},
                          Case{"edm-euler-maruyama", 0.5}, Case{"euler-maruyama", 1}}) {
      const auto sampler = make_reverse_sampler<double>(c.sampler);
      const Orders claimed = sampler.orders(NoiseKind::additive);

      const Errors errors = measure(sampler, test::reverse_model(score, c.eta), score, setting);

      INFO(setting.schedule << " " << c.sampler << " eta=" << c.eta << " mean "
                            << errors.mean.back() << " variance " << errors.variance.back()
                            << " strong " << errors.strong.back());
      if (mean_is_exact(c.sampler, c.eta, setting.schedule))
        CHECK(errors.mean.back() < 1e-12);
      else
        CHECK_THAT(test::last_order(errors.mean), WithinAbs(*claimed.weak, slack));
      CHECK_THAT(test::last_order(errors.variance), WithinAbs(*claimed.weak, slack));
      CHECK_THAT(test::last_order(errors.strong), WithinAbs(*claimed.strong, slack));
    }
  }
}

TEST_CASE("ddim with noise converges with order 1 to the reverse SDE with its eta") {
  const auto ddim = make_reverse_sampler<double>("ddim");
  for (const Setting& setting : settings()) {
    const GaussianScore score{test::Process{make_schedule(setting.schedule)}, 0.5, 0.25};
    for (const double eta : {0.3, 0.7}) {
      const Errors errors = measure(ddim, test::reverse_model(score, eta), score, setting);

      INFO(setting.schedule << " eta=" << eta);
      CHECK_THAT(test::last_order(errors.mean), WithinAbs(1.0, slack));
      CHECK_THAT(test::last_order(errors.variance), WithinAbs(1.0, slack));
      CHECK_THAT(test::last_order(errors.strong), WithinAbs(1.0, slack));
    }
  }
}

TEST_CASE("samplers of the flow have the order they claim, in every process") {
  for (const Setting& setting : settings()) {
    const GaussianScore score{test::Process{make_schedule(setting.schedule)}, 0.5, 0.25};
    for (const char* name : {"ddim", "edm-euler", "edm-heun"}) {
      const auto sampler = make_flow_sampler<double>(name);
      const double claimed = *sampler.orders(NoiseKind::none).deterministic;

      const Errors errors = measure(sampler, test::flow_model(score), score, setting);

      INFO(setting.schedule << " " << name);
      CHECK_THAT(test::last_order(errors.mean), WithinAbs(claimed, slack));
      CHECK_THAT(test::last_order(errors.variance), WithinAbs(claimed, slack));
      CHECK_THAT(test::last_order(errors.strong), WithinAbs(claimed, slack));
    }
  }
}

TEST_CASE("an ancestral step with a wrong posterior variance loses its weak order") {
  const Setting setting{"vp", 0.6, 0.1};
  const GaussianScore score{test::Process{make_schedule("vp")}, 0.5, 0.25};
  const auto ddpm = make_reverse_sampler<double>("ddpm");
  const Law start{1.3, 0.6};
  const Law exact = exact_transition(score, 1, start, setting.start, setting.end);

  std::vector<double> variance;
  for (const Index steps : {512, 1024}) {
    const TimeGrid grid = uniform_grid(setting.start, setting.end, steps);
    auto taken = test::probe_down(ddpm, test::reverse_model(score, 1), grid);
    for (auto& step : taken) step.b *= 0.9;
    variance.push_back(std::abs(test::propagate(taken, grid, start).variance - exact.variance));
  }

  CHECK(std::abs(test::last_order(variance)) < slack);
}
