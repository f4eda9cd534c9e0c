#pragma once
/// @file  fokker/diffusion/model/two_sided_interpolant.hpp
/// @brief Stochastic interpolants between two data distributions, neither of which need be normal.
///
/// On [0, 1], from the data x0 to the base x1, with x0, x1 and z ~ N(0, I) independent,
///
///     x_t = alpha(t) x0 + beta(t) x1 + gamma(t) z
///
/// has a law that obeys d p_t / dt + div(b p_t) = 0 with the velocity b(x, t) = E[alpha' x0 + beta'
/// x1 + gamma' z | x_t = x], and the score -E[z | x_t = x] / gamma. Where x1 is normal, p_t is that
/// of an affine process: see StochasticInterpolant in schedules.hpp. Source: Albergo, Boffi &
/// Vanden-Eijnden (2023), arXiv 2303.08797, who generate with t increasing.

#include <cmath>
#include <memory>
#include <type_traits>
#include <utility>

#include <fokker/diffusion/data/any_data.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/solvers/core/process.hpp>

namespace fokker {

/// alpha, beta and gamma of an interpolant. Linear: alpha = 1 - t, beta = t; trigonometric: alpha =
/// cos(pi t/2), beta = sin(pi t/2). `root`: gamma = sqrt(t (1 - t)), whose gamma' is infinite at
/// both ends but enters through gamma gamma' = 1/2 - t alone; `sine`: gamma = sin^2(pi t); `none`:
/// gamma = 0, a path without z.
struct InterpolantPath {
  /// Form of alpha and beta.
  enum class Weights { linear, trigonometric };
  /// Form of gamma.
  enum class Gamma { root, sine, none };
  Weights weights = Weights::linear;
  Gamma noise = Gamma::root;

  /// Weight of x_0.
  double alpha(Time t) const;
  /// Weight of x_1.
  double beta(Time t) const { return alpha(1 - t); }
  double alpha_rate(Time t) const;  ///< alpha'
  /// Derivative of beta.
  double beta_rate(Time t) const { return -alpha_rate(1 - t); }
  /// Weight of z.
  double gamma(Time t) const;
  double half_variance_rate(Time t) const;  ///< gamma gamma'
};

namespace detail {

/// The coefficients of E[x0_weight x0 + x1_weight x1 + noise_weight / gamma z | x_t = x].
struct InterpolantReadout {
  double x0_weight, x1_weight, noise_weight;
};

class InterpolantModel;

}  // namespace detail

/// The interpolant of two mixtures of normals or of points, by closed forms. Given components i of
/// x0 and k of x1, x_t is N(mu, V) with mu = alpha m_i + beta m_k and V = alpha^2 C_i + beta^2 C_k
/// + gamma^2 I, and
///
///     E[x0|x] = m_i + alpha C_i V^-1 (x - mu)      E[x1|x] = m_k + beta C_k V^-1 (x - mu)
///     E[z|x] = gamma V^-1 (x - mu)                 score = -V^-1 (x - mu)
///     b = alpha' m_i + beta' m_k + (alpha alpha' C_i + beta beta' C_k + gamma gamma' I) V^-1 (x -
///     mu)
///
/// to be averaged over all pairs by their posterior weights (log-sum-exp). Nothing divides by
/// gamma: where an end has a density, these are exact and finite up to that end.
///
/// Times lie in [0, 1]. At an end without a density, and for two such ends without gamma
/// everywhere, x_t has none and all but the two denoisers at the ends throw
/// std::invalid_argument. States are d x n, float or double, computed in double. A call costs
/// O(K0 K1 d) per path for isotropic components and O(K0 K1 d^2) for others, and makes its tables,
/// O(K0 K1 d^3) for those; it allocates nothing once the scratch of a thread has grown. Copies
/// share one constant model.
class TwoSidedInterpolant {
 public:
  /// @param x0,x1  Gaussian, mixture or finite set, of the same dimension: the data and the base
  /// @throws std::invalid_argument  another kind of data, or dimensions that disagree
  TwoSidedInterpolant(AnyData x0, AnyData x1, InterpolantPath path = {});

  const AnyData& data() const { return x0_; }  ///< the law at t = 0
  const AnyData& base() const { return x1_; }  ///< the law at t = 1
  /// The weights of the interpolant.
  const InterpolantPath& path() const { return path_; }
  Index dimension() const { return x0_.dimension(); }

  /// The law of x_t: density, samples and score of a mixture of K0 K1 components.
  /// @throws std::invalid_argument  where x_t has no density
  GaussianMixture marginal(Time t) const;

  /// out = b(x, t). @param x,out  d x n; must not overlap, here and below
  template <State X>
  void velocity(const X& x, Time t, X& out) const {
    drift(x, t, 0, out);
  }

  /// out = b(x, t) - epsilon score(x, t), at the cost of one of them.
  template <State X>
  void drift(const X& x, Time t, double epsilon, X& out) const {
    read(x, t, {path_.alpha_rate(t), path_.beta_rate(t), path_.half_variance_rate(t) + epsilon},
         out);
  }

  /// out = grad log p_t(x).
  template <State X>
  void score(const X& x, Time t, X& out) const {
    read(x, t, {0, 0, -1}, out);
  }

  /// out = E[x0 | x_t = x], also at both ends.
  template <State X>
  void denoise(const X& x, Time t, X& out) const {
    if (t == 0 || t == 1)
      x0_.denoise(x, 1 - t, 0, out);
    else
      read(x, t, {1, 0, 0}, out);
  }

  /// out = E[x1 | x_t = x], also at both ends.
  template <State X>
  void denoise_base(const X& x, Time t, X& out) const {
    if (t == 0 || t == 1)
      x1_.denoise(x, t, 0, out);
    else
      read(x, t, {0, 1, 0}, out);
  }

  /// out = E[z | x_t = x].
  template <State X>
  void noise(const X& x, Time t, X& out) const {
    read(x, t, {0, 0, path_.gamma(t)}, out);
  }

 private:
  template <State X>
  void read(const X& x, Time t, const detail::InterpolantReadout& readout, X& out) const {
    detail::with_input(x, [&](auto in) {
      detail::with_output(out, [&](auto result) { read_block(in, t, readout, result); });
    });
  }

  void read_block(detail::BlockView<const double> x, Time t,
                  const detail::InterpolantReadout& readout, detail::BlockView<double> out) const;
  void read_block(detail::BlockView<const float> x, Time t,
                  const detail::InterpolantReadout& readout, detail::BlockView<float> out) const;

  AnyData x0_, x1_;
  InterpolantPath path_;
  std::shared_ptr<const detail::InterpolantModel> model_;
};

/// The flow of an interpolant, both ways in time: dx/dt = b(x, t) carries the law of x1 at t = 1 to
/// that of x0 at t = 0, and back. `interpolant` has `velocity(x, t, out)`.
template <class Interpolant>
struct InterpolantFlow {
  static constexpr NoiseKind noise = NoiseKind::none;

  Interpolant interpolant;

  Index dimension() const { return interpolant.dimension(); }

  /// @param x,out  d x n; must not overlap
  template <State X>
  void drift(const X& x, Time t, X& out) const {
    interpolant.velocity(x, t, out);
  }
};

template <class Interpolant>
InterpolantFlow(Interpolant) -> InterpolantFlow<Interpolant>;

namespace detail {

/// epsilon at t, of a number or a callable.
template <class Epsilon>
double epsilon_at(const Epsilon& epsilon, Time t) {
  if constexpr (std::is_arithmetic_v<Epsilon>)
    return epsilon;
  else
    return epsilon(t);
}

}  // namespace detail

/// The way from the base to the data with noise, t decreasing, epsilon >= 0 a number or a callable
/// of t (Ito, additive noise):
///
///     dx = [b - epsilon score] dt + sqrt(2 epsilon) dw-bar
///
/// It has the marginals of the interpolant for every epsilon. `interpolant` has `drift(x, t,
/// epsilon, out)`. Where an end is of points, its score grows like 1/gamma^2: there a constant
/// epsilon makes the equation stiff, and one that falls like gamma^2 does not.
template <class Interpolant, class Epsilon = double>
struct ReverseInterpolantSde {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::additive;
  static constexpr Clock clock = Clock::down;

  Interpolant interpolant;
  Epsilon epsilon;

  Index dimension() const { return interpolant.dimension(); }

  /// @param x,out  d x n; must not overlap
  template <State X>
  void drift(const X& x, Time t, X& out) const {
    interpolant.drift(x, t, detail::epsilon_at(epsilon, t), out);
  }

  double diffusion(Time t) const { return std::sqrt(2 * detail::epsilon_at(epsilon, t)); }
};

template <class Interpolant, class Epsilon>
ReverseInterpolantSde(Interpolant, Epsilon) -> ReverseInterpolantSde<Interpolant, Epsilon>;

/// The same from the data to the base, t increasing: dx = [b + epsilon score] dt + sqrt(2 epsilon)
/// dw.
template <class Interpolant, class Epsilon = double>
struct ForwardInterpolantSde {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::additive;

  Interpolant interpolant;
  Epsilon epsilon;

  Index dimension() const { return interpolant.dimension(); }

  /// @param x,out  d x n; must not overlap
  template <State X>
  void drift(const X& x, Time t, X& out) const {
    interpolant.drift(x, t, -detail::epsilon_at(epsilon, t), out);
  }

  double diffusion(Time t) const { return std::sqrt(2 * detail::epsilon_at(epsilon, t)); }
};

template <class Interpolant, class Epsilon>
ForwardInterpolantSde(Interpolant, Epsilon) -> ForwardInterpolantSde<Interpolant, Epsilon>;

}  // namespace fokker
