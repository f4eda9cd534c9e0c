#include "certify.hpp"

using namespace certificate;

namespace {

constexpr double b[] = {0.8, 0.5};

/// g = (b_0 psi(x_0), b_1 psi(x_1)) dW.
template <Calculus c>
struct Nonlinear {
  static constexpr NoiseKind noise = NoiseKind::scalar;
  static constexpr Calculus calculus = c;
  void drift(const X& x, Time t, X& out) const {
    nonlinear_drift(x, out);
    if constexpr (c == Calculus::ito) {
      X slope(x.rows(), x.cols());
      diffusion_slope(x, t, slope);
      out += 0.5 * slope;
    }
  }
  Eigen::Array2d linear_part() const { return {-1, 0}; }
  void diffusion(const X& x, Time, X& out) const {
    out = psi(x);
    for (Index i = 0; i < 2; ++i) out.row(i) *= b[i];
  }
  void diffusion_slope(const X& x, Time, X& out) const {
    out = psi_slope(x);
    for (Index i = 0; i < 2; ++i) out.row(i) *= b[i] * b[i];
  }
};

const Eigen::MatrixXd B = two_by_two(0.2, 0.4, 0, 0.1);

template <Calculus c>
struct Linear {
  static constexpr NoiseKind noise = NoiseKind::scalar;
  static constexpr Calculus calculus = c;
  Eigen::MatrixXd A =
      c == Calculus::ito ? linear_drift : Eigen::MatrixXd(linear_drift - 0.5 * B * B);
  void drift(const X& x, Time, X& out) const { out = (A * x.matrix()).array(); }
  void diffusion(const X& x, Time, X& out) const { out = (B * x.matrix()).array(); }
  void diffusion_slope(const X& x, Time, X& out) const { out = (B * B * x.matrix()).array(); }
};

using Ito = AnySde<NoiseKind::scalar>;
using Stratonovich = AnySde<NoiseKind::scalar, Calculus::stratonovich>;

}  // namespace

TEST_CASE("every solver has its strong order on scalar noise") {
  certify_strong<NoiseKind::scalar>({"nonlinear, one source", Ito{Nonlinear<Calculus::ito>{}},
                                     Stratonovich{Nonlinear<Calculus::stratonovich>{}}},
                                    "slow-rk", 4096, "scalar-strong",
                                    // 1/2 is proved for all noise; without areas it is 1.
                                    {{"reversible-heun", 1}});
}

TEST_CASE("every solver has its weak order on scalar noise") {
  certify_weak<NoiseKind::scalar>(
      LinearSde::homogeneous(linear_drift, {B}),
      {"linear, one source", Ito{Linear<Calculus::ito>{}},
       Stratonovich{Linear<Calculus::stratonovich>{}}},
      "scalar-weak",
      // Their second moments on a linear SDE are those of a higher order than is proved for all.
      {{"slow-rk", 2}, {"sriw1", 2}, {"split-step-backward-euler", 1}});
}
