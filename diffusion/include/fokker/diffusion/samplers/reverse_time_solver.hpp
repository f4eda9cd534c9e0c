#pragma once
/// @file  fokker/diffusion/samplers/reverse_time_solver.hpp
/// @brief A solver as a sampler: it steps a model down in the model's own time.

#include <fokker/diffusion/samplers/reverse_step.hpp>

namespace fokker {

/// The solver M on the reversed clock r = -t of a model, with its facts.
template <class M>
struct ReverseTimeSolver {
  static constexpr bool is_sampler = true;
  static constexpr Facts facts = M::facts;

  M method{};

  template <State X>
  using Workspace = typename M::template Workspace<X>;

  /// @copydoc check_parameters
  template <DiffusionModel P>
  void check(const P& model) const {
    check_parameters(method, TimeReversed<P>{model});
  }

  /// @copydoc Ddim::step
  template <State X, ModelFor<ReverseTimeSolver, X> P>
  void step(const P& model, const X& x, Time t, Time t_next, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    method.step(TimeReversed<P>{model}, x, -t, t - t_next, dw, y, w);
  }
};

}  // namespace fokker
