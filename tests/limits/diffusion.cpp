/// @file  diffusion.cpp
/// @brief Schedules, data, grids and samplers at the ends of their parameters.

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <unistd.h>

#include <fokker/diffusion/catalogue/registry.hpp>
#include <fokker/diffusion/data/boxes.hpp>
#include <fokker/diffusion/data/data.hpp>
#include <fokker/diffusion/data/finite_set.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/data/product.hpp>
#include <fokker/diffusion/data/sphere.hpp>
#include <fokker/diffusion/samplers/edm_churn.hpp>
#include <fokker/diffusion/samplers/langevin.hpp>
#include <fokker/diffusion/samplers/sde_dpm_solver.hpp>
#include <fokker/diffusion/samplers/sit.hpp>
#include <fokker/diffusion/schedule/shifted_schedule.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/diffusion/score/guidance.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>

#include "catch.hpp"
#include "limits/row.hpp"

using namespace fokker;

namespace {

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

/// Every kind of data distribution, in the plane.
std::vector<AnyData> all_kinds() {
  const std::vector<double> mean{1, -1}, variance{2, 0.5}, full{2, 0.3, 0.3, 1}, factor{1, 2};
  return {Gaussian(mean, full),
          GaussianSpectrum(mean, variance),
          GaussianLowRank(mean, factor, 0.1),
          GaussianMixture::ring(3, 2, 0.3),
          FiniteSet(std::vector<double>{0, 1, 2, 3}, 2),
          Boxes::checkerboard(),
          Sphere(2, 1),
          Product({Sphere(1, 1), GaussianSpectrum(std::vector{0.0}, std::vector{1.0})})};
}

GaussianMixture mixture(double weight, double mean, double variance) {
  return GaussianMixture({{weight, {mean, 0.0}, {variance}}, {weight, {1.0, 0.0}, {variance}}});
}

}  // namespace

TEST_CASE("negative scale and noise are refused by every data distribution") {
  const Block<double> x = Block<double>::Constant(2, 3, 0.4);
  Block<double> out(2, 3);

  for (const AnyData& data : all_kinds()) {
    INFO(to_string(data.kind()));
    for (const auto& [s, std] : {std::pair{-1.0, 0.5}, {1.0, -0.5}}) {
      CHECK_THROWS_WITH(data.score(x, s, std, out), ContainsSubstring("must not be negative"));
      CHECK_THROWS_WITH(data.denoise(x, s, std, out), ContainsSubstring("must not be negative"));
      CHECK_THROWS_WITH(data.log_density(x, s, std), ContainsSubstring("must not be negative"));
      CHECK_THROWS_WITH(data.posterior_covariance_times(x, s, std, x, out),
                        ContainsSubstring("must not be negative"));
    }
  }
  limit_row("diffusion", "data distributions", "scale s < 0 or noise std < 0", "refused");
}

TEST_CASE("mixture weights near the largest number keep their ratio") {
  const Block<double> x = Block<double>::Constant(2, 1, 0.4);
  Block<double> huge(2, 1), plain(2, 1), boxes(2, 1), plain_boxes(2, 1);
  const auto pair = [](double w) {
    return Boxes({{w, {0.0, 0.0}, {1.0, 1.0}}, {w, {2.0, 0.0}, {3.0, 1.0}}});
  };

  mixture(1e308, 0, 1).score(x, 1.0, 0.3, huge);
  mixture(1, 0, 1).score(x, 1.0, 0.3, plain);
  pair(1e308).score(x, 1.0, 0.3, boxes);
  pair(1).score(x, 1.0, 0.3, plain_boxes);

  CHECK(plain.isFinite().all());
  CHECK((huge == plain).all());
  CHECK((boxes == plain_boxes).all());
  limit_row("diffusion", "mixtures and boxes", "two weights of 1e308",
            "the law of two equal weights");
}

TEST_CASE("numbers whose squares are no numbers are refused in data") {
  const std::vector<double> zero{0.0, 0.0};
  for (const double variance : {1e-320, 1e305}) {
    CHECK_THROWS_WITH(mixture(1, 0, variance), ContainsSubstring("variance"));
    CHECK_THROWS_WITH(GaussianMixture({{1, {0.0, 0.0}, {variance, 0, 0, variance}}}),
                      ContainsSubstring("variance") || ContainsSubstring("covariance"));
  }
  CHECK_THROWS_WITH(GaussianSpectrum(zero, std::vector{1.0, 1e305}), ContainsSubstring("variance"));
  CHECK_THROWS_WITH(Gaussian(zero, std::vector{1e305, 0.0, 0.0, 1.0}),
                    ContainsSubstring("covariance"));
  CHECK_THROWS_WITH(GaussianLowRank(zero, std::vector{1e200, 0.0}, 0.0),
                    ContainsSubstring("factor"));
  CHECK_THROWS_WITH(mixture(1, 1e200, 1), ContainsSubstring("mean"));
  CHECK_THROWS_WITH(GaussianSpectrum(std::vector{1e200, 0.0}, std::vector{1.0, 1.0}),
                    ContainsSubstring("mean"));
  CHECK_THROWS_WITH(FiniteSet(std::vector{1e200, 0.0}, 2), ContainsSubstring("point"));
  CHECK_THROWS_WITH(Boxes({{1.0, {-1e200}, {1e200}}}), ContainsSubstring("box"));
  for (const double radius : {1e-200, 1e200, -1.0, no_number})
    CHECK_THROWS_WITH(Sphere(2, radius), ContainsSubstring("radius"));
  for (const double std : {1e-200, 1e200, -1.0, no_number}) {
    CHECK_THROWS_AS(GaussianMixture::ring(8, 4, std), std::invalid_argument);
    CHECK_THROWS_AS(GaussianMixture::two_moons(std), std::invalid_argument);
    CHECK_THROWS_AS(GaussianMixture::swiss_roll(std), std::invalid_argument);
  }
  CHECK_THROWS_WITH(GaussianMixture::ring(8, no_number, 0.3), ContainsSubstring("radius"));
  limit_row("diffusion", "data distributions",
            "variances outside [1e-300, 1e300], coordinates beyond 1e150", "refused");
}

TEST_CASE("the least variance of a mixture gives a finite score at every noise, float too") {
  for (const double variance : {1e-300, 1e-60, 1e60, 1e300}) {
    const AnyData data = mixture(1, 0, variance);
    for (const double std : {0.0, 1e-3, 1.0}) {
      INFO(variance << " " << std);
      const double width = std::sqrt(variance + std * std);
      const Block<double> x = Block<double>::Constant(2, 2, 0.5 * width);
      Block<double> out(2, 2), denoised(2, 2);
      data.score(x, 1.0, std, out);
      data.denoise(x, 1.0, std, denoised);
      CHECK(out.isFinite().all());
      CHECK(denoised.isFinite().all());
      if (!(width > 1e-30 && width < 1e30)) continue;
      const Block<float> xf = x.cast<float>();
      Block<float> outf(2, 2), denoisedf(2, 2);
      data.score(xf, 1.0, std, outf);
      data.denoise(xf, 1.0, std, denoisedf);
      CHECK(outf.isFinite().all());
      CHECK(denoisedf.isFinite().all());
    }
  }
  limit_row("diffusion", "Gaussian mixture", "variances from 1e-300 to 1e300",
            "scores and denoisers are finite in double, and in float where the numbers are floats");
}

TEST_CASE("sizes that no memory holds are refused by the constructor") {
  CHECK_THROWS_WITH(Sphere(1'000'000'000, 1), ContainsSubstring("at most"));
  CHECK_THROWS_WITH(Boxes::checkerboard(1'000'000), ContainsSubstring("at most"));
  CHECK_THROWS_WITH(GaussianMixture::ring(1'000'000'000, 4, 0.3), ContainsSubstring("at most"));
  CHECK_THROWS_WITH(GaussianMixture::two_moons(0.1, 1'000'000'000), ContainsSubstring("at most"));
  CHECK_THROWS_WITH(GaussianMixture::swiss_roll(0.1, 1'000'000'000), ContainsSubstring("at most"));
  const AnySchedule vp = make_schedule("vp");
  for (const GridInfo& grid : list_grids())
    CHECK_THROWS_WITH(make_grid(grid.name, vp, 1, 1e-3, 10'000'000'000),
                      ContainsSubstring("at most") || ContainsSubstring("has"));
  CHECK_THROWS_WITH(iddpm_levels(10'000'000'000), ContainsSubstring("at most"));
  CHECK(Boxes::checkerboard(1000).boxes().size() == 500'000);
  limit_row("diffusion", "spheres, checkerboards, rings and time grids",
            "sizes beyond 2^22 dimensions, 1024 cells, 2^20 modes, 2^26 steps",
            "refused with the limit");
}

TEST_CASE("schedules whose noise is no number are refused") {
  const auto refused = [](const char* name, const Parameters& parameters) {
    INFO(name);
    CHECK_THROWS_AS(make_schedule(name, parameters), std::invalid_argument);
  };
  refused("vp", {{"beta_max", "1e308"}});
  refused("vp", {{"beta_min", "1e308"}, {"beta_max", "1.1e308"}});
  refused("vp", {{"beta_min", "0"}, {"beta_max", "1e-320"}});
  refused("sub-vp", {{"beta_max", "1e308"}});
  refused("ve", {{"sigma_min", "1e-320"}});
  refused("ve", {{"sigma_max", "1e308"}});
  refused("edm", {{"sigma_max", "1e308"}});
  refused("edm", {{"sigma_max", "1e-200"}, {"sigma_min", "0"}});
  refused("polynomial", {{"n", "1e300"}});
  refused("polynomial", {{"n", "1e-300"}});
  refused("flow", {{"shift", "1e300"}});
  refused("vp", {{"shift", "1e-300"}});
  for (const char* value : {"-1", "nan", "inf", "1e400", "+-1", "0x1", ""})
    refused("vp", {{"beta_max", value}});
  CHECK_THROWS_AS(iddpm_levels(10, 0.0, 0.008), std::invalid_argument);
  CHECK_THROWS_AS(iddpm_levels(10, 1.5, 0.008), std::invalid_argument);
  CHECK_THROWS_AS(iddpm_levels(10, 0.001, no_number), std::invalid_argument);
  CHECK_THROWS_AS(iddpm_levels(10, 0.001, -2.0), std::invalid_argument);
  limit_row("diffusion", "schedules",
            "parameters for which sigma at the start is 0, infinite or "
            "outside [1e-150, 1e150]",
            "refused");
}

TEST_CASE("a user-defined schedule whose numbers are none is refused when its process is made") {
  struct Custom {
    double sigma_end, end;
    AffineCoefficients at(Time t) const {
      return {.scale = 1,
              .sigma = sigma_end * t,
              .log_scale_rate = 0,
              .diffusion = sigma_end * std::sqrt(2 * t)};
    }
    ScheduleEnds ends() const { return {.end = end}; }
  };
  CHECK_NOTHROW(AffineProcess<Custom>(Custom{3, 1}));
  CHECK_THROWS_WITH(AffineProcess<Custom>(Custom{no_number, 1}), ContainsSubstring("sigma"));
  CHECK_THROWS_WITH(AffineProcess<Custom>(Custom{-3, 1}), ContainsSubstring("sigma"));
  CHECK_THROWS_WITH(AffineProcess<Custom>(Custom{3, 0}), ContainsSubstring("end"));
  CHECK_THROWS_WITH(AffineProcess<Custom>(Custom{3, no_number}), ContainsSubstring("end"));
  limit_row("diffusion", "user-defined schedules", "sigma that is nan or negative, end time <= 0",
            "refused when the AffineProcess is made");
}

TEST_CASE("samplers refuse parameters that are no numbers or too many, by name and by type") {
  const AffineProcess<AnySchedule> process(make_schedule("edm"));
  const ReverseSde model{process, AnyScore<double>(exact_score(process, all_kinds()[0])), 0.0};
  const auto refused = [&](auto sampler) {
    INFO(name_of(sampler));
    CHECK_THROWS_AS(
        simulate(model, sampler, OnGrid{{1.0, 0.9}}, process.prior(2), {.paths = 1}, FinalState{}),
        std::invalid_argument);
  };
  refused([] {
    EdmChurn s;
    s.gamma = -1;
    return s;
  }());
  refused([] {
    EdmChurn s;
    s.s_noise = no_number;
    return s;
  }());
  refused([] {
    AnnealedLangevin s;
    s.repeats = -1;
    return s;
  }());
  refused([] {
    PredictorCorrector<> s;
    s.snr = no_number;
    return s;
  }());
  refused([] {
    Sit s;
    s.norm = -1;
    return s;
  }());
  refused([] {
    SaSolver<2> s;
    s.sigma_low = no_number;
    return s;
  }());
  for (const char* name :
       {"edm-churn:s_noise=1e200", "restart:repeats=1000000000", "restart:steps=1000000000",
        "pc-langevin:corrections=1000000000", "annealed-langevin:repeats=1000000000",
        "edm-churn:gamma=0x1", "edm-churn:gamma=+-1", "edm-churn:gamma=1e400"})
    CHECK_THROWS_AS(make_reverse_sampler<double>(name), std::invalid_argument);
  limit_row("diffusion", "samplers",
            "parameters that are no_number, negative or above 10000 repeats",
            "refused by name and, made by type, before the first step");
}
