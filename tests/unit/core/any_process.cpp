/// @file  unit/core/any_process.cpp
/// @brief A type-erased process steps to the same bits as the process inside.

#include <stdexcept>

#include "catch.hpp"

#include <fokker/solvers/core/any_process.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

using namespace fokker;

namespace {

struct Gbm {
  static constexpr std::string_view name = "gbm";
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  auto drift(const auto& x, Time) const { return 0.5 * x; }
  auto diffusion(const auto& x, Time) const { return 0.4 * x; }
};

struct GbmWithSlope : Gbm {
  double diffusion_slope(const auto&, Time) const { return 0.4; }
};

struct General {
  static constexpr NoiseKind noise = NoiseKind::general;
  static constexpr int dimension = 2;
  auto drift(const auto& x, Time) const { return -x; }
  Index sources() const { return 3; }
  auto diffusion(const auto& x, Time t, Index k) const { return (static_cast<double>(k) + t) * x; }
};

const TimeGrid grid = uniform_grid(0, 1, 8);
const SimulateOptions options{.paths = 70, .seed = 3, .threads = 1};

template <class P, class M>
auto final_states(const P& process, const M& method, const PathState<double>& x0) {
  return simulate(process, method, OnGrid{grid}, x0, options, FinalState{}).value;
}

}  // namespace

TEST_CASE("every kind of noise steps alike erased and not") {
  const PathState<double> x0 = PathState<double>::Constant(2, 1.5);
  const auto number = make_sde([](const auto& x, Time) { return -x; }, [](Time t) { return 1 + t; },
                               noise::additive);
  const auto vector =
      make_sde([](const auto& x, Time) { return -x; },
               [](Time t) { return PathState<double, 2>(t, 2.0); }, noise::additive);
  const auto scalar = make_sde([](const auto& x, Time) { return -x; },
                               [](const auto& x, Time t) { return t * x; }, noise::scalar);
  const EulerMaruyama em;

  const auto same = [](const auto& a, const auto& b) { return (a == b).all(); };
  CHECK(same(final_states(AnySde<NoiseKind::additive>{number}, em, x0),
             final_states(number, em, x0)));
  CHECK(same(final_states(AnySde<NoiseKind::additive>{vector}, em, x0),
             final_states(vector, em, x0)));
  CHECK(
      same(final_states(AnySde<NoiseKind::scalar>{scalar}, em, x0), final_states(scalar, em, x0)));
  CHECK(
      same(final_states(AnySde<NoiseKind::diagonal>{Gbm{}}, em, x0), final_states(Gbm{}, em, x0)));
  CHECK_THAT((final_states(AnySde<NoiseKind::general>{General{}}, em, x0) -
              final_states(General{}, em, x0))
                 .abs()
                 .maxCoeff(),
             WithinAbs(0, 1e-13));
}

TEST_CASE("Milstein takes the slope of an erased process if it has one") {
  const PathState<double> x0 = PathState<double>::Constant(1, 1.5);
  const AnySde<NoiseKind::diagonal> with{GbmWithSlope{}}, without{Gbm{}};

  const auto a = final_states(with, Milstein{}, x0), b = final_states(without, Milstein{}, x0);

  CHECK(with.has_diffusion_slope());
  CHECK_FALSE(without.has_diffusion_slope());
  CHECK((a == final_states(GbmWithSlope{}, Milstein{}, x0)).all());
  CHECK((b == final_states(Gbm{}, Milstein{}, x0)).all());
  CHECK_FALSE((a == b).all());
}

TEST_CASE("an erased ODE integrates from a number, up and down") {
  const AnyOde decay{make_ode([](const auto& x, Time) { return -x; }), "decay"};

  const auto up = integrate(decay, Rk4{}, Fixed{0.01}, 1.0, {0, 1});
  const auto down = integrate(decay, Rk4{}, Fixed{0.01}, up.end, {1, 0});

  CHECK_THAT(up.end(0, 0), WithinAbs(std::exp(-1), 1e-9));
  CHECK_THAT(down.end(0, 0), WithinAbs(1, 1e-9));
  CHECK(decay.name() == "decay");
  CHECK(decay.dimension() == -1);
}

TEST_CASE("an erased process knows its name and refuses what does not fit") {
  const AnySde<NoiseKind::diagonal> gbm{Gbm{}};
  const AnySde<NoiseKind::general> general{General{}, "three"};
  const Block<double> x2 = Block<double>::Ones(2, 4), x3 = Block<double>::Ones(3, 4);
  Block<double> out2(2, 4), out3(3, 4);

  CHECK(gbm.name() == "gbm");
  CHECK(general.dimension() == 2);
  CHECK_THROWS_WITH(general.drift(x3, 0, out3),
                    ContainsSubstring("the process three has dimension 2 and the state has 3"));
  CHECK_THROWS_WITH(general.diffusion(x2, 0, 3, out2), ContainsSubstring("3 sources"));
  CHECK_THROWS_WITH(gbm.diffusion_slope(x2, 0, out2), ContainsSubstring("no diffusion_slope"));
  CHECK_THROWS_AS(simulate(general, EulerMaruyama{}, OnGrid{grid}, 1.0, options, FinalState{}),
                  std::invalid_argument);
}
