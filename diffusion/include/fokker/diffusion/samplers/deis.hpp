#pragma once
/// @file  fokker/diffusion/samplers/deis.hpp
/// @brief DEIS: Adams-Bashforth on the noise, as a polynomial in t or in sigma.

#include <fokker/diffusion/samplers/multistep.hpp>

namespace fokker {

namespace multistep_rules {

/// DEIS with k + 1 noise predictions, k = 1, 2, 3; k = 0 is DDIM.
///
///     tAB-k    the polynomial in t, integrated against d(sigma)
///     logrho-k the polynomial in ln sigma, integrated against d(sigma)
///     rhoAB-k  the polynomial in rho = sigma: Adams-Bashforth of variable steps in sigma, exact
///              coefficients. It is the linear multistep method (LMS) of order k + 1 of other
///              libraries.
///
/// Order 2, 3, 3 from the start of a run; k = 3 is of order 4 once its history is. As published the
/// start by DDIM's step would cost all orders above 2: for k > 1 that step is corrected here when
/// its end is known, at no evaluation, which leaves an error O(h^3) made once.
struct Deis {
  static constexpr std::string_view source = "Zhang & Chen (2023), arXiv 2204.13902";

  static constexpr MultistepRule of(MultistepRule::Interpolation u, std::size_t k) {
    return {
        .interpolation = u,
        .points = k + 1,
        .corrector = k > 1 ? MultistepRule::Corrector::first_step : MultistepRule::Corrector::none};
  }
  static constexpr auto time = MultistepRule::Interpolation::noise_in_time;
  static constexpr auto log_rho = MultistepRule::Interpolation::noise_in_log_sigma;
  static constexpr auto rho = MultistepRule::Interpolation::noise_in_sigma;
};

struct DeisTab1 : Deis {
  static constexpr std::string_view name = "deis-tab1";
  static constexpr double order = 2;
  static constexpr MultistepRule rule = of(time, 1);
};
struct DeisTab2 : Deis {
  static constexpr std::string_view name = "deis-tab2";
  static constexpr double order = 3;
  static constexpr MultistepRule rule = of(time, 2);
};
struct DeisTab3 : Deis {
  static constexpr std::string_view name = "deis-tab3";
  static constexpr double order = 3;
  static constexpr MultistepRule rule = of(time, 3);
};
struct DeisRhoAb1 : Deis {
  static constexpr std::string_view name = "deis-rhoab1";
  static constexpr double order = 2;
  static constexpr MultistepRule rule = of(rho, 1);
};
struct DeisRhoAb2 : Deis {
  static constexpr std::string_view name = "deis-rhoab2";
  static constexpr double order = 3;
  static constexpr MultistepRule rule = of(rho, 2);
};
struct DeisRhoAb3 : Deis {
  static constexpr std::string_view name = "deis-rhoab3";
  static constexpr double order = 3;
  static constexpr MultistepRule rule = of(rho, 3);
};

struct DeisLogRho1 : Deis {
  static constexpr std::string_view name = "deis-logrho1";
  static constexpr double order = 2;
  static constexpr MultistepRule rule = of(log_rho, 1);
};
struct DeisLogRho2 : Deis {
  static constexpr std::string_view name = "deis-logrho2";
  static constexpr double order = 3;
  static constexpr MultistepRule rule = of(log_rho, 2);
};
struct DeisLogRho3 : Deis {
  static constexpr std::string_view name = "deis-logrho3";
  static constexpr double order = 3;
  static constexpr MultistepRule rule = of(log_rho, 3);
};

}  // namespace multistep_rules

using DeisTab1 = MultistepSampler<multistep_rules::DeisTab1>;
using DeisTab2 = MultistepSampler<multistep_rules::DeisTab2>;
using DeisTab3 = MultistepSampler<multistep_rules::DeisTab3>;
using DeisLogRho1 = MultistepSampler<multistep_rules::DeisLogRho1>;
using DeisLogRho2 = MultistepSampler<multistep_rules::DeisLogRho2>;
using DeisLogRho3 = MultistepSampler<multistep_rules::DeisLogRho3>;
using DeisRhoAb1 = MultistepSampler<multistep_rules::DeisRhoAb1>;
using DeisRhoAb2 = MultistepSampler<multistep_rules::DeisRhoAb2>;
using DeisRhoAb3 = MultistepSampler<multistep_rules::DeisRhoAb3>;

}  // namespace fokker
