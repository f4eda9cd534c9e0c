#pragma once
/// @file  bound_solver.hpp
/// @brief A solver that is made for one process, as one that takes the process with its type
/// erased.

#include <utility>

#include <fokker/solvers/core/any_process.hpp>
#include <fokker/solvers/core/solver.hpp>

namespace fokker::detail {

/// `method` on `process`, whatever process of that noise kind the step is handed: the one whose
/// type is erased. It copies the noise, which the two know by different types.
template <class M, class P>
class BoundSolver {
 public:
  static constexpr Facts facts = M::facts;

  explicit BoundSolver(P process) : process_(std::move(process)) {}

  template <State X>
  struct Workspace {
    Workspace(Index d, Index n) : inner(d, n) {}
    Increment<P, X> dw;
    typename M::template Workspace<X> inner;
  };

  /// @copydoc EulerMaruyama::step
  template <State X, class Erased>
  void step(const Erased&, const X& x, Time t, Time h, const Increment<Erased, X>& dw, X& y,
            Workspace<X>& w) const {
    w.dw.w = dw.w;
    if constexpr (facts.needs.h) w.dw.h = dw.h;
    if constexpr (facts.needs.k) w.dw.k = dw.k;
    if constexpr (facts.needs.normals > 0) w.dw.normals = dw.normals;
    M{}.step(process_, x, t, h, w.dw, y, w.inner);
  }

 private:
  P process_;
};

}  // namespace fokker::detail
