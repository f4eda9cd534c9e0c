#include "columns.hpp"

using namespace certificate;

namespace {

/// Clark & Cameron (1980): X = (W_0, int W_0 dW_1), Ito and Stratonovich alike.
template <Calculus c>
struct ClarkCameron {
  static constexpr NoiseKind noise = NoiseKind::general;
  static constexpr Calculus calculus = c;
  Index sources() const { return 2; }
  void drift(const X&, Time, X& out) const { out.setZero(); }
  void diffusion(const X& x, Time, Index k, X& out) const {
    out.setZero();
    if (k == 0)
      out.row(0).setOnes();
    else
      out.row(1) = x.row(0);
  }
};

const LinearSde linear = LinearSde::homogeneous(
    linear_drift, {two_by_two(0.2, 0.4, 0, 0.1), two_by_two(0.1, 0, 0.5, -0.2)});

}  // namespace

TEST_CASE("every solver has its strong order on a linear system that does not commute") {
  certify_strong(linear_problem<NoiseKind::general>("linear, not commuting", linear), "sri2", 2048,
                 "general-strong-linear");
}

TEST_CASE("every solver has its strong order on the Clark-Cameron example") {
  certify_strong<NoiseKind::general>(
      {"Clark-Cameron", AnySde<NoiseKind::general>{ClarkCameron<Calculus::ito>{}},
       AnySde<NoiseKind::general, Calculus::stratonovich>{ClarkCameron<Calculus::stratonovich>{}}},
      "sri2", 2048, "general-strong-clark-cameron");
}

TEST_CASE("every solver has its weak order on a linear system that does not commute") {
  certify_weak(
      linear, linear_problem<NoiseKind::general>("linear, not commuting", linear), "general-weak",
      // Their second moments on a linear SDE are those of a higher order than is proved for all.
      {{"split-step-backward-euler", 1}});
}
