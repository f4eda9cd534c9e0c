/// Processes by name: what the list says is what is made, and a misspelt name is answered.

#include <cmath>
#include <set>

#include <Eigen/Dense>

#include <fokker/processes/models/registry.hpp>
#include <fokker/solvers/stiff/exponential_euler.hpp>
#include <fokker/solvers/support/names.hpp>
#include <fokker/solvers/support/text.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

using B = Block<double>;

B column(const std::vector<double>& x) {
  return Eigen::Map<const Eigen::ArrayXd>(x.data(), static_cast<Index>(x.size()));
}

/// f(x, 0) of a made process.
B drift_at(const RegisteredProcess& made, const B& x) {
  B out(x.rows(), x.cols());
  std::visit([&](const auto& p) { p.drift(x, 0.0, out); }, made.process);
  return out;
}

/// g_k(x, 0) of a made process whose noise is not additive; 0 in the other components of diagonal
/// noise.
B noise_at(const RegisteredProcess& made, const B& x, Index k) {
  B out = B::Zero(x.rows(), x.cols());
  std::visit(
      [&]<class P>(const P& p) {
        if constexpr (by_columns(noise_kind<P>)) {
          p.diffusion(x, 0.0, k, out);
        } else if constexpr (noise_kind<P> == NoiseKind::scalar) {
          p.diffusion(x, 0.0, out);
        } else if constexpr (noise_kind<P> == NoiseKind::diagonal) {
          B all(x.rows(), x.cols());
          p.diffusion(x, 0.0, all);
          out.row(k) = all.row(k);
        }
      },
      made.process);
  return out;
}

/// The start of a process and a point not far from it, off every symmetry and inside the domain.
B two_points(const RegisteredProcess& made) {
  B x(static_cast<Index>(made.x0.size()), 2);
  x.col(0) = column(made.x0);
  for (Index i = 0; i < x.rows(); ++i) x(i, 1) = 1.3 * x(i, 0) + 0.21 * static_cast<double>(i + 1);
  return x;
}

/// The drift of a made process at its default start.
B drift_at_start(const RegisteredProcess& made) { return drift_at(made, column(made.x0)); }

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
    for (const Parameter& parameter : info.parameters)
      CHECK_NOTHROW(
          make_process(info.name, {{parameter.name, number_of(parameter.default_value).value()}}));
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

TEST_CASE("every listed process has the Jacobian of its drift, of one path and of a block") {
  for (const ProcessInfo& info : list_processes()) {
    RegisteredProcess made = make_process(info.name);
    if (info.name == "langevin") made = make_process(info.name, {{"quartic", 0.7}});
    const B x = two_points(made);
    const Index d = x.rows();
    B block(d * d, 2);
    PathState<double> path(d);
    Eigen::MatrixXd j(d, d), scratch(d, d);
    std::visit(
        [&](const auto& p) {
          REQUIRE(p.has_drift_jacobian());
          path = x.col(1);
          p.drift_jacobian(path, 0.0, j);
          p.drift_jacobian(x, 0.0, block, path, scratch);
        },
        made.process);

    CAPTURE(info.name);
    for (Index k = 0; k < d; ++k) {
      B up = x, down = x;
      up.row(k) += 1e-4;
      down.row(k) -= 1e-4;
      const B slope = (drift_at(made, up) - drift_at(made, down)) / 2e-4;
      for (Index i = 0; i < d; ++i) {
        CHECK_THAT(j(i, k), WithinAbs(slope(i, 1), 1e-6));
        for (const Index c : {0, 1}) CHECK_THAT(block(i + d * k, c), WithinAbs(slope(i, c), 1e-6));
      }
    }
  }
}

TEST_CASE("the matrices of every linear process are those of its coefficients") {
  std::set<std::string_view> linear;
  for (const ProcessInfo& info : list_processes()) {
    const RegisteredProcess made = make_process(info.name);
    const B x = two_points(made);
    const Index d = x.rows();
    const Eigen::MatrixXd step = (x.col(1) - x.col(0)).matrix();
    CAPTURE(info.name);
    std::visit(
        [&]<class P>(const P& p) {
          if (!p.linear()) return;
          linear.insert(info.name);
          REQUIRE(p.has_linear_part());
          Eigen::MatrixXd matrix(d, d);
          p.linear_part(matrix);
          const B f = drift_at(made, x);
          CHECK(((f.col(1) - f.col(0)).matrix() - matrix * step).norm() < 1e-14);
          if constexpr (noise_kind<P> != NoiseKind::additive && noise_kind<P> != NoiseKind::none)
            for (Index k = 0; k < wiener_dimension(p, d); ++k) {
              p.linear_diffusion(k, matrix);
              const B g = noise_at(made, x, k);
              CHECK(((g.col(1) - g.col(0)).matrix() - matrix * step).norm() < 1e-14);
            }
        },
        made.process);
  }

  CHECK(linear == std::set<std::string_view>{"bm", "gbm", "igbm", "ou", "langevin", "kubo",
                                             "linear", "linear-commuting"});
  std::visit([](const auto& p) { CHECK_FALSE(p.linear()); },
             make_process("langevin", {{"quartic", 1}}).process);
}

TEST_CASE("the linear part of a drift that is not linear leaves no stiffness in the rest") {
  // F = f - A x: without kappa for cir and heston, and for lotka-volterra without growth at 0.
  const auto rest_slope = [](const RegisteredProcess& made, const B& x) {
    const Index d = x.rows();
    Eigen::MatrixXd a(d, d), j(d, d);
    const PathState<double> path = x.col(0);
    std::visit(
        [&](const auto& p) {
          p.linear_part(a);
          p.drift_jacobian(path, 0.0, j);
        },
        made.process);
    return (j - a).norm();
  };

  CHECK(rest_slope(make_process("cir", {{"kappa", 1000}}), column({0.5})) == 0);
  CHECK(rest_slope(make_process("heston", {{"kappa", 1000}}), column({0.1, 0.5})) == 0);
  CHECK(rest_slope(make_process("lotka-volterra", {{"gamma", 1000}}), column({0, 0})) == 0);
  CHECK(rest_slope(make_process("langevin", {{"gamma", 1000}, {"quartic", 2}}), column({0, 1})) ==
        0);
}

TEST_CASE("exponential Euler has the law of a registered Ornstein-Uhlenbeck process at any step") {
  const RegisteredProcess made = make_process("ou", {{"theta", 50}, {"mu", 2}, {"sigma", 3}});
  const auto& p = std::get<AnySde<NoiseKind::additive>>(made.process);
  const double h = 0.7;
  B x = B::Constant(1, 2, 1.0), y(1, 2);
  Increment<AnySde<NoiseKind::additive>, B> dw{B::Zero(1, 2)};
  dw.w(0, 1) = std::sqrt(h);
  ExponentialEuler::Workspace<B> w(1, 2);

  ExponentialEuler{}.step(p, x, 0.0, h, dw, y, w);

  CHECK_THAT(y(0, 0), WithinRel(made.mean(std::vector{1.0}, h)[0], 1e-13));
  CHECK_THAT(std::pow(y(0, 1) - y(0, 0), 2),
             WithinRel(made.covariance(std::vector{1.0}, h)[0], 1e-12));
  const auto well = std::get<AnySde<NoiseKind::additive>>(make_process("double-well").process);
  CHECK_THROWS_WITH(ExponentialEuler{}.step(well, x, 0.0, h, dw, y, w),
                    StartsWith("exponential-euler needs the linear part of the drift"));
}

TEST_CASE("what an erased process does not know it refuses to give") {
  const auto well = std::get<AnySde<NoiseKind::additive>>(make_process("double-well").process);
  const auto cir = std::get<AnySde<NoiseKind::diagonal>>(make_process("cir").process);
  const AnySde<NoiseKind::additive> bare{
      make_sde([](const auto& x, Time) { return -x; }, [](Time) { return 1.0; }, noise::additive)};
  const PathState<double> x = PathState<double>::Ones(1);
  Eigen::MatrixXd out(1, 1);

  CHECK_THROWS_WITH(well.linear_part(out),
                    "the process double-well has no linear_part: ask "
                    "has_linear_part() first");
  CHECK_THROWS_WITH(cir.linear_diffusion(0, out),
                    "the process cir is not linear: ask linear() first");
  CHECK_THROWS_WITH(bare.drift_jacobian(x, 0.0, out), ContainsSubstring("no drift_jacobian"));
  const auto kubo = std::get<AnySde<NoiseKind::scalar>>(make_process("kubo").process);
  CHECK_THROWS_WITH(kubo.linear_part(out), ContainsSubstring("dimension 2 and the state has 1"));
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
  CHECK_THROWS_WITH(make_process("gbm", {{"sigma", -1}}),
                    "sigma must be positive and finite: got sigma=-1");
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
