/// @file  samplers_gaussian.cpp
/// @brief The orders of every sampler on Gaussian data, without Monte Carlo: the exact law of the
///        scheme, and on a shared Brownian path its exact distance to the solution.

#include "certificate/samplers.hpp"

#include <fokker/analysis/linear_law.hpp>

#include "linear_scheme.hpp"

using namespace certificate;
using test::GaussianScore;
using test::Law;

namespace {

const std::vector<Setting> settings{{"vp", 0.6, 0.1},     {"vp-cosine", 0.8, 0.2},
                                    {"sub-vp", 0.6, 0.1}, {"ve", 0.7, 0.45},
                                    {"edm", 3, 0.3},      {"flow", 0.8, 0.2}};
constexpr double rounding = 3e-13;

GaussianScore score_in(const Setting& setting) {
  return {test::Process{make_schedule(setting.schedule)}, 0.5, 0.25};
}

/// Steps whose sizes differ by a factor of three along the grid.
TimeGrid uneven_grid(const Setting& setting, Index steps) {
  TimeGrid grid;
  for (Index k = 0; k <= steps; ++k) {
    const double u = static_cast<double>(k) / static_cast<double>(steps);
    grid.push_back(setting.start + (setting.end - setting.start) * 0.5 * u * (1 + u));
  }
  grid.back() = setting.end;
  return grid;
}

/// W2 between the law of the scheme and that of the equation, both from a law that is not the
/// model's; what has other limits starts from the model's, which it keeps.
double law_error(const Certified& c, const Setting& setting, Index steps) {
  const GaussianScore score = score_in(setting);
  const Law start = c.solves_model ? Law{1.3, 0.6} : marginal(score, setting.start);
  const Law exact = c.solves_model
                        ? exact_transition(score, c.eta, start, setting.start, setting.end)
                        : marginal(score, setting.end);
  TimeGrid clock = uneven_grid(setting, steps);
  for (Time& t : clock) t = -t;
  return with_model(c, score, [&](const auto& sampler, const auto& model) {
    const DiagonalGaussian from{Eigen::VectorXd::Constant(1, start.mean),
                                Eigen::VectorXd::Constant(1, start.variance)};
    const DiagonalGaussian law = propagate(TimeReversed{model}, sampler, from, clock);
    return distance({law.mean[0], law.variance[0]}, exact);
  });
}

double path_error(const Certified& c, const Setting& setting, Index steps) {
  const GaussianScore score = score_in(setting);
  const TimeGrid grid = uneven_grid(setting, steps);
  const ReverseModel<double> model = test::reverse_model(score, c.eta);
  const auto taken = test::linear_steps(make_reverse_sampler<double>(c.name), model, grid);
  return test::strong_error(taken, model, score, grid, {1.3, 0.6});
}

/// On Gaussian data their predictions are affine, and the error of the start, order 3, is hidden
/// behind one of order 4, or the other way round: see samplers_mixture.cpp for these.
bool start_hides(const Certified& c) {
  for (const char* name : {"unipc-3-bh1", "unipc-3-bh2", "deis-tab3", "deis-rhoab3", "sa-solver-3"})
    if (c.name == name) return true;
  return false;
}

}  // namespace

TEST_CASE("every sampler has its deterministic order on Gaussian data") {
  Table table("gaussian-deterministic");
  for (const Certified& c : certified({0})) {
    const auto claimed = c.orders.deterministic;
    certify(table, {c.name}, settings, {32, 64, 128, 256, 512, 1024, 2048, 4096}, claimed,
            start_hides(c) ? std::nullopt : claimed, rounding,
            [&](const Setting& s, Index n) { return law_error(c, s, n); });
  }
}

TEST_CASE("every sampler has its weak order on Gaussian data") {
  Table table("gaussian-weak");
  for (const Certified& c : certified({0.5, 1, 1.4})) {
    // 1 is proved for all drifts; on a linear one with this noise it is 2.
    auto expected = c.name == "heun-sde" ? 2 : c.orders.weak;
    if (c.name == "er-sde-3") expected = {};  // from the model's law its h^2 is too small to see
    certify(table, {c.name, fmt::format("{}", c.eta)}, settings,
            {64, 128, 256, 512, 1024, 2048, 4096}, c.orders.weak, expected, rounding,
            [&](const Setting& s, Index n) { return law_error(c, s, n); });
  }
}

/// The square of a strong error of order 1 is C h^2 + D h^3, where a multistep method has a large D
/// from its first and its last step: so the steps are small.
TEST_CASE("every sampler has its strong order on Gaussian data") {
  Table table("gaussian-strong");
  for (const Certified& c : certified({0.5, 1})) {
    if (!c.solves_model) continue;  // there is no solution to compare its paths with
    certify(table, {c.name, fmt::format("{}", c.eta)}, settings, {256, 512, 1024, 2048, 4096, 8192},
            c.orders.strong, c.orders.strong, rounding,
            [&](const Setting& s, Index n) { return path_error(c, s, n); });
  }
}
