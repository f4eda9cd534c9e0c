#pragma once
/// @file  fokker/analysis/convergence/convergence.hpp
/// @brief Strong and weak errors of a solver on halved steps, all on the same Brownian paths.

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <fokker/analysis/convergence/regression.hpp>
#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/integrate/contract.hpp>
#include <fokker/solvers/integrate/stepping.hpp>
#include <fokker/solvers/noise/brownian.hpp>
#include <fokker/solvers/noise/random.hpp>

namespace fokker {

class SharedWork;

/// The solution X_t as a function of x0 and W_t, blocks in and out, where it is known.
using ExactSolution =
    std::function<Block<double>(const Block<double>& x0, Time t, const Block<double>& w)>;

/// What to measure.
struct ConvergenceSettings {
  Eigen::ArrayXd x0;
  Time t0 = 0, t1 = 1;
  std::vector<Index> steps = {16, 32, 64, 128, 256, 512};  ///< each divides the largest
  Index paths = 65536;
  Seed seed = 1;
  int threads = 0;        ///< 0: all cores; never changes a result
  Index refinement = 16;  ///< without an exact solution the reference has so many times more steps
  SharedWork* work = nullptr;  ///< of a run with a checkpoint or ranks: the study is a stage of it
  const std::atomic<bool>* cancel = nullptr;
  std::function<void(double fraction)> progress = {};
  bool check = true;  ///< the contract of the coefficients, before the first step (contract.hpp)
};

/// The errors at one step size.
struct ConvergenceLevel {
  Index steps = 0;
  double h = 0;
  double strong = 0;  ///< sqrt(E |X_N - X_T|^2)
  double strong_stderr = 0;
  double weak = 0;  ///< |E |X_N|^2 - E |X_T|^2|, differences taken path by path
  double weak_stderr = 0;
};

/// A measured convergence and what was claimed.
struct ConvergenceStudy {
  std::vector<ConvergenceLevel> levels;
  OrderFit strong, weak;
  double scale = 0;  ///< the larger of |x0| and sqrt(E |X_T|^2) of the reference
  std::optional<double> claimed_strong, claimed_weak;
  std::string reference;  ///< "exact solution" or "the same solver with 16 x 512 steps"
  bool cancelled = false;
};

/// The states at s.t1 of `width` paths from number `first` on, after `steps` steps. Each step has
/// the sum of the increments of `finest` steps, a multiple, that fall into it: so all solvers and
/// all numbers of steps see the same paths. Where s.cancel turns true it returns at once what it
/// has, which is no such state.
/// @param whole  if given, the increment over [s.t0, s.t1] is added to it, m x width
template <class P, class M>
Block<double> end_states(const P& process, const M& method, const ConvergenceSettings& s,
                         Index first, Index width, Index steps, Index finest,
                         Block<double>* whole = nullptr) {
  require_compatible<M, P>();
  static_assert(!AdaptiveSolver<M>, "steps of given numbers need a fixed-step solver");
  const Index m = wiener_dimension(process, s.x0.size());
  const Needs needs = needs_of(method);
  const auto path = static_cast<std::uint64_t>(first);
  Stepping run(process, method, Block<double>(s.x0.replicate(1, width)),
               CoarsenedIncrements{BrownianIncrements<double>(s.seed, path, width, m, needs),
                                   finest / steps, needs, s.cancel});
  Time t = s.t0;
  for (Index k = 0; k < steps && !(s.cancel && s.cancel->load()); ++k) {
    const Time next = subdivision(s.t0, s.t1, k + 1, steps);
    run.to(t, next);
    if (whole) *whole += run.increment().w;
    t = next;
  }
  return run.x();
}

namespace detail {

/// `end_states` of one process and method.
using EndStates = std::function<Block<double>(Index first, Index width, Index steps, Index finest,
                                              Block<double>* whole)>;

/// @param wieners  Wiener processes of a path
ConvergenceStudy measure_convergence(const EndStates& end_states, Index wieners,
                                     const ExactSolution& exact, const ConvergenceSettings& s,
                                     const Orders& claimed);

}  // namespace detail

/// Measures the strong and weak order of `method` on `process`, every level on the same Brownian
/// paths: against `exact` where it is given, otherwise against the same solver with `refinement`
/// times more steps than the finest level. The interval of the strong order is a bootstrap over
/// paths; weak errors are differences on the same path, so only their own noise is left.
/// @param claimed  the orders that the method claims on this process
/// @throws std::invalid_argument  fewer than three levels or two paths, steps that do not divide,
///                                an x0 that does not fit the process, parameters that the method
///                                cannot take, or coefficients that break their contract
///                                (contract.hpp)
template <class P, class M>
ConvergenceStudy measure_convergence(const P& process, const M& method, const ExactSolution& exact,
                                     const ConvergenceSettings& s, const Orders& claimed) {
  check_parameters(method, process);
  if (s.check)
    detail::check_ensemble<Block<double>, Block<double>>(process, s.x0, s.seed, true, s.t0, s.t1);
  return detail::measure_convergence(
      [&](Index first, Index width, Index steps, Index finest, Block<double>* whole) {
        return end_states(process, method, s, first, width, steps, finest, whole);
      },
      wiener_dimension(process, s.x0.size()), exact, s, claimed);
}

}  // namespace fokker
