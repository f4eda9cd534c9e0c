/// @file  order/sde.cpp
/// @brief Strong orders of the SDE solvers against exact solutions on the same Brownian paths, and
///        the exact moments and errors of the schemes themselves, without a tolerance for h.

#include <cmath>
#include <vector>

#include "catch.hpp"

#include <fokker/analysis/convergence/regression.hpp>
#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/noise/brownian.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

using namespace fokker;

namespace {

using X = Block<double>;

// ---- problems with X_T = exact(x0, T, W_T) ------------------------------------------------------

/// dX = mu X dt + sigma X dW, in Ito's or in Stratonovich's sense.
template <Calculus c>
struct Gbm {
  static constexpr Calculus calculus = c;
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr int dimension = 1;
  static constexpr double x0 = 1, mu = 0.1, sigma = 0.5;
  auto drift(const auto& x, Time) const { return mu * x; }
  auto diffusion(const auto& x, Time) const { return sigma * x; }
  static X exact(Time t, const X& w) {
    const double shift = c == Calculus::ito ? sigma * sigma / 2 : 0;
    return x0 * ((mu - shift) * t + sigma * w).exp();
  }
};
struct GbmWithSlope : Gbm<Calculus::ito> {
  double diffusion_slope(const auto&, Time) const { return sigma; }
};

/// dX = -a^2 sin X cos^3 X dt + a cos^2 X dW (Ito), dX = a cos^2 X o dW (Stratonovich):
/// X = atan(a W + tan x0).
template <Calculus c>
struct Arctangent {
  static constexpr Calculus calculus = c;
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr int dimension = 1;
  static constexpr double x0 = 0.5, a = 0.8;
  auto drift(const auto& x, Time) const {
    constexpr double on = c == Calculus::ito ? 1 : 0;
    return -on * a * a * x.sin() * x.cos().cube();
  }
  auto diffusion(const auto& x, Time) const { return a * x.cos().square(); }
  static X exact(Time, const X& w) { return (a * w + std::tan(x0)).atan(); }
};
struct ArctangentWithSlope : Arctangent<Calculus::ito> {
  auto diffusion_slope(const auto& x, Time) const { return -2 * a * x.sin() * x.cos(); }
};

/// dX = -(alpha + beta^2 X)(1 - X^2) dt + beta (1 - X^2) dW:
/// X = ((1 + x0) E + x0 - 1) / ((1 + x0) E + 1 - x0), E = exp(-2 alpha t + 2 beta W).
struct Cubic {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr int dimension = 1;
  static constexpr double x0 = 0.5, alpha = 0.3, beta = 0.5;
  auto drift(const auto& x, Time) const { return -(alpha + beta * beta * x) * (1 - x.square()); }
  auto diffusion(const auto& x, Time) const { return beta * (1 - x.square()); }
  static X exact(Time t, const X& w) {
    const X e = (1 + x0) * (-2 * alpha * t + 2 * beta * w).exp();
    return (e + x0 - 1) / (e + 1 - x0);
  }
};

/// dX = (beta / sqrt(1+t) - X / (2 (1+t))) dt + alpha beta / sqrt(1+t) dW:
/// X = (x0 + beta (t + alpha W)) / sqrt(1+t).
struct Damped {
  static constexpr NoiseKind noise = NoiseKind::additive;
  static constexpr int dimension = 1;
  static constexpr double x0 = 1, alpha = 3, beta = 0.5;
  auto drift(const auto& x, Time t) const { return beta / std::sqrt(1 + t) - x / (2 * (1 + t)); }
  double diffusion(Time t) const { return alpha * beta / std::sqrt(1 + t); }
  static X exact(Time t, const X& w) { return (x0 + beta * (t + alpha * w)) / std::sqrt(1 + t); }
};

/// dX = (2 X / (1+t) + (1+t)^2) dt + (1+t)^2 dW: X = (1+t)^2 (x0 + W + t).
struct Growing {
  static constexpr NoiseKind noise = NoiseKind::additive;
  static constexpr int dimension = 1;
  static constexpr double x0 = 1;
  auto drift(const auto& x, Time t) const { return 2 / (1 + t) * x + (1 + t) * (1 + t); }
  double diffusion(Time t) const { return (1 + t) * (1 + t); }
  static X exact(Time t, const X& w) { return (1 + t) * (1 + t) * (x0 + w + t); }
};

/// The circle (cos W, sin W): g = (-Y, X), drift -X / 2 in Ito's sense and none in Stratonovich's.
template <Calculus c>
struct Circle {
  static constexpr Calculus calculus = c;
  static constexpr NoiseKind noise = NoiseKind::scalar;
  static constexpr int dimension = 2;
  static constexpr double x0[] = {1, 0};
  auto drift(const auto& x, Time) const { return (c == Calculus::ito ? -0.5 : 0.0) * x; }
  void diffusion(const auto& x, Time, auto& out) const {
    out.row(0) = -x.row(1);
    out.row(1) = x.row(0);
  }
  static X exact(Time, const X& w) {
    X x(2, w.cols());
    x.row(0) = w.row(0).cos();
    x.row(1) = w.row(0).sin();
    return x;
  }
};
struct CircleWithSlope : Circle<Calculus::ito> {
  auto diffusion_slope(const auto& x, Time) const { return -x; }
};

/// Two components of geometric Brownian motion with different sigma, driven by one W.
struct SharedNoise {
  static constexpr Calculus calculus = Calculus::ito;
  static constexpr NoiseKind noise = NoiseKind::scalar;
  static constexpr int dimension = 2;
  static constexpr double x0[] = {1, 1};
  auto drift(const auto& x, Time) const { return 0.1 * x; }
  void diffusion(const auto& x, Time, auto& out) const {
    out.row(0) = 0.5 * x.row(0);
    out.row(1) = -0.3 * x.row(1);
  }
  static X exact(Time t, const X& w) {
    X x(2, w.cols());
    x.row(0) = ((0.1 - 0.125) * t + 0.5 * w.row(0)).exp();
    x.row(1) = ((0.1 - 0.045) * t - 0.3 * w.row(0)).exp();
    return x;
  }
};

/// General noise that commutes: g_k = B_k X with B_1 = 0.4 I, B_2 = 0.3 R, R the rotation by a
/// right angle; dX = g_1 o dW_1 + g_2 o dW_2: X = exp(0.4 W_1) (cos 0.3 W_2, sin 0.3 W_2).
struct Spiral {
  static constexpr Calculus calculus = Calculus::stratonovich;
  static constexpr NoiseKind noise = NoiseKind::general;
  static constexpr int dimension = 2;
  static constexpr double x0[] = {1, 0};
  Index sources() const { return 2; }
  auto drift(const auto& x, Time) const { return 0 * x; }
  void diffusion(const auto& x, Time, Index k, auto& out) const {
    if (k == 0) {
      out = 0.4 * x;
    } else {
      out.row(0) = -0.3 * x.row(1);
      out.row(1) = 0.3 * x.row(0);
    }
  }
  static X exact(Time, const X& w) {
    X x(2, w.cols());
    x.row(0) = (0.4 * w.row(0)).exp() * (0.3 * w.row(1)).cos();
    x.row(1) = (0.4 * w.row(0)).exp() * (0.3 * w.row(1)).sin();
    return x;
  }
};

/// General noise that does not commute, the same in both calculi: dX = dW_1, dY = X dW_2.
/// Source: Clark & Cameron (1980).
template <Calculus c>
struct ClarkCameron {
  static constexpr Calculus calculus = c;
  static constexpr NoiseKind noise = NoiseKind::general;
  static constexpr int dimension = 2;
  static constexpr double x0[] = {0, 0};
  Index sources() const { return 2; }
  auto drift(const auto& x, Time) const { return 0 * x; }
  void diffusion(const auto& x, Time, Index k, auto& out) const {
    out.setZero();
    if (k == 0)
      out.row(0).setOnes();
    else
      out.row(1) = x.row(0);
  }
};

// ---- the measurement ----------------------------------------------------------------------------

/// Milstein with the sign of the correction turned round: what must not pass for order 1.
struct WrongMilstein : Milstein {
  template <State Y, Process<Y> P>
  void step(const P& p, const Y& x, Time t, Time h, const Increment<P, Y>& dw, Y& y,
            Workspace<Y>& w) const {
    Milstein::step(p, x, t, h, dw, y, w);
    const Y right = y;
    Workspace<Y> scratch(x.rows(), x.cols());
    Scratch<Y, 3> euler(x.rows(), x.cols());
    EulerMaruyama{}.step(p, x, t, h, dw, y, euler);
    y -= right - y;
  }
};

template <class P>
X start(Index paths) {
  X x(P::dimension, paths);
  for (Index r = 0; r < P::dimension; ++r) {
    if constexpr (P::dimension == 1)
      x.row(r).setConstant(P::x0);
    else
      x.row(r).setConstant(P::x0[r]);
  }
  return x;
}

/// x(1) in n equal steps on the Brownian paths that `finest` steps draw; w = W(1).
template <class M, class P>
X solve(const M& method, const P& process, Index n, Index finest, Index paths, X& w) {
  require_compatible<M, P>();
  const Index m = wiener_dimension(process, P::dimension);
  CoarsenedIncrements source(BrownianIncrements<double>(2024, 0, paths, m), finest / n);
  X x = start<P>(paths), y = x;
  typename M::template Workspace<X> workspace(P::dimension, paths);
  Increment<P, X> dw;
  dw.w.resize(m, paths);
  w = X::Zero(m, paths);
  for (Index k = 0; k < n; ++k) {
    const Time t0 = subdivision(0, 1, k, n), t1 = subdivision(0, 1, k + 1, n);
    source.increment(t0, t1, dw);
    method.step(process, x, t0, t1 - t0, dw, y, workspace);
    x.swap(y);
    w += dw.w;
  }
  return x;
}

/// The strong order at T = 1 with 2^first .. 2^(first + 4) steps, all on the same paths, with a
/// bootstrap over the paths.
template <class M, class P>
OrderFit strong_order(const M& method, const P& process, int first = 4) {
  constexpr Index paths = 2000;
  const Index finest = Index{1} << (first + 4);
  std::vector<double> h, squares;
  for (Index n = Index{1} << first; n <= finest; n *= 2) {
    X w;
    const X x = solve(method, process, n, finest, paths, w);
    const Eigen::ArrayXd square = (x - P::exact(1, w)).square().colwise().sum().transpose();
    h.push_back(1.0 / static_cast<double>(n));
    squares.insert(squares.end(), square.begin(), square.end());
  }
  return fit_order_bootstrap(h, squares, 200, 1);
}

/// Two-sided: the claimed order holds in an interval too narrow to hold another one too.
template <class M, class P>
void check_order(const M& method, const P& process, double claimed, int first = 4) {
  const OrderFit fit = strong_order(method, process, first);

  INFO(M::facts.name << ": " << verdict(fit, claimed));
  CHECK(judge(fit, claimed) == OrderVerdict::holds);
  CHECK(fit.points >= 4);
  CHECK(fit.high - fit.low < 0.25);
  CHECK(std::abs(fit.slope - claimed) < 0.1);
}

/// z of the mean of `values` against its exact expectation.
double z_score(const Eigen::ArrayXd& values, double exact) {
  const auto m = RunningMoments::of(values.size(), [&](Index j) { return values[j]; });
  return (m.mean - exact) / m.standard_error();
}

/// E X_N^2 and E X_N X_T of N steps of a scheme on geometric Brownian motion, from the one-step
/// factors E[(1 + a)^2] and e^(mu h) E[(1 + a) exp(sigma dW - sigma^2 h / 2)].
struct SchemeMoments {
  double square, mixed;
};
SchemeMoments gbm_moments(double mu, double sigma, double t, int n, bool milstein) {
  const double h = t / n, s2 = sigma * sigma, extra = milstein ? s2 * s2 * h * h / 2 : 0;
  return {std::pow((1 + mu * h) * (1 + mu * h) + s2 * h + extra, n),
          std::pow(std::exp(mu * h) * (1 + mu * h + s2 * h + extra), n)};
}

}  // namespace

TEST_CASE("Euler-Maruyama has strong order 1/2 for multiplicative noise") {
  check_order(EulerMaruyama{}, Gbm<Calculus::ito>{}, 0.5);
  check_order(EulerMaruyama{}, Arctangent<Calculus::ito>{}, 0.5);
  check_order(EulerMaruyama{}, Circle<Calculus::ito>{}, 0.5);
}

TEST_CASE("Euler-Maruyama has strong order 1 for additive noise") {
  check_order(EulerMaruyama{}, Damped{}, 1);
  check_order(EulerMaruyama{}, Growing{}, 1);
}

TEST_CASE("Milstein has strong order 1 for diagonal noise, with and without the slope") {
  check_order(Milstein{}, GbmWithSlope{}, 1);
  check_order(Milstein{}, ArctangentWithSlope{}, 1);
  check_order(Milstein{}, Gbm<Calculus::ito>{}, 1);
  check_order(Milstein{}, Arctangent<Calculus::ito>{}, 1);
  check_order(Milstein{}, Cubic{}, 1);
}

TEST_CASE("Milstein has strong order 1 for scalar noise, with and without the slope") {
  check_order(Milstein{}, CircleWithSlope{}, 1);
  check_order(Milstein{}, Circle<Calculus::ito>{}, 1);
  check_order(Milstein{}, SharedNoise{}, 1);
}

TEST_CASE("stochastic Heun has strong order 1 where the noise commutes") {
  check_order(HeunSde{}, Gbm<Calculus::stratonovich>{}, 1);
  check_order(HeunSde{}, Arctangent<Calculus::stratonovich>{}, 1);
  check_order(HeunSde{}, Circle<Calculus::stratonovich>{}, 1);
  check_order(HeunSde{}, Spiral{}, 1);
}

TEST_CASE("the measurement tells a wrong scheme and a wrong claim") {
  const OrderFit wrong = strong_order(WrongMilstein{}, GbmWithSlope{});
  const OrderFit euler = strong_order(EulerMaruyama{}, Gbm<Calculus::ito>{});
  const OrderFit milstein = strong_order(Milstein{}, GbmWithSlope{});

  CHECK(judge(wrong, 0.5) == OrderVerdict::holds);
  CHECK(judge(wrong, 1) == OrderVerdict::lower);
  CHECK(judge(euler, 1) == OrderVerdict::lower);
  CHECK(judge(milstein, 0.5) == OrderVerdict::higher);
}

TEST_CASE("without a Levy area the error on Clark and Cameron's system is the exact one") {
  // Trapezoid and exact area differ by what the increments do not say, so the error against Heun on
  // the finest steps is orthogonal: E e^2 = (h - h_fine) / 4 for Heun, and h / 4 more for
  // Euler-Maruyama. Order 1/2 in h both.
  constexpr Index paths = 4000, finest = 256;
  X w;
  const X fine = solve(HeunSde{}, ClarkCameron<Calculus::stratonovich>{}, finest, finest, paths, w);
  for (const Index n : {4, 8, 16, 32}) {
    const double h = 1.0 / static_cast<double>(n), h_fine = 1.0 / finest;
    const X heun = solve(HeunSde{}, ClarkCameron<Calculus::stratonovich>{}, n, finest, paths, w);
    const X euler = solve(EulerMaruyama{}, ClarkCameron<Calculus::ito>{}, n, finest, paths, w);

    CHECK(std::abs(z_score((heun - fine).row(1).square().transpose(), (h - h_fine) / 4)) < 5);
    CHECK(std::abs(z_score((euler - fine).row(1).square().transpose(), (2 * h - h_fine) / 4)) < 5);
    CHECK(std::abs(z_score((euler - fine).row(1).square().transpose(), (h - h_fine) / 4)) > 5);
    CHECK((heun - fine).row(0).abs().maxCoeff() < 1e-13);
  }
}

TEST_CASE("the closed errors of the schemes on GBM are those that were published") {
  // Higham's problem, lambda = 2, mu = 1, h = 2^-9 and 2^-5: root mean square errors.
  const double exact = std::exp(2 * 2.0 + 1);
  const auto error = [&](int n, bool milstein) {
    const SchemeMoments m = gbm_moments(2, 1, 1, n, milstein);
    return std::sqrt(m.square - 2 * m.mixed + exact);
  };

  CHECK_THAT(error(512, false), WithinRel(0.3946914501, 1e-9));
  CHECK_THAT(error(512, true), WithinRel(0.105931281, 1e-8));
  CHECK_THAT(error(32, false), WithinRel(2.101789756, 1e-9));
  CHECK_THAT(error(32, true), WithinRel(1.499996488, 1e-9));
}

TEST_CASE("second moments and strong errors of the schemes on GBM are the exact ones") {
  using Problem = GbmWithSlope;
  constexpr Index paths = 100'000;
  const double exact_square = std::exp(2 * Problem::mu + Problem::sigma * Problem::sigma);
  for (const int n : {1, 4, 16}) {
    for (const bool milstein : {false, true}) {
      const SchemeMoments m = gbm_moments(Problem::mu, Problem::sigma, 1, n, milstein);
      const SchemeMoments other = gbm_moments(Problem::mu, Problem::sigma, 1, n, !milstein);
      X w;
      const X x = milstein ? solve(Milstein{}, Problem{}, n, n, paths, w)
                           : solve(EulerMaruyama{}, Problem{}, n, n, paths, w);
      const X exact = Problem::exact(1, w);
      const Eigen::ArrayXd squares = x.square().transpose(), mixed = (x * exact).transpose(),
                           errors = (x - exact).square().transpose();

      CAPTURE(n, milstein);
      CHECK(std::abs(z_score(squares, m.square)) < 5);
      CHECK(std::abs(z_score(mixed, m.mixed)) < 5);
      CHECK(std::abs(z_score(errors, m.square - 2 * m.mixed + exact_square)) < 5);
      CHECK(std::abs(z_score(errors, other.square - 2 * other.mixed + exact_square)) > 5);
    }
  }
}
