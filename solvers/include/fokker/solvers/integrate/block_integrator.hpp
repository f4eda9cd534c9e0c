#pragma once
/// @file  fokker/solvers/integrate/block_integrator.hpp
/// @brief A block of an ensemble on its way: by regular steps, path by path, or in lanes.

#include <atomic>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include <fokker/solvers/core/interval.hpp>
#include <fokker/solvers/integrate/bound.hpp>

namespace fokker::detail {

/// What a block of an ensemble is told.
struct BlockSetup {
  Index d, n;      ///< shape of the state
  Index real;      ///< so many of the columns are paths
  NoiseKey noise;  ///< of column 0
  std::uint64_t max_steps;
  const std::atomic<bool>* cancel;
};

/// A method whose steps are chosen on the way.
template <class B>
concept ChoosesSteps = !B::regular;

/// An adaptive solver that solves the paths of a block X of process P several at once.
template <class M, class P, class X>
concept SolvesInLanes = AdaptiveSolver<M> && requires {
  requires M::template in_lanes<P, typename X::Scalar, X::RowsAtCompileTime>;
};

/// The states X on which the coefficients of P are evaluated by method B, a Bound, in blocks.
template <class P, class B, State Blocks>
struct EvaluatedOn {
  using X = Blocks;
};
template <class P, class B, State Blocks>
requires(!B::regular &&
         !SolvesInLanes<typename B::Method, P, Blocks>) struct EvaluatedOn<P, B, Blocks> {
  using FixedColumn = PathState<typename Blocks::Scalar, Blocks::RowsAtCompileTime>;
  using X =
      std::conditional_t<Process<P, FixedColumn>, FixedColumn, Block<typename Blocks::Scalar>>;
};

/// A block that goes from stop to stop; `to` takes it from t0 to t1 > t0. Here by regular steps, one
/// for each call, the noise of the run.
template <class P, class B, State X>
class BlockIntegrator {
  using S = typename X::Scalar;

 public:
  BlockIntegrator(const P& process, const B& bound, const BlockSetup& setup)
      : stepping_(process, bound.method, X(setup.d, setup.n),
                  RunNoise<S>(setup.noise, setup.n, wiener_dimension(process, setup.d),
                              needs_of(bound.method))) {}

  X& x() { return stepping_.x(); }
  Status status() const { return Status::success; }
  Counts counts() const { return stepping_.counts(); }
  void to(Time t0, Time t1) { stepping_.to(t0, t1); }

 private:
  Stepping<P, typename B::Method, X, RunNoise<S>> stepping_;
};

/// By steps that are chosen on the way: every path by itself, with its own steps. Where `cancel`
/// turns true it ends with that status, in the middle of a path.
template <class P, class B, State X>
requires ChoosesSteps<B>
class BlockIntegrator<P, B, X> {
  using S = typename X::Scalar;
  using Column = typename EvaluatedOn<P, B, X>::X;
  using Run = typename B::template Run<P, Column>;

 public:
  BlockIntegrator(const P& process, const B& bound, const BlockSetup& setup)
      : x_(setup.d, setup.n),
        column_(setup.d, 1),
        max_step_(bound.max_step()),
        tries_left_(static_cast<std::size_t>(setup.real), setup.max_steps),
        cancel_(setup.cancel) {
    runs_.reserve(static_cast<std::size_t>(setup.real));
    NoiseKey key = setup.noise;
    for (Index j = 0; j < setup.real; ++j, ++key.path)
      runs_.push_back(bound.template run<P, Column>(process, setup.d, key));
  }

  X& x() { return x_; }
  Status status() const { return status_; }
  const Counts& counts() const { return counts_; }

  void to(Time t0, Time t1) {
    for (std::size_t j = 0; j < runs_.size(); ++j) {
      column_ = x_.col(static_cast<Index>(j));
      Interval interval{.end = t1, .tries = tries_left_[j], .max_dt = max_step_, .cancel = cancel_};
      const Status s = run_to(runs_[j], column_, t0, interval, counts_);
      tries_left_[j] = interval.tries;
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
  X x_;
  Column column_;
  Time max_step_;
  std::vector<std::uint64_t> tries_left_;
  const std::atomic<bool>* cancel_;
  std::vector<Run> runs_;
  Status status_ = Status::success;
  Counts counts_;
};

/// In lanes: every path with its own steps, several at once; cancelled likewise.
template <class P, class B, State X>
requires ChoosesSteps<B> && SolvesInLanes<typename B::Method, P, X>
class BlockIntegrator<P, B, X> {
  using Lanes = typename B::Method::template Lanes<P, typename X::Scalar, X::RowsAtCompileTime>;

 public:
  BlockIntegrator(const P& process, const B& bound, const BlockSetup& setup)
      : x_(setup.d, setup.n),
        lanes_(bound.method, bound.steps, process, setup.real, setup.max_steps),
        cancel_(setup.cancel) {}

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
