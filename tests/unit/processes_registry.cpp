/// Processes by name: what the list says is what is made, and a misspelt name is answered.

#include <cmath>
#include <set>

#include <fokker/processes/registry.hpp>
#include <fokker/solvers/names.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

using B = Block<double>;

B column(const std::vector<double>& x) {
  return Eigen::Map<const Eigen::ArrayXd>(x.data(), static_cast<Index>(x.size()));
}

/// The drift of a made process at its default start.
B drift_at_start(const RegisteredProcess& made) {
  const B x = column(made.x0);
  B out(x.rows(), x.cols());
  std::visit([&](const auto& p) { p.drift(x, 0.0, out); }, made.process);
  return out;
}

}  // namespace

TEST_CASE("every listed process can be made and says what it is") {
  std::set<std::string_view> names;
  for (const ProcessInfo& info : list_processes()) {
    CAPTURE(info.name);

    const RegisteredProcess made = make_process(info.name);

    CHECK(names.insert(info.name).second);
    CHECK(made.info == &info);
    CHECK(static_cast<Index>(made.x0.size()) == info.dimension);
    CHECK(made.x0 == info.x0);
    CHECK(static_cast<bool>(made.exact) == info.has_exact);
    CHECK(static_cast<bool>(made.mean) == info.has_moments);
    CHECK(static_cast<bool>(made.covariance) == info.has_moments);
    CHECK(drift_at_start(made).isFinite().all());
    CHECK_FALSE(info.description.empty());
    CHECK_FALSE(info.equation.empty());
    CHECK_FALSE(info.source.empty());
    std::visit(
        [&](const auto& p) {
          CHECK(noise_kind<decltype(p)> == info.noise);
          CHECK(p.name() == info.name);
          CHECK((p.dimension() == -1 || p.dimension() == info.dimension));
        },
        made.process);
    for (const ParameterInfo& parameter : info.parameters)
      CHECK_NOTHROW(make_process(info.name, {{std::string(parameter.name), parameter.value}}));
  }
  for (const auto* name : {"bm", "gbm", "ou", "cir", "heston", "double-well", "langevin",
                           "lotka-volterra", "lorenz", "van-der-pol", "linear"})
    CHECK(names.contains(name));
}

TEST_CASE("the list has a process of every noise kind, with an exact solution where one can be") {
  std::set<NoiseKind> kinds, exact;
  for (const ProcessInfo& info : list_processes()) {
    kinds.insert(info.noise);
    if (info.has_exact) exact.insert(info.noise);
  }

  CHECK(kinds.size() == 6);
  CHECK(exact == std::set{NoiseKind::additive, NoiseKind::scalar, NoiseKind::diagonal,
                          NoiseKind::commutative});
}

TEST_CASE("parameters given by name change the process and the others keep their defaults") {
  const RegisteredProcess made = make_process("ou", {{"theta", 3}, {"mu", 2}});
  const RegisteredProcess prey = make_process("lotka-volterra", {{"sigma2", 0.7}});
  const auto& p = std::get<AnySde<NoiseKind::diagonal>>(prey.process);
  const B x = column({2, 3});
  B g(2, 1);

  p.diffusion(x, 0.0, g);

  CHECK(drift_at_start(made)(0, 0) == 3);
  CHECK(g(0, 0) == Approx(0.2));
  CHECK(g(1, 0) == Approx(2.1));
}

TEST_CASE("a made process carries its exact solution and moments") {
  const RegisteredProcess gbm = make_process("gbm", {{"mu", 1.01}, {"sigma", 0.87}});
  const RegisteredProcess kubo = make_process("kubo");
  B x0(1, 2), w(1, 2), out(1, 2);
  x0 << 0.5, 1;
  w << 0.3, -0.4;

  gbm.exact(x0, 1.0, w, out);
  const auto mean = kubo.mean(kubo.x0, 2.0);
  const auto c = kubo.covariance(kubo.x0, 2.0);

  CHECK(out(0, 0) == Approx(0.5 * std::exp(0.63155 + 0.87 * 0.3)));
  CHECK(out(0, 1) == Approx(std::exp(0.63155 - 0.87 * 0.4)));
  CHECK(mean[0] == Approx(std::exp(-1.0) * std::cos(2.0)));
  CHECK(c[0] + c[3] == Approx(1 - std::exp(-2.0)));
  CHECK(c[1] == c[2]);
}

TEST_CASE("what is known can depend on the parameters") {
  CHECK(make_process("langevin").mean);
  CHECK_FALSE(make_process("langevin", {{"quartic", 1}}).mean);
  CHECK(make_process("linear-commuting").exact);
  CHECK_FALSE(make_process("linear").exact);
}

TEST_CASE("unknown names and bad values are refused with what would work") {
  CHECK_THROWS_WITH(make_process("gmb"), StartsWith("unknown process 'gmb': did you mean 'gbm'"));
  CHECK_THROWS_WITH(make_process("doublewell"), ContainsSubstring("did you mean 'double-well'?"));
  CHECK_THROWS_WITH(make_process("Lorentz"), ContainsSubstring("did you mean 'lorenz'"));
  CHECK_THROWS_WITH(make_process("lotka"), ContainsSubstring("did you mean 'lotka-volterra'?"));
  CHECK_THROWS_WITH(make_process("qqqqqq"),
                    StartsWith("unknown process 'qqqqqq' (known: bm, gbm, "));
  CHECK_THROWS_WITH(
      make_process("ou", {{"thta", 1}}),
      "unknown parameter of ou 'thta': did you mean 'theta'? (known: theta, mu, sigma)");
  CHECK_THROWS_WITH(make_process("linear", {{"sigma", 1}}),
                    "unknown parameter of linear 'sigma' (it has none)");
  CHECK_THROWS_WITH(make_process("gbm", {{"sigma", -1}}), "sigma must be positive: got sigma=-1");
  CHECK_THROWS_AS(make_process("gmb"), std::invalid_argument);
}

TEST_CASE("nearest names rank by edits, at most three, and ignore separators and case") {
  const std::vector<std::string_view> names{
      "euler", "euler-maruyama", "heun", "heun-sde", "milstein", "rk4", "ddim", "ddpm"};

  CHECK(nearest_names("Euler_Maruyama", names).front() == "euler-maruyama");
  CHECK(nearest_names("eluer", names).front() == "euler");
  CHECK(nearest_names("huen", names).front() == "heun");
  CHECK(nearest_names("ddmp", names) == std::vector<std::string_view>{"ddpm", "ddim"});
  CHECK(nearest_names("milstien", names).front() == "milstein");
  CHECK(nearest_names("zzz", names).empty());
  CHECK(nearest_names("", names).empty());
  CHECK(nearest_names("heun", names).front() == "heun");
}
