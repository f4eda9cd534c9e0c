/// The noise of equations from text: kind and commutativity, calculus, linear parts.

#include <fokker/processes/equation/equation.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

struct Case {
  std::string_view text;
  NoiseKind kind;
  bool additive, commutative;
};

constexpr NoiseKind none = NoiseKind::none, additive = NoiseKind::additive,
                    scalar = NoiseKind::scalar, diagonal = NoiseKind::diagonal,
                    commutative = NoiseKind::commutative, general = NoiseKind::general;

const Case cases[] = {
    // no noise
    {"dx/dt = -x", none, true, true},
    {"q'' = -sin(q) - g*q'", none, true, true},
    {"dx = -x dt + 0*x dW", none, true, true},
    {"dx = -x dt + x dW - x dW", none, true, true},
    // additive
    {"dX = theta*(mu - X) dt + sigma dW", additive, true, true},
    {"dx = -x dt + (1 + x - x) dW", additive, true, true},
    {"dx = ((x + 1)^2 - x^2 - 2*x) dW", additive, true, true},
    {"dx = sin(t) dW", additive, true, true},
    {"dx = a dW1 + b dW2", additive, true, true},
    {"dq = p dt; dp = -q dt + s dW", additive, true, true},
    {"dx = dW; dy = dW", scalar, true, true},
    {"dx = dW1; dy = r dW1 + sqrt(1 - r^2) dW2", commutative, true, true},
    // diagonal
    {"dX = mu*X dt + sigma*X dW", diagonal, false, true},
    {"dX = kappa*(theta - X) dt + sigma*sqrt(X) dW", diagonal, false, true},
    {"dx = sqrt(x)*dW + sqrt(x)*dV", diagonal, false, true},
    {"dx = x dW1 + 2*x dW2 - c*x dW3", diagonal, false, true},
    {"dx = a*x dW1; dy = b*y dW2", diagonal, false, true},
    {"dx = (x*y/y) dW1; dy = y dW2", diagonal, false, true},
    // scalar
    {"dx = -y dW; dy = x dW", scalar, false, true},
    {"dx = y dW; dy = -x dt", scalar, false, true},
    {"dx = x dW1 + x dW2; dy = y dW1 + y dW2", scalar, false, true},
    // by columns, commutative
    {"dx = x dW1; dy = y dW1 + y dW2", commutative, false, true},
    {"dx = x dW1 + dW2*0; dy = 0.5*y dW1 + y dW2", commutative, false, true},
    {"dx = x dW1 - y dW2; dy = y dW1 + x dW2", commutative, false, true},
    {"dx = exp(log(x))*1 dW1; dy = y dW1 + 3*y dW2", commutative, false, true},
    {"dx = (sin(x)^2 + cos(x)^2) dW1; dy = dW2 + x dW1*0 + dW1", commutative, false, true},
    // general
    {"dx = y dW1; dy = x dW2", general, false, false},
    {"dx = -y dW1 + dW2; dy = x dW1", general, false, false},
    {"dx = x dW1 + x^2 dW2", general, false, false},
    {"dx = dW1; dy = x dW2", general, false, false},
    {"dS = r*S dt + sqrt(v)*S dW1; dv = kappa*(theta - v) dt + xi*sqrt(v)*(rho dW1 + sqrt(1 - "
     "rho^2) dW2)",
     general, false, false},
    {"dx = sqrt(x) dW1 + dW2", general, false, false},
    {"dx = x dW1; dy = x dW1 + y dW2", general, false, false},
};

EquationSystem read(std::string_view text) { return read_equations(text, {}, Unknown::parameter); }

std::string shown(EquationSystem& s, Expr e) { return s.graph.text(e, s.states, s.parameters); }

}  // namespace

TEST_CASE("the kind of noise and its commutativity are proved on thirty-three equations") {
  for (const Case& c : cases) {
    INFO(c.text);
    EquationSystem system = read(c.text);
    const NoiseStructure noise = noise_structure(system, {});
    INFO(noise.reason);
    CHECK(to_string(noise.kind) == to_string(c.kind));
    CHECK(noise.additive == c.additive);
    CHECK(noise.commutative == c.commutative);
  }
}

TEST_CASE("columns that are multiples are one Brownian motion of their joint size") {
  EquationSystem system = read("dx = 3*sqrt(x)*dW + 4*sqrt(x)*dV");
  const NoiseStructure noise = noise_structure(system, {});
  REQUIRE(noise.columns.size() == 1);
  CHECK(noise.sources.front() == "W+V");
  const double x = 4, size = system.graph.evaluate(noise.columns[0][0], {&x, 1}, 0, {});
  CHECK_THAT(size, WithinRel(5 * 2.0, 1e-15));
}

TEST_CASE("drift in both calculi") {
  EquationSystem gbm = read("dX = mu*X dt + sigma*X o dW");
  CHECK(gbm.calculus == Calculus::stratonovich);
  const double x = 2;
  const std::vector<double> p{0.1, 0.3};  // mu, sigma
  CHECK(shown(gbm, gbm.stratonovich_drift[0]) == "mu*X");
  CHECK_THAT(gbm.graph.evaluate(gbm.ito_drift[0], {&x, 1}, 0, p),
             WithinRel((0.1 + 0.045) * x, 1e-15));

  // one term of each: the Ito form of h o dW has 1/2 (G . grad) h with all of G
  EquationSystem mixed = read("dX = X dW + X^2 ∘ dW");
  CHECK(mixed.calculus == Calculus::ito);
  CHECK_THAT(mixed.graph.evaluate(mixed.ito_drift[0], {&x, 1}, 0, {}),
             WithinRel(0.5 * (x + x * x) * 2 * x, 1e-15));
  CHECK_THAT(mixed.graph.evaluate(mixed.stratonovich_drift[0], {&x, 1}, 0, {}),
             WithinRel(0.5 * (x + x * x) * (2 * x - (1 + 2 * x)), 1e-15));
}

TEST_CASE("linear equations give their matrices") {
  const auto kubo = parse_sde(
      "dx = -0.5*s^2*x dt - w*y dt - s*y dW\n"
      "dy = -0.5*s^2*y dt + w*x dt + s*x dW",
      {{"s", 0.7}, {"w", 2}});
  const auto& p = std::get<AnySde<NoiseKind::scalar>>(kubo.process<Calculus::ito>());
  CHECK(p.linear());
  Eigen::MatrixXd a(2, 2), b(2, 2);
  p.linear_part(a);
  p.linear_diffusion(0, b);
  CHECK(a.isApprox(Eigen::Matrix2d{{-0.245, -2}, {2, -0.245}}, 1e-15));
  CHECK(b.isApprox(Eigen::Matrix2d{{0, -0.7}, {0.7, 0}}, 1e-15));

  const auto lotka = parse_sde("dx = x*(a - b*y) dt; dy = y*(d*x - c) dt",
                               {{"a", 1.5}, {"b", 1}, {"c", 3}, {"d", 1}});
  const auto& q = std::get<AnyOde>(lotka.process<Calculus::ito>());
  CHECK_FALSE(q.linear());
  REQUIRE(q.has_linear_part());
  q.linear_part(a);
  CHECK(a.isApprox(Eigen::Matrix2d{{1.5, 0}, {0, -3}}, 1e-15));
}
