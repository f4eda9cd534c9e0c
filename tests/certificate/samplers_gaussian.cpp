/// @file  samplers_gaussian.cpp
/// @brief The orders of every sampler on Gaussian data, without Monte Carlo: the exact law of the
///        scheme, and on a shared Brownian path its exact distance to the solution.

#include "certificate/samplers.hpp"

#include <fokker/analysis/law/linear_law.hpp>

#include "line_mixture.hpp"
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

/// The law at the end of the equation that ER-SDE solves with the noise scale of its authors,
/// phi = sigma (e^(sigma^0.3) + 10)^(eta^2): the mean of z - m falls by exp of the integral of
/// -(phi'/phi) sigma^2 / (v + sigma^2), and the marginals are those of the model.
Law exact_by_noise_scale(const GaussianScore& score, double eta, Law law, Time t, Time t_next) {
  const test::Process& process = score.process;
  const auto rate = [&](double sigma) {
    const double e = std::exp(std::pow(sigma, 0.3));
    const double growth = 1 / sigma + eta * eta * 0.3 * std::pow(sigma, -0.7) * e / (e + 10);
    return growth * sigma * sigma / (score.variance + sigma * sigma);
  };
  constexpr int panels = 200;
  const double high = process.sigma(t), low = process.sigma(t_next);
  double total = 0;
  for (int i = 0; i < panels; ++i)
    total += test::gauss_legendre(rate, low + (high - low) * i / panels,
                                  low + (high - low) * (i + 1) / panels);
  const double m = process.scale(t_next) / process.scale(t) * std::exp(-total);
  const Law before = marginal(score, t), after = marginal(score, t_next);
  return {after.mean + m * (law.mean - before.mean),
          after.variance + m * m * (law.variance - before.variance)};
}

/// W2 between the law of the scheme and that of the equation, both from a law that is not the
/// model's; what has an equation of its own that is not known starts from the model's, which it
/// keeps.
double law_error(const Certified& c, const Setting& setting, Index steps) {
  const GaussianScore score = score_in(setting);
  const bool noise_scale = !c.solves_model && c.name.starts_with("er-sde");
  const Law start = c.solves_model || noise_scale ? Law{1.3, 0.6} : marginal(score, setting.start);
  Law exact = marginal(score, setting.end);
  if (c.solves_model)
    exact = exact_transition(score, c.eta, start, setting.start, setting.end);
  else if (noise_scale)
    exact = exact_by_noise_scale(score, c.eta, start, setting.start, setting.end);
  TimeGrid clock = uneven_grid(setting, steps);
  for (Time& t : clock) t = -t;
  return with_model(c, score, [&](const auto& sampler, const auto& model) {
    const DiagonalGaussian from{Eigen::VectorXd::Constant(1, start.mean),
                                Eigen::VectorXd::Constant(1, start.variance)};
    const DiagonalGaussian law =
        propagate(TimeReversed<std::remove_cvref_t<decltype(model)>>{model}, sampler, from, clock);
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

/// Those whose order is 4 once they have a history, of which their start leaves 3. On Gaussian data
/// their predictions are affine, and the one is hidden behind the other: both are measured apart.
constexpr const char* by_parts[] = {"unipc-3-bh1",  "unipc-3-bh2", "deis-tab3",
                                    "deis-logrho3", "deis-rhoab3", "sa-solver-3"};

/// The largest error of three paths of the flow by so many steps from sigma = 3 to 0.3: after the
/// first three of them, or after all, where the first eight start from exact states.
double part_error(const Certified& c, const Setting& setting, Index steps, bool start) {
  const test::MixtureScore score{test::Process{make_schedule(setting.schedule)}, {{1, 0.5, 0.25}}};
  TimeGrid grid = test::grid_in_sigma(score.process, start ? "jumps" : "karras", steps);
  if (start) grid.resize(4);
  return with_model(c, score, [&](const auto& sampler, const auto& model) {
    return test::flow_error(sampler, model, score, grid, start ? 1 : 8);
  });
}

}  // namespace

TEST_CASE("every sampler has its deterministic order on Gaussian data") {
  Table table("gaussian-deterministic");
  for (const Certified& c : certified({0})) {
    if (std::ranges::find(by_parts, c.name) != std::end(by_parts)) continue;
    const auto claimed = c.orders.deterministic;
    certify(table, {c.name}, settings, {32, 64, 128, 256, 512, 1024, 2048, 4096}, claimed, claimed,
            rounding, [&](const Setting& s, Index n) { return law_error(c, s, n); });
  }
}

TEST_CASE("samplers of order 4 but for their start have their order in parts on Gaussian data") {
  Table table("gaussian-parts");
  for (const Certified& c : certified({0})) {
    if (std::ranges::find(by_parts, c.name) == std::end(by_parts)) continue;
    certify(table, {c.name, "start"}, settings, {32, 64, 128, 256, 512, 1024},
            c.orders.deterministic, c.orders.deterministic, 1e-15,
            [&](const Setting& s, Index n) { return part_error(c, s, n, true); });
    certify(table, {c.name, "history"}, settings, {32, 64, 128, 256, 512, 1024},
            c.orders.deterministic, 4, 1e-14,
            [&](const Setting& s, Index n) { return part_error(c, s, n, false); });
  }
}

TEST_CASE("every sampler has its weak order on Gaussian data") {
  Table table("gaussian-weak");
  for (const Certified& c : certified({0.5, 1, 1.4})) {
    // 1 is proved for all drifts; on a linear one with this noise it is 2.
    const auto expected = c.name == "heun-sde" ? 2 : c.orders.weak;
    std::vector<Index> steps{64, 128, 256, 512, 1024, 2048, 4096};
    if (c.name == "er-sde-3" || c.name == "dpm++3m-sde-shipped")  // a small term of order 2
      steps.insert(steps.end(), {8192, 16384});
    certify(table, {c.name, fmt::format("{}", c.eta)}, settings, steps, c.orders.weak, expected,
            rounding, [&](const Setting& s, Index n) { return law_error(c, s, n); });
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
