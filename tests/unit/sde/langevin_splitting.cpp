/// @file  unit/sde/langevin_splitting.cpp
/// @brief The solvers for underdamped Langevin dynamics, without Monte Carlo: on a harmonic
///        potential a step is q <- M q + C_w W + C_h H + C_k K, read off the stepper, and all laws
///        and strong errors are Gaussian integrals.

#include "no_allocation.hpp"

#include "langevin_map.hpp"

#include <array>
#include <cmath>
#include <vector>

#include <Eigen/Dense>

#include "catch.hpp"

#include <fokker/processes/laws/matrix_exponential.hpp>
#include <fokker/solvers/langevin/langevin_high_order.hpp>
#include <fokker/solvers/langevin/langevin_splitting.hpp>

using namespace fokker;
using Map = test::LangevinMap;
using test::map_of;
using test::noise_covariance;
using test::stationary_covariance;

namespace {

using Matrix = Eigen::Matrix2d;
using Vector = Eigen::Vector2d;

/// The integral of f over [0, end], by Gauss's five points on 16 pieces.
template <class F>
auto integral(double end, F f) {
  constexpr std::array<double, 3> node = {0, 0.53846931010568309104, 0.90617984593866399280};
  constexpr std::array<double, 3> weight = {0.56888888888888888889, 0.47862867049936646804,
                                            0.23692688505618908751};
  const double half = end / 32;
  decltype(f(0.0)) sum = 0 * f(0.0);
  for (int piece = 0; piece < 16; ++piece) {
    const double middle = (2 * piece + 1) * half;
    sum += half * weight[0] * f(middle);
    for (std::size_t i = 1; i < 3; ++i)
      sum += half * weight[i] * (f(middle - half * node[i]) + f(middle + half * node[i]));
  }
  return sum;
}

/// sqrt(E |X_N - X_T|^2) at T = 2 of a scheme and the exact solution on the same Brownian path.
/// Both noises of a step are integrals against dB: the exact one of e^{(h - s) A} g, the scheme's
/// of C_w + C_h (1/2 - r) + C_k ((r^2 - r)/2 + 1/12), r = s / h.
template <class M>
double strong_error(const M& method, const Langevin& process, int n) {
  const double h = 2.0 / n;
  const Map a = map_of(method, process, h);
  Matrix generator;
  generator << 0, 1, -process.stiffness / process.mass, -process.gamma;
  const auto flow = [&](double s) -> Matrix { return detail::matrix_exponential(generator * s); };
  const Vector g = process.diffusion(0).matrix();
  const auto exact = [&](double s) -> Vector { return flow(h - s) * g; };
  const auto off = [&](double s) -> Vector {
    const double r = s / h;
    return a.w + (0.5 - r) * a.h + ((r * r - r) / 2 + 1.0 / 12) * a.k - exact(s);
  };
  // (X, e): X <- F X + exact, e <- M e + (M - F) X + off.
  Eigen::Matrix4d map = Eigen::Matrix4d::Zero(), noise;
  map.topLeftCorner<2, 2>() = flow(h);
  map.bottomLeftCorner<2, 2>() = a.m - flow(h);
  map.bottomRightCorner<2, 2>() = a.m;
  noise = integral(h, [&](double s) -> Eigen::Matrix4d {
    Eigen::Vector4d both;
    both << exact(s), off(s);
    return both * both.transpose();
  });
  noise.bottomRightCorner<2, 2>() += a.normals * a.normals.transpose();
  Eigen::Vector4d mean(1, -0.5, 0, 0);
  Eigen::Matrix4d covariance = Eigen::Matrix4d::Zero();
  for (int i = 0; i < n; ++i) {
    mean = (map * mean).eval();
    covariance = (map * covariance * map.transpose() + noise).eval();
  }
  return std::sqrt(mean.tail<2>().squaredNorm() + covariance.bottomRightCorner<2, 2>().trace());
}

/// The largest error of mean and covariance at T = 2.
template <class M>
double weak_error(const M& method, const Langevin& process, int n) {
  const Map a = map_of(method, process, 2.0 / n);
  Vector mean(1, -0.5);
  Matrix covariance = Matrix::Zero();
  for (int i = 0; i < n; ++i) {
    mean = (a.m * mean).eval();
    covariance = (a.m * covariance * a.m.transpose() + noise_covariance(a, 2.0 / n)).eval();
  }
  const Eigen::Array2d x0(1, -0.5);
  return std::max((mean - process.mean(x0, 2).matrix()).cwiseAbs().maxCoeff(),
                  (covariance - process.covariance(x0, 2)).cwiseAbs().maxCoeff());
}

const Langevin harmonic{.gamma = 2, .kT = 0.5, .mass = 1, .stiffness = 1.5};

/// The slopes of the errors from 64 to 128 steps are the orders claimed.
template <class M>
void check_orders(const M& method) {
  const Orders claimed = M::facts.orders(NoiseKind::additive);
  const double strong =
      std::log2(strong_error(method, harmonic, 64) / strong_error(method, harmonic, 128));
  const double weak =
      std::log2(weak_error(method, harmonic, 64) / weak_error(method, harmonic, 128));

  INFO(M::facts.name);
  CHECK_THAT(strong, WithinAbs(*claimed.strong, 0.03));
  CHECK(weak > *claimed.weak - 0.05);
}

/// Particles in two dimensions with a force that couples them; the acceleration by `out`.
struct Coupled {
  static constexpr NoiseKind noise = NoiseKind::additive;
  double friction() const { return 0.7; }
  double velocity_variance() const { return 0.4; }
  void acceleration(const auto& q, auto& out) const {
    out.row(0) = q.row(1).sin();
    out.row(1) = q.row(0) * q.row(1);
  }
  void drift(const auto& x, Time, auto& out) const {
    out.topRows(2) = x.bottomRows(2);
    out.row(2) = x.row(1).sin() - x.row(2) * 0.7f;
    out.row(3) = x.row(0) * x.row(1) - x.row(3) * 0.7f;
  }
  auto diffusion(Time) const {
    const double g = std::sqrt(2 * 0.7 * 0.4);
    return Eigen::Array4d(0, 0, g, g);
  }
};

/// y of one step from the column x with noise (w, h, k) on Block<S>, without an allocation.
template <class S, class M>
Eigen::Array4d step(const M& method, Time time_step, std::array<double, 3> noises) {
  using B = Block<S>;
  static_assert(Stepper<M, Coupled, B>);
  B x(4, 3), y(4, 3);
  x.colwise() = Eigen::Array4d(0.5, -0.4, 0.3, 0.8).cast<S>();
  Increment<Coupled, B> dw;
  dw.resize(4, 3, {.h = true, .k = true, .normals = needs_of(method).normals});
  dw.w.setConstant(static_cast<S>(noises[0]));
  dw.h.setConstant(static_cast<S>(noises[1]));
  dw.k.setConstant(static_cast<S>(noises[2]));
  typename M::template Workspace<B> workspace(4, 3);
  {
    const NoAllocation guard;
    method.step(Coupled{}, x, 0, time_step, dw, y, workspace);
  }
  CHECK((y.col(0) == y.col(2)).all());
  return y.col(1).template cast<double>();
}

}  // namespace

TEST_CASE("the stationary moments of the splittings on x^2/2 are the published ones") {
  for (const double gamma : {0.1, 1.0, 20.0}) {
    for (const double h : {0.05, 0.5, 1.5}) {
      const Langevin process{.gamma = gamma, .kT = 1, .mass = 1, .stiffness = 1};
      const auto check = [&](const auto& method, double q2, double v2) {
        const Matrix p = stationary_covariance(map_of(method, process, h), h);

        INFO(name_of(method) << ", gamma " << gamma << ", h " << h);
        CHECK_THAT(p(0, 0) / q2, WithinAbs(1, 1e-12));
        CHECK_THAT(p(1, 1) / v2, WithinAbs(1, 1e-12));
        CHECK_THAT(p(0, 1), WithinAbs(0, 1e-12));
      };
      const double less = 1 - h * h / 4;
      check(Baoab{}, 1, less);
      check(Aboba{}, 1, 1 / less);
      check(Obabo{}, 1 / less, 1);
    }
  }
}

TEST_CASE("strong and weak orders of the Langevin solvers are those claimed") {
  check_orders(Baoab{});
  check_orders(Aboba{});
  check_orders(Obabo{});
  check_orders(Ubu{});
  check_orders(Align{});
  check_orders(Sort{});
  check_orders(Quicsort{});
  check_orders(SortPublished{});
  check_orders(QuicsortPublished{});
}

TEST_CASE("the free motion of the high-order solvers is exact given W, H and K") {
  // Without a force the exact noise of (q, v), projected on W, H and K; UBU and ALIGN leave K out.
  const double h = 0.4;
  const Langevin still{.gamma = 1.7, .kT = 0.6, .mass = 1, .stiffness = 1e-300};
  const double rho = std::sqrt(2 * 1.7 * 0.6);
  const auto response = [&](double s) -> Vector {
    const double decay = std::exp(-1.7 * (h - s));
    return {rho * (1 - decay) / 1.7, rho * decay};
  };
  const auto project = [&](double variance, auto basis) -> Vector {
    return integral(h, [&](double s) -> Vector { return response(s) * basis(s / h); }) / variance;
  };
  const Vector w = project(h, [](double) { return 1.0; });
  const Vector on_h = project(h / 12, [](double r) { return 0.5 - r; });

  for (const Map& a : {map_of(Ubu{}, still, h), map_of(Align{}, still, h)}) {
    CHECK((a.w - w).norm() < 1e-14);
    CHECK((a.h - on_h).norm() < 1e-14);
    CHECK(a.k.norm() == 0);
    CHECK_THAT(a.m(0, 1), WithinAbs((1 - std::exp(-1.7 * h)) / 1.7, 1e-15));
    CHECK_THAT(a.m(1, 1), WithinAbs(std::exp(-1.7 * h), 1e-15));
  }
  const Vector on_k = project(h / 720, [](double r) { return (r * r - r) / 2 + 1.0 / 12; });
  for (const Map& a : {map_of(Sort{}, still, h), map_of(Quicsort{}, still, h)}) {
    CHECK((a.w - w).norm() < 1e-14);
    CHECK((a.h - on_h).norm() < 1e-14);
    CHECK((a.k - on_k).norm() < 1e-13);
  }
}

TEST_CASE("the free motion of the high-order solvers has the exact covariance at any friction") {
  for (const double x : {1e-9, 1e-3, 0.1, 0.49, 0.51, 3.99, 4.01, 20.0, 1e3, 1e6}) {
    const double h = 0.4, gamma = x / h, u = 0.6;
    const Langevin still{.gamma = gamma, .kT = u, .mass = 1, .stiffness = 1e-300};
    const double rho = std::sqrt(2 * gamma * u);
    // v^2, q v and q^2 of int over the step of (1 - e^{-gamma s}) / gamma and e^{-gamma s}.
    const double vv = -u * std::expm1(-2 * x), way = -std::expm1(-x) / gamma;
    const double qv = u * gamma * way * way;
    const double qq = rho * rho * std::pow(h, 3) * detail::langevin_way_squared(x);
    const auto check = [&](const auto& method) {
      const Matrix c = noise_covariance(map_of(method, still, h), h);
      INFO(name_of(method) << ", gamma h " << x);
      CHECK_THAT(c(1, 1), WithinRel(vv, 1e-13));
      CHECK_THAT(c(0, 1), WithinRel(qv, 1e-12));
      CHECK_THAT(c(0, 0), WithinRel(qq, 1e-12));
    };
    check(Ubu{});
    check(Align{});
    check(Sort{});
    check(Quicsort{});
  }
}

TEST_CASE("the noise of UBU in the middle of a step has its exact covariance with the end") {
  // Against integrals of the responses at h/2 and h, given nothing: all of W, H and normals.
  for (const double x : {1e-6, 0.1, 0.9, 1.1, 5.0, 10.0}) {
    const double h = 0.4;
    const Langevin still{.gamma = x / h, .kT = 0.5 * h / x, .mass = 1, .stiffness = 1e-300};
    const detail::LangevinMotion motion(still, h);  // rho = 1
    const detail::LangevinMidNoise mid(motion);
    const detail::LangevinNoise end(motion, 2);
    const auto way = [&](double s) { return -std::expm1(-x / h * s) * h / x; };
    const double zz = integral(h / 2, [&](double s) { return way(s) * way(s); });
    const double zv =
        integral(h / 2, [&](double s) { return way(s) * std::exp(-x / h * (s + h / 2)); });

    INFO("gamma h " << x);
    CHECK_THAT(h * mid.z_w * mid.z_w + h / 12 * mid.z_h * mid.z_h + mid.z_rest * mid.z_rest,
               WithinRel(zz, 1e-12));
    CHECK_THAT(h * mid.z_w * end.v_w + h / 12 * mid.z_h * end.v_h + mid.z_rest * mid.v_mid,
               WithinAbs(zv, 1e-12 * std::sqrt(zz)));
    CHECK_THAT(mid.v_mid * mid.v_mid + mid.v_rest * mid.v_rest,
               WithinAbs(end.v_rest * end.v_rest, 1e-15));
  }
}

TEST_CASE("the Langevin coefficients are their integrals, for small and for large friction") {
  for (const double x : {1e-12, 1e-6, 0.01, 0.3, 0.4999999, 0.5, 0.7, 3.0, 8.0}) {
    const double phi2 = integral(1, [&](double s) { return s * std::exp(-x * (1 - s)); });
    const auto way = [&](double s) { return -std::expm1(-x * s) / x; };
    const double of_h = integral(1, [&](double s) { return 12 * (s - 0.5) * way(s); });
    const double of_h_at_half = integral(0.5, [&](double s) { return 12 * s * way(s); });

    INFO("friction " << x);
    CHECK_THAT(detail::langevin_phi2(x), WithinRel(phi2, 4e-14));
    CHECK_THAT(detail::langevin_moment1(x),
               WithinRel(integral(1, [&](double s) { return s * std::exp(-x * s); }), 4e-14));
    CHECK_THAT(detail::langevin_moment2(x),
               WithinRel(integral(1, [&](double s) { return s * s * std::exp(-x * s); }), 4e-14));
    CHECK_THAT(detail::langevin_of_h(x), WithinRel(of_h, 4e-13));
    CHECK_THAT(detail::langevin_of_h_at_half(x), WithinRel(of_h_at_half, 4e-13));
  }
  CHECK(detail::langevin_phi1(0) == 1);
}

TEST_CASE("a splitting step on coupled particles is its formula, and allocates nothing") {
  const double h = 0.25, w = 0.2, z = w / std::sqrt(h);
  const auto acceleration = [](const Eigen::Array2d& q) {
    return Eigen::Array2d(std::sin(q[1]), q[0] * q[1]);
  };
  const double c = std::exp(-0.7 * h), s = std::sqrt((1 - c * c) * 0.4);
  Eigen::Array2d q(0.5, -0.4), v(0.3, 0.8);
  v += h / 2 * acceleration(q);
  q += h / 2 * v;
  v = c * v + s * z;
  q += h / 2 * v;
  v += h / 2 * acceleration(q);
  Eigen::Array4d want;
  want << q, v;

  CHECK((step<double>(Baoab{}, h, {w, 9, 9}) - want).abs().maxCoeff() < 1e-15);
  CHECK((step<float>(Baoab{}, h, {w, 9, 9}) - want).abs().maxCoeff() < 4e-7);
}

TEST_CASE("on coupled particles one step of every Langevin solver is the same to its order") {
  // Without noise, against QUICSORT: h^3 apart for order 2, h^4 for order 3.
  const auto check = [](const auto& method, double bound) {
    const double h = 1e-3;
    const Eigen::Array4d y = step<double>(method, h, {0, 0, 0});
    const Eigen::Array4d reference = step<double>(Quicsort{}, h, {0, 0, 0});
    INFO(name_of(method));
    CHECK((y - reference).abs().maxCoeff() < bound);
    CHECK((step<float>(method, h, {0, 0, 0}) - reference).abs().maxCoeff() < 4e-7);
  };
  check(Baoab{}, 1e-9);
  check(Aboba{}, 1e-9);
  check(Obabo{}, 1e-9);
  check(Ubu{}, 1e-9);
  check(Align{}, 1e-9);
  check(Sort{}, 1e-12);
}
