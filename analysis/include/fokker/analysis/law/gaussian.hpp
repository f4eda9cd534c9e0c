#pragma once
/// @file  fokker/analysis/law/gaussian.hpp
/// @brief Gaussian laws and the distances between them that have a closed form.

#include <span>

#include <Eigen/Core>

#include <fokker/diffusion/model/gaussian_law.hpp>
#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// N(mean, diag(variance)): two d-vectors, variance >= 0.
struct DiagonalGaussian {
  Eigen::VectorXd mean;
  Eigen::VectorXd variance;
};

/// The law of mean + root n with n standard normal, root d x q: N(mean, root root^T) as a linear
/// form. A covariance knows a standard deviation below 1e-8 of the largest no longer, a root does.
struct GaussianRoot {
  Eigen::VectorXd mean;
  Eigen::MatrixXd root;
};

/// The law with the symmetric root of its covariance.
/// @throws std::invalid_argument  sizes that disagree, or a covariance with an eigenvalue below
///                                -1e-10 times its largest
GaussianRoot root_of(const GaussianLaw& law);

/// The 2-Wasserstein distance between N(m1, C1) and N(m2, C2) (Bures-Wasserstein),
///
///     W2^2 = |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2).
///
/// It is computed as |m1 - m2|^2 + min over orthogonal U of |C1^1/2 - U C2^1/2|_F^2 (the same
/// number), whose rounding error is eps sqrt(tr C) in the distance, not sqrt(eps) as in the trace.
/// Source  Bhatia, Jain & Lim, "On the Bures-Wasserstein distance between positive definite
///         matrices", Expo. Math. 37 (2019), theorem 1.
/// @param mean1,mean2              d numbers each
/// @param covariance1,covariance2  d x d numbers each, symmetric (so the storage order is free)
/// @throws std::invalid_argument   sizes that disagree, values that are not finite, or a covariance
///                                 with an eigenvalue below -1e-10 times its largest
double bures_wasserstein(std::span<const double> mean1, std::span<const double> covariance1,
                         std::span<const double> mean2, std::span<const double> covariance2);

/// The same between laws with roots R1 (d x q1) and R2 (d x q2), column after column:
/// |m1 - m2|^2 + min over orthogonal U of |R1 - R2 U|_F^2, the smaller root filled up with zeros.
/// Its rounding error is eps sqrt(tr C), also where the covariances are singular.
/// @throws std::invalid_argument  sizes that disagree, or values that are not finite
double bures_wasserstein_roots(std::span<const double> mean1, std::span<const double> root1,
                               std::span<const double> mean2, std::span<const double> root2);

/// The same for diagonal covariances: W2^2 = |m1 - m2|^2 + sum_i (sqrt v1_i - sqrt v2_i)^2.
/// @throws std::invalid_argument  sizes that disagree, a variance below 0 or not finite
double bures_wasserstein_diagonal(std::span<const double> mean1, std::span<const double> variance1,
                                  std::span<const double> mean2, std::span<const double> variance2);

/// The relative entropy KL(N(m1, C1) || N(m2, C2)), in nats:
///
///     1/2 [sum_i (mu_i - ln(1 + mu_i)) + (m1 - m2)^T C2^-1 (m1 - m2)],
///
/// mu_i the eigenvalues of C2^-1/2 (C1 - C2) C2^-1/2; exact to rounding near equality. Infinite
/// where C1 is singular.
/// @throws std::invalid_argument  as bures_wasserstein, and if C2 is not positive definite
double gaussian_kl(std::span<const double> mean1, std::span<const double> covariance1,
                   std::span<const double> mean2, std::span<const double> covariance2);

/// The same for diagonal covariances.
double gaussian_kl_diagonal(std::span<const double> mean1, std::span<const double> variance1,
                            std::span<const double> mean2, std::span<const double> variance2);

namespace detail {
/// The coefficients of a plain vector or matrix.
inline std::span<const double> coefficients(const auto& a) {
  return {a.data(), static_cast<std::size_t>(a.size())};
}
}  // namespace detail

/// W2 between two Gaussian laws; see the version on spans.
inline double bures_wasserstein(const GaussianLaw& p, const GaussianLaw& q) {
  using detail::coefficients;
  return bures_wasserstein(coefficients(p.mean), coefficients(p.covariance), coefficients(q.mean),
                           coefficients(q.covariance));
}

/// W2 between two Gaussian laws given by roots.
inline double bures_wasserstein(const GaussianRoot& p, const GaussianRoot& q) {
  using detail::coefficients;
  return bures_wasserstein_roots(coefficients(p.mean), coefficients(p.root), coefficients(q.mean),
                                 coefficients(q.root));
}

/// W2 between two Gaussian laws with diagonal covariance.
inline double bures_wasserstein(const DiagonalGaussian& p, const DiagonalGaussian& q) {
  using detail::coefficients;
  return bures_wasserstein_diagonal(coefficients(p.mean), coefficients(p.variance),
                                    coefficients(q.mean), coefficients(q.variance));
}

/// KL(p || q) between two Gaussian laws; see the version on spans.
inline double gaussian_kl(const GaussianLaw& p, const GaussianLaw& q) {
  using detail::coefficients;
  return gaussian_kl(coefficients(p.mean), coefficients(p.covariance), coefficients(q.mean),
                     coefficients(q.covariance));
}

/// KL(p || q) between two Gaussian laws with diagonal covariance.
inline double gaussian_kl(const DiagonalGaussian& p, const DiagonalGaussian& q) {
  using detail::coefficients;
  return gaussian_kl_diagonal(coefficients(p.mean), coefficients(p.variance), coefficients(q.mean),
                              coefficients(q.variance));
}

}  // namespace fokker
