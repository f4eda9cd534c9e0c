#pragma once
/// @file  fokker/solvers/integrate/stepping.hpp
/// @brief The driver of all fixed steps: a block, its noise, and what the method carries.

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/noise/brownian.hpp>

namespace fokker {

namespace detail {

/// One step of `method` from t0 to t1 > t0 on the clock of the process. A sampler steps the model
/// beneath `TimeReversed` in its own time, from t = -t0 to t_next = -(t0 + h), h = t1 - t0: so that
/// t - t_next is h to the bit.
template <class M, class P, State X, class W>
void take_step(const M& method, const P& process, const X& x, Time t0, Time t1,
               const Increment<P, X>& dw, X& y, W& w) {
  if constexpr (Sampler<M>)
    method.step(stepped_by<M>(process), x, 0.0 - t0, 0.0 - (t0 + (t1 - t0)), dw, y, w);
  else
    method.step(process, x, t0, t1 - t0, dw, y, w);
}

}  // namespace detail

/// The source of a process without noise.
struct NoNoise {
  void increment(Time, Time, const auto&) const {}
};

/// A block, or one path, that a method takes from time to time with the increments of a source:
///
///     Stepping run(process, Milstein{}, x0, BrownianIncrements<double>(seed, 0, n, m));
///     for (std::size_t k = 0; k + 1 < grid.size(); ++k) run.to(grid[k], grid[k + 1]);
///     run.x();
///
/// Everything that steps uses it. Times ascend; a sampler is driven on the clock r = -t of a
/// `TimeReversed` model and steps the model in its own time. The process must outlive it; a copy
/// goes on by itself.
template <class P, class M, State X, class Source = BrownianIncrements<typename X::Scalar>>
class Stepping {
 public:
  using Dw = Increment<P, X>;

  /// @param x       d x n, where it starts
  /// @param source  of n paths and the process's Wiener processes
  Stepping(const P& process, M method, X x, Source source)
      : process_(&process),
        method_(std::move(method)),
        x_(std::move(x)),
        y_(x_.rows(), x_.cols()),
        source_(std::move(source)),
        workspace_(std::in_place, x_.rows(), x_.cols()) {
    static_assert(Stepper<M, SteppedBy<M, P>, X>, "the solver's step does not take this process");
    dw_.resize(wiener_dimension(process, x_.rows()), x_.cols(), needs_of(method_));
  }

  /// The state.
  X& x() { return x_; }
  /// The state.
  const X& x() const { return x_; }
  const Dw& increment() const { return dw_; }  ///< of the last step
  /// The method.
  const M& method() const { return method_; }

  /// Steps and evaluations so far.
  Counts counts() const {
    const Evaluations per_step = facts_of(method_).evaluations(noise_kind<P>);
    return {steps_, 0, steps_ * static_cast<std::uint64_t>(per_step.drift),
            steps_ * static_cast<std::uint64_t>(per_step.diffusion)};
  }

  /// One step from t0 to t1 > t0.
  void to(Time t0, Time t1) {
    source_.increment(t0, t1, dw_);
    detail::take_step(method_, *process_, x_, t0, t1, dw_, y_, *workspace_);
    x_.swap(y_);
    ++steps_;
  }

  /// Forgets what the method carries from step to step, but not where the noise is.
  void forget() { workspace_.emplace(x_.rows(), x_.cols()); }

 private:
  const P* process_;
  M method_;
  X x_, y_;
  Dw dw_;
  Source source_;
  std::optional<typename M::template Workspace<X>> workspace_;  // always there; made anew by forget
  std::uint64_t steps_ = 0;
};

template <class P, class M, State X, class Source>
Stepping(const P&, M, X, Source) -> Stepping<P, M, X, Source>;

}  // namespace fokker
