#pragma once
/// @file  fokker/diffusion/score/exact_score.hpp
/// @brief The exact score of known data under a forward process.

#include <utility>

#include <fokker/diffusion/data/data.hpp>

namespace fokker {

/// grad log p_t and E[x0 | x_t] for x_t = process.scale(t) x0 + process.std(t) eps. Made by
/// `exact_score`.
template <class Process, class Data>
struct ExactScore {
  Index dimension() const { return data.dimension(); }

  /// out = grad log p_t(x). @param x,out  d x n; must not overlap
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    const auto now = process.at(t);
    data.score(x, now.scale, now.std, out);
  }

  /// out = E[x0 | x_t = x], also where std(t) = 0. @param x,out  d x n; must not overlap
  template <State X>
  void denoise(const X& x, Time t, X& out) const {
    const auto now = process.at(t);
    data.denoise(x, now.scale, now.std, out);
  }

  /// out = Cov[x0 | x_t = x] v, also where std(t) = 0. @param x,v,out  d x n; out must not overlap
  template <State X>
  void posterior_covariance_times(const X& x, Time t, const X& v, X& out) const requires
      requires(const Data& d) {
    d.posterior_covariance_times(x, 1.0, 1.0, v, out);
  }
  { data.posterior_covariance_times(x, process.scale(t), process.std(t), v, out); }

  /// out = (d score / dx) v, where the data (a learned denoiser) offer it.
  /// @param x,v,out  d x n; out must not overlap
  template <State X>
  void jacobian_times(const X& x, Time t, const X& v, X& out) const requires
      requires(const Data& d) {
    d.score_jacobian_times(x, 1.0, 1.0, v, out);
  }
  { data.score_jacobian_times(x, process.scale(t), process.std(t), v, out); }

  /// out = (d score / dx)^T v, likewise.
  template <State X>
  void jacobian_transposed_times(const X& x, Time t, const X& v, X& out) const requires
      requires(const Data& d) {
    d.score_jacobian_transposed_times(x, 1.0, 1.0, v, out);
  }
  { data.score_jacobian_transposed_times(x, process.scale(t), process.std(t), v, out); }

  Process process;
  Data data;
};

template <class Process, class Data>
ExactScore(Process, Data) -> ExactScore<Process, Data>;

/// The exact score of `data` under `process`, which has scale(t) and std(t): a callable
/// score(x, t, out) with score.denoise(x, t, out). Copies are as cheap as those of its arguments.
template <class Process, class Data>
auto exact_score(Process process, Data data) {
  return ExactScore<Process, Data>{std::move(process), std::move(data)};
}

}  // namespace fokker
