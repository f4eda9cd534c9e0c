/// @file  samplers.cpp
/// @brief What the certificates of the samplers leave: the start of multistep methods, the
/// marginals
///        under every noise of `sit`, and faults of published samplers, which must lose their order
///        under the same measurements. No Monte Carlo.

#include <cmath>
#include <string>
#include <vector>

#include <fokker/diffusion/samplers/ddpm.hpp>
#include <fokker/diffusion/samplers/dpm_solver_multistep.hpp>
#include <fokker/diffusion/samplers/reverse_diffusion.hpp>
#include <fokker/diffusion/samplers/sde_dpm_solver.hpp>
#include <fokker/diffusion/samplers/sit.hpp>

#include "catch.hpp"
#include "line_mixture.hpp"
#include "linear_scheme.hpp"

using namespace fokker;
using test::GaussianScore;
using test::Law;
using test::MixtureScore;

namespace {

constexpr double slack = 0.1;

using Model = ReverseSde<test::Process, GaussianScore>;
using Flow = ProbabilityFlow<test::Process, MixtureScore>;

MixtureScore mixture_in(const char* schedule) {
  return {test::Process{make_schedule(schedule)}, test::two_modes};
}

/// DPM-Solver++(3M) with D2 as shipped in several libraries, without the factor 2.
struct HalfSecondDifference {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts{.name = "3m-as-shipped",
                               .source = "a test",
                               .noise = {NoiseKind::none},
                               .cost = {.drift = 1}};

  template <State X>
  struct Workspace {
    Workspace(Index, Index) {}
    std::vector<X> denoised;
    std::vector<double> lambda;
  };

  template <State X, class P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>&, X& y,
            Workspace<X>& w) const {
    const auto& process = model.process;
    const double lambda_next = -std::log(process.sigma(t_next));
    X denoised(1, 3);
    model.score.denoise(x, t, denoised);
    w.denoised.insert(w.denoised.begin(), denoised);
    w.lambda.insert(w.lambda.begin(), -std::log(process.sigma(t)));
    const double width = lambda_next - w.lambda[0];
    X z = std::exp(-width) * x / process.scale(t) - std::expm1(-width) * denoised;
    if (w.lambda.size() > 2) {
      const double r0 = (w.lambda[0] - w.lambda[1]) / width;
      const double r1 = (w.lambda[1] - w.lambda[2]) / width;
      const X d0 = (w.denoised[0] - w.denoised[1]) / r0, d1 = (w.denoised[1] - w.denoised[2]) / r1;
      const double phi_2 = std::expm1(-width) / width + 1, phi_3 = phi_2 / width - 0.5;
      z += phi_2 * (d0 + (d0 - d1) * r0 / (r0 + r1)) - factor * phi_3 * (d0 - d1) / (r0 + r1);
    }
    y = process.scale(t_next) * z;
  }

  double factor = 1;
};

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
  template <State X, DiffusionModel P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    DpmSolverPlusPlus2MSdeHeun::step(model, x, t, t_next, dw, y, w);
    X frozen(x.rows(), x.cols());
    DpmSolverPlusPlus1Sde::Workspace<X> once(x.rows(), x.cols());
    DpmSolverPlusPlus1Sde{}.step(model, x, t, t_next, dw, frozen, once);
    y = 2 * frozen - y;
  }
};

/// The flow-matching sampler that puts fresh noise on the denoiser: x' = s' D + std' xi.
struct Renoising : Ddpm {
  template <State X, DiffusionModel P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>&) const {
    const auto& process = model.process;
    evaluate_denoiser(process, model.score, x, t, y);
    y = process.scale(t_next) * y + process.std(t_next) / std::sqrt(t - t_next) * dw.w;
  }
};

/// Euler-Maruyama whose steps are 1/N long where the grid's are (T - eps)/(N - 1).
struct WrongLength : ReverseDiffusion {
  Time length;
  template <State X, DiffusionModel P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>&) const {
    model.drift(x, t, y);
    y = x - length * y + model.diffusion(t) * std::sqrt(length / (t - t_next)) * dw.w;
  }
};

}  // namespace

TEST_CASE("the start of multistep samplers of order 3 and more leaves an error of order 3") {
  for (const char* schedule : {"vp", "edm"})
    for (const char* name : {"dpm++3m", "unipc-2-bh2", "unipc-3-bh1", "unipc-3-bh2", "deis-tab2",
                             "deis-tab3", "deis-rhoab2", "deis-rhoab3"}) {
      INFO(schedule << " " << name);
      const MixtureScore score = mixture_in(schedule);
      const FlowModel<double> model{score.process, AnyScore<double>(score)};
      const auto after_six_steps = [&](double length) {
        const TimeGrid grid =
            test::grid_in_sigma(score.process, "logsnr", 6, 3 * std::exp(-6 * length));
        return test::flow_error(make_flow_sampler<double>(name), model, score, grid);
      };

      const double measured = std::log2(after_six_steps(0.002) / after_six_steps(0.001));

      CHECK_THAT(measured, WithinAbs(3.0, slack));
    }
}

TEST_CASE(
    "three multistep points with half the second difference, as shipped elsewhere, have order "
    "2, with the whole one order 3") {
  for (const char* schedule : {"vp", "edm"}) {
    INFO(schedule);
    const MixtureScore score = mixture_in(schedule);
    const Flow model{score.process, score};
    const auto order = [&](const auto& sampler) {
      const auto error = [&](Index n) {
        return test::flow_error(sampler, model, score,
                                test::grid_in_sigma(score.process, "karras", n), 3);
      };
      return std::log2(error(128) / error(256));
    };

    CHECK_THAT(order(HalfSecondDifference{1}), WithinAbs(2.0, slack));
    CHECK_THAT(order(HalfSecondDifference{2}), WithinAbs(3.0, slack));
    CHECK_THAT(order(DpmSolverPlusPlus3M{}), WithinAbs(3.0, slack));
  }
}

TEST_CASE("every noise of the interpolant sampler keeps the marginals to its weak order") {
  for (int diffusion = 0; diffusion < 6; ++diffusion) {
    INFO("w " << diffusion);
    Sit sit;
    sit.diffusion = diffusion;
    std::vector<double> errors;
    for (const Index steps : {2048, 4096})
      errors.push_back(variance_error(sit, uniform_grid(0.6, 0.1, steps)));
    CHECK_THAT(test::last_order(errors), WithinAbs(1, slack));
  }
}

TEST_CASE("SA-Solver with tau in an interval of sigma keeps the marginals to weak order 2") {
  const test::Process process{make_schedule("vp")};
  const TimeGrid quarters = uniform_grid(0.6, 0.1, 4);  // tau jumps at points of both grids
  SaSolver<2> sampler;
  sampler.sigma_low = process.sigma(quarters[3]);
  sampler.sigma_high = process.sigma(quarters[1]);

  std::vector<double> errors;
  for (const Index steps : {8192, 16384})
    errors.push_back(variance_error(sampler, uniform_grid(0.6, 0.1, steps)));

  CHECK_THAT(test::last_order(errors), WithinAbs(2, slack));
}

TEST_CASE("an ancestral step with a wrong posterior variance loses its weak order") {
  const GaussianScore score{test::Process{make_schedule("vp")}, 0.5, 0.25};
  const Law start{1.3, 0.6};
  const Law exact = exact_transition(score, 1, start, 0.6, 0.1);

  std::vector<double> variance;
  for (const Index steps : {512, 1024}) {
    const TimeGrid grid = uniform_grid(0.6, 0.1, steps);
    auto taken = test::probe_down(Ddpm{}, test::reverse_model(score, 1), grid);
    for (auto& step : taken) step.b *= 0.9;
    variance.push_back(std::abs(test::propagate(taken, grid, start).variance - exact.variance));
  }

  CHECK(std::abs(test::last_order(variance)) < slack);
}

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
