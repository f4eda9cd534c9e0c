#pragma once
/// @file  fokker/diffusion/catalogue/registry.hpp
/// @brief The samplers by name, compiled once on type-erased models.

#include <string>
#include <string_view>
#include <vector>

#include <fokker/diffusion/model/probability_flow.hpp>
#include <fokker/diffusion/model/reverse_sde.hpp>
#include <fokker/diffusion/samplers/reverse_step.hpp>
#include <fokker/diffusion/schedule/any_schedule.hpp>
#include <fokker/diffusion/score/any_score.hpp>
#include <fokker/solvers/core/any_stepper.hpp>
#include <fokker/solvers/support/catalogue.hpp>

namespace fokker {

/// The reverse SDE, and the probability flow, under any schedule with any score, on states of scalar
/// S.
template <class S>
using ReverseModel = ReverseSde<AffineProcess<AnySchedule>, AnyScore<S>>;
template <class S>
using FlowModel = ProbabilityFlow<AffineProcess<AnySchedule>, AnyScore<S>>;

/// A fixed-step sampler chosen at run time, for `simulate` on a decreasing grid.
template <class S>
using ReverseSampler = AnyStepper<ReverseModel<S>, Block<S>, true>;
template <class S>
using FlowSampler = AnyStepper<FlowModel<S>, Block<S>, true>;

/// What a sampler solves: the reverse SDE (`ReverseModel`) or the probability flow (`FlowModel`).
enum class ModelEquation { sde, ode };

/// "sde" or "ode".
constexpr std::string_view to_string(ModelEquation e) {
  return e == ModelEquation::sde ? "sde" : "ode";
}

/// A sampler of the catalogue. Parameters are set behind its name: "edm-churn:gamma=0.3".
struct SamplerInfo {
  std::string name;
  std::string type;        ///< in C++
  ModelEquation equation;  ///< that it solves with its default eta; see `equation_of`
  double default_eta;
  EtaRange etas;    ///< that it is defined for
  int evaluations;  ///< of the score per step; adaptive: per step that is accepted, 0: it varies
  int extra_evaluations;  ///< once in a run: of a first step, of restarts
  bool adaptive;
  Orders orders;      ///< on the equation that it solves
  bool ends_at_zero;  ///< can step to t = 0 whatever the data: it never asks for the score there
  std::vector<Parameter> parameters;
  std::string source;
};

/// All samplers, plain solvers among them, the adaptive ones last. A new one is a name in
/// sampler_table.hpp. Synonyms are the names of papers and other libraries.
const Catalogue<SamplerInfo>& list_samplers();

/// What a sampler costs in evaluations of the score.
struct SamplerCost {
  int per_step = 1;
  int once = 0;  ///< at most, in a run

  /// The most steps that this many evaluations are enough for.
  Index steps(Index evaluations) const { return (evaluations - once) / per_step; }
};

/// The cost of a fixed-step sampler with the parameters behind its name.
/// @throws std::invalid_argument  as make_reverse_sampler
SamplerCost cost_of(std::string_view name);

/// Whether a fixed-step sampler, with the parameters behind its name, converges to `ReverseSde` or
/// `ProbabilityFlow` with its eta; not if it claims no order, or has a noise of its own.
/// @throws std::invalid_argument  as make_reverse_sampler
bool solves_model(std::string_view name);

/// The equation that the sampler solves with this eta: ddim goes to the SDE for eta > 0.
ModelEquation equation_of(const SamplerInfo& sampler, double eta);

/// Where a run of this equation starts by default: `end_time` of the schedule, or `sde_start` for
/// the SDE and on grids in sigma (karras, logsnr), which need it finite.
Time start_time(const AnySchedule& schedule, ModelEquation equation, std::string_view grid);

/// Refuses settings that a sampler cannot run with.
/// @throws std::invalid_argument  for an eta it is not defined for; for t_min outside [0, end
/// time); for
///                                t_min = 0 where it would ask for a score at std = 0
void check_sampler(const SamplerInfo& sampler, const AnySchedule& schedule, double eta, Time t_min);

/// The fixed-step sampler with this name, for the reverse SDE or for the flow; S is float or
/// double. Parameters may follow the name: "edm-churn:gamma=0.3:s_max=50".
/// @throws std::invalid_argument  for an unknown name or parameter, an adaptive sampler, or one for
///                                the other equation
template <class S>
ReverseSampler<S> make_reverse_sampler(std::string_view name);
/// The sampler of the flow with a name. @throws std::invalid_argument  for an unknown name
template <class S>
FlowSampler<S> make_flow_sampler(std::string_view name);

extern template ReverseSampler<float> make_reverse_sampler<float>(std::string_view);
extern template ReverseSampler<double> make_reverse_sampler<double>(std::string_view);
extern template FlowSampler<float> make_flow_sampler<float>(std::string_view);
extern template FlowSampler<double> make_flow_sampler<double>(std::string_view);

}  // namespace fokker
