/// Equations from text against the processes of the registry.

#include <fokker/processes/equation/integrate_equation.hpp>
#include <fokker/processes/models/registry.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

using Parameters = std::map<std::string, double>;

struct Twin {
  std::string_view name, text;
  Parameters parameters;
};

const Twin twins[] = {
    {"gbm", "dX = mu*X dt + sigma*X dW", {{"mu", 0.05}, {"sigma", 0.2}}},
    {"ou", "dX = theta*(mu - X) dt + sigma dW", {{"theta", 1.3}, {"mu", 0.7}, {"sigma", 0.4}}},
    {"cir",
     "dX = kappa*(theta - max(X, 0)) dt + sigma*sqrt(max(X, 0)) dW",
     {{"kappa", 1.1}, {"theta", 0.6}, {"sigma", 0.9}}},
    {"kubo",
     "dx = (-0.5*sigma*sigma*x - omega*y) dt - sigma*y dW\n"
     "dy = (-0.5*sigma*sigma*y + omega*x) dt + sigma*x dW",
     {{"omega", 1.7}, {"sigma", 0.6}}},
    {"lotka-volterra",
     "dx = x*(alpha - beta*y) dt + sigma1*x dW1; dy = y*(delta*x - gamma) dt + sigma2*y dW2",
     {{"alpha", 1.5},
      {"beta", 0.9},
      {"delta", 1.1},
      {"gamma", 3},
      {"sigma1", 0.1},
      {"sigma2", 0.2}}},
    {"heston",
     "let w = max(v, 0)\n"
     "ds = (mu - 0.5*w) dt + sqrt(w) dW1\n"
     "dv = kappa*(theta - w) dt + rho*xi*sqrt(w) dW1 + sqrt(1 - rho*rho)*xi*sqrt(w) dW2",
     {{"mu", 0.05}, {"kappa", 1.5}, {"theta", 0.04}, {"xi", 0.7}, {"rho", -0.7}}},
};

/// The states at the end of 200 steps on 100 paths.
template <class M>
Eigen::ArrayXXd ends(const auto& process, const M& method, const std::vector<double>& x0) {
  return simulate(process, method, Fixed{0.01}, x0, {0, 2}, {.paths = 100, .seed = 3}, FinalState{})
      .value;
}

template <class M>
Eigen::ArrayXXd ends_by_name(const RegisteredProcess& made, const M& method) {
  return std::visit(
      [&]<class P>(const P& process) -> Eigen::ArrayXXd {
        if constexpr (ProcessFor<P, M, Block<double>>)
          return ends(process, method, made.x0);
        else
          throw std::logic_error("not taken");
      },
      made.process);
}

}  // namespace

TEST_CASE("an equation has the bits of the process by name where no derivative enters") {
  for (const Twin& twin : twins) {
    INFO(twin.name);
    const RegisteredProcess made = make_process(twin.name, twin.parameters);
    const Equation equation = parse_sde(twin.text, twin.parameters);
    const Eigen::ArrayXXd a = ends_by_name(made, EulerMaruyama{});
    const Eigen::ArrayXXd b = ends(equation, EulerMaruyama{}, made.x0);
    CHECK(a.isFinite().all());
    CHECK((a == b).all());
  }
}

TEST_CASE("an equation agrees with the process by name to 1e-12 where derivatives enter") {
  for (const Twin& twin : twins) {
    if (twin.name == "heston") continue;  // general noise
    INFO(twin.name);
    const RegisteredProcess made = make_process(twin.name, twin.parameters);
    const Equation equation = parse_sde(twin.text, twin.parameters);
    const Eigen::ArrayXXd a = ends_by_name(made, Milstein{});
    const Eigen::ArrayXXd b = ends(equation, Milstein{}, made.x0);
    CHECK((a - b).abs().maxCoeff() <= 1e-12 * a.abs().maxCoeff());
  }
}

TEST_CASE("the Lorenz equations have the bits of the process by name") {
  const Parameters parameters{{"sigma", 10}, {"rho", 28}, {"beta", 8.0 / 3}};
  const RegisteredProcess made = make_process("lorenz", parameters);
  const Equation equation =
      parse_sde("x' = sigma*(y - x)\ny' = x*(rho - z) - y\nz' = x*y - beta*z", parameters);
  const auto a = integrate(std::get<AnyOde>(made.process), Rk4{}, Fixed{0.01}, made.x0, {0, 5});
  const auto b = integrate(equation, Rk4{}, Fixed{0.01}, made.x0, {0, 5});
  CHECK((a.end == b.end).all());
}

TEST_CASE("the equation is converted to the calculus of the method") {
  const Parameters p{{"s", 0.3}};
  const auto ito = ends(parse_sde("dx = 0.5*s^2*x dt + s*x dW", p), EulerMaruyama{}, {1.0});
  const auto ringed = ends(parse_sde("dx = s*x o dW", p), EulerMaruyama{}, {1.0});
  CHECK((ito - ringed).abs().maxCoeff() < 1e-13);
}

TEST_CASE("a method that does not take the noise is refused with a sentence") {
  const Equation ode = parse_sde("dx/dt = -x"), sde = parse_sde("dx = -x dt + dW"),
                 general = parse_sde("dx = y dW1; dy = x dW2");
  CHECK_THROWS_WITH(integrate(ode, EulerMaruyama{}, Fixed{0.1}, 1.0, {0, 1}),
                    ContainsSubstring("the equation has no noise"));
  CHECK_THROWS_WITH(integrate(sde, Rk4{}, Fixed{0.1}, 1.0, {0, 1}),
                    ContainsSubstring("is for ODEs and the equation has additive noise"));
  CHECK_THROWS_WITH(
      integrate(general, Milstein{}, Fixed{0.1}, std::vector<double>{1, 1}, {0, 1}),
      ContainsSubstring("does not take general noise (in component x, (g_W1 . grad) g_W2"));
}
