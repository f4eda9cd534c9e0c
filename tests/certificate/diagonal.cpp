#include "certify.hpp"

using namespace certificate;

namespace {

constexpr double b[] = {0.8, 0.5};

/// g_i = b_i psi(x_i).
template <Calculus c>
struct Nonlinear {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr Calculus calculus = c;
  void drift(const X& x, Time, X& out) const {
    nonlinear_drift(x, out);
    if constexpr (c == Calculus::ito)
      for (Index i = 0; i < 2; ++i) out.row(i) += 0.5 * b[i] * b[i] * psi_slope(x).row(i);
  }
  Eigen::Array2d linear_part() const { return {-1, 0}; }
  void diffusion(const X& x, Time, X& out) const {
    out = psi(x);
    for (Index i = 0; i < 2; ++i) out.row(i) *= b[i];
  }
  void diffusion_slope(const X& x, Time, X& out) const {
    out = -2 * x * psi(x).square();
    for (Index i = 0; i < 2; ++i) out.row(i) *= b[i];
  }
};

/// g_i = b_i x_i.
template <Calculus c>
struct Linear {
  static constexpr NoiseKind noise = NoiseKind::diagonal;
  static constexpr Calculus calculus = c;
  void drift(const X& x, Time, X& out) const {
    out = (linear_drift * x.matrix()).array();
    if constexpr (c == Calculus::stratonovich)
      for (Index i = 0; i < 2; ++i) out.row(i) -= 0.5 * b[i] * b[i] * x.row(i);
  }
  void diffusion(const X& x, Time, X& out) const {
    for (Index i = 0; i < 2; ++i) out.row(i) = b[i] * x.row(i);
  }
  void diffusion_slope(const X&, Time, X& out) const {
    for (Index i = 0; i < 2; ++i) out.row(i).setConstant(b[i]);
  }
};

using Ito = AnySde<NoiseKind::diagonal>;
using Stratonovich = AnySde<NoiseKind::diagonal, Calculus::stratonovich>;

}  // namespace

TEST_CASE("every solver has its strong order on diagonal noise") {
  certify_strong<NoiseKind::diagonal>({"nonlinear, diagonal", Ito{Nonlinear<Calculus::ito>{}},
                                       Stratonovich{Nonlinear<Calculus::stratonovich>{}}},
                                      "slow-rk", 2048, "diagonal-strong",
                                      // 1/2 is proved for all noise; without areas it is 1.
                                      {{"reversible-heun", 1}});
}

TEST_CASE("every solver has its weak order on diagonal noise") {
  certify_weak<NoiseKind::diagonal>(
      LinearSde::homogeneous(linear_drift, {two_by_two(b[0], 0, 0, 0), two_by_two(0, 0, 0, b[1])}),
      {"linear, diagonal", Ito{Linear<Calculus::ito>{}},
       Stratonovich{Linear<Calculus::stratonovich>{}}},
      "diagonal-weak",
      // Their second moments on a linear SDE are those of a higher order than is proved for all.
      {{"slow-rk", 2}, {"sriw1", 2}, {"split-step-backward-euler", 1}});
}
