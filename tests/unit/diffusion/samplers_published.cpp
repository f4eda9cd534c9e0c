/// @file  unit/diffusion/samplers_published.cpp
/// @brief Samplers as libraries ship them, against the numbers of those libraries.

#include <cmath>
#include <vector>

#include <fokker/diffusion/model/probability_flow.hpp>
#include <fokker/diffusion/model/reverse_sde.hpp>
#include <fokker/diffusion/samplers/deis.hpp>
#include <fokker/diffusion/samplers/dpm2_ancestral.hpp>
#include <fokker/diffusion/samplers/dpm_solver.hpp>
#include <fokker/diffusion/samplers/dpm_solver_multistep.hpp>
#include <fokker/diffusion/samplers/sde_dpm_solver.hpp>

#include "catch.hpp"
#include "line_mixture.hpp"

using namespace fokker;
using test::MixtureScore;
using test::two_modes;

namespace {

const std::vector<double> sigmas{10, 5, 2, 1, 0.5, 0.2};
const std::vector<double> normals{0.5, -1, 0.3, 1.2, -0.4};

/// Two paths of the mixture from 3 and -20 at sigma = 10 down the levels, with these normals.
template <class Model, class Sampler>
Block<double> run(const Model& model, const Sampler& sampler) {
  Block<double> x{{3.0, -20.0}}, y(1, 2);
  typename Sampler::template Workspace<Block<double>> work(1, 2);
  for (std::size_t k = 0; k + 1 < sigmas.size(); ++k) {
    const Time h = sigmas[k] - sigmas[k + 1];
    Increment<Model, Block<double>> dw{};
    dw.w = Block<double>::Constant(1, 2, std::sqrt(h) * normals[k]);
    sampler.step(model, x, sigmas[k], sigmas[k + 1], dw, y, work);
    x = y;
  }
  return x;
}

MixtureScore score() { return {test::Process{make_schedule("edm")}, two_modes}; }

template <class Sampler>
Block<double> with_noise(const Sampler& sampler, double eta) {
  return run(ReverseSde{score().process, score(), eta}, sampler);
}

template <class Sampler>
Block<double> on_flow(const Sampler& sampler) {
  return run(ProbabilityFlow{score().process, score()}, sampler);
}

void check(const Block<double>& got, double first, double second) {
  CHECK_THAT(got(0, 0), WithinAbs(first, 1e-12));
  CHECK_THAT(got(0, 1), WithinAbs(second, 1e-12));
}

}  // namespace

TEST_CASE("dpm++3m-sde-shipped gives the numbers of k-diffusion's sample_dpmpp_3m_sde") {
  check(with_noise(DpmSolverPlusPlus3MSdeShipped{}, 0), 0.7921504102825999, -1.5087602992670501);
  check(with_noise(DpmSolverPlusPlus3MSdeShipped{}, 1), 1.3974311125063181, 1.3286175276159884);
}

TEST_CASE("dpm2-ancestral gives the numbers of k-diffusion's sample_dpm_2_ancestral") {
  check(with_noise(Dpm2Ancestral{}, 0), 0.7489212763360811, -1.573498267253327);
  check(with_noise(Dpm2Ancestral{}, 1), 0.8771572962617564, -0.9234657306124112);
  check(with_noise(Dpm2Ancestral{}, 0.5), 0.8028850420178496, -1.2698523060461022);
  check(on_flow(DpmSolver2{}), 0.7489212763360811, -1.573498267253327);
}

TEST_CASE("dpm++3m-shipped gives the numbers of diffusers' third-order update") {
  check(on_flow(DpmSolverPlusPlus3MShipped{}), 0.791754025491025, -1.5068519613689242);
}

TEST_CASE("deis-logrho1 interpolates the noise in the logarithm of sigma") {
  check(on_flow(DeisLogRho1{}), 0.7375692637953037, -1.4793765186970846);
}
