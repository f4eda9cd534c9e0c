#pragma once
/// @file  fokker/diffusion/samplers/unipc.hpp
/// @brief UniPC: a predictor and a corrector in lambda, one denoiser a step.

#include <fokker/diffusion/samplers/multistep.hpp>

namespace fokker {

namespace multistep_rules {

/// UniPC-p: predictor UniP-p through the last p denoisers in lambda, corrector UniC-p through one
/// more, the denoiser at the end of the step, which is the one the next step starts with. B(h) is
/// what stands for the first moment where a formula has two points: h for bh1, exp(h) - 1 for bh2
/// (h < 0 there). In all other formulas B(h) drops out.
///
/// Order 3 from the start of a run, for p = 2 and 3. UniPC-3 is of order 4 once its history is:
/// what stays is the first step, whose corrector has order 2, an error O(h^3) made once.
struct UniPc {
  static constexpr std::string_view source =
      "Zhao et al. (2023), arXiv 2302.04867, algorithms 1, 2";
  static constexpr double order = 3;

  static constexpr MultistepRule of(std::size_t p, MultistepRule::FirstMoment b) {
    return {.interpolation = MultistepRule::Interpolation::denoiser_in_lambda,
            .points = p,
            .corrector = MultistepRule::Corrector::every_step,
            .first_moment = b};
  }
};

struct UniPc2Bh1 : UniPc {
  static constexpr std::string_view name = "unipc-2-bh1";
  static constexpr MultistepRule rule = of(2, MultistepRule::FirstMoment::half_square);
};
struct UniPc2Bh2 : UniPc {
  static constexpr std::string_view name = "unipc-2-bh2";
  static constexpr MultistepRule rule = of(2, MultistepRule::FirstMoment::half_exponential);
};
struct UniPc3Bh1 : UniPc {
  static constexpr std::string_view name = "unipc-3-bh1";
  static constexpr MultistepRule rule = of(3, MultistepRule::FirstMoment::half_square);
};
struct UniPc3Bh2 : UniPc {
  static constexpr std::string_view name = "unipc-3-bh2";
  static constexpr MultistepRule rule = of(3, MultistepRule::FirstMoment::half_exponential);
};

}  // namespace multistep_rules

using UniPc2Bh1 = MultistepSampler<multistep_rules::UniPc2Bh1>;
using UniPc2Bh2 = MultistepSampler<multistep_rules::UniPc2Bh2>;
using UniPc3Bh1 = MultistepSampler<multistep_rules::UniPc3Bh1>;
using UniPc3Bh2 = MultistepSampler<multistep_rules::UniPc3Bh2>;

}  // namespace fokker
