/// Derivatives of expressions against differences, and programs against their expressions.

#include "no_allocation.hpp"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>

#include <Eigen/Dense>

#include <fokker/processes/equation/equation.hpp>
#include <fokker/solvers/support/instruction_set.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

/// Expressions of x and y, smooth at x in (0.1, 0.9) and y in (1.1, 1.9).
const std::string_view expressions[] = {"x + y - 3*x*y",
                                        "x/y",
                                        "y/(x + x^2)",
                                        "x^3",
                                        "x^y",
                                        "2^x",
                                        "x^-2",
                                        "x^2.5",
                                        "sqrt(x)",
                                        "sqrt(max(x, 0))",
                                        "exp(-x*y)",
                                        "log(x*y)",
                                        "sin(x*y)",
                                        "cos(3*x)",
                                        "tanh(x - y)",
                                        "sinh(x)",
                                        "cosh(x*y)",
                                        "expm1(x)",
                                        "log1p(x)",
                                        "abs(x - y)",
                                        "sign(x)*x",
                                        "step(y - x)*x",
                                        "tan(x)",
                                        "asin(x)",
                                        "acos(x)",
                                        "atan(x*y)",
                                        "asinh(x)",
                                        "acosh(y)",
                                        "atanh(x)",
                                        "cbrt(x)",
                                        "erf(x)",
                                        "erfc(x*y)",
                                        "exp2(x)",
                                        "log2(x)",
                                        "log10(x)",
                                        "floor(x)*x",
                                        "ceil(x)*x",
                                        "round(x) + x",
                                        "trunc(x)*y",
                                        "min(x, y)*x",
                                        "max(x, y, 0.5)",
                                        "atan2(x, y)",
                                        "hypot(x, y)",
                                        "fmod(y, x)",
                                        "pow(x, 3)",
                                        "if(x < y, x*x, y)",
                                        "if(x >= y, x, y^2)",
                                        "-x",
                                        "x^2^0.5",
                                        "if(x > 0, log(x), 0)*y",
                                        "sin(x)^2 + cos(x)^2",
                                        "1/(1 + exp(-x))"};

EquationSystem rates(std::string_view expression) {
  return read_equations("x' = " + std::string(expression) + "; y' = y", {});
}

double difference(const EquationSystem& s, double x, double y, int i) {
  const double h = 1e-4;
  const auto f = [&](double k) {
    const double point[] = {x + (i == 0 ? k * h : 0), y + (i == 1 ? k * h : 0)};
    return s.graph.evaluate(s.ito_drift[0], point, 0, {});
  };
  return (8 * (f(1) - f(-1)) - (f(2) - f(-2))) / (12 * h);
}

const AnyOde& ode(const Equation& equation) {
  return std::get<AnyOde>(equation.process<Calculus::ito>());
}

}  // namespace

TEST_CASE("symbolic derivatives agree with differences") {
  for (const std::string_view expression : expressions) {
    INFO(expression);
    EquationSystem s = rates(expression);
    for (const double x : {0.21, 0.42, 0.68})
      for (const double y : {1.17, 1.73})
        for (int i = 0; i < 2; ++i) {
          const double point[] = {x, y};
          const double symbolic =
              s.graph.evaluate(s.graph.derivative(s.ito_drift[0], i), point, 0, {});
          CHECK_THAT(symbolic, WithinAbs(difference(s, x, y, i), 1e-8 * (1 + std::abs(symbolic))));
        }
  }
}

TEST_CASE("an expression printed and read again is the same function") {
  for (const std::string_view expression : expressions) {
    INFO(expression);
    EquationSystem s = rates(expression);
    for (const Expr e : {s.ito_drift[0], s.graph.derivative(s.ito_drift[0], 0)}) {
      const std::string printed = s.graph.text(e, s.states, s.parameters);
      INFO(printed);
      const EquationSystem again = rates(printed);
      const double point[] = {0.37, 1.41};
      CHECK(again.graph.evaluate(again.ito_drift[0], point, 0, {}) ==
            s.graph.evaluate(e, point, 0, {}));
    }
  }
}

TEST_CASE("programs agree with their expressions, to the same bits on all instruction sets") {
  const std::string before(instruction_set());
  constexpr Index n = 77;  // a piece and a rest
  Block<double> x(2, n);
  for (Index j = 0; j < n; ++j) {
    x(0, j) = 0.1 + 0.8 * static_cast<double>(j) / n;
    x(1, j) = 1.1 + 0.8 * static_cast<double>(j * 31 % n) / n;
  }
  for (const std::string_view expression : expressions) {
    INFO(expression);
    const EquationSystem s = rates(expression);
    const Equation equation("x' = " + std::string(expression) + "; y' = y");
    Block<double> out(2, n), other(2, n);
    ode(equation).drift(x, 0, out);
    for (Index j = 0; j < n; ++j) {
      const double point[] = {x(0, j), x(1, j)};
      const double exact = s.graph.evaluate(s.ito_drift[0], point, 0, {});
      CHECK_THAT(out(0, j), WithinRel(exact, 4e-15) || WithinAbs(exact, 1e-15));
    }
    for (const char* set : {"baseline", "avx2", "avx512"}) {
      detail::limit_instruction_set(set);
      ode(equation).drift(x, 0, other);
      CHECK((out == other).all());
    }
    detail::limit_instruction_set(before);
    for (Index j = 0; j < n; ++j) {  // alone, a path has the same bits
      Block<double> one = x.col(j), alone(2, 1);
      ode(equation).drift(one, 0, alone);
      CHECK(alone(0) == out(0, j));
    }
  }
}

TEST_CASE("the functions of the byte code over their whole range") {
  const double inf = std::numeric_limits<double>::infinity();
  const double points[] = {0.0, -0.0, 1e-300, 5e-324, 1e-9, -1e-9, 0.3, -0.3, 1,
                           -1,  2.5,  -7,     20,     -20,  40,    -41, 100,  -100,
                           700, -700, 709.7,  -740,   1000, -1000, 1e5, -1e5, 123456.789,
                           9e5, 1e7,  1e300,  -1e300, inf,  -inf};
  using Function = double (*)(double);
  const std::pair<const char*, Function> checked[] = {
      {"exp(x)", [](double v) { return std::exp(v); }},
      {"log(x)", [](double v) { return std::log(v); }},
      {"sin(x)", [](double v) { return std::sin(v); }},
      {"cos(x)", [](double v) { return std::cos(v); }},
      {"tanh(x)", [](double v) { return std::tanh(v); }},
      {"sinh(x)", [](double v) { return std::sinh(v); }},
      {"cosh(x)", [](double v) { return std::cosh(v); }},
      {"expm1(x)", [](double v) { return std::expm1(v); }},
      {"log1p(x)", [](double v) { return std::log1p(v); }},
      {"abs(x)", [](double v) { return std::abs(v); }},
      {"sqrt(x)", [](double v) { return std::sqrt(v); }}};
  for (const auto& [text, function] : checked) {
    const Equation equation(std::string("x' = ") + text);
    for (const double point : points) {
      INFO(text << " at " << point);
      Block<double> x = Block<double>::Constant(1, 1, point), out(1, 1);
      ode(equation).drift(x, 0, out);
      const double exact = function(point);
      if (std::isnan(exact))
        CHECK(std::isnan(out(0)));
      else
        CHECK_THAT(out(0), WithinULP(exact, 3));
    }
    Block<double> x = Block<double>::Constant(1, 1, std::nan("")), out(1, 1);
    ode(equation).drift(x, 0, out);
    CHECK(std::isnan(out(0)));
  }
}

TEST_CASE("time enters by itself, in lets and through functions of it alone") {
  const Equation equation("let f = sin(w*t); x' = f*x + t", {{"w", 2}});
  Block<double> x = Eigen::ArrayXd::LinSpaced(9, 1, 2).transpose(), out(1, 9);
  ode(equation).drift(x, 0.7, out);
  CHECK((out - (std::sin(1.4) * x + 0.7)).abs().maxCoeff() < 1e-15);
}

TEST_CASE("a table is linear between its points and constant beyond them") {
  const std::string file = "equation_table.csv";
  std::ofstream(file) << "t, force\n0, 1\n1, 3\n3, -1\n";
  const Equation equation("x' = table(" + file + ", x) + 0*t; y' = y*table(" + file + ", t)");
  Block<double> x(2, 5), out(2, 5);
  x.row(0) << -1, 0, 0.5, 2, 9;
  x.row(1) = 2;
  ode(equation).drift(x, 0.25, out);
  const Eigen::Array<double, 1, 5> exact(1, 1, 2, 1, -1);
  CHECK((out.row(0) - exact).abs().maxCoeff() < 1e-15);
  CHECK((out.row(1) - 3).abs().maxCoeff() < 1e-15);
  PathState<double> point(2);
  point << 2, 1;
  Eigen::MatrixXd j(2, 2);
  ode(equation).drift_jacobian(point, 0.5, j);
  CHECK(j.isApprox(Eigen::Matrix2d{{-2, 0}, {0, 2}}, 1e-15));
  std::remove(file.c_str());
  CHECK_THROWS_WITH(read_equations("x' = table(no_such.csv, t)", {}),
                    EndsWith("     ^ the file no_such.csv cannot be read"));
  CHECK_THROWS_AS(read_equations("x' = table(t)", {}), EquationError);
}

TEST_CASE("the Jacobian of a drift, of one path and of a block") {
  const Equation equation("x' = x*y^2; y' = sin(x) - t*y");
  PathState<double> point(2);
  point << 0.5, 1.5;
  Eigen::MatrixXd j(2, 2);
  ode(equation).drift_jacobian(point, 2.0, j);
  const Eigen::Matrix2d exact{{2.25, 1.5}, {std::cos(0.5), -2}};
  CHECK(j.isApprox(exact, 1e-15));
  Block<double> x(2, 3), out(4, 3);
  x.colwise() = point;
  PathState<double> path(2);
  ode(equation).drift_jacobian(x, 2.0, out, path, j);
  for (Index k = 0; k < 4; ++k) CHECK_THAT(out(k, 2), WithinRel(exact(k % 2, k / 2), 1e-15));
}

TEST_CASE("evaluation allocates nothing after the first call") {
  const Equation equation("dx = -x dt + sqrt(abs(x)) dW");
  const auto& p = std::get<AnySde<NoiseKind::diagonal>>(equation.process<Calculus::ito>());
  Block<double> x = Block<double>::Constant(1, 100, 2), out(1, 100);
  p.drift(x, 0, out);
  p.diffusion(x, 0, out);
  p.diffusion_slope(x, 0, out);
  const NoAllocation guard;
  p.drift(x, 0, out);
  p.diffusion(x, 0, out);
  p.diffusion_slope(x, 0, out);
}
