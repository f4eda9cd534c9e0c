#pragma once
/// @file  fokker/diffusion/catalogue/final_step.hpp
/// @brief What is done with the noise that is left at t_min: one choice for all samplers.

#include <string_view>

#include <fokker/diffusion/catalogue/registry.hpp>
#include <fokker/solvers/core/grid.hpp>

namespace fokker {

/// The end of a run:
///
///     none      x at t_min, with the noise that it has there
///     denoise   E[x_0 | x] at t_min: one evaluation more, no step
///     zero      the sampler takes one step more, from t_min to sigma = 0. Those of samplers/ take
///               it through the denoiser; for a sampler that freezes D, as ddim, it is `denoise`
enum class FinalStep { none, denoise, zero };

/// "none", "denoise" or "zero".
constexpr std::string_view to_string(FinalStep last) {
  return last == FinalStep::none ? "none" : last == FinalStep::denoise ? "denoise" : "zero";
}

/// The grid with the step that `last` adds to it.
TimeGrid with_last_step(TimeGrid grid, FinalStep last);

/// Refuses an end that this sampler cannot come to; the rest as check_sampler.
/// @throws std::invalid_argument  as check_sampler; for FinalStep::zero from t_min = 0, on a process
///                                that has noise at t = 0, or with a sampler that asks for the
///                                score there
void check_last_step(const SamplerInfo& sampler, const AnySchedule& schedule, double eta,
                     Time t_min, FinalStep last);

}  // namespace fokker
