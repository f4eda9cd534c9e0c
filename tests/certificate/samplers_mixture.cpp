/// @file  samplers_mixture.cpp
/// @brief The orders of every sampler where the denoiser is not affine, without Monte Carlo: on a
///        mixture of two normals on the line, whose flow is the quantile map of its law.

#include "certificate/samplers.hpp"

#include <complex>
#include <numbers>

#include "certificate/transition.hpp"
#include "line_mixture.hpp"

using namespace certificate;
using test::LatticeLaw;
using test::MixtureScore;
using test::two_modes;

namespace {

MixtureScore score_in(const Setting& setting) {
  return {test::Process{make_schedule(setting.schedule)}, two_modes};
}

/// Those whose order is 4 once they have a history, of which their start leaves 3: it is measured
/// with a history of exact states, and the start in samplers_gaussian.cpp and
/// tests/order/samplers.cpp.
constexpr const char* started[] = {"unipc-3-bh1", "unipc-3-bh2", "deis-tab3", "deis-logrho3",
                                   "deis-rhoab3"};

std::size_t denoisers_kept(const Certified& c) {
  const auto sampler = make_reverse_sampler<double>(c.name);
  ReverseSampler<double>::Workspace<Block<double>> workspace(1, 1);
  return sampler.memory(workspace).size();
}

/// The law of the mixture at time t in weights of the trapezoidal rule, up to 6.5 standard
/// deviations of each mode.
LatticeLaw law_of(const MixtureScore& score, Time t, double width) {
  const double s = score.process.scale(t), std = score.process.std(t);
  double reach = 0;
  for (const auto& [weight, mean, variance] : score.components)
    reach = std::max(reach, s * std::abs(mean) + 6.5 * std::hypot(s * std::sqrt(variance), std));
  const auto half = static_cast<Index>(std::ceil(reach / width));
  LatticeLaw law{-width * static_cast<double>(half), width, Eigen::VectorXd::Zero(2 * half + 1)};
  for (Index i = 0; i < law.weights.size(); ++i)
    for (const auto& [weight, mean, variance] : score.components) {
      const double v = s * s * variance + std * std, d = law.point(i) - s * mean;
      law.weights[i] +=
          width * weight * std::exp(-0.5 * d * d / v) / std::sqrt(2 * std::numbers::pi * v);
    }
  return law;
}

/// How far the characteristic function at three frequencies is from that of the model, which the
/// sampler keeps if it starts there.
double law_error(const Certified& c, const Setting& setting, Index steps) {
  const MixtureScore score = score_in(setting);
  const double s = score.process.scale(setting.end), std = score.process.std(setting.end);
  TimeGrid grid;
  for (Index k = 0; k <= steps; ++k) {
    const double u = static_cast<double>(k) / static_cast<double>(steps);
    grid.push_back(setting.start + (setting.end - setting.start) * u * (0.75 + 0.25 * u));
  }
  const std::size_t kept = denoisers_kept(c);
  const double width = kept == 0 ? 0.025 : kept < 3 ? 0.05 : 0.08;
  const LatticeLaw law = with_model(c, score, [&](const auto& sampler, const auto& model) {
    return test::transport(sampler, model, grid, law_of(score, setting.start, width), -2.5, 2.5);
  });
  double square = 0;
  for (const double frequency : {0.7, 1.3, 2.0}) {
    std::complex<double> exact = 0;
    for (const auto& [weight, mean, variance] : score.components)
      exact += weight *
               std::polar(std::exp(-0.5 * frequency * frequency * (s * s * variance + std * std)),
                          frequency * s * mean);
    const std::complex<double> got(law.mean([&](double x) { return std::cos(frequency * x); }),
                                   law.mean([&](double x) { return std::sin(frequency * x); }));
    square += std::norm(got - exact);
  }
  return std::sqrt(square);
}

}  // namespace

TEST_CASE("every sampler has its deterministic order on the flow of a mixture") {
  Table table("mixture-deterministic");
  const std::vector<Setting> settings{{"vp", 0, 0}, {"vp-cosine", 0, 0}, {"sub-vp", 0, 0},
                                      {"ve", 0, 0}, {"edm", 0, 0},       {"flow", 0, 0}};
  for (const Certified& c : certified({0})) {
    if (!c.orders.deterministic) continue;  // its law is tested, not its path
    const bool given = std::ranges::find(started, c.name) != std::end(started);
    for (const std::string spacing : {"karras", "jumps"}) {
      std::optional<double> expected = given ? 4 : *c.orders.deterministic;
      if (spacing == "jumps" && c.name == "ipndm") expected = 1;  // made for equal steps
      // to 0.3 it is still rising to 4 where its errors are rounding
      const double end = spacing == "jumps" && c.name.starts_with("unipc-3") ? 0.1 : 0.3;
      certify(table, {c.name, spacing}, settings, {16, 32, 64, 128, 256, 512, 1024},
              c.orders.deterministic, expected, 1e-14, [&](const Setting& setting, Index n) {
                const MixtureScore score = score_in(setting);
                return with_model(c, score, [&](const auto& sampler, const auto& model) {
                  return test::flow_error(sampler, model, score,
                                          test::grid_in_sigma(score.process, spacing, n, end),
                                          given ? 4 : 1);
                });
              });
    }
  }
}

TEST_CASE("every sampler that remembers at most one denoiser has its weak order on a mixture") {
  Table table("mixture-weak");
  for (const Certified& c : certified({0.5, 1})) {
    if (!c.orders.weak || denoisers_kept(c) > 1) continue;
    // heun-sde: 1 is proved for all noise; with this, additive one it is 2. dpm2-ancestral: its noise
    // keeps the marginals of the model, from one of which it starts here, so the order is the flow's.
    const bool second = c.name == "heun-sde" || c.name == "dpm2-ancestral";
    const auto expected = second ? 2 : c.orders.weak;
    std::vector<Index> steps{8, 16, 32, 64, 128};
    if (denoisers_kept(c) == 0) steps.push_back(256);  // these are quick
    certify(table, {c.name, fmt::format("{}", c.eta)}, {{"vp", 0.5, 0.2}, {"flow", 0.6, 0.3}},
            steps, c.orders.weak, expected, 1e-10,
            [&](const Setting& s, Index n) { return law_error(c, s, n); });
  }
}

/// Their errors of the mean, of order 3, are large: so much noise and small steps; of a noise of
/// its own, which falls with sigma, more of it. Three denoisers are remembered on a coarser grid,
/// and where D bends less.
TEST_CASE("every sampler that remembers more denoisers has its weak order on a mixture") {
  Table table("mixture-weak-more");
  for (const Certified& c : certified({1.4, 3})) {
    if (!c.orders.weak || denoisers_kept(c) < 2 || c.solves_model != (c.eta == 1.4)) continue;
    const bool three = denoisers_kept(c) == 3;
    const Setting setting = three ? Setting{"flow", 0.8, 0.6} : Setting{"flow", 0.6, 0.3};
    const std::vector<Index> steps =
        three ? std::vector<Index>{16, 32, 64, 128} : std::vector<Index>{32, 64, 128, 256};
    certify(table,
            {c.name, fmt::format("{}", c.eta), fmt::format("{} to {}", setting.start, setting.end)},
            {setting}, steps, c.orders.weak, c.orders.weak, 1e-10,
            [&](const Setting& s, Index n) { return law_error(c, s, n); });
  }
}
