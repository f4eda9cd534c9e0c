#pragma once
/// @file  fokker/diffusion/samplers/dpm_solver_multistep.hpp
/// @brief DPM-Solver++ as a multistep method: 2M and 3M.

#include <fokker/diffusion/samplers/multistep.hpp>

namespace fokker {

namespace multistep_rules {

/// DPM-Solver++(2M): with lambda = -ln sigma, h = lambda' - lambda and q = h_before/h
///
///     z' = (sigma'/sigma) z + (1 - exp(-h)) [(1 + 1/(2q)) D - 1/(2q) D_before]
///
/// Order 2; its first step is DDIM's.
struct DpmSolverPlusPlus2M {
  static constexpr std::string_view name = "dpm++2m";
  static constexpr std::string_view source = "Lu et al. (2022), arXiv 2211.01095, algorithm 2";
  static constexpr double order = 2;
  static constexpr MultistepRule rule{
      .interpolation = MultistepRule::Interpolation::denoiser_in_lambda,
      .points = 2,
      .first_moment = MultistepRule::FirstMoment::half_exponential};
};

/// DPM-Solver++(3M), the polynomial through three denoisers in lambda, integrated exactly.
///
/// Order 3. The form in wide use takes half the second difference that its weight belongs to, and
/// is of order 2. Its start by DDIM's step would cost that order too: here that step is corrected
/// when its end is known, at no evaluation.
struct DpmSolverPlusPlus3M {
  static constexpr std::string_view name = "dpm++3m";
  static constexpr std::string_view source =
      "Lu et al. (2022), arXiv 2211.01095, with three points and the full second difference";
  static constexpr double order = 3;
  static constexpr MultistepRule rule{
      .interpolation = MultistepRule::Interpolation::denoiser_in_lambda,
      .points = 3,
      .corrector = MultistepRule::Corrector::first_step};
};

/// DPM-Solver++(3M) as libraries ship it (diffusers, of the authors' code): the second divided
/// difference stands for half of the curvature, so its term has half of its weight, the second step
/// is that of dpm++2m by the midpoint rule, and the first one freezes D.
///
/// Order 2: the first step and the missing half leave errors O(h^2) once and O(h^3) a step.
struct DpmSolverPlusPlus3MShipped {
  static constexpr std::string_view name = "dpm++3m-shipped";
  static constexpr std::string_view source =
      "Lu et al. (2022), arXiv 2211.01095, as in diffusers' DPMSolverMultistepScheduler";
  static constexpr double order = 2;
  static constexpr MultistepRule rule{
      .interpolation = MultistepRule::Interpolation::denoiser_in_lambda,
      .points = 3,
      .first_moment = MultistepRule::FirstMoment::half_exponential,
      .second_moment = MultistepRule::SecondMoment::half};
};

}  // namespace multistep_rules

using DpmSolverPlusPlus2M = MultistepSampler<multistep_rules::DpmSolverPlusPlus2M>;
using DpmSolverPlusPlus3M = MultistepSampler<multistep_rules::DpmSolverPlusPlus3M>;
using DpmSolverPlusPlus3MShipped = MultistepSampler<multistep_rules::DpmSolverPlusPlus3MShipped>;

}  // namespace fokker
