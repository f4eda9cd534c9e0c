/// @file  reverse_samplers_by_type.cpp
/// @brief Every sampler of the reverse SDE by type, with an exact score and with a lambda.

#include <fokker/diffusion/samplers/ddpm.hpp>
#include <fokker/diffusion/samplers/dpm2_ancestral.hpp>
#include <fokker/diffusion/samplers/edm_churn.hpp>
#include <fokker/diffusion/samplers/er_sde.hpp>
#include <fokker/diffusion/samplers/exponential_euler_maruyama.hpp>
#include <fokker/diffusion/samplers/langevin.hpp>
#include <fokker/diffusion/samplers/sde_dpm_solver.hpp>
#include <fokker/diffusion/samplers/seeds.hpp>
#include <fokker/diffusion/samplers/sit.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

#include "samplers_by_type.hpp"

using namespace fokker;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("every sampler of the reverse SDE runs by type as by name, to the bit") {
  const auto names = test::agree_with_names<
      EulerMaruyama, HeunSde, Ddpm, ReverseDiffusion, ExponentialEulerMaruyama, EdmEulerMaruyama,
      DpmSolverPlusPlus1Sde, DpmSolverPlusPlus2MSde, DpmSolverPlusPlus2MSdeHeun,
      DpmSolverPlusPlus3MSde, DpmSolverPlusPlus3MSdeShipped, Dpm2Ancestral, SaSolver<1>,
      SaSolver<2>, SaSolver<3>, Seeds1, Seeds2, DpmSolverPlusPlusSde, ErSde<1>, ErSde<2>, ErSde<3>,
      Sit, SitHeun, EdmChurn, Restart, PredictorCorrector<>, AnnealedLangevin>(
      [](const auto& process, const auto& score, double eta) {
        return ReverseSde{process, score, eta};
      },
      [](const std::string& name) { return make_reverse_sampler<double>(name); });

  CHECK(names == test::names_of(ModelEquation::sde));
}

TEST_CASE("a run refuses an eta that its sampler is not defined for, by type and by name") {
  CHECK_THROWS_WITH(test::end_states(ReverseSde{test::vp, test::user_score, 0.5}, Ddpm{}),
                    ContainsSubstring("ddpm is defined for eta=1: got eta=0.5"));
  CHECK_THROWS_WITH(test::end_states(ReverseModel<double>{test::any_vp, test::user_score, 0.5},
                                     make_reverse_sampler<double>("ddpm")),
                    ContainsSubstring("ddpm is defined for eta=1: got eta=0.5"));
}
