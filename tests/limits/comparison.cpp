/// @file  limits/comparison.cpp
/// @brief The comparison of samplers at the ends of its settings.

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "limits/row.hpp"
#include "linear_scheme.hpp"

#include <fokker/analysis/compare/comparison.hpp>
#include <fokker/analysis/compare/tune_grid.hpp>
#include <fokker/analysis/law/linear_law.hpp>
#include <fokker/diffusion/catalogue/final_step.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>
#include <fokker/diffusion/score/exact_score.hpp>

using namespace fokker;

namespace {

using Extended = long double;

/// Mean and standard deviation of a scheme in extended precision: all columns of the map from the
/// start and the increments are kept. `rounding` is what one relative error of 1 in every product
/// of a step, in the direction that hurts most, can make of the standard deviation at the end:
/// schemes that extrapolate far have large numbers cancel.
struct ExtendedLaw {
  Extended mean, std, rounding;
};

ExtendedLaw extended_law(const std::vector<test::LinearStep>& steps, const TimeGrid& grid,
                         double mean, double std) {
  using Matrix = Eigen::Matrix<Extended, Eigen::Dynamic, Eigen::Dynamic>;
  using Vector = Eigen::Matrix<Extended, Eigen::Dynamic, 1>;
  const Index m = steps[0].b.size();
  Vector centre = Vector::Zero(m);
  Matrix map = Matrix::Zero(m, 1);
  centre[0] = mean;
  map(0, 0) = std;
  std::vector<Vector> sizes;  // of what each step cancels
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const Matrix a = steps[k].a.cast<Extended>();
    const Index before = map.cols(), more = steps[k].e.cols() + 1;
    const Vector carried = map.rowwise().norm() + centre.cwiseAbs();
    sizes.push_back(a.cwiseAbs() * carried + steps[k].c.cwiseAbs().cast<Extended>());
    Matrix next(m, before + more);
    next.leftCols(before) = a * map;
    next.col(before) = steps[k].b.cast<Extended>() * std::sqrt(Extended(grid[k] - grid[k + 1]));
    next.rightCols(more - 1) = steps[k].e.cast<Extended>();
    centre = (a * centre + steps[k].c.cast<Extended>()).eval();
    map = next;
  }
  Vector response = Vector::Unit(m, 0);
  Extended rounding = 0;
  for (std::size_t k = steps.size(); k-- > 0;) {
    rounding += response.cwiseAbs().dot(sizes[k]);
    response = (steps[k].a.cast<Extended>().transpose() * response).eval();
  }
  return {centre[0], map.row(0).norm(), rounding};
}

/// f(sampler, model) with the sampler of this name and its model.
template <class Score, class F>
auto with_model(const std::string& name, const test::Process& process, const Score& score,
                const F& f) {
  const SamplerInfo& info = list_samplers().at(name);
  if (equation_of(info, info.default_eta) == ModelEquation::ode &&
      info.equation == ModelEquation::ode)
    return f(make_flow_sampler<double>(name), FlowModel<double>{process, AnyScore<double>(score)});
  return f(make_reverse_sampler<double>(name),
           ReverseModel<double>{process, AnyScore<double>(score), info.default_eta});
}

const Eigen::Vector4d variances{9, 1, 1e-4, 0};
constexpr double data_mean = 0.3;

/// Errors of mean and standard deviation, the largest of four coordinates: in units of the largest
/// number among those of the start and the end, and of the rounding that the scheme leaves no
/// choice about.
struct Worst {
  double of_scale, of_rounding;
};

Worst worst_errors(const std::string& sampler, const test::Process& process, const TimeGrid& grid) {
  const GaussianSpectrum data(Eigen::Vector4d::Constant(data_mean), variances);
  const double prior = process.prior_std(grid.front());
  TimeGrid clock = grid;
  for (Time& t : clock) t = -t;
  const DiagonalGaussian start{Eigen::Vector4d::Zero(), Eigen::Vector4d::Constant(prior * prior)};
  const DiagonalGaussian law =
      with_model(sampler, process, exact_score(process, AnyData{data}),
                 [&](const auto& method, const auto& model) {
                   return propagate(TimeReversed<std::remove_cvref_t<decltype(model)>>{model},
                                    method, start, clock);
                 });
  Worst worst{0, 0};
  double scale = prior;
  for (Index i = 0; i < variances.size(); ++i) {
    const test::GaussianScore score{process, data_mean, variances[i]};
    const auto steps =
        with_model(sampler, process, score, [&](const auto& method, const auto& model) {
          return test::linear_steps(method, model, grid);
        });
    const ExtendedLaw exact = extended_law(steps, grid, 0, prior);
    const double off = static_cast<double>(std::max(
        std::abs(law.mean[i] - exact.mean), std::abs(std::sqrt(law.variance[i]) - exact.std)));
    scale = std::max(scale, static_cast<double>(std::max(exact.std, std::abs(exact.mean))));
    worst.of_scale = std::max(worst.of_scale, off);
    worst.of_rounding = std::max(worst.of_rounding, off / static_cast<double>(exact.rounding));
  }
  worst.of_scale /= scale;
  return worst;
}

}  // namespace

TEST_CASE("exact laws of all samplers keep twelve digits, with an eigenvalue of 0 too") {
  double most = 0;
  int laws = 0, above = 0;
  for (const ScheduleInfo& schedule : list_schedules()) {
    const test::Process process{make_schedule(schedule.name)};
    for (const char* name : {"uniform", "karras", "logsnr"}) {
      const TimeGrid grid =
          make_grid(name, process.schedule, process.sde_start(), process.t_min(), 12);
      for (const SamplerInfo& info : list_samplers()) {
        if (info.adaptive || info.name == "pc-langevin") continue;
        if (info.evaluations > 1 && std::string_view(name) != "karras") continue;
        for (const FinalStep last : {FinalStep::none, FinalStep::zero}) {
          if (last == FinalStep::zero && (process.std(0) > 0 || !info.ends_at_zero)) continue;
          INFO(info.name << " on " << schedule.name << ", " << name << ", " << to_string(last));
          const Worst worst = worst_errors(info.name, process, with_last_step(grid, last));
          const bool stages = info.evaluations > 1;  // whose numbers cancel within a step
          CHECK((worst.of_scale < (stages ? 1e-10 : 1e-12) || worst.of_rounding < 1e-14));
          most = std::max(most, worst.of_scale);
          above += worst.of_scale >= 1e-12;
          ++laws;
        }
      }
    }
  }
  INFO(above << " of " << laws << " laws are off by more than 1e-12, at most " << most);
  CHECK(above < laws / 20);
  limit_row(
      "comparison", "exact laws (`compare --exact`)", "all samplers, data with eigenvalue 0",
      "means and standard deviations agree with long double to 1e-12 of the scale, or to 1e-14 "
      "of the numbers that the scheme itself cancels (deis, ipndm that extrapolate far)");
}

namespace {

ComparisonSettings exact_settings(std::vector<std::string> samplers, Eigen::VectorXd spectrum) {
  ComparisonSettings s;
  s.data = GaussianSpectrum(Eigen::VectorXd::Zero(spectrum.size()), spectrum);
  s.data_name = "a spectrum";
  s.samplers = std::move(samplers);
  s.steps = {12};
  s.exact = true;
  return s;
}

}  // namespace

TEST_CASE("with an eigenvalue of 0 and a wrong score the law is a law") {
  for (const double scale : {-0.5, 0.3})
    for (const double eta : {0.0, 1.0}) {
      ComparisonSettings s = exact_settings({"exponential-euler-maruyama"}, Eigen::Vector2d(1, 0));
      s.eta = eta;
      s.score_error = {.scale = scale, .bias = 0.1, .from = 1e-2, .to = 0.5};

      const ComparisonRow row = compare(s).rows.front();

      INFO(scale << " " << eta << " " << row.problem);
      REQUIRE(row.problem.empty());
      CHECK(row.error_score.value_or(NAN) > 0);
      CHECK(row.error <= *row.error_init + *row.error_truncation + *row.error_discretisation +
                             *row.error_score + 1e-12);
    }
  limit_row("comparison", "`compare --exact --score-error`", "eigenvalue 0",
            "closed form, a variance is a sum of squares");
}

TEST_CASE("a scheme that is not linear leaves a row without figures, and the others") {
  const ComparisonSettings s =
      exact_settings({"pc-langevin:norms=1", "ddim"}, Eigen::Vector2d(1, 0));

  const Comparison found = compare(s);

  REQUIRE(found.rows.size() == 2);
  CHECK_THAT(found.rows[0].problem, ContainsSubstring("not linear"));
  CHECK(std::isnan(found.rows[0].error));
  CHECK(found.rows[1].problem.empty());
  CHECK(found.rows[1].error > 0);
  CHECK_THAT(to_json(found), ContainsSubstring("\"problem\""));
  limit_row("comparison", "`compare --exact`", "a sampler that is not linear",
            "its row has the reason and no figures; the other rows are there");
}

TEST_CASE("a tuned grid is finite whatever the eigenvalues") {
  const TunedGrid tuned = tune_grid(exact_settings({"ddim"}, Eigen::Vector3d(1e200, 1, 0)));

  for (const Time t : tuned.times) CHECK(std::isfinite(t));
  CHECK(std::isfinite(tuned.error));
  limit_row("comparison", "`tune`", "eigenvalue 1e200", "a grid of finite times");
}
