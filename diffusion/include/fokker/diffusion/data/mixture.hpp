#pragma once
/// @file  fokker/diffusion/data/mixture.hpp
/// @brief Mixtures of Gaussians with the exact score and denoiser of their noised selves.
///
/// With x = s x0 + std eps, component k of p_t is N(s m_k, V_k), V_k = s^2 C_k + std^2 I, and with
/// its posterior weight w_k(x) (log-sum-exp of ln w_k - 1/2 ln det V_k - 1/2 |x - s m_k|^2_V_k)
///
///     score   -sum_k w_k V_k^-1 (x - s m_k)
///     E[x0|x]  sum_k w_k D_k,  D_k = m_k + s C_k V_k^-1 (x - s m_k)
///     Cov[x0|x]  sum_k w_k (std^2 V_k^-1 C_k + (D_k - E[x0|x]) (D_k - E[x0|x])^T)

#include <span>
#include <vector>

#include <fokker/diffusion/data/any_data.hpp>
#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// A component of a mixture: weight N(mean, covariance).
struct MixtureComponent {
  double weight;                   ///< > 0; weights are divided by their sum
  std::vector<double> mean;        ///< d numbers
  std::vector<double> covariance;  ///< d * d numbers, or a single one: that times the identity
};

/// sum_k w_k N(m_k, C_k). Components that are all isotropic take a faster path, linear in d.
class GaussianMixture : public AnyData {
 public:
  /// @throws std::invalid_argument  no component; naming the component (counted from 1): a weight
  ///         that is not positive, another dimension than the first, values that are not finite, a
  ///         covariance of the wrong size, not symmetric or not positive definite
  explicit GaussianMixture(std::vector<MixtureComponent> components);

  /// Equal isotropic modes on a circle in the plane, the first on the positive x axis.
  /// @param modes   number of modes, >= 1
  /// @param radius  of the circle through their means
  /// @param std     standard deviation of each mode, > 0
  static GaussianMixture ring(Index modes, double radius, double std);

  /// Two interleaved half circles of radius 1 in the plane, (cos u, sin u) and
  /// (1 - cos u, 1/2 - sin u) for u in [0, pi], with noise about them: equal isotropic modes at the
  /// middles of equal pieces of the arcs.
  /// @param std    standard deviation of each mode, > 0
  /// @param modes  number of modes on each half circle, >= 1; a smooth curve where pi / modes is
  ///               not above std
  static GaussianMixture two_moons(double std = 0.1, Index modes = 64);

  /// A spiral in the plane with noise about it, the swiss roll seen from its side: equal isotropic
  /// modes at u (cos u, sin u) / 4, u at the middles of equal pieces of [3 pi / 2, 9 pi / 2]: from
  /// radius 1.2 to 3.5, turns 1.6 apart.
  /// @param std    standard deviation of each mode, > 0
  /// @param modes  number of modes, >= 1; a smooth curve where 33 / modes is not above 2 std
  static GaussianMixture swiss_roll(double std = 0.1, Index modes = 192);

  /// The components, with weights that sum to 1.
  std::span<const MixtureComponent> components() const;

 private:
  friend class AnyData;
  explicit GaussianMixture(const AnyData& data) : AnyData(data) {}
};

/// A mixture from a JSON file
///
///     {"components": [{"weight": 0.3, "mean": [0, 1], "covariance": [[1, 0.2], [0.2, 2]]},
///                     {"weight": 0.7, "mean": [2, 0], "variance": 0.25}]}
///
/// where `variance` means that times the identity.
/// @throws std::runtime_error     a file that cannot be read
/// @throws std::invalid_argument  text that is not such JSON, or a mixture that is none: named by
///                                file and component
GaussianMixture mixture_from_json(const FilePath& path);

}  // namespace fokker
