/// @file  unit/sde/weak_runge_kutta.cpp
/// @brief Weak orders without random numbers: every outcome of a step is enumerated.

#include <cmath>
#include <map>
#include <vector>

#include <Eigen/Dense>

#include "catch.hpp"

#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/weak/platen.hpp>
#include <fokker/solvers/weak/simplified_euler.hpp>
#include <fokker/solvers/weak/weak_runge_kutta.hpp>

using namespace fokker;

namespace {

using X = Block<double>;

// ---- polynomials in (x_0, x_1, t): processes whose generator is known exactly -------------------

struct Polynomial {
  std::map<std::array<int, 3>, double> terms;  ///< powers of x_0, x_1, t and the coefficient

  Polynomial() = default;
  Polynomial(double c) : terms{{{0, 0, 0}, c}} {}
  static Polynomial variable(std::size_t i) {
    Polynomial p;
    std::array<int, 3> power{};
    power[i] = 1;
    p.terms[power] = 1;
    return p;
  }
  Polynomial derivative(std::size_t i) const {
    Polynomial d;
    for (const auto& [power, c] : terms) {
      if (power[i] == 0) continue;
      auto lower = power;
      --lower[i];
      d.terms[lower] += c * power[i];
    }
    return d;
  }
  double at(double x0, double x1, double t) const {
    double sum = 0;
    for (const auto& [power, c] : terms)
      sum += c * std::pow(x0, power[0]) * std::pow(x1, power[1]) * std::pow(t, power[2]);
    return sum;
  }
};

Polynomial operator+(Polynomial a, const Polynomial& b) {
  for (const auto& [power, c] : b.terms) a.terms[power] += c;
  return a;
}

Polynomial operator*(const Polynomial& a, const Polynomial& b) {
  Polynomial product;
  for (const auto& [p, c] : a.terms)
    for (const auto& [q, e] : b.terms)
      product.terms[{p[0] + q[0], p[1] + q[1], p[2] + q[2]}] += c * e;
  return product;
}

/// f and the columns g_k; a process of any kind of noise that its columns allow.
struct Coefficients {
  std::array<Polynomial, 2> f;
  std::vector<std::array<Polynomial, 2>> g;

  /// L phi = d phi/dt + f . grad phi + 1/2 sum_k g_k g_k^T : grad grad phi.
  Polynomial generator(const Polynomial& phi) const {
    Polynomial sum = phi.derivative(2);
    for (std::size_t i = 0; i < 2; ++i) {
      sum = sum + f[i] * phi.derivative(i);
      for (std::size_t j = 0; j < 2; ++j)
        for (const auto& column : g)
          sum = sum + Polynomial(0.5) * column[i] * column[j] * phi.derivative(i).derivative(j);
    }
    return sum;
  }
};

template <NoiseKind kind>
struct PolynomialProcess {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = kind;
  Coefficients c;

  static void set(const std::array<Polynomial, 2>& value, const X& x, Time t, X& out) {
    for (Index j = 0; j < x.cols(); ++j)
      for (Index i = 0; i < 2; ++i)
        out(i, j) = value[static_cast<std::size_t>(i)].at(x(0, j), x(1, j), t);
  }
  void drift(const X& x, Time t, X& out) const { set(c.f, x, t, out); }
  Index sources() const { return static_cast<Index>(c.g.size()); }
  PathState<double> diffusion(Time t) const requires(kind == NoiseKind::additive) {
    return PathState<double, 2>(c.g[0][0].at(0, 0, t), c.g[1][1].at(0, 0, t));
  }
  void diffusion(const X& x, Time t, X& out) const requires(kind == NoiseKind::scalar) {
    set(c.g[0], x, t, out);
  }
  void diffusion(const X& x, Time t, X& out) const requires(kind == NoiseKind::diagonal) {
    set({c.g[0][0], c.g[1][1]}, x, t, out);
  }
  void diffusion(const X& x, Time t, Index k, X& out) const requires(by_columns(kind)) {
    set(c.g[static_cast<std::size_t>(k)], x, t, out);
  }
};

const Polynomial x0 = Polynomial::variable(0), x1 = Polynomial::variable(1),
                 time_ = Polynomial::variable(2);

/// Three columns that do not commute, nonlinear and with time in them.
Coefficients general_noise() {
  return {{0.3 * x1 + -0.4 * x0 * x0 + 0.2 * time_, 0.1 * x0 * x1 + -0.2 * x1},
          {{Polynomial(0.5) + 0.2 * x1 * x1, 0.4 * x0 + 0.3 * time_},
           {0.3 * x0 * x1, Polynomial(0.6) + -0.2 * x0 * x0},
           {0.4 * time_ * x1 + 0.2 * x0, 0.3 * x1 + 0.1 * x0 * x0}}};
}

Coefficients diagonal_noise() {
  Coefficients c = general_noise();
  c.g = {{Polynomial(0.5) + 0.3 * x0 * x0 + 0.2 * time_ * x0, Polynomial()},
         {Polynomial(), 0.6 * x1 + 0.3 * time_}};
  return c;
}

Coefficients scalar_noise() {
  Coefficients c = general_noise();
  c.g.resize(1);
  return c;
}

Coefficients additive_noise() {
  Coefficients c = general_noise();
  c.g = {{Polynomial(0.5) + 0.3 * time_, Polynomial()},
         {Polynomial(), Polynomial(0.7) + -0.4 * time_ * time_}};
  return c;
}

// ---- all outcomes of one step -------------------------------------------------------------------

/// Values of dw / sqrt(h) and their probabilities.
struct Outcomes {
  std::vector<double> z, p;
};

/// One normal for each pair (I^, I~) that DiscreteIncrements makes.
Outcomes all_outcomes() {
  return {{0.5, -0.5, 1.2, -1.2, 1.6, -1.6}, {1. / 3, 1. / 3, 1. / 12, 1. / 12, 1. / 12, 1. / 12}};
}

/// The three values of I^ themselves, for solvers that take dw as it is.
Outcomes three_points() { return {{0, std::sqrt(3.0), -std::sqrt(3.0)}, {2. / 3, 1. / 6, 1. / 6}}; }

/// Every outcome of one step from x over [t, t + h] by m sources, one per column of `y`.
struct Enumeration {
  X y;
  Eigen::ArrayXd probability;
};

template <class M, class P>
Enumeration enumerate(const M& method, const P& process, const PathState<double, 2>& x, Time t,
                      Time h, const Outcomes& outcomes) {
  const Index m = wiener_dimension(process, 2), values = static_cast<Index>(outcomes.z.size());
  Index n = 1;
  for (Index k = 0; k < m; ++k) n *= values;
  Increment<P, X> dw;
  dw.resize(m, n, needs_of(method));
  Enumeration result{X(2, n), Eigen::ArrayXd::Ones(n)};
  for (Index j = 0, rest = 0; j < n; ++j) {
    rest = j;
    for (Index k = 0; k < m; ++k, rest /= values) {
      const auto which = static_cast<std::size_t>(rest % values);
      dw.w(k, j) = std::sqrt(h) * outcomes.z[which];
      result.probability[j] *= outcomes.p[which];
    }
  }
  const X start = x.replicate(1, n);
  typename M::template Workspace<X> workspace(2, n);
  method.step(process, start, t, h, dw, result.y, workspace);
  return result;
}

/// The order in h between two errors at h and h / 2.
double order(double coarse, double fine) { return std::log2(coarse / fine); }

/// max over the monomials phi of degree 1 to 4 of |E phi(y) - (phi + h L phi + h^2/2 L^2 phi)|.
template <class M, class P>
double local_error(const M& method, const P& process, Time h, const Outcomes& outcomes) {
  const PathState<double, 2> x(0.7, -0.4);
  const Time t = 0.3;
  const Enumeration e = enumerate(method, process, x, t, h, outcomes);
  double worst = 0;
  for (int i = 0; i <= 4; ++i)
    for (int j = i == 0 ? 1 : 0; i + j <= 4; ++j) {
      Polynomial phi(1.0);
      for (int k = 0; k < i; ++k) phi = phi * x0;
      for (int k = 0; k < j; ++k) phi = phi * x1;
      const Polynomial first = process.c.generator(phi), second = process.c.generator(first);
      const auto at = [&](const Polynomial& p) { return p.at(x[0], x[1], t); };
      const double mean =
          (e.probability * (e.y.row(0).pow(i) * e.y.row(1).pow(j)).transpose()).sum();
      worst = std::max(worst, std::abs(mean - at(phi) - h * at(first) - h * h / 2 * at(second)));
    }
  return worst;
}

/// The order of `local_error` in h.
template <NoiseKind kind, class M>
double local_order(const M& method, const Coefficients& c,
                   const Outcomes& outcomes = all_outcomes()) {
  const PolynomialProcess<kind> process{c};
  const double h = 0x1p-9;
  return order(local_error(method, process, h, outcomes),
               local_error(method, process, h / 2, outcomes));
}

// ---- a linear system: the order over many steps, exactly ----------------------------------------

using Matrix2 = Eigen::Matrix2d;
using Matrix4 = Eigen::Matrix4d;

const Matrix2 drift_matrix{{-.4, .3}, {.1, -.2}},
    noise_matrix[3] = {Matrix2{{.2, .4}, {0, .1}}, Matrix2{{.1, 0}, {.5, -.2}},
                       Matrix2{{0, -.3}, {.2, .3}}};

PolynomialProcess<NoiseKind::general> linear_process() {
  const auto row = [](const Matrix2& a, Index i) { return a(i, 0) * x0 + a(i, 1) * x1; };
  Coefficients c{{row(drift_matrix, 0), row(drift_matrix, 1)}, {}};
  for (const Matrix2& b : noise_matrix) c.g.push_back({row(b, 0), row(b, 1)});
  return {c};
}

Matrix4 kronecker(const Matrix2& a, const Matrix2& b) {
  Matrix4 c;
  for (Index i = 0; i < 2; ++i)
    for (Index j = 0; j < 2; ++j) c.block<2, 2>(2 * i, 2 * j) = a(i, j) * b;
  return c;
}

/// | E[M (x) M]^N - exp(T L) | for the random matrix M of one step of size T / N, where
/// d E[X (x) X]/dt = L E[X (x) X].
template <class M>
double moment_error(const M& method, int steps, const Outcomes& outcomes) {
  const auto process = linear_process();
  const Time h = 1.0 / steps;
  const Enumeration first = enumerate(method, process, {1, 0}, 0, h, outcomes),
                    second = enumerate(method, process, {0, 1}, 0, h, outcomes);
  Matrix4 one_step = Matrix4::Zero();
  for (Index j = 0; j < first.y.cols(); ++j) {
    Matrix2 m;
    m << first.y.col(j).matrix(), second.y.col(j).matrix();
    one_step += first.probability[j] * kronecker(m, m);
  }
  const Matrix2 one = Matrix2::Identity();
  Matrix4 generator = kronecker(drift_matrix, one) + kronecker(one, drift_matrix);
  for (const Matrix2& b : noise_matrix) generator += kronecker(b, b);
  Matrix4 exact = Matrix4::Identity(), term = Matrix4::Identity(), power = Matrix4::Identity();
  for (int k = 1; k < 40; ++k) {
    term = term * generator / k;
    exact += term;
  }
  for (int k = 0; k < steps; ++k) power = power * one_step;
  return (power - exact).norm();
}

template <class M>
double global_order(const M& method, const Outcomes& outcomes = all_outcomes()) {
  return order(moment_error(method, 64, outcomes), moment_error(method, 128, outcomes));
}

// ---- methods that are wrong ---------------------------------------------------------------------

struct WrongOwn : tableaus::Ri6 {  // g_k(v_2) - g_k(v_3) the other way round
  static constexpr WeakTableau tableau = [] {
    WeakTableau t = Ri6::tableau;
    t.beta2 = {0, -0.5, 0.5};
    return t;
  }();
};
struct WrongMixed : tableaus::Ri6 {  // the mixed integrals a fifth too small
  static constexpr WeakTableau tableau = [] {
    WeakTableau t = Ri6::tableau;
    t.beta4 = {0, 0.4, -0.4};
    return t;
  }();
};
struct WrongDrift : tableaus::Dri1 {  // b2 and b3 exchanged
  static constexpr WeakTableau tableau = [] {
    WeakTableau t = Dri1::tableau;
    std::swap(t.drift.b2, t.drift.b3);
    return t;
  }();
};
struct WrongDigit : tableaus::Dri1 {  // one coefficient wrong in the third digit
  static constexpr WeakTableau tableau = [] {
    WeakTableau t = Dri1::tableau;
    t.b2[0] = -0.441;
    return t;
  }();
};

}  // namespace

TEMPLATE_TEST_CASE(
    "weak order 2 on nonlinear, time-dependent noise of every kind: the error of "
    "one step is O(h^3)",
    "", Ri1, Ri5, Ri6, Dri1, W2Ito1, Platen) {
  const TestType method;

  CHECK_THAT(local_order<NoiseKind::general>(method, general_noise()), WithinAbs(3, 0.05));
  CHECK_THAT(local_order<NoiseKind::diagonal>(method, diagonal_noise()), WithinAbs(3, 0.05));
  CHECK_THAT(local_order<NoiseKind::scalar>(method, scalar_noise()), WithinAbs(3, 0.05));
  CHECK_THAT(local_order<NoiseKind::additive>(method, additive_noise()), WithinAbs(3, 0.05));
}

TEMPLATE_TEST_CASE("weak order 2 of the moments of a linear system that does not commute", "", Ri1,
                   Ri5, Ri6, Dri1, W2Ito1, Platen) {
  CHECK_THAT(global_order(TestType{}), WithinAbs(2, 0.05));
}

TEST_CASE("the Euler methods have weak order 1") {
  CHECK_THAT(global_order(SimplifiedEuler{}), WithinAbs(1, 0.05));
  CHECK_THAT(global_order(EulerMaruyama{}, three_points()), WithinAbs(1, 0.05));
  CHECK_THAT(local_order<NoiseKind::general>(SimplifiedEuler{}, general_noise()),
             WithinAbs(2, 0.05));
}

TEST_CASE("a wrong coefficient costs an order") {
  const Coefficients c = general_noise();

  CHECK(local_order<NoiseKind::general>(WeakRungeKutta<WrongOwn>{}, c) < 2.1);
  CHECK(local_order<NoiseKind::general>(WeakRungeKutta<WrongMixed>{}, c) < 2.1);
  CHECK(local_order<NoiseKind::general>(WeakRungeKutta<WrongDrift>{}, c) < 2.1);
  CHECK(local_order<NoiseKind::general>(WeakRungeKutta<WrongDigit>{}, c) < 2.6);
  CHECK(global_order(WeakRungeKutta<WrongMixed>{}) < 1.1);
}

TEST_CASE("the two-point variable must be independent of the three-point one") {
  // I~ has one sign wherever I^ = 0, as if it were made from the same bits.
  const Outcomes tied{{0.5, 1.2, -1.2}, {2. / 3, 1. / 6, 1. / 6}};

  CHECK(local_order<NoiseKind::general>(Ri6{}, general_noise(), tied) < 2.1);
  CHECK(local_order<NoiseKind::general>(W2Ito1{}, general_noise(), tied) < 2.1);
  CHECK(local_order<NoiseKind::general>(Platen{}, general_noise(), tied) < 2.1);
}

TEST_CASE("the discrete increments have the probabilities of their moments") {
  using Discrete = DiscreteIncrements<double, Eigen::Dynamic, Eigen::RowMajor>;
  const auto beyond = [](double z) { return 0.5 * std::erfc(z / std::sqrt(2.0)); };

  CHECK_THAT(beyond(Discrete::a), WithinAbs(1. / 6, 1e-15));
  CHECK_THAT(beyond(Discrete::b), WithinAbs(1. / 12, 1e-15));

  const double h = 0.25;
  X w(2, 6);
  w.row(0) << 0.5, -0.5, 1.2, -1.2, 1.6, -1.6;
  w.row(0) *= std::sqrt(h);
  w.row(1) = -w.row(0);
  Discrete discrete;
  discrete.assign(w, h);
  const double three = std::sqrt(3 * h), two = std::sqrt(h);
  X expected_three(1, 6), expected_two(1, 6);
  expected_three << 0, 0, three, -three, three, -three;
  expected_two << two, -two, -two, -two, two, two;
  CHECK((discrete.three.row(0) == expected_three).all());
  CHECK((discrete.three.row(1) == -expected_three).all());
  CHECK((discrete.two.row(0) == expected_two).all());
}

TEMPLATE_TEST_CASE("diagonal, scalar and additive noise step as the same noise by columns does", "",
                   Ri1, Dri1, W2Ito1, Platen, SimplifiedEuler) {
  const TestType method;
  const PathState<double, 2> x(0.7, -0.4);
  const auto difference = [&](const auto& special, const Coefficients& c) {
    const PolynomialProcess<NoiseKind::general> columns{c};
    return (enumerate(method, special, x, 0.3, 0.2, all_outcomes()).y -
            enumerate(method, columns, x, 0.3, 0.2, all_outcomes()).y)
        .abs()
        .maxCoeff();
  };

  CHECK(difference(PolynomialProcess<NoiseKind::diagonal>{diagonal_noise()}, diagonal_noise()) <
        1e-15);
  CHECK(difference(PolynomialProcess<NoiseKind::scalar>{scalar_noise()}, scalar_noise()) < 1e-15);
  CHECK(difference(PolynomialProcess<NoiseKind::additive>{additive_noise()}, additive_noise()) <
        1e-15);
}

TEST_CASE("Platen's scheme with one source is the step of PL1WM") {
  // f = a x + b x^2 and g = c + e x^2, one component of two equal ones, by the formula.
  const auto f = [](double x) { return 0.3 * x - 0.4 * x * x; };
  const auto g = [](double x) { return 0.5 + 0.2 * x * x; };
  Coefficients c{{0.3 * x0 + -0.4 * x0 * x0, 0.3 * x1 + -0.4 * x1 * x1},
                 {{Polynomial(0.5) + 0.2 * x0 * x0, Polynomial(0.5) + 0.2 * x1 * x1}}};
  const double h = 0.2, x = 0.7, root_h = std::sqrt(h);

  const X y =
      enumerate(Platen{}, PolynomialProcess<NoiseKind::scalar>{c}, {x, x}, 0, h, three_points()).y;

  for (Index j = 0; j < 3; ++j) {
    const double dw = root_h * three_points().z[static_cast<std::size_t>(j)];
    const double plus = g(x + f(x) * h + g(x) * root_h), minus = g(x + f(x) * h - g(x) * root_h);
    const double want = x + 0.5 * (f(x) + f(x + f(x) * h + g(x) * dw)) * h +
                        0.25 * (plus + minus + 2 * g(x)) * dw +
                        0.25 * (plus - minus) * (dw * dw - h) / root_h;
    CHECK_THAT(y(0, j), WithinAbs(want, 1e-15));
  }
}

TEST_CASE("Platen's scheme takes 2 m + 1 of each column of m sources") {
  struct Counted : PolynomialProcess<NoiseKind::general> {
    mutable int calls = 0;
    void diffusion(const X& x, Time t, Index k, X& out) const {
      ++calls;
      PolynomialProcess<NoiseKind::general>::diffusion(x, t, k, out);
    }
  };
  for (const std::size_t m : {1u, 2u, 3u}) {
    Counted process{{general_noise()}};
    process.c.g.resize(m);

    enumerate(Platen{}, process, {0.7, -0.4}, 0, 0.1, three_points());

    CHECK(process.calls == static_cast<int>(m * (2 * m + 1)));
    if (m == 2) CHECK(process.calls == 2 * Platen::facts.evaluations(NoiseKind::general).diffusion);
  }
}
