#include "columns.hpp"

using namespace certificate;

namespace {

constexpr double b[2][2] = {{0.6, 0.4}, {-0.3, 0.5}};  // of component i and source k

/// g_k = (b_0k psi(x_0), b_1k psi(x_1)): these fields commute.
template <Calculus c>
struct Nonlinear {
  static constexpr NoiseKind noise = NoiseKind::commutative;
  static constexpr Calculus calculus = c;
  Index sources() const { return 2; }
  void drift(const X& x, Time, X& out) const {
    nonlinear_drift(x, out);
    if constexpr (c == Calculus::ito)
      for (Index i = 0; i < 2; ++i)
        out.row(i) += 0.5 * (b[i][0] * b[i][0] + b[i][1] * b[i][1]) * psi_slope(x).row(i);
  }
  Eigen::Array2d linear_part() const { return {-1, 0}; }
  void diffusion(const X& x, Time, Index k, X& out) const {
    out = psi(x);
    for (Index i = 0; i < 2; ++i) out.row(i) *= b[i][k];
  }
};

const LinearSde linear = [] {
  const Eigen::MatrixXd B = two_by_two(0.3, 0.2, 0.1, 0.4);
  return LinearSde::homogeneous(linear_drift, {B, 0.5 * B * B - 0.2 * two_by_two(1, 0, 0, 1)});
}();

}  // namespace

TEST_CASE("every solver has its strong order on commutative noise") {
  certify_strong<NoiseKind::commutative>(
      {"nonlinear, two sources", AnySde<NoiseKind::commutative>{Nonlinear<Calculus::ito>{}},
       AnySde<NoiseKind::commutative, Calculus::stratonovich>{Nonlinear<Calculus::stratonovich>{}}},
      "slow-rk", 2048, "commutative-strong",
      // 1/2 is proved for all noise; without areas it is 1.
      {{"reversible-heun", 1}});
}

TEST_CASE("every solver has its weak order on commutative noise") {
  certify_weak<NoiseKind::commutative>(
      linear, linear_problem<NoiseKind::commutative>("linear, two sources", linear),
      "commutative-weak",
      // Their second moments on a linear SDE are those of a higher order than is proved for all.
      {{"slow-rk", 2}, {"split-step-backward-euler", 1}});
}
