/// @file  samplers_sde.cpp
/// @brief The orders of the stochastic samplers, measured without Monte Carlo, two-sided: on
/// Gaussian
///        data from the exact law of the scheme, on a mixture by enumerating three-point noise.

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <fokker/diffusion/samplers/ancestral.hpp>
#include <fokker/diffusion/samplers/er_sde.hpp>
#include <fokker/diffusion/samplers/reverse_diffusion.hpp>
#include <fokker/diffusion/samplers/sde_dpm_solver.hpp>
#include <fokker/diffusion/samplers/seeds.hpp>
#include <fokker/diffusion/samplers/sit.hpp>

#include "catch.hpp"
#include "linear_scheme.hpp"

using namespace fokker;
using test::GaussianScore;
using test::Law;

namespace {

constexpr double slack = 0.1;

using Model = ReverseSde<test::Process, GaussianScore>;

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

/// Steps whose sizes differ by a factor of three along the grid.
TimeGrid uneven_grid(Time from, Time to, Index steps) {
  TimeGrid grid;
  for (Index k = 0; k <= steps; ++k) {
    const double u = static_cast<double>(k) / static_cast<double>(steps);
    grid.push_back(from + (to - from) * 0.5 * u * (1 + u));
  }
  grid.back() = to;
  return grid;
}

/// Errors of runs with n, 2n and 4n steps.
struct Errors {
  std::vector<double> mean, variance, strong;
};

template <class Sampler>
Errors measure(const Sampler& sampler, const Setting& setting, double eta, Index n) {
  const test::Process process{make_schedule(setting.schedule)};
  const GaussianScore score{process, 0.5, 0.25};
  const Model model{process, score, eta};
  const Law start{1.3, 0.6};
  const Law exact = exact_transition(score, eta, start, setting.start, setting.end);
  Errors errors;
  for (const Index steps : {n, 2 * n, 4 * n}) {
    const TimeGrid grid = uneven_grid(setting.start, setting.end, steps);
    const auto taken = test::linear_steps(sampler, model, grid);
    const Law law = test::propagate(taken, grid, start);
    errors.mean.push_back(std::abs(law.mean - exact.mean));
    errors.variance.push_back(std::abs(law.variance - exact.variance));
    errors.strong.push_back(test::strong_error(taken, model, score, grid, start));
  }
  return errors;
}

/// The order of these errors, or nothing to measure where they are rounding.
void check_order(const std::vector<double>& errors, double claimed) {
  if (errors.back() > 1e-11) CHECK_THAT(test::last_order(errors), WithinAbs(claimed, slack));
}

/// The square of a strong error of order 1 is C h^2 + D h^3 + ..., where D comes from the first and
/// the last step of a multistep method. Without its second term it shows its order sooner.
double strong_order(const std::vector<double>& errors) {
  const auto leading = [&](std::size_t k) {
    return 8 * errors[k + 1] * errors[k + 1] - errors[k] * errors[k];
  };
  return 0.5 * std::log2(leading(0) / leading(1));
}

/// On Gaussian data D is affine: the mean of the scheme is what the scheme makes of the mean
/// without noise, and its order the deterministic one.
template <class Sampler>
void check_claims(const Sampler& sampler, Index n) {
  const Orders claimed = sampler.orders(NoiseKind::additive);
  for (const Setting& setting : settings()) {
    for (const double eta : {0.5, 1.0, 1.4}) {
      const Errors errors = measure(sampler, setting, eta, n);
      INFO(setting.schedule << " " << Sampler::name << " eta=" << eta << " mean "
                            << errors.mean.back() << " variance " << errors.variance.back()
                            << " strong " << errors.strong.back());
      if (*claimed.deterministic <= 2) check_order(errors.mean, *claimed.deterministic);
      check_order(errors.variance, *claimed.weak);
      CHECK_THAT(strong_order(errors.strong), WithinAbs(*claimed.strong, slack));
    }
  }
}

/// Without noise, on steps where high orders are above rounding.
template <class Sampler>
void check_deterministic(const Sampler& sampler, Index n, double excess = 0) {
  const double claimed = *sampler.orders(NoiseKind::additive).deterministic;
  for (const Setting& setting : settings()) {
    const Errors errors = measure(sampler, setting, 0, n);
    INFO(setting.schedule << " " << Sampler::name << " eta=0 mean " << errors.mean.back()
                          << " variance " << errors.variance.back());
    for (const auto& e : {errors.mean, errors.variance}) {
      CHECK(test::last_order(e) > claimed - 1.5 * slack);
      CHECK(test::last_order(e) < claimed + excess + 1.5 * slack);
    }
  }
}

template <std::size_t points>
ErSde<points> er_sde_of_power() {
  ErSde<points> sampler;
  sampler.power = 1;
  return sampler;
}

}  // namespace

TEST_CASE("samplers that freeze a prediction have weak and strong order 1 in every process") {
  const auto check = [](const auto& sampler) {
    check_claims(sampler, 256);
    check_deterministic(sampler, 256);
  };
  check(DpmSolverPlusPlus1Sde{});
  check(Seeds1{});
  check(ReverseDiffusion{});
  check(er_sde_of_power<1>());
  Sit sit;
  sit.diffusion = static_cast<int>(InterpolantDiffusion::reverse_sde);
  check(sit);
}

TEST_CASE("two-point samplers of the reverse SDE have weak order 2 and strong order 1") {
  const auto check = [](const auto& sampler) {
    check_claims(sampler, 1024);
    check_deterministic(sampler, 512);
  };
  check(DpmSolverPlusPlus2MSde{});
  check(DpmSolverPlusPlus2MSdeHeun{});
  check(er_sde_of_power<2>());
}

TEST_CASE("three-point samplers of the reverse SDE have weak order 2 and strong order 1") {
  const auto check = [](const auto& sampler) {
    check_claims(sampler, 2048);
    check_deterministic(sampler, 128);
  };
  check(DpmSolverPlusPlus3MSde{});
  check(er_sde_of_power<3>());
}

TEST_CASE("SA-Solver has weak order 2 and strong order 1, and order 2, 3, 3 without noise") {
  check_claims(SaSolver<1>{}, 2048);
  check_claims(SaSolver<2>{}, 2048);
  check_claims(SaSolver<3>{}, 2048);
  check_deterministic(SaSolver<1>{}, 512);
  check_deterministic(SaSolver<2>{}, 128);
  check_deterministic(SaSolver<3>{}, 64, 1);  // 4 where the first step matters little
}

TEST_CASE("sit-heun has weak and strong order 1, and order 2 without noise") {
  SitHeun sampler;
  sampler.diffusion = static_cast<int>(InterpolantDiffusion::reverse_sde);
  for (const Setting& setting : settings())
    for (const double eta : {0.5, 1.0}) {
      const Errors errors = measure(sampler, setting, eta, 512);
      INFO(setting.schedule << " eta=" << eta);
      check_order(errors.variance, 1);
      CHECK_THAT(strong_order(errors.strong), WithinAbs(1, slack));
    }
  check_deterministic(sampler, 256);
}

TEST_CASE("the two-stage exponential samplers have weak order 2 and strong order 1") {
  const auto check = [](const auto& sampler) {
    check_claims(sampler, 256);
    check_deterministic(sampler, 256);
  };
  check(Seeds2{});
  check(DpmSolverPlusPlusSde{});
}

TEST_CASE("samplers with a noise of their own keep the marginals to their weak order") {
  const auto variance_order = [](const auto& sampler, const Setting& setting, Index n) {
    const test::Process process{make_schedule(setting.schedule)};
    const GaussianScore score{process, 0.5, 0.25};
    const Model model{process, score, 1};
    std::vector<double> errors;
    for (const Index steps : {n, 2 * n}) {
      const TimeGrid grid = uneven_grid(setting.start, setting.end, steps);
      const Law law = test::propagate(test::linear_steps(sampler, model, grid), grid,
                                      marginal(score, setting.start));
      errors.push_back(std::abs(law.variance - marginal(score, setting.end).variance));
    }
    return test::last_order(errors);
  };
  for (const Setting& setting : settings()) {
    INFO(setting.schedule);
    CHECK_THAT(variance_order(ErSde<1>{}, setting, 1024), WithinAbs(1, slack));
    CHECK_THAT(variance_order(ErSde<2>{}, setting, 2048), WithinAbs(2, slack));
    SaSolver<2> interval;  // tau jumps at points of both grids; elsewhere the constant would vary
    const test::Process process{make_schedule(setting.schedule)};
    const TimeGrid quarters = uneven_grid(setting.start, setting.end, 4);
    interval.sigma_low = process.sigma(quarters[3]);
    interval.sigma_high = process.sigma(quarters[1]);
    CHECK_THAT(variance_order(interval, setting, 8192), WithinAbs(2, slack));
    for (int diffusion = 0; diffusion < 6; ++diffusion) {
      INFO("w " << diffusion);
      Sit sit;
      sit.diffusion = diffusion;
      CHECK_THAT(variance_order(sit, setting, 2048), WithinAbs(1, slack));
    }
  }
}

namespace {

/// The variance of the scheme at t = 0.1 from the marginal at 0.6 of "vp", against the truth.
template <class Sampler>
double variance_error(const Sampler& sampler, const TimeGrid& grid) {
  const test::Process process{make_schedule("vp")};
  const GaussianScore score{process, 0.5, 0.25};
  const Model model{process, score, 1};
  const Law law = test::propagate(test::linear_steps(sampler, model, grid), grid,
                                  marginal(score, grid.front()));
  return std::abs(law.variance - marginal(score, grid.back()).variance);
}

/// DpmSolverPlusPlus2MSdeHeun with the sign of its correction wrong.
struct WrongSign : DpmSolverPlusPlus2MSdeHeun {
  template <State X, ReversedDiffusion P>
  void step(const P& p, const X& x, Time r, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    DpmSolverPlusPlus2MSdeHeun::step(p, x, r, h, dw, y, w);
    X frozen(x.rows(), x.cols());
    DpmSolverPlusPlus1Sde::Workspace<X> once(x.rows(), x.cols());
    DpmSolverPlusPlus1Sde{}.step(p, x, r, h, dw, frozen, once);
    y = 2 * frozen - y;
  }
};

/// The flow-matching sampler that puts fresh noise on the denoiser: x' = s' D + std' xi.
struct Renoising : Ancestral {
  template <State X, ReversedDiffusion P>
  void step(const P& p, const X& x, Time r, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>&) const {
    const auto& process = p.base.process;
    const Time next = -(r + h);
    evaluate_denoiser(process, p.base.score, x, -r, y);
    y = process.scale(next) * y + process.std(next) / std::sqrt(h) * dw.w;
  }
};

/// Euler-Maruyama whose steps are 1/N long where the grid's are (T - eps)/(N - 1).
struct WrongLength : ReverseDiffusion {
  Time length;
  template <State X, ReversedDiffusion P>
  void step(const P& p, const X& x, Time r, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>&) const {
    const auto& model = p.base;
    model.drift(x, -r, y);
    y = x - length * y + model.diffusion(-r) * std::sqrt(length / h) * dw.w;
  }
};

}  // namespace

TEST_CASE("known faults of published samplers lose their order under these measurements") {
  std::vector<double> right, wrong, renoised, mistimed;
  for (const Index steps : {1024, 2048}) {
    const TimeGrid grid = uniform_grid(0.6, 0.1, steps);
    right.push_back(variance_error(DpmSolverPlusPlus2MSdeHeun{}, grid));
    wrong.push_back(variance_error(WrongSign{}, grid));
    renoised.push_back(variance_error(Renoising{}, grid));
    WrongLength sampler;
    sampler.length = 0.6 / static_cast<double>(steps + 1);
    mistimed.push_back(variance_error(sampler, grid));
  }
  CHECK_THAT(test::last_order(right), WithinAbs(2, slack));
  CHECK_THAT(test::last_order(wrong), WithinAbs(1, slack));
  CHECK(renoised.back() > 0.01);
  CHECK_THAT(test::last_order(renoised), WithinAbs(0, slack));
  CHECK(mistimed.back() > 1e-3);
  CHECK_THAT(test::last_order(mistimed), WithinAbs(0, slack));
}

TEST_CASE("renoising the denoiser of flow matching tends to half the variance of the data") {
  const test::Process process{make_schedule("flow")};
  const GaussianScore score{process, 0, 0.25};
  const Model model{process, score, 1};
  const TimeGrid grid = uniform_grid(0.999, 0, 16000);

  const auto variance = [&](const auto& sampler) {
    return test::propagate(test::linear_steps(sampler, model, grid), grid,
                           marginal(score, grid.front()))
        .variance;
  };

  CHECK_THAT(variance(Renoising{}), WithinAbs(0.125, 2e-3));
  CHECK_THAT(variance(DpmSolverPlusPlus1Sde{}), WithinAbs(0.25, 2e-3));
}
