#pragma once
/// @file  fokker/solvers/integrate/advance.hpp
/// @brief A block on its way: state, noise and scratch of a solver, made once per block.

#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <fokker/solvers/core/run.hpp>
#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/noise/brownian.hpp>

namespace fokker::detail {

/// Whether M can be asked to step P: a solver with the type erased takes the one it was made for.
template <class M, class P>
constexpr bool takes() {
  if constexpr (requires { typename M::ProcessType; })
    return std::is_same_v<typename M::ProcessType, P>;
  else
    return true;
}

/// The directions of time in which M may integrate P; only these are compiled.
template <class P, class M>
inline constexpr bool runs_up = clock_of<P> != Clock::down&& takes<M, P>();
template <class P, class M>
inline constexpr bool runs_down = clock_of<P> != Clock::up&& takes<M, TimeReversed<P>>();

/// Says why a direction of time is refused. @throws std::invalid_argument  always
[[noreturn]] void refuse_direction(bool up);

/// A block (or one path) advanced by a fixed-step solver: x(t0) becomes x(t1) in one step.
template <class P, class M, State X>
class Advance {
  using S = typename X::Scalar;

 public:
  /// @param d, n   shape of the state; `real` of the n columns count as paths
  Advance(const P& process, const M& method, Index d, Index n, Index /*real*/, Seed seed,
          std::uint64_t first_path, const std::atomic<bool>* /*a step is short*/ = nullptr)
      : process_(process),
        method_(method),
        x_(d, n),
        y_(d, n),
        source_(seed, first_path, n, wiener_dimension(process, d), needs_of(method)),
        workspace_(std::in_place, d, n) {
    static_assert(Stepper<M, P, X>, "the solver's step does not take this process");
    dw_.resize(wiener_dimension(process, d), n, needs_of(method));
  }

  X& x() { return x_; }
  Status status() const { return Status::success; }
  Counts counts() const {
    const Evaluations per_step = facts_of(method_).evaluations(noise_kind<P>);
    return {steps_, 0, steps_ * static_cast<std::uint64_t>(per_step.drift),
            steps_ * static_cast<std::uint64_t>(per_step.diffusion)};
  }

  /// Forgets what the solver carries from step to step, but not where the noise is.
  void forget() { workspace_.emplace(x_.rows(), x_.cols()); }

  void to(Time t0, Time t1) {
    source_.increment(t0, t1, dw_);
    method_.step(process_, x_, t0, t1 - t0, dw_, y_, *workspace_);
    x_.swap(y_);
    ++steps_;
  }

 private:
  const P& process_;
  const M& method_;
  X x_, y_;
  Increment<P, X> dw_;
  BrownianIncrements<S> source_;
  std::optional<typename M::template Workspace<X>> workspace_;  // always there; made anew by forget
  std::uint64_t steps_ = 0;
};

/// A run of an adaptive solver, told its noise where it asks for any.
template <class Run, class M, class P>
Run make_run(const M& method, const P& process, Index d, [[maybe_unused]] PathKey key) {
  if constexpr (std::is_constructible_v<Run, const M&, const P&, Index, PathKey>)
    return Run(method, process, d, key);
  else
    return Run(method, process, d);
}

/// An adaptive solver that solves the paths of a block X of process P several at once.
template <class M, class P, class X>
concept SolvesInLanes = AdaptiveSolver<M> && requires {
  requires M::template in_lanes<P, typename X::Scalar, X::RowsAtCompileTime>;
};

/// The states X on which M evaluates the coefficients of P, in blocks Blocks.
template <class P, class M, State Blocks>
struct EvaluatedOn {
  using X = Blocks;
};
template <class P, AdaptiveSolver M, State Blocks>
requires(!SolvesInLanes<M, P, Blocks>) struct EvaluatedOn<P, M, Blocks> {
  using FixedColumn = Path<typename Blocks::Scalar, Blocks::RowsAtCompileTime>;
  using X =
      std::conditional_t<Process<P, FixedColumn>, FixedColumn, Block<typename Blocks::Scalar>>;
};

/// A block advanced by an adaptive solver: every path by itself, with its own steps. Where `cancel`
/// turns true it ends with that status, in the middle of a path.
template <class P, AdaptiveSolver M, State X>
class Advance<P, M, X> {
  using S = typename X::Scalar;
  using Column = typename EvaluatedOn<P, M, X>::X;
  using Run = typename M::template Run<P, Column>;

 public:
  Advance(const P& process, const M& method, Index d, Index n, Index real, Seed seed,
          std::uint64_t first_path, const std::atomic<bool>* cancel = nullptr)
      : x_(d, n), column_(d, 1), cancel_(cancel) {
    runs_.reserve(static_cast<std::size_t>(real));
    for (Index j = 0; j < real; ++j)
      runs_.push_back(make_run<Run>(method, process, d,
                                    PathKey{seed, first_path + static_cast<std::uint64_t>(j)}));
  }

  X& x() { return x_; }
  Status status() const { return status_; }
  const Counts& counts() const { return counts_; }

  void to(Time t0, Time t1) {
    for (std::size_t j = 0; j < runs_.size(); ++j) {
      column_ = x_.col(static_cast<Index>(j));
      const Status s = advance(runs_[j], t0, t1);
      if (s != Status::success) {
        if (status_ == Status::success) status_ = s;
        column_.setConstant(std::numeric_limits<S>::quiet_NaN());
      }
      x_.col(static_cast<Index>(j)) = column_;
      if (s == Status::cancelled) {
        status_ = s;
        return;
      }
    }
  }

 private:
  Status advance(Run& run, Time t0, Time t1) {
    if constexpr (requires { run.to(column_, t0, t1, counts_, cancel_); })
      return run.to(column_, t0, t1, counts_, cancel_);
    else
      return run_to(run, column_, t0, t1, counts_, cancel_);
  }

  X x_;
  Column column_;
  const std::atomic<bool>* cancel_;
  std::vector<Run> runs_;
  Status status_ = Status::success;
  Counts counts_;
};

/// A block advanced in lanes: every path with its own steps, several at once; cancelled likewise.
template <class P, class M, State X>
requires SolvesInLanes<M, P, X>
class Advance<P, M, X> {
  using Lanes = typename M::template Lanes<P, typename X::Scalar, X::RowsAtCompileTime>;

 public:
  Advance(const P& process, const M& method, Index d, Index n, Index real, Seed /*seed*/,
          std::uint64_t /*first_path*/, const std::atomic<bool>* cancel = nullptr)
      : x_(d, n), lanes_(method, process, real), cancel_(cancel) {}

  X& x() { return x_; }
  Status status() const { return status_; }
  const Counts& counts() const { return counts_; }

  void to(Time t0, Time t1) {
    const Status s = lanes_.to(x_, t0, t1, counts_, cancel_);
    if (status_ == Status::success) status_ = s;
  }

 private:
  X x_;
  Lanes lanes_;
  const std::atomic<bool>* cancel_;
  Status status_ = Status::success;
  Counts counts_;
};

}  // namespace fokker::detail
