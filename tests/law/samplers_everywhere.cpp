/// @file  law/samplers_everywhere.cpp
/// @brief No sampler ends in nan or infinity: every process, grid, precision, end, last
///        step and kind of data.

#include <array>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "catch.hpp"

#include <fokker/diffusion/catalogue/final_step.hpp>
#include <fokker/diffusion/catalogue/registry.hpp>
#include <fokker/diffusion/data/finite_set.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/ito/sra.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/ode.hpp>

using namespace fokker;

namespace {

const std::map<std::string, AnyData>& all_data() {
  constexpr std::array point{0.7, -1.3};
  static const std::map<std::string, AnyData> data{
      {"one point", FiniteSet(std::span<const double>(point), 2)},
      {"Gaussian",
       Gaussian(Eigen::Vector2d(0.5, 0), Eigen::MatrixXd(Eigen::Vector2d(1, 0.01).asDiagonal()))},
      {"mixture", GaussianMixture::ring(8, 4.0, 0.3)}};
  return data;
}

/// The final states of a few paths, and what the denoiser makes of them.
template <class S, class Model, class Sampler, class Steps>
bool ends_finite(const Model& model, const Sampler& sampler, const Steps& steps, double prior,
                 const TimeGrid& grid) {
  SimulateOptions options{.paths = 8, .seed = 1, .threads = 1};
  const IsotropicNormal start{prior, 2};
  const auto run = [&] {
    if constexpr (std::is_same_v<Steps, OnGrid>) {
      return simulate<S>(model, sampler, steps, start, options, FinalState{});
    } else {
      options.save_at = grid;
      return simulate<S>(model, sampler, steps, start, {grid.front(), grid.back()}, options,
                         FinalState{});
    }
  }();
  const Block<S> end = run.value.template cast<S>();
  Block<S> denoised(end.rows(), end.cols());
  model.score.denoise(end, grid.back(), denoised);
  return run.status == Status::success && run.value.isFinite().all() && denoised.isFinite().all();
}

template <class S>
bool ends_finite(const SamplerInfo& info, const AnySchedule& schedule, const AnyData& data,
                 const TimeGrid& grid) {
  const AffineProcess<AnySchedule> process{schedule};
  const AnyScore<S> score{exact_score(process, data)};
  const double prior = process.prior_std(grid.front());
  const Adaptive adaptive{.rtol = 0.02, .atol = 0.02};
  const OnGrid on_grid{grid};
  const ReverseModel<S> reverse{process, score, info.default_eta};
  if (info.name == "shark") return ends_finite<S>(reverse, Shark{}, adaptive, prior, grid);
  if (info.name == "sosra") return ends_finite<S>(reverse, Sosra{}, adaptive, prior, grid);
  if (equation_of(info, info.default_eta) == ModelEquation::sde)
    return ends_finite<S>(reverse, make_reverse_sampler<S>(info.name), on_grid, prior, grid);
  const FlowModel<S> flow{process, score};
  if (info.name == Fehlberg78::facts.name)
    return ends_finite<S>(flow, Fehlberg78{}, adaptive, prior, grid);
  if (info.name == BulirschStoer::facts.name)
    return ends_finite<S>(flow, BulirschStoer{}, adaptive, prior, grid);
  if (info.name == Dopri5::facts.name) return ends_finite<S>(flow, Dopri5{}, adaptive, prior, grid);
  return ends_finite<S>(flow, make_flow_sampler<S>(info.name), on_grid, prior, grid);
}

}  // namespace

TEST_CASE("no sampler ends in nan or infinity, whatever it is combined with") {
  constexpr Index steps = 4;
  std::map<std::string, int> ran, refused;
  for (const SamplerInfo& info : list_samplers()) {
    for (const ScheduleInfo& process : list_schedules())
      for (const GridInfo& grid_info : list_grids())
        for (const auto& [t_min, last] :
             {std::pair{0.0, FinalStep::none}, std::pair{1e-5, FinalStep::none},
              std::pair{1e-3, FinalStep::none}, std::pair{1e-3, FinalStep::zero}}) {
          const AnySchedule schedule = make_schedule(process.name);
          const ModelEquation equation = equation_of(info, info.default_eta);
          TimeGrid grid;
          try {
            check_last_step(info, schedule, info.default_eta, t_min, last);
            grid = make_grid(grid_info.name, schedule,
                             start_time(schedule, equation, grid_info.name), t_min, steps);
            grid = with_last_step(std::move(grid), last);
          } catch (const std::invalid_argument&) {
            if (last == FinalStep::none || info.ends_at_zero) ++refused[info.name];
            continue;
          }
          ++ran[info.name];
          for (const auto& [name, data] : all_data()) {
            INFO(info.name << " on " << process.name << ", " << grid_info.name << " to " << t_min
                           << ", last " << to_string(last) << ", " << name);
            CHECK(ends_finite<double>(info, schedule, data, grid));
            CHECK(ends_finite<float>(info, schedule, data, grid));
          }
        }
    INFO(info.name << ": " << ran[info.name] << " settings ran, " << refused[info.name]
                   << " were refused");
    CHECK(ran[info.name] > refused[info.name]);
  }
}
