/// @file  unit/processes/cir_schemes.cpp
/// @brief The steps made for one process, without Monte Carlo: moments by quadrature over the
///        normal, positivity, and Lamperti's transform.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"

#include <fokker/processes/schemes/cir_schemes.hpp>
#include <fokker/processes/schemes/heston_quadratic_exponential.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/stiff/drift_implicit.hpp>

using namespace fokker;

namespace {

using X = Block<double>;

/// Ends of one step from (x0) for the normals z.
template <class M, class P>
X ends(const M& method, const P& process, double x0, Time h, const Eigen::ArrayXd& z) {
  const Index n = z.size();
  const X x = X::Constant(1, n, x0);
  X y(1, n);
  Increment<P, X> dw;
  dw.w = std::sqrt(h) * z.transpose();
  typename M::template Workspace<X> workspace(1, n);
  method.step(process, x, 0, h, dw, y, workspace);
  return y;
}

/// Nodes and weights of the standard normal law: Gauss's five points on pieces of [-12, 12] that
/// are short near `kink`, where the integrand need not be smooth.
struct Normal {
  Eigen::ArrayXd z, weight;
  explicit Normal(double kink) {
    constexpr std::array<double, 5> node = {-0.90617984593866399280, -0.53846931010568309104, 0,
                                            0.53846931010568309104, 0.90617984593866399280};
    constexpr std::array<double, 5> at_node = {0.23692688505618908751, 0.47862867049936646804,
                                               0.56888888888888888889, 0.47862867049936646804,
                                               0.23692688505618908751};
    std::vector<double> edges;
    for (int i = 0; i <= 200; ++i) {
      const double u = i / 200.0;
      edges.push_back(kink + (12 - kink) * u * u);
      edges.push_back(kink - (12 + kink) * u * u);
    }
    std::sort(edges.begin(), edges.end());
    std::vector<double> points, weights;
    for (std::size_t k = 0; k + 1 < edges.size(); ++k) {
      const double half = 0.5 * (edges[k + 1] - edges[k]), middle = edges[k] + half;
      for (std::size_t i = 0; i < 5; ++i) {
        const double at = middle + half * node[i];
        points.push_back(at);
        weights.push_back(half * at_node[i] * std::exp(-0.5 * at * at) * 0.39894228040143267794);
      }
    }
    z = Eigen::Map<Eigen::ArrayXd>(points.data(), static_cast<Index>(points.size()));
    weight = Eigen::Map<Eigen::ArrayXd>(weights.data(), z.size());
  }
  double mean(const Eigen::ArrayXd& values) const { return (values * weight).sum(); }
};

/// The normal at which the exponential branch leaves 0; 0 for the quadratic one.
double kink_of(const detail::QuadraticExponential& law) {
  if (law.quadratic) return 0;
  double low = -10, high = 10;
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (0.5 * std::erfc(-middle * std::sqrt(0.5)) < law.p ? low : high) = middle;
  }
  return low;
}

}  // namespace

TEST_CASE("the mean and variance of a quadratic-exponential step are those of the process") {
  int quadratic = 0, exponential = 0;
  for (const double sigma : {0.2, 1.0, 2.5}) {
    const CoxIngersollRoss process{.kappa = 0.8, .theta = 0.5, .sigma = sigma};
    for (const double v : {0.0, 0.05, 0.5, 3.0}) {
      for (const double h : {0.02, 0.5, 5.0}) {
        const detail::QuadraticExponential law(process.mean(v, h), process.variance(v, h));
        ++(law.quadratic ? quadratic : exponential);
        const Normal normal(kink_of(law));
        const Eigen::ArrayXd y =
            ends(CirQuadraticExponential{}, process, v, h, normal.z).transpose();
        const double mean = normal.mean(y);

        INFO("sigma " << sigma << ", v " << v << ", h " << h);
        CHECK_THAT(mean, WithinRel(process.mean(v, h), 1e-10));
        CHECK_THAT(normal.mean((y - mean).square()), WithinRel(process.variance(v, h), 1e-9));
        CHECK((y >= 0).all());
      }
    }
  }
  CHECK(quadratic > 5);
  CHECK(exponential > 5);
}

TEST_CASE("the price of Heston's quadratic-exponential step is a martingale, exactly") {
  const double h = 0.5;
  for (const double rho : {-0.9, 0.0, 0.6}) {
    for (const double xi : {0.1, 1.0}) {
      for (const double v : {0.0, 0.04, 0.3}) {
        const Heston process{.mu = 0.05, .kappa = 1.5, .theta = 0.04, .xi = xi, .rho = rho};
        const CoxIngersollRoss variance{.kappa = 1.5, .theta = 0.04, .sigma = xi};
        const detail::QuadraticExponential law(variance.mean(v, h), variance.variance(v, h));
        const Normal outer(kink_of(law)), inner(0);
        const double across = std::sqrt(1 - rho * rho);
        // Only the end for Z = 0 and its deviation for Z = 1 matter: E exp(m + s Z) = e^{m +
        // s^2/2}.
        const Index n = outer.z.size();
        X x(2, 2 * n), y(2, 2 * n);
        x.row(0).setConstant(0.3);
        x.row(1).setConstant(v);
        Increment<Heston, X> dw;
        dw.w.resize(2, 2 * n);
        for (Index j = 0; j < 2 * n; ++j) {
          const double zv = outer.z[j % n], z = j < n ? 0 : 1;
          dw.w(0, j) = std::sqrt(h) * (rho * zv + across * z);
          dw.w(1, j) = std::sqrt(h) * (across * zv - rho * z);
        }
        HestonQuadraticExponential::Workspace<X> workspace(2, 2 * n);
        HestonQuadraticExponential{}.step(process, x, 0, h, dw, y, workspace);
        const Eigen::ArrayXd m = y.row(0).head(n).transpose();
        const Eigen::ArrayXd s = y.row(0).tail(n).transpose() - m;

        INFO("rho " << rho << ", xi " << xi << ", v " << v);
        CHECK_THAT(outer.mean((m + 0.5 * s.square() - 0.3).exp()),
                   WithinRel(std::exp(0.05 * h), 1e-9));
        CHECK_THAT(outer.mean(y.row(1).head(n).transpose()), WithinRel(variance.mean(v, h), 1e-9));
        CHECK((y.row(1) >= 0).all());
      }
    }
  }
}

TEST_CASE("the drift-implicit step of the square-root process is implicit Euler for its root") {
  const CoxIngersollRoss process{.kappa = 1.2, .theta = 0.7, .sigma = 0.9};
  const Lamperti<CoxIngersollRoss> root{process};
  const Eigen::ArrayXd z = Eigen::ArrayXd::LinSpaced(9, -2, 2);
  for (const double x0 : {0.2, 1.0, 4.0}) {
    const X y = ends(CirDriftImplicit{}, process, x0, 0.1, z);
    const X r = ends(DriftImplicitEuler{}, root, std::sqrt(x0), 0.1, z);

    CHECK((y - r.square()).abs().maxCoeff() < 1e-12);
  }
}

TEST_CASE("the drift-implicit square-root step stays positive for any noise") {
  const Eigen::ArrayXd z = Eigen::ArrayXd::LinSpaced(201, -1e9, 1e9);
  for (const double sigma : {0.5, 1.5, 1.99}) {  // 4 kappa theta > sigma^2
    const CoxIngersollRoss process{.kappa = 1, .theta = 1, .sigma = sigma};
    for (const double x0 : {0.0, 1e-12, 1.0}) {
      CHECK((ends(CirDriftImplicit{}, process, x0, 0.5, z) > 0).all());
      CHECK_FALSE((ends(EulerMaruyama{}, process, x0 + 1, 0.5, z) > 0).all());
    }
  }
}

TEST_CASE("Euler's step on the square-root process is full truncation") {
  // Lord, Koekkoek & van Dijk (2010): x + kappa (theta - x^+) h + sigma sqrt(x^+) dw.
  const CoxIngersollRoss process{.kappa = 1.2, .theta = 0.7, .sigma = 0.9};
  const Eigen::ArrayXd z = Eigen::ArrayXd::LinSpaced(3, -1, 1);
  const X below = ends(EulerMaruyama{}, process, -0.2, 0.25, z);
  const X above = ends(EulerMaruyama{}, process, 0.3, 0.25, z);

  for (Index j = 0; j < 3; ++j) {
    CHECK_THAT(below(0, j), WithinAbs(-0.2 + 1.2 * 0.7 * 0.25, 1e-15));
    CHECK_THAT(above(0, j),
               WithinAbs(0.3 + 1.2 * 0.4 * 0.25 + 0.9 * std::sqrt(0.3) * 0.5 * z[j], 1e-15));
  }
}

TEST_CASE("Lamperti's transform is Ito's formula") {
  // The drift of F(X) is F' f + F'' g^2 / 2 and its noise F' g, by differences of `forward`.
  const auto check = [](const auto& transformed) {
    const auto& process = transformed.base;
    using P = std::remove_cvref_t<decltype(process)>;
    const double d = 1e-4;
    for (const double at : {0.3, 1.0, 2.5}) {
      const X x = X::Constant(1, 1, at), y = transformed.forward(x);
      const auto forward = [&](double v) {
        return X(transformed.forward(X::Constant(1, 1, v)))(0);
      };
      const double first = (forward(at + d) - forward(at - d)) / (2 * d);
      const double second = (forward(at + d) - 2 * forward(at) + forward(at - d)) / (d * d);
      X f(1, 1), g(1, 1), transformed_f(1, 1);
      evaluate_drift(process, x, 0, f);
      g = diffusion(process, x, 0, g);
      evaluate_drift(transformed, y, 0, transformed_f);

      CHECK_THAT(transformed_f(0), WithinAbs(first * f(0) + 0.5 * second * g(0) * g(0), 1e-6));
      CHECK_THAT(transformed.diffusion(0), WithinAbs(first * g(0), 1e-6));
      CHECK_THAT(X(transformed.inverse(y))(0), WithinAbs(at, 1e-15));
      static_assert(noise_kind<P> == NoiseKind::diagonal);
    }
  };
  check(Lamperti<GeometricBrownianMotion>{{.mu = 0.3, .sigma = 0.6}});
  check(Lamperti<CoxIngersollRoss>{{.kappa = 1.2, .theta = 0.7, .sigma = 0.9}});
}
