#pragma once
/// @file  fokker/diffusion/model/critically_damped_langevin.hpp
/// @brief Critically damped Langevin diffusion: noise enters through a velocity.

#include <cmath>
#include <type_traits>
#include <utility>

#include <fokker/diffusion/score/evaluate_score.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/noise/initial.hpp>

namespace fokker {

/// (x_t, v_t) given x_0, the same in every coordinate: normal with mean (mean_x x_0, mean_v x_0)
/// and covariance [xx, xv; xv, vv].
struct PhaseMoments {
  double mean_x, mean_v;
  double xx, xv, vv;
};

/// The forward process on positions and velocities, with Gamma^2 = 4 M:
///
///     dx = beta M^-1 v dt
///     dv = -beta x dt - beta Gamma M^-1 v dt + sqrt(2 Gamma beta) dw,     v_0 ~ N(0, gamma M I)
///
/// (Ito, additive noise, half of whose components are 0.) It ends near N(0, I) x N(0, M I), which
/// it leaves alone. States are 2d x n: the d rows of x, then the d rows of v. As A = beta [0, 1/M;
/// -1, -Gamma/M] has the double eigenvalue -beta omega, omega = M^-1/2, with u = omega beta t
///
///     exp(At) = exp(-u) [1 + u, omega u; -u/omega, 1 - u]
///
/// and the covariance is S + exp(At) (S_0 - S) exp(At)^T with S = diag(1, M). Source: Dockhorn,
/// Vahdat & Kreis (2022), arXiv 2112.07068, section 3.
struct CriticallyDampedLangevin {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::additive;

  double inverse_mass = 4;  ///< 1/M
  double beta = 4;
  double gamma = 0.04;  ///< variance of the first velocities over M
  Time end = 1;

  /// Frequency of the oscillator.
  double omega() const { return std::sqrt(inverse_mass); }
  double friction() const { return 2 / omega(); }  ///< Gamma
  double noise_strength() const { return std::sqrt(2 * friction() * beta); }
  Time end_time() const { return end; }
  Time t_min() const { return 1e-3 * end; }

  /// @throws std::invalid_argument  unless all parameters are positive and finite
  void validate() const;

  /// beta M^-1 v, and -beta x - beta Gamma M^-1 v: expressions over z, 2d x n.
  template <State X>
  auto position_rate(const X& z) const {
    return static_cast<typename X::Scalar>(beta * inverse_mass) * z.bottomRows(z.rows() / 2);
  }
  template <State X>
  auto velocity_rate(const X& z) const {
    using S = typename X::Scalar;
    const Index d = z.rows() / 2;
    return -static_cast<S>(beta) * z.topRows(d) -
           static_cast<S>(beta * friction() * inverse_mass) * z.bottomRows(d);
  }

  /// @param z,out  2d x n; must not overlap
  template <State X>
  void drift(const X& z, Time, X& out) const {
    const Index d = z.rows() / 2;
    out.topRows(d) = position_rate(z);
    out.bottomRows(d) = velocity_rate(z);
  }

  /// 0 for positions, sqrt(2 Gamma beta) for velocities. @param g  2d rows
  void diffusion(Time, auto&& g) const {
    using S = typename std::remove_cvref_t<decltype(g)>::Scalar;
    const Index d = g.rows() / 2;
    g.topRows(d).setZero();
    g.bottomRows(d).setConstant(static_cast<S>(noise_strength()));
  }

  /// The law of (x_t, v_t) given x_0, velocities integrated out; each entry to rounding as t -> 0.
  PhaseMoments moments(Time t) const;
};

/// N(0, I) x N(0, M I), where the forward process ends: an InitialLaw of 2d components.
struct PhasePrior {
  double inverse_mass = 4;
  Index d = -1;  ///< < 0: half of what the process that starts has

  Index dimension() const { return d < 0 ? -1 : 2 * d; }
  template <State X>
  void sample(PathRandom& random, X& z) const {
    random.normal(z);
    z.bottomRows(z.rows() / 2) *= static_cast<typename X::Scalar>(1 / std::sqrt(inverse_mass));
  }
};

/// The exact score grad log p_t(x, v), 2d x n, of any data with a `denoise(x, s, std, out)`. With
/// the covariance C of `moments` and e = (mean_x, mean_v), (x, v) tells of x_0 what
///
///     y = e^T C^-1 (x, v) / q = x_0 + eps/sqrt(q),     q = e^T C^-1 e
///
/// does, so that the score is C^-1 (e E[x_0 | y] - (x, v)). For t > 0. A call allocates two blocks.
template <class Data>
struct PhaseScore {
  CriticallyDampedLangevin process;
  Data data;

  Index dimension() const { return 2 * data.dimension(); }

  /// out = grad log p_t(z). @param z,out  2d x n; must not overlap
  template <State X>
  void operator()(const X& z, Time t, X& out) const {
    using S = typename X::Scalar;
    constexpr int columns = X::ColsAtCompileTime;
    using Half =
        Eigen::Array<S, Eigen::Dynamic, columns, columns == 1 ? Eigen::ColMajor : Eigen::RowMajor>;
    const auto [ax, av, xx, xv, vv] = process.moments(t);
    const double determinant = xx * vv - xv * xv;
    const double ixx = vv / determinant, ixv = -xv / determinant, ivv = xx / determinant;
    const double wx = ixx * ax + ixv * av, wv = ixv * ax + ivv * av;
    const double q = wx * ax + wv * av;

    const Index d = z.rows() / 2;
    const auto x = z.topRows(d), v = z.bottomRows(d);
    const Half y = static_cast<S>(wx / q) * x + static_cast<S>(wv / q) * v;
    Half x0(d, z.cols());
    data.denoise(y, 1, 1 / std::sqrt(q), x0);
    out.topRows(d) = static_cast<S>(wx) * x0 - static_cast<S>(ixx) * x - static_cast<S>(ixv) * v;
    out.bottomRows(d) = static_cast<S>(wv) * x0 - static_cast<S>(ixv) * x - static_cast<S>(ivv) * v;
  }
};

template <class Data>
PhaseScore(CriticallyDampedLangevin, Data) -> PhaseScore<Data>;

/// The exact score of `data` under critically damped Langevin diffusion.
/// @throws std::invalid_argument  see CriticallyDampedLangevin::validate
template <class Data>
auto exact_score(CriticallyDampedLangevin process, Data data) {
  process.validate();
  return PhaseScore<Data>{process, std::move(data)};
}

namespace detail {

/// The drift of the way back: out = A z - (1 + eta^2) Gamma beta (0, grad_v log p_t(z)).
template <class Score, State X>
void phase_drift(const CriticallyDampedLangevin& process, const Score& score, double eta,
                 const X& z, Time t, X& out) {
  using S = typename X::Scalar;
  evaluate_score(score, z, t, out);
  const Index d = z.rows() / 2;
  const double g = process.noise_strength();
  const auto weight = static_cast<S>(0.5 * (1 + eta * eta) * g * g);
  out.topRows(d) = process.position_rate(z);
  out.bottomRows(d) = process.velocity_rate(z) - weight * out.bottomRows(d);
}

}  // namespace detail

/// The way back of critically damped Langevin diffusion, t decreasing: the drift of the forward
/// process less (1 + eta^2) Gamma beta grad_v log p_t on the velocities, and eta times its noise
/// (Ito, additive). It has the marginals of the forward process for every eta >= 0. A score writes
/// grad log p_t(x, v), of which only the velocities' half is used.
template <class Score>
struct ReverseCriticallyDampedLangevin {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::additive;
  static constexpr Clock clock = Clock::down;

  CriticallyDampedLangevin process;
  Score score;
  double eta = 1;  ///< at least 0

  Index dimension() const requires requires(const Score& s) { s.dimension(); }
  { return score.dimension(); }

  /// @param z,out  2d x n; must not overlap
  template <State X>
  void drift(const X& z, Time t, X& out) const {
    detail::phase_drift(process, score, eta, z, t, out);
  }

  void diffusion(Time t, auto&& g) const {
    process.diffusion(t, g);
    g *= static_cast<typename std::remove_cvref_t<decltype(g)>::Scalar>(eta);
  }
};

template <class Score>
ReverseCriticallyDampedLangevin(CriticallyDampedLangevin, Score)
    -> ReverseCriticallyDampedLangevin<Score>;
template <class Score>
ReverseCriticallyDampedLangevin(CriticallyDampedLangevin, Score, double)
    -> ReverseCriticallyDampedLangevin<Score>;

/// The probability flow of critically damped Langevin diffusion, both ways in time: eta = 0 above.
template <class Score>
struct CriticallyDampedFlow {
  static constexpr NoiseKind noise = NoiseKind::none;

  CriticallyDampedLangevin process;
  Score score;

  Index dimension() const requires requires(const Score& s) { s.dimension(); }
  { return score.dimension(); }

  /// @param z,out  2d x n; must not overlap
  template <State X>
  void drift(const X& z, Time t, X& out) const {
    detail::phase_drift(process, score, 0, z, t, out);
  }
};

template <class Score>
CriticallyDampedFlow(CriticallyDampedLangevin, Score) -> CriticallyDampedFlow<Score>;

}  // namespace fokker
