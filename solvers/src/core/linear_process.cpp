/// @file  linear_process.cpp
/// @brief The functions of a matrix in the steps for linear and semi-linear SDEs.

#include <fokker/solvers/core/linear_process.hpp>

#include <cmath>

namespace fokker::detail {

namespace {

/// The doublings after which a matrix of this norm, halved as often, is below 1/2.
int doublings_of(double norm) {
  int doublings = 0;
  for (; norm > 0.5 && doublings < 1100; norm /= 2) ++doublings;
  return doublings;
}

double infinity_norm(const Eigen::MatrixXd& a) { return a.cwiseAbs().rowwise().sum().maxCoeff(); }

}  // namespace

ExponentialOfMatrix::ExponentialOfMatrix(Index d)
    : a(Matrix::Zero(d, d)),
      z(d, d),
      exponential(d, d),
      phi(d, d),
      product(d, d),
      corrected(d, d) {}

bool ExponentialOfMatrix::update(const Matrix& matrix, Time step) {
  if (known && matrix == a) {
    exact = step == h;
    if (exact) return false;
    const double e = step - h;
    if (std::abs(e) <= 1e-9 * h && std::abs(e) * norm <= 1e-9) {
      corrected = (h * phi + e * exponential) / step;
      return false;
    }
  }
  a = matrix;
  h = step;
  norm = infinity_norm(a);
  known = exact = true;
  diagonal = a.isDiagonal(0);
  const int doublings = start();
  for (int i = 0; i < doublings; ++i) double_up();
  return true;
}

int ExponentialOfMatrix::start() {
  z = h * a;
  const int doublings = doublings_of(infinity_norm(z));
  z *= std::ldexp(1.0, -doublings);
  phi.setIdentity();
  for (int n = taylor_terms; n >= 1; --n) {  // phi = 1 + Z/2 (1 + Z/3 (1 + ...))
    product = z.lazyProduct(phi);
    phi = product / (n + 1);
    phi.diagonal().array() += 1;
  }
  exponential = z.lazyProduct(phi);
  exponential.diagonal().array() += 1;
  return doublings;
}

void ExponentialOfMatrix::double_up() {
  product = exponential.lazyProduct(phi);
  phi = (phi + product) / 2;
  product = exponential.lazyProduct(exponential);
  exponential.swap(product);
}

}  // namespace fokker::detail
