#pragma once
/// @file  fokker/diffusion/samplers/ipndm.hpp
/// @brief iPNDM: Adams-Bashforth on the noise with the coefficients of equal steps.

#include <fokker/diffusion/samplers/multistep.hpp>

namespace fokker {

namespace multistep_rules {

/// iPNDM: DDIM's step with (55 e_0 - 59 e_1 + 37 e_2 - 9 e_3) / 24 for the noise, fewer points at
/// the start: the polynomial in the number of the step, as if all were equal in sigma.
///
/// Order 2 on grids where the steps in sigma change smoothly with their number (logsnr, karras, and
/// uniform and quadratic in t); order 1 on grids where they jump.
struct Ipndm {
  static constexpr std::string_view name = "ipndm";
  static constexpr std::string_view source =
      "Zhang & Chen (2023), arXiv 2204.13902; Liu et al. (2022), arXiv 2202.09778";
  static constexpr double order = 2;
  static constexpr MultistepRule rule{.interpolation = MultistepRule::Interpolation::noise_in_steps,
                                      .points = 4};
};

}  // namespace multistep_rules

using Ipndm = MultistepSampler<multistep_rules::Ipndm>;

}  // namespace fokker
