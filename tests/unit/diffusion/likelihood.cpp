#include <fokker/diffusion/model/likelihood.hpp>

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <type_traits>
#include <vector>

#include <Eigen/Eigenvalues>
#include <Eigen/LU>

#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>

#include "catch.hpp"

using namespace fokker;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

const AffineProcess vp{VariancePreserving{}};

/// N(0, C) under VP, in matrices, with both products that a score may offer.
struct Normal {
  MatrixXd covariance;

  MatrixXd precision(Time t) const {
    const double s = vp.scale(t), std = vp.std(t);
    const MatrixXd noise = std * std * MatrixXd::Identity(covariance.rows(), covariance.cols());
    return (s * s * covariance + noise).inverse();
  }
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    out = (-precision(t) * x.matrix()).array();
  }
  template <State X>
  void denoise(const X& x, Time t, X& out) const {
    out = (vp.scale(t) * covariance * precision(t) * x.matrix()).array();
  }
};

struct NormalWithJacobian : Normal {
  template <State X>
  void jacobian_times(const X&, Time t, const X& v, X& out) const {
    out = (-precision(t) * v.matrix()).array();
  }
};

struct NormalWithCovariance : Normal {
  template <State X>
  void posterior_covariance_times(const X&, Time t, const X& v, X& out) const {
    const double std = vp.std(t);
    out = (std * std * covariance * precision(t) * v.matrix()).array();
  }
};

const MatrixXd correlated{{2.0, 0.6, -0.3}, {0.6, 0.5, 0.1}, {-0.3, 0.1, 1.0}};

Block<double> points() {
  Block<double> x(3, 2);
  x << 0.3, -2.0, -0.7, 0.4, 1.1, 0.9;
  return x;
}

/// log N(x; 0, C).
double log_normal(const VectorXd& x, const MatrixXd& c) {
  return -0.5 * x.dot(c.inverse() * x) - 0.5 * std::log((2 * std::numbers::pi * c).determinant());
}

/// ln of the determinant of the flow of N(0, C) from t0 to t1 is the trace of this: its integral B.
MatrixXd log_flow(const MatrixXd& c, Time t0, Time t1) {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(c);
  const auto total = [&](Time t) {
    return (vp.scale(t) * vp.scale(t) * solver.eigenvalues().array() + vp.std(t) * vp.std(t))
        .eval();
  };
  const VectorXd values = 0.5 * (total(t1) / total(t0)).log();
  return solver.eigenvectors() * values.asDiagonal() * solver.eigenvectors().transpose();
}

/// log p_t of a normal law at the end of the flow.
auto end_density(const MatrixXd& c, Time t) {
  return [=](const Block<double>& x) {
    const MatrixXd total = vp.scale(t) * vp.scale(t) * c +
                           vp.std(t) * vp.std(t) * MatrixXd::Identity(c.rows(), c.cols());
    Eigen::ArrayXd out(x.cols());
    for (Index j = 0; j < x.cols(); ++j) out(j) = log_normal(x.col(j).matrix(), total);
    return out;
  };
}

const Adaptive tight{.rtol = 1e-11, .atol = 1e-12};
constexpr std::array<Time, 2> span{0.01, 0.8};

GaussianMixture two_modes() {
  return GaussianMixture({{0.3, {-1.5, 0.2}, {0.3, 0.1, 0.1, 0.2}}, {0.7, {1.0, -0.5}, {0.25}}});
}

/// VP that claims an infinite drift, so that its flow and divergence go through the denoiser.
struct ThroughDenoiser : AffineProcess<VariancePreserving> {
  ThroughDenoiser() : AffineProcess(VariancePreserving{}) {}
  AffineCoefficients at(Time t) const {
    AffineCoefficients c = AffineProcess::at(t);
    c.log_scale_rate = std::numeric_limits<double>::infinity();
    return c;
  }
};

/// The right-hand side that redraws its probe at each evaluation.
struct Redrawn {
  static constexpr NoiseKind noise = NoiseKind::none;
  void drift(const PathState<double>& y, Time t, PathState<double>& out) const {
    const Probes probe = HutchinsonDivergence{.seed = ++draws}.probes(3, 0);
    const detail::FlowWithDivergence fixed(flow, probe);
    fixed.drift(y, t, out);
  }
  const ProbabilityFlow<std::remove_const_t<decltype(vp)>, Normal>& flow;
  mutable std::uint64_t draws = 0;
};

}  // namespace

TEST_CASE("the Jacobian of a score times a vector is the same in all three ways") {
  const Block<double> x = points();
  Block<double> v(3, 2), expected(3, 2), out(3, 2);
  v << 1, 0.2, -1, 0.3, 1, 0;
  const Time t = 0.2;

  expected = (-Normal{correlated}.precision(t) * v.matrix()).array();
  const double size = expected.abs().maxCoeff();

  CHECK(score_jacobian_times(vp, NormalWithJacobian{{correlated}}, x, t, v, out) == 1);
  CHECK((out - expected).abs().maxCoeff() < 1e-14 * size);
  CHECK(score_jacobian_times(vp, NormalWithCovariance{{correlated}}, x, t, v, out) == 1);
  CHECK((out - expected).abs().maxCoeff() < 1e-13 * size);
  CHECK(score_jacobian_times(vp, Normal{correlated}, x, t, v, out) == 2);
  CHECK((out - expected).abs().maxCoeff() < 1e-9 * size);

  expected = (vp.scale(t) * correlated * Normal{correlated}.precision(t) * v.matrix()).array();
  CHECK(denoiser_jacobian_transposed_times(vp, NormalWithCovariance{{correlated}}, x, t, v, out) ==
        1);
  CHECK((out - expected).abs().maxCoeff() < 1e-13);
  CHECK(denoiser_jacobian_transposed_times(vp, Normal{correlated}, x, t, v, out) == 6);
  CHECK((out - expected).abs().maxCoeff() < 1e-9);
  CHECK(denoiser_jacobian_times(vp, NormalWithJacobian{{correlated}}, x, t, v, out) == 1);
  CHECK((out - expected).abs().maxCoeff() < 1e-13);
  CHECK(denoiser_jacobian_times(vp, NormalWithCovariance{{correlated}}, x, t, v, out) == 1);
  CHECK((out - expected).abs().maxCoeff() < 1e-13);
  CHECK(denoiser_jacobian_times(vp, Normal{correlated}, x, t, v, out) == 2);
  CHECK((out - expected).abs().maxCoeff() < 1e-9);
}

TEST_CASE("a central difference is accurate to eps^(2/3) on a score that bends, also in float") {
  const auto score = exact_score(vp, two_modes());
  const auto bare = [&](const auto& x, Time t, auto& out) { score(x, t, out); };
  Block<double> x(2, 3), e(2, 3), row(2, 3), column(2, 3);
  x << -1, 0.1, 2, 0.4, -0.2, 0;

  for (const Time t : {0.02, 0.3}) {
    // The Jacobian by a five-point difference with a step of its own.
    const double h = 0.01 * vp.std(t);
    const auto at = [&](double shift) {
      Block<double> moved = x, out(2, 3);
      moved.row(0) += shift * h;
      score(moved, t, out);
      return out;
    };
    const Block<double> expected = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h);
    e.setZero();
    e.row(0).setOnes();
    score_jacobian_times(vp, bare, x, t, e, row);
    CHECK((row - expected).abs().maxCoeff() < 1e-7 * expected.abs().maxCoeff());

    const Block<float> x_float = x.cast<float>(), e_float = e.cast<float>();
    Block<float> out(2, 3);
    score_jacobian_times(vp, bare, x_float, t, e_float, out);
    CHECK((out.cast<double>() - expected).abs().maxCoeff() < 2e-2 * expected.abs().maxCoeff());
  }
}

TEST_CASE("a direction of length 0 gives 0, and a column's size does not leak into another") {
  Block<double> x(3, 2), v = Block<double>::Zero(3, 2), out(3, 2);
  x << 1e3, 0.1, -1e3, 0.2, 1e3, 0.3;
  v(0, 1) = 1e-5;

  score_jacobian_times(vp, Normal{correlated}, x, 0.2, v, out);

  CHECK(out.col(0).abs().maxCoeff() == 0);
  const VectorXd expected = -1e-5 * Normal{correlated}.precision(0.2).col(0);
  CHECK((out.col(1).matrix() - expected).norm() < 1e-9 * expected.norm());
}

TEST_CASE("the log density of normal data is exact, however the divergence is found") {
  const Block<double> x = points();
  const auto check = [&](const auto& score, double tolerance, double per_step) {
    const auto result = log_likelihood(ProbabilityFlow{vp, score}, Dop853{}, tight, x, span,
                                       end_density(correlated, span[1]), ExactDivergence{});
    const Eigen::ArrayXd expected = end_density(correlated, span[0])(x);
    CHECK((result.log_density - expected).abs().maxCoeff() < tolerance);
    CHECK(result.standard_error.maxCoeff() == 0);
    for (std::size_t j = 0; j < 2; ++j) {
      CHECK(result.status[j] == Status::success);
      CHECK(static_cast<double>(result.score_evaluations[j]) ==
            per_step * static_cast<double>(result.counts[j].drift_evaluations));
    }
  };

  check(NormalWithJacobian{{correlated}}, 1e-9, 1 + 3);
  check(NormalWithCovariance{{correlated}}, 1e-9, 1 + 3);
  check(Normal{correlated}, 1e-7, 1 + 2 * 3);
}

TEST_CASE(
    "the log density of a mixture is that of its exact law, with an error that falls with "
    "the tolerance") {
  const GaussianMixture data = two_modes();
  const ProbabilityFlow flow{vp, exact_score(vp, data)};
  Block<double> x(2, 3);
  x << -1.3, 0.2, 1.4, 0.1, -0.3, 0.4;
  const auto end = [&](const Block<double>& z) {
    return data.log_density(z, vp.scale(span[1]), vp.std(span[1])).transpose().eval();
  };
  const Eigen::ArrayXd expected =
      data.log_density(x, vp.scale(span[0]), vp.std(span[0])).transpose();

  std::vector<double> errors;
  for (const double rtol : {1e-3, 1e-5, 1e-7}) {
    const auto result = log_likelihood(flow, Dopri5{}, Adaptive{.rtol = rtol, .atol = rtol}, x,
                                       span, end, ExactDivergence{});
    errors.push_back((result.log_density - expected).abs().maxCoeff());
  }

  INFO(errors[0] << " " << errors[1] << " " << errors[2]);
  CHECK(errors[0] < 0.1);
  CHECK(errors[1] < 0.1 * errors[0]);
  CHECK(errors[2] < 0.1 * errors[1]);
  CHECK(errors[2] < 1e-5);
}

TEST_CASE("through the denoiser the log density is the same") {
  const Block<double> x = points();
  const auto end = end_density(correlated, span[1]);
  const ProbabilityFlow flow{ThroughDenoiser{}, NormalWithCovariance{{correlated}}};

  const auto exact = log_likelihood(flow, Dop853{}, tight, x, span, end, ExactDivergence{});
  const auto given = log_likelihood(flow, Dop853{}, tight, x, span, end,
                                    GivenProbes{std::sqrt(3.0) * MatrixXd::Identity(3, 3)});

  const Eigen::ArrayXd expected = end_density(correlated, span[0])(x);
  CHECK((exact.log_density - expected).abs().maxCoeff() < 1e-9);
  CHECK((given.log_density - expected).abs().maxCoeff() < 1e-9);
}

TEST_CASE("flow matching starts at t = 1 through the denoiser") {
  const AffineProcess fm{FlowMatching{}};
  const GaussianMixture data = two_modes();
  Block<double> x(2, 2);
  x << -1.3, 0.9, 0.1, -0.3;

  const auto result = log_likelihood(
      ProbabilityFlow{fm, exact_score(fm, data)}, Dop853{}, tight, x, {0.02, 1.0},
      [](const Block<double>& z) { return prior_log_density(z, 1); }, ExactDivergence{});

  const Eigen::ArrayXd expected = data.log_density(x, 0.98, 0.02).transpose();
  CHECK((result.log_density - expected).abs().maxCoeff() < 1e-6);
}

TEST_CASE("by default the model ends in the prior of the process") {
  const ProbabilityFlow flow{vp, NormalWithJacobian{{MatrixXd::Identity(2, 2)}}};
  Block<double> x(2, 1);
  x << 0.3, -1.2;

  const auto result = log_likelihood(flow, Dop853{}, tight, x);

  CHECK_THAT(result.log_density(0),
             WithinRel(log_normal(x.matrix(), MatrixXd::Identity(2, 2)), 1e-9));
  CHECK((result.latent - x).abs().maxCoeff() < 1e-9);
}

TEST_CASE(
    "Hutchinson's estimator is unbiased: over all Rademacher probes it averages to the exact "
    "one, with the variance of its formula") {
  const ProbabilityFlow flow{vp, NormalWithJacobian{{correlated}}};
  const Block<double> x = points();
  MatrixXd all(3, 8);
  for (Index k = 0; k < 8; ++k)
    for (Index i = 0; i < 3; ++i) all(i, k) = (k >> i) % 2 == 0 ? 1 : -1;

  const auto result = log_likelihood(flow, Dop853{}, tight, x, span,
                                     end_density(correlated, span[1]), GivenProbes{all});

  const Eigen::ArrayXd expected = end_density(correlated, span[0])(x);
  CHECK((result.log_density - expected).abs().maxCoeff() < 1e-9);
  const MatrixXd b = log_flow(correlated, span[0], span[1]);
  const double variance = 2 * (b.squaredNorm() - b.diagonal().squaredNorm());
  for (Index j = 0; j < 2; ++j) {
    const double scatter = (result.estimates.col(j) - result.log_density(j))
                               .square()
                               .mean();  // over all, not a sample
    CHECK_THAT(scatter, WithinRel(variance, 1e-7));
    CHECK_THAT(result.standard_error(j), WithinRel(std::sqrt(variance / 7), 1e-7));
  }
}

TEST_CASE("a Gaussian probe has variance 2 |B|^2, by a quadrature that is exact for it") {
  const MatrixXd c{{2.0, 0.6}, {0.6, 0.5}};
  Block<double> x(2, 1);
  x << 0.3, -0.7;
  // Three Gauss-Hermite points, -sqrt 3, 0, sqrt 3 with weights 1/6, 2/3, 1/6, in two dimensions.
  MatrixXd nodes(2, 9);
  Eigen::ArrayXd weights(9);
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 3; ++j) {
      nodes.col(3 * i + j) << std::sqrt(3.0) * double(i - 1), std::sqrt(3.0) * double(j - 1);
      weights(3 * i + j) = (i == 1 ? 2.0 / 3 : 1.0 / 6) * (j == 1 ? 2.0 / 3 : 1.0 / 6);
    }

  const auto result = log_likelihood(ProbabilityFlow{vp, NormalWithJacobian{{c}}}, Dop853{}, tight,
                                     x, span, end_density(c, span[1]), GivenProbes{nodes});

  const double expected = end_density(c, span[0])(x)(0);
  const double mean = (weights * result.estimates.col(0)).sum();
  CHECK_THAT(mean, WithinAbs(expected, 1e-9));
  CHECK_THAT((weights * (result.estimates.col(0) - mean).square()).sum(),
             WithinRel(2 * log_flow(c, span[0], span[1]).squaredNorm(), 1e-7));
}

TEST_CASE("probes are drawn once per path, by its number, and have mean 0 and variance 1") {
  const HutchinsonDivergence signs{.count = 4, .seed = 3};
  const HutchinsonDivergence normals{
      .count = 4001, .seed = 3, .kind = HutchinsonDivergence::Kind::gaussian};

  const MatrixXd drawn = signs.probes(5, 7).vectors;

  CHECK((drawn.cwiseAbs() - MatrixXd::Ones(5, 4)).norm() == 0);
  CHECK((drawn - signs.probes(5, 7).vectors).norm() == 0);
  CHECK((drawn - signs.probes(5, 8).vectors).norm() > 0);
  CHECK((drawn.leftCols(2) - HutchinsonDivergence{.count = 2, .seed = 3}.probes(5, 7).vectors)
            .norm() == 0);
  const MatrixXd many = HutchinsonDivergence{.count = 4000, .seed = 1}.probes(5, 0).vectors;
  CHECK(std::abs(many.mean()) < 4 / std::sqrt(20'000.0));
  const MatrixXd z = normals.probes(5, 0).vectors;
  CHECK(std::abs(z.mean()) < 4 / std::sqrt(20'005.0));
  CHECK(std::abs(z.squaredNorm() / 20'005 - 1) < 4 * std::sqrt(2 / 20'005.0));
}

TEST_CASE("one probe has no standard error, and paths do not depend on their company") {
  const ProbabilityFlow flow{vp, NormalWithJacobian{{correlated}}};
  const Block<double> x = points(), first = x.leftCols(1);
  const auto end = end_density(correlated, span[1]);

  const auto both = log_likelihood(flow, Dop853{}, tight, x, span, end, HutchinsonDivergence{});
  const auto alone =
      log_likelihood(flow, Dop853{}, tight, first, span, end, HutchinsonDivergence{});

  CHECK(std::isnan(both.standard_error(0)));
  CHECK(both.log_density(0) == alone.log_density(0));
}

TEST_CASE("a probe redrawn inside the right-hand side wrecks an adaptive solver") {
  const ProbabilityFlow flow{vp, Normal{correlated}};
  const Dopri5 method;
  const Adaptive steps{.rtol = 1e-6, .atol = 1e-6};
  PathState<double> y = PathState<double>::Zero(4);
  y.head(3) = points().col(0);

  const detail::FlowWithDivergence once(flow, HutchinsonDivergence{}.probes(3, 0));
  const auto fixed =
      integrate(once, method, steps, y, span, {.save_at = {span[1]}, .max_steps = 2000});
  const auto redrawn = integrate(Redrawn{flow}, method, steps, y, span,
                                 {.save_at = {span[1]}, .max_steps = 2000, .check = false});

  CHECK(fixed.status == Status::success);
  CHECK(fixed.counts.accepted < 100);
  CHECK(redrawn.status != Status::success);
  CHECK_THROWS_WITH(integrate(Redrawn{flow}, method, steps, y, span),
                    StartsWith("the drift gave two different results at one state"));
}

TEST_CASE("a flow that fails says so and gives no number") {
  const auto broken = [](const auto& x, Time t, auto& out) {
    out = t > 0.5 ? (x * std::numeric_limits<double>::quiet_NaN()).eval() : (-x).eval();
  };
  Block<double> x(1, 1);
  x << 0.5;

  const auto result = log_likelihood(ProbabilityFlow{vp, broken}, Dop853{}, tight, x);

  CHECK(result.status[0] == Status::non_finite);
  CHECK(std::isnan(result.log_density(0)));
}

TEST_CASE("bad probes are refused") {
  CHECK_THROWS_WITH((HutchinsonDivergence{.count = 0}.probes(2, 0)),
                    ContainsSubstring("at least one probe: got 0"));
  CHECK_THROWS_WITH(GivenProbes{MatrixXd(3, 2)}.probes(2, 0), ContainsSubstring("got 3 x 2"));
}
