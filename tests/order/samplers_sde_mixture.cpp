/// @file  samplers_sde_mixture.cpp
/// @brief The weak order of the stochastic samplers where the denoiser is not affine: on a mixture
/// of
///        two normals, without Monte Carlo.
///
/// A standard normal is replaced by 0, +-sqrt(3) with probabilities 2/3, 1/6, 1/6, which has its
/// moments up to the fifth and so leaves a weak order up to 2 as it is. All 3^N ways through N
/// steps are taken, one per column.

#include <cmath>
#include <vector>

#include <fokker/diffusion/samplers/er_sde.hpp>
#include <fokker/diffusion/samplers/sde_dpm_solver.hpp>
#include <fokker/diffusion/samplers/seeds.hpp>

#include "catch.hpp"
#include "gaussian_model.hpp"

using namespace fokker;

namespace {

/// 0.7 N(1, 0.09) + 0.3 N(-1, 0.09) under `process`.
struct MixtureScore {
  test::Process process;

  template <State X>
  void denoise(const X& x, Time t, X& out) const {
    const double s = process.scale(t), std = process.std(t), v = 0.09;
    const double total = s * s * v + std * std;
    const X right = 1 / (1 + (0.3 / 0.7) * (-2 * s / total * x).exp());  // p(component at 1 | x)
    out = (2 * right - 1) + (s * v / total) * (x - s * (2 * right - 1));
  }
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    denoise(x, t, out);
    const double std = process.std(t);
    out = (process.scale(t) * out - x) / (std * std);
  }
};

/// E sin(1.3 x) at the end of the scheme from x = 0.4.
template <class Sampler>
double expectation(const Sampler& sampler, double eta, const TimeGrid& grid) {
  using Model = ReverseSde<test::Process, MixtureScore>;
  using P = TimeReversed<Model>;
  using X = Block<double>;
  const test::Process process{make_schedule("vp")};
  const Model model{process, MixtureScore{process}, eta};
  const P p{model};
  const Needs needs = needs_of(sampler);
  Index columns = 1;
  for (std::size_t k = 0; k + 1 < grid.size(); ++k)
    for (int j = 0; j <= needs.normals; ++j) columns *= 3;
  X x = X::Constant(1, columns, 0.4), y(1, columns), weight = X::Ones(1, columns);
  Increment<P, X> dw;
  dw.resize(1, columns, needs);
  typename Sampler::template Workspace<X> workspace(1, columns);
  Index stride = 1;
  const auto branch = [&](auto& normal, double scale) {
    for (Index j = 0; j < columns; ++j) {
      const Index place = j / stride % 3 - 1;
      normal(0, j) = static_cast<double>(place) * std::sqrt(3.0) * scale;
      weight(0, j) *= place == 0 ? 2.0 / 3 : 1.0 / 6;
    }
    stride *= 3;
  };
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    const Time h = grid[k] - grid[k + 1];
    branch(dw.w, std::sqrt(h));
    if (needs.normals > 0) branch(dw.normals, 1);
    sampler.step(p, x, -grid[k], h, dw, y, workspace);
    x.swap(y);
  }
  return (weight * (1.3 * x).sin()).sum();
}

TimeGrid uneven_grid(Index steps) {
  TimeGrid grid;
  for (Index k = 0; k <= steps; ++k) {
    const double u = static_cast<double>(k) / static_cast<double>(steps);
    grid.push_back(0.3 - 0.03 * u * (0.75 + 0.25 * u));
  }
  return grid;
}

/// The limit that runs of n and 2n steps point to, and the order that a third of 4n confirms.
struct Extrapolated {
  double limit, order;
};

template <class Sampler>
Extrapolated extrapolate(const Sampler& sampler, double eta, Index n, double claimed) {
  const double a = expectation(sampler, eta, uneven_grid(n));
  const double b = expectation(sampler, eta, uneven_grid(2 * n));
  const double c = expectation(sampler, eta, uneven_grid(4 * n));
  return {c + (c - b) / (std::pow(2, claimed) - 1), std::log2(std::abs((a - b) / (b - c)))};
}

}  // namespace

TEST_CASE("samplers of weak order 2 stay well above order 1 on a mixture, with the same limit") {
  for (const double eta : {0.7, 1.0}) {
    const Extrapolated frozen = extrapolate(DpmSolverPlusPlus1Sde{}, eta, 3, 1);
    INFO("eta=" << eta << ", D frozen: limit " << frozen.limit << " order " << frozen.order);
    CHECK_THAT(frozen.order, WithinAbs(1, 0.15));
    const auto check = [&]<class Sampler>(const Sampler& sampler, Index n) {
      const auto [limit, order] = extrapolate(sampler, eta, n, 2);
      INFO(Sampler::name << " limit " << limit << " order " << order);
      CHECK(order > 1.5);
      CHECK_THAT(limit, WithinAbs(frozen.limit, 2e-5));
    };
    ErSde<2> er;
    er.power = 1;

    check(DpmSolverPlusPlus2MSde{}, 3);
    check(DpmSolverPlusPlus2MSdeHeun{}, 3);
    check(DpmSolverPlusPlus3MSde{}, 3);
    check(er, 3);
    check(SaSolver<1>{}, 3);
    check(SaSolver<2>{}, 3);
    check(DpmSolverPlusPlusSde{}, 1);
  }
}
