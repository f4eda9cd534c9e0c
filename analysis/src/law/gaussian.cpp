#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>
#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/SVD>
#include <boost/math/special_functions/log1p.hpp>

#include <fokker/analysis/law/gaussian.hpp>

namespace fokker {
namespace {

using Eigen::Map;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Span = std::span<const double>;

Map<const VectorXd> vector(Span a) { return {a.data(), static_cast<Index>(a.size())}; }

/// Checks the sizes (and that all is finite) and returns d.
Index dimension(const char* what, Span mean1, Span spread1, Span mean2, Span spread2, bool dense) {
  const std::size_t d = mean1.size();
  const std::size_t expected = dense ? d * d : d;
  if (d == 0 || mean2.size() != d || spread1.size() != expected || spread2.size() != expected) {
    throw std::invalid_argument(fmt::format(
        "{}: sizes disagree: means of {} and {}, {} of {} and {} numbers", what, d, mean2.size(),
        dense ? "covariances" : "variances", spread1.size(), spread2.size()));
  }
  for (const Span a : {mean1, spread1, mean2, spread2}) {
    if (!vector(a).allFinite()) {
      throw std::invalid_argument(fmt::format("{}: means and variances must be finite", what));
    }
  }
  return static_cast<Index>(d);
}

void check_variance(const char* what, Span variance) {
  for (const double v : variance) {
    if (v < 0.0) {
      throw std::invalid_argument(fmt::format("{}: a variance must be >= 0: got {}", what, v));
    }
  }
}

/// Eigenvalues below this times the largest are not rounding.
constexpr double negative_tolerance = 1e-10;

/// The symmetric square root of a positive semidefinite matrix.
MatrixXd square_root(const char* what, const MatrixXd& c) {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(c);
  const VectorXd& values = eigen.eigenvalues();
  if (values.minCoeff() < -negative_tolerance * std::max(values.maxCoeff(), 0.0)) {
    throw std::invalid_argument(fmt::format(
        "{}: a covariance must be positive semidefinite: its smallest eigenvalue is {:.6g}", what,
        values.minCoeff()));
  }
  const VectorXd roots = values.cwiseMax(0.0).cwiseSqrt();
  return eigen.eigenvectors() * roots.asDiagonal() * eigen.eigenvectors().transpose();
}

/// min over orthogonal U of |root1 - root2 U|_F: the maximum of tr(root1^T root2 U) is reached at
/// U = W V^T, with root2^T root1 = W S V^T.
double nearest_roots(const MatrixXd& root1, const MatrixXd& root2) {
  const Eigen::BDCSVD<MatrixXd> svd(root2.transpose() * root1,
                                    Eigen::ComputeFullU | Eigen::ComputeFullV);
  return (root1 - root2 * svd.matrixU() * svd.matrixV().transpose()).norm();
}

/// mu - ln(1 + mu), without cancellation at small mu; infinite at mu = -1.
double entropy_term(double mu) {
  return mu <= -1.0 ? std::numeric_limits<double>::infinity() : -boost::math::log1pmx(mu);
}

}  // namespace

double bures_wasserstein(Span mean1, Span covariance1, Span mean2, Span covariance2) {
  constexpr auto what = "bures_wasserstein";
  const Index d = dimension(what, mean1, covariance1, mean2, covariance2, true);
  const MatrixXd root1 = square_root(what, Map<const MatrixXd>(covariance1.data(), d, d));
  const MatrixXd root2 = square_root(what, Map<const MatrixXd>(covariance2.data(), d, d));
  return std::hypot((vector(mean1) - vector(mean2)).norm(), nearest_roots(root1, root2));
}

double bures_wasserstein_roots(Span mean1, Span root1, Span mean2, Span root2) {
  const std::size_t d = mean1.size();
  if (d == 0 || mean2.size() != d || root1.size() % d != 0 || root2.size() % d != 0 ||
      root1.empty() || root2.empty())
    throw std::invalid_argument(fmt::format(
        "bures_wasserstein_roots: sizes disagree: means of {} and {}, roots of {} and {} numbers",
        d, mean2.size(), root1.size(), root2.size()));
  for (const Span a : {mean1, root1, mean2, root2})
    if (!vector(a).allFinite())
      throw std::invalid_argument("bures_wasserstein_roots: means and roots must be finite");
  const auto rows = static_cast<Index>(d);
  const Index q1 = static_cast<Index>(root1.size()) / rows,
              q2 = static_cast<Index>(root2.size()) / rows;
  MatrixXd r1 = MatrixXd::Zero(rows, std::max(q1, q2)), r2 = r1;
  r1.leftCols(q1) = Map<const MatrixXd>(root1.data(), rows, q1);
  r2.leftCols(q2) = Map<const MatrixXd>(root2.data(), rows, q2);
  return std::hypot((vector(mean1) - vector(mean2)).norm(), nearest_roots(r1, r2));
}

GaussianRoot root_of(const GaussianLaw& law) {
  const Index d = law.mean.size();
  if (d == 0 || law.covariance.rows() != d || law.covariance.cols() != d)
    throw std::invalid_argument(fmt::format("root_of: a mean of {} and a covariance of {} x {}", d,
                                            law.covariance.rows(), law.covariance.cols()));
  return {law.mean, square_root("root_of", law.covariance)};
}

double bures_wasserstein_diagonal(Span mean1, Span variance1, Span mean2, Span variance2) {
  constexpr auto what = "bures_wasserstein_diagonal";
  dimension(what, mean1, variance1, mean2, variance2, false);
  check_variance(what, variance1);
  check_variance(what, variance2);
  return std::hypot((vector(mean1) - vector(mean2)).norm(),
                    (vector(variance1).cwiseSqrt() - vector(variance2).cwiseSqrt()).norm());
}

double gaussian_kl(Span mean1, Span covariance1, Span mean2, Span covariance2) {
  constexpr auto what = "gaussian_kl";
  const Index d = dimension(what, mean1, covariance1, mean2, covariance2, true);
  const Map<const MatrixXd> c1(covariance1.data(), d, d);
  const Map<const MatrixXd> c2(covariance2.data(), d, d);
  square_root(what, c1);  // refuses what is no covariance
  const Eigen::LLT<MatrixXd> cholesky(c2);
  if (cholesky.info() != Eigen::Success) {
    throw std::invalid_argument("gaussian_kl: the second covariance must be positive definite");
  }

  const auto whiten = [&](const MatrixXd& a) -> MatrixXd { return cholesky.matrixL().solve(a); };
  const MatrixXd difference = whiten(whiten(c1 - c2).transpose());
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(difference, Eigen::EigenvaluesOnly);
  double sum = whiten(vector(mean1) - vector(mean2)).squaredNorm();
  for (Index i = 0; i < d; ++i) sum += entropy_term(eigen.eigenvalues()(i));
  return 0.5 * sum;
}

double gaussian_kl_diagonal(Span mean1, Span variance1, Span mean2, Span variance2) {
  constexpr auto what = "gaussian_kl_diagonal";
  dimension(what, mean1, variance1, mean2, variance2, false);
  check_variance(what, variance1);
  double sum = 0.0;
  for (std::size_t i = 0; i < mean1.size(); ++i) {
    if (!(variance2[i] > 0.0)) {
      throw std::invalid_argument(fmt::format(
          "gaussian_kl_diagonal: the second variance must be positive: got {}", variance2[i]));
    }
    const double shift = mean1[i] - mean2[i];
    sum +=
        shift * shift / variance2[i] + entropy_term((variance1[i] - variance2[i]) / variance2[i]);
  }
  return 0.5 * sum;
}

}  // namespace fokker
