#pragma once
/// @file  two_step.hpp
/// @brief A solver with memory, as simple as there is, for tests of what drives solvers.

#include <fokker/solvers/core/solver.hpp>

namespace fokker::test {

/// x' = x + h (3/2 f - 1/2 f_before) + g dw + 0.1 z, Euler's step first: two-step Adams-Bashforth
/// with a normal z that is not of the Brownian path.
struct TwoStep {
  static constexpr Facts facts{.name = "two-step",
                               .source = "a test",
                               .noise = {NoiseKind::additive},
                               .cost = {.drift = 1, .diffusion = 1},
                               .needs = {.normals = 1},
                               .has_memory = true};

  template <State X>
  struct Workspace {
    Workspace(Index d, Index n) : memory{X(d, n)}, f(d, n), sum(d, n), column(d, n) {}
    std::array<X, 1> memory;  // f of the step before
    bool started = false;
    X f, sum, column;
  };

  template <State X, Process<X> P>
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    evaluate_drift(p, x, t, w.f);
    X& before = w.memory[0];
    if (!w.started) before = w.f;
    y = x + h * (1.5 * w.f - 0.5 * before) + noise_term(p, x, t, dw.w, w.sum, w.column) +
        0.1 * dw.normals;
    before = w.f;
    w.started = true;
  }
};

}  // namespace fokker::test
