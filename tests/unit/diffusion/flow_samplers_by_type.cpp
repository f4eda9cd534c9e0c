/// @file  flow_samplers_by_type.cpp
/// @brief Every sampler of the probability flow by type, with an exact score and with a lambda.

#include <fokker/diffusion/samplers/ddim.hpp>
#include <fokker/diffusion/samplers/deis.hpp>
#include <fokker/diffusion/samplers/dpm_solver.hpp>
#include <fokker/diffusion/samplers/dpm_solver_multistep.hpp>
#include <fokker/diffusion/samplers/edm.hpp>
#include <fokker/diffusion/samplers/ipndm.hpp>
#include <fokker/diffusion/samplers/unipc.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

#include "samplers_by_type.hpp"

using namespace fokker;

TEST_CASE("every sampler of the flow runs by type as by name, to the bit") {
  const auto names =
      test::agree_with_names<Euler, Heun, Rk4, Ddim, EdmEuler, EdmHeun, DpmSolver2, DpmSolver3,
                             DpmSolverPlusPlus2S, DpmSolverPlusPlus2M, DpmSolverPlusPlus3M,
                             DpmSolverPlusPlus3MShipped, UniPc2Bh1, UniPc2Bh2, UniPc3Bh1, UniPc3Bh2,
                             DeisTab1, DeisTab2, DeisTab3, DeisLogRho1, DeisLogRho2, DeisLogRho3,
                             DeisRhoAb1, DeisRhoAb2, DeisRhoAb3, Ipndm>(
          [](const auto& process, const auto& score, double) {
            return ProbabilityFlow{process, score};
          },
          [](const std::string& name) { return make_flow_sampler<double>(name); });

  CHECK(names == test::names_of(ModelEquation::ode));
}

TEST_CASE("a sampler of the flow takes one path from t to t_next, and no path up") {
  const ProbabilityFlow flow{test::vp, test::user_score};
  const PathState<double, 2> x0{1.0, -0.5};

  const auto down = integrate(flow, Ddim{}, OnGrid{{1, 0.5, 0.25}}, x0);

  PathState<double, 2> y = x0, denoised;
  for (const auto& [t, next] : {std::pair{1.0, 0.5}, std::pair{0.5, 0.25}}) {
    evaluate_denoiser(flow.process, flow.score, y, t, denoised);
    const double ratio = test::vp.sigma(next) / test::vp.sigma(t);
    y = test::vp.std(next) / test::vp.std(t) * y + test::vp.scale(next) * (1 - ratio) * denoised;
  }
  CHECK((down.end - y).abs().maxCoeff() < 1e-14);
  CHECK_THROWS_AS(integrate(flow, Ddim{}, OnGrid{{0.25, 0.5}}, x0), std::invalid_argument);
}
