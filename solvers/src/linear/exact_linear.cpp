/// @file  exact_linear.cpp
/// @brief The law of one step of a linear SDE with additive noise.

#include <fokker/solvers/linear/exact_linear.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace fokker::detail {

namespace {

/// The coefficient of Z^n in c_j(Z).
double coefficient(int n, int j) {
  return std::sqrt(2.0 * j + 1) * std::tgamma(n + 1.0) /
         (std::tgamma(n - j + 1.0) * std::tgamma(n + j + 2.0));
}

/// R / (h g^2) in one dimension: phi_1(2z) - phi_1(z)^2.
double rest_of(double z, int polynomials) {
  if (std::abs(z) > 0.5) {
    const double phi = exponential_phi1(z);
    return std::max(0.0, exponential_phi1(2 * z) - phi * phi);
  }
  double sum = 0;
  for (int j = 1; j <= polynomials; ++j) {
    double c = 0;
    for (int n = taylor_terms; n >= j; --n) c += coefficient(n, j) * std::pow(z, n);
    sum += c * c;
  }
  return sum;
}

}  // namespace

LinearTransition::LinearTransition(Index d)
    : matrix(d), g(Eigen::VectorXd::Zero(d)), rest(d, d), root(Matrix::Zero(d, d)), power(d, d) {
  coefficients.fill(Matrix::Zero(d, d));
}

void LinearTransition::update(const Matrix& linear, const Eigen::VectorXd& noise, Time h) {
  const bool changed = matrix.update(linear, h);
  h = matrix.h;  // up to rounding
  if (!changed && known && noise == g) return;
  g = noise;
  known = true;
  if (matrix.diagonal) {
    root.setZero();
    for (Index i = 0; i < g.size(); ++i)
      root(i, i) = std::abs(g[i]) * std::sqrt(h * rest_of(h * matrix.a(i, i), polynomials));
    return;
  }
  const int doublings = matrix.start();
  double step = std::ldexp(h, -doublings);
  start(step);
  for (int i = 0; i < doublings; ++i) {
    double_up(step);
    matrix.double_up();
    step *= 2;
  }
  take_root();
}

void LinearTransition::start(double step) {
  power.setIdentity();
  for (auto& c : coefficients) c.setZero();
  for (int n = 1; n <= taylor_terms; ++n) {
    rest = matrix.z.lazyProduct(power);
    power.swap(rest);
    for (int j = 1; j <= std::min(n, polynomials); ++j)
      coefficients[static_cast<std::size_t>(j - 1)] += coefficient(n, j) * power;
  }
  rest.setZero();
  for (auto& c : coefficients) {
    c.array().rowwise() *= g.transpose().array();
    rest += step * c.lazyProduct(c.transpose());
  }
}

void LinearTransition::double_up(double step) {
  Matrix& d = coefficients[0];
  power = matrix.exponential;
  power.diagonal().array() -= 1;
  d = power.lazyProduct(matrix.phi);
  d.array().rowwise() *= g.transpose().array();
  power = matrix.exponential.lazyProduct(rest);
  rest += power.lazyProduct(matrix.exponential.transpose());
  rest += step / 2 * d.lazyProduct(d.transpose());
}

void LinearTransition::take_root() {
  const Index d = g.size();
  const double lost = 4 * static_cast<double>(d) * std::numeric_limits<double>::epsilon();
  root.setZero();
  for (Index j = 0; j < d; ++j) {
    const double pivot = rest(j, j) - root.row(j).head(j).squaredNorm();
    if (!(pivot > lost * rest(j, j))) continue;
    root(j, j) = std::sqrt(pivot);
    for (Index i = j + 1; i < d; ++i)
      root(i, j) = (rest(i, j) - root.row(i).head(j).dot(root.row(j).head(j))) / root(j, j);
  }
}

}  // namespace fokker::detail
