#pragma once
/// @file  fokker/solvers/integrate/adaptive_sde.hpp
/// @brief Adaptive steps for SDEs on a Brownian tree: from error estimates, or from the state.
///
/// **Adaptive**: `integrate(sde, Sriw1{}, Adaptive{.rtol = 1e-4}, x0, {0, 1})`. A step is accepted
/// where, in the maximum over the components (and, for a block, over the paths),
///
///     |error| <= atol + rtol max(|x|, |y|)
///
/// with the step's own error estimate if it has one, otherwise the difference between the step and
/// two half steps, whose result is then kept (three steps' evaluations).
///
/// Where a coefficient jumps in time no step across the jump may meet the tolerance: at the
/// resolution of the path, 2^-39 of the way to the next stop, a step is taken whatever its error,
/// at most four after one that met the tolerance; then the run ends in step underflow.
///
/// Steps are halves of halves of the way to the next stop, and a rejected step is tried again in
/// its first half: every time that was looked at is visited, on the same Brownian path. So steps
/// may depend on the noise without changing its law, and smaller tolerances converge to the
/// solution on the same path wherever the step converges on fixed grids and needs no Levy area.
/// Ito steps of strong order 1/2 on noise that is not additive may not, also with one source: over
/// steps that looked at dw the sum of dw^2 does not tend to that of h, and EulerMaruyama has a
/// wrong limit. Milstein or a Stratonovich step do, and so does EulerMaruyama on Predictable steps.
///
/// Order         none proved in the tolerance; the error falls with it.
/// Source        Gaines & Lyons (1997), SIAM J. Appl. Math. 57, steps by halving; Foster & Jelincic
///               (2023), arXiv 2311.14201, convergence under steps that look at the noise.
///
/// **Predictable**: `integrate(sde, EulerMaruyama{}, Predictable{0.01}, x0, {0, 1})`, steps chosen
/// from the state before the noise is seen, never rejected. From (x, t) the step is the largest half
/// of halves of the way to the next stop that starts there and is no longer than
///
///     h(x) = delta / max(1, |f(x, t)| / max(1, |x|))
///
/// with Euclidean norms, and for a block the least of its paths: delta, and less where the drift
/// would move the state by more than its own size in a unit of time. Increments over such steps are
/// N(0, h) given the past, so every step that converges on fixed grids may be used, EulerMaruyama
/// on any noise too, and a drift that grows faster than linearly cannot make it explode: moments
/// are bounded for all small delta where f is one-sided Lipschitz and
/// <x, f> + 1/2 delta |x| |f| <= a |x|^2 + b, as for a drift that points inwards where it is large.
/// The error is not controlled.
///
/// Order         in delta: strong 1/2 for EulerMaruyama where f is one-sided Lipschitz and grows
///               polynomially and g is Lipschitz, with delta^-1 E int max(1, |f| / max(1, |x|)) dt
///               steps.
/// Cost          one f more than the step.
/// Source        Fang & Giles (2020), Ann. Appl. Probab. 30(2); Kelly & Lord (2018), IMA J. Numer.
///               Anal. 38(3).

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fokker/solvers/core/interval.hpp>
#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/core/step_control.hpp>
#include <fokker/solvers/core/steps.hpp>
#include <fokker/solvers/noise/brownian_tree.hpp>
#include <fokker/solvers/noise/noise_source.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// Whether a step can be taken over any interval of a Brownian tree: a step with memory, Levy areas
/// and normals beside the path are for fixed grids. Normals that a step can do without are zero.
constexpr bool takes_any_interval(Needs needs, bool memory) {
  return !needs.area && (needs.normals == 0 || needs.path_suffices) && !memory;
}

/// Whether steps that look at the noise converge for a step of this calculus, needs and orders on a
/// kind of noise.
/// @param memory  whether it carries something from step to step
constexpr bool adaptable(Calculus calculus, Needs needs, const Orders& orders, NoiseKind kind,
                         bool memory = false) {
  return takes_any_interval(needs, memory) && orders.strong &&
         (kind == NoiseKind::additive || calculus == Calculus::stratonovich || *orders.strong >= 1);
}

namespace detail {

/// What adaptive runs over one state, a path or a block with a joint step, share: the way to the
/// next stop as a Brownian tree, stepped along in its halves of halves. The process must outlive
/// it.
template <class M, class P, State X>
class TreeRun {
 public:
  /// The largest first step to try; 0: the run's own choice.
  /// @throws std::invalid_argument  for h < 0 or not finite
  void first_step(Time h) {
    check_first_step(h);
    wanted_ = h;
  }

  /// Whether the last `try_step` advanced the state.
  bool accepted() const { return accepted_; }

 protected:
  using S = typename X::Scalar;
  static constexpr std::uint64_t end = std::uint64_t{1} << BrownianTree<S>::depth;

  /// @throws std::invalid_argument  for a noise source: the path is a Brownian tree of the seed
  TreeRun(const M& method, const P& process, Index d, const NoiseKey& key)
      : process_(&process),
        method_(method),
        needs_(needs_of(method)),
        key_(key.key()),
        wieners_(wiener_dimension(process, d)) {
    if (key.has_source())
      throw std::invalid_argument(
          "steps that are chosen on the way take their path from a Brownian tree of the seed: "
          "give .noise with Fixed or OnGrid steps only");
  }

  /// Makes the tree from t to the next stop t1, unless that of the last call is under way.
  void enter(const X& x, Time t, Time t1) {
    if (tree_ && at_ != end) return;
    if (!tree_) {
      y_.resizeLike(x);
      workspace_.emplace(x.rows(), x.cols());
      dw_.resize(wieners_, x.cols(), needs_);
      tree_.emplace(key_.seed, key_.path, x.cols(), wieners_, t, t1, piece_++);
    } else {
      tree_->restart(t, t1, piece_++);
    }
    start_ = t;
    stop_ = t1;
    span_ = t1 - t;
    at_ = 0;
  }

  /// The largest half that starts here and is not longer than h, in points of the tree; 0: there is
  /// none that can be halved, or that moves t.
  std::uint64_t half_within(Time h, Time t) const {
    std::uint64_t size = end;
    while (at_ % size != 0 || !(length(size) <= h)) {
      size /= 2;
      if (size < 2) return 0;
    }
    return t + length(size) == t ? 0 : size;
  }

  /// The smallest half that starts here and moves t, in points of the tree; 0: there is none.
  std::uint64_t least_half(Time t) const {
    std::uint64_t size = 2;
    while (t + length(size) == t)
      if (size == end || at_ % (size *= 2) != 0) return 0;
    return size;
  }

  Time length(std::uint64_t size) const {
    return span_ * (static_cast<double>(size) / static_cast<double>(end));
  }

  /// out = one step over the points [from, from + size] of the tree, from (x, t).
  void step(const X& x, Time t, std::uint64_t from, std::uint64_t size, X& out, Counts& counts) {
    tree_->increment_between(from, from + size, dw_);
    method_.step(*process_, x, t, length(size), dw_, out, *workspace_);
    count_step(counts);
  }

  void count_step(Counts& counts) const {
    const Evaluations per_step = facts_of(method_).evaluations(noise_kind<P>);
    counts.drift_evaluations += static_cast<std::uint64_t>(per_step.drift);
    counts.diffusion_evaluations += static_cast<std::uint64_t>(per_step.diffusion);
  }

  /// The step of that size to y_ is taken; the last one sets t to the stop exactly.
  void accept(X& x, Time& t, std::uint64_t size, Counts& counts) {
    ++counts.accepted;
    x.swap(y_);
    at_ += size;
    t = at_ == end ? stop_ : start_ + length(at_);
    accepted_ = true;
  }

  const P* process_;
  M method_;
  Needs needs_;
  PathKey key_;
  Index wieners_;
  std::optional<BrownianTree<S>> tree_;
  std::optional<typename M::template Workspace<X>> workspace_;
  Increment<P, X> dw_;
  X y_;
  Time start_ = 0, stop_ = 0, span_ = 0;
  Time wanted_ = 0;                   // the next step at most; 0: not known yet
  std::uint64_t at_ = 0, piece_ = 0;  // place in this stretch, and how many there were
  bool accepted_ = false;
};

/// A run of an SDE by `Adaptive` steps.
template <class M, class P, State X>
class AdaptiveSdeRun : public TreeRun<M, P, X> {
  using Base = TreeRun<M, P, X>;
  using Base::accepted_, Base::wanted_, Base::y_, Base::at_, Base::span_, Base::method_;
  using typename Base::S;

 public:
  /// @param d    rows of the state
  /// @param key  seed, and number of the path in column 0
  /// @throws std::invalid_argument  as ErrorControl, and for a step that is not `adaptable`
  AdaptiveSdeRun(const M& method, const Adaptive& steps, const P& process, Index d,
                 const NoiseKey& key)
      : AdaptiveSdeRun(method,
                       ErrorControl(name_of(method), steps, noise_kind<P>,
                                    step_controls::h211pi,  // quiet, for errors that are random
                                    d),
                       process, d, key) {
    this->first_step(steps.first_step);
  }

  /// Tries one step from (x, t) towards the stop t1 > t, which is never passed. An accepted step
  /// (see `accepted`) replaces x and t; the last one sets t = t1 exactly.
  /// @return success; step_underflow, or non_finite if a nan is the cause
  Status try_step(X& x, Time& t, Time t1, Counts& counts) {
    accepted_ = false;
    this->enter(x, t, t1);
    if (error_.size() == 0)
      for (X* scratch : {&middle_, &error_}) scratch->resizeLike(x);
    if (wanted_ == 0) wanted_ = span_ / 16;
    std::uint64_t size = this->half_within(wanted_, t);
    const bool least = size == 0;
    if (least) {
      if (!finite_) return Status::non_finite;
      if (least_left_ == 0) return Status::step_underflow;
      size = this->least_half(t);
      if (size == 0) return Status::step_underflow;
    }

    const double error = attempt(x, t, size, counts);
    finite_ = y_.isFinite().all();
    wanted_ = this->length(size) *
              controller_.factor(finite_ ? error : std::numeric_limits<double>::infinity());
    if (least && finite_ && std::isfinite(error)) {
      wanted_ = std::max(wanted_, this->length(size));
      --least_left_;
      this->accept(x, t, size, counts);
    } else if (StepController::accepts(error) && finite_) {
      least_left_ = most_least_steps;
      this->accept(x, t, size, counts);
    } else {
      ++counts.rejected;
    }
    return Status::success;
  }

 private:
  AdaptiveSdeRun(const M& method, const ErrorControl& errors, const P& process, Index d,
                 const NoiseKey& key)
      : Base(method, process, d, key),
        rtol_(static_cast<S>(errors.rtol)),
        atol_(errors.column<S, X::RowsAtCompileTime>(d)),
        controller_(errors.control, error_power()) {
    if (!adaptable(calculus_of_method<M>, this->needs_, facts_of(method_).orders(noise_kind<P>),
                   noise_kind<P>, has_memory(method_)))
      throw std::invalid_argument(text(
          "{} cannot adapt its steps on {} noise: it needs Levy areas or normals beside the path, "
          "which are drawn on fixed steps only, or carries something from step to step, or is an "
          "Ito step of strong order below 1, which steps that look at the noise lead to a wrong "
          "limit: choose for instance sra3 (additive noise), sriw1 (scalar or diagonal), milstein "
          "(commutative) or heun-sde (any, Stratonovich)",
          {name_of(method_), to_string(noise_kind<P>)}));
  }

  static constexpr bool embedded = EmbeddedStepper<M, P, X>;
  /// Steps at the resolution of the tree that may be taken whatever their error after one that met
  /// the tolerance: as many as a jump of the coefficients in time can spoil. More are no jump.
  static constexpr int most_least_steps = 4;

  /// The power of h that the error of a step follows: half an order above the strong order of the
  /// step, or of the method of order 1 at most inside an embedded estimate.
  double error_power() const {
    const double strong = facts_of(method_).orders(noise_kind<P>).strong.value_or(0.5);
    return (has_estimate() ? std::min(strong, 1.0) : strong) + 0.5;
  }

  bool has_estimate() const {
    if constexpr (embedded && requires { method_.has_error_estimate(); })
      return method_.has_error_estimate();
    else
      return embedded;
  }

  /// y_ = x(t + h); the error, 1 just allowed.
  double attempt(const X& x, Time t, std::uint64_t size, Counts& counts) {
    const std::uint64_t half = size / 2;
    if constexpr (embedded) {
      if (has_estimate()) {
        this->tree_->increment_between(at_, at_ + size, this->dw_);
        method_.step(*this->process_, x, t, this->length(size), this->dw_, y_, error_,
                     *this->workspace_);
        this->count_step(counts);
        return norm(x);
      }
    }
    this->step(x, t, at_, size, error_, counts);
    this->step(x, t, at_, half, middle_, counts);
    this->step(middle_, t + this->length(half), at_ + half, half, y_, counts);
    error_ -= y_;
    return norm(x);
  }

  double norm(const X& x) const {
    return static_cast<double>((error_.abs() / ((rtol_ * x.abs().max(y_.abs())).colwise() + atol_))
                                   .template maxCoeff<Eigen::PropagateNaN>());
  }

  S rtol_;
  Eigen::Array<S, X::RowsAtCompileTime, 1> atol_;
  StepController controller_;
  X middle_, error_;
  bool finite_ = true;
  int least_left_ = 0;  // steps at the resolution before the next that must meet the tolerance
};

/// A run of an SDE by `Predictable` steps.
template <class M, class P, State X>
class PredictableRun : public TreeRun<M, P, X> {
  using Base = TreeRun<M, P, X>;
  using Base::accepted_, Base::wanted_, Base::y_;

 public:
  /// @param d    rows of the state
  /// @param key  seed, and number of the path in column 0
  /// @throws std::invalid_argument  for a delta that is not positive and finite, or a step with
  ///                                memory, Levy areas or normals beside the path
  PredictableRun(const M& method, const Predictable& steps, const P& process, Index d,
                 const NoiseKey& key)
      : Base(method, process, d, key), delta_(steps.delta) {
    if (!(delta_ > 0) || !std::isfinite(delta_))
      throw std::invalid_argument(text(
          "steps chosen from the state need a largest step delta above zero: got {}", {delta_}));
    if (!takes_any_interval(this->needs_, has_memory(method)))
      throw std::invalid_argument(text(
          "{} cannot choose its steps from the state: it needs Levy areas or normals beside the "
          "path, which are drawn on fixed steps only, or carries something from step to step: "
          "choose for instance euler-maruyama or heun-sde",
          {name_of(method)}));
  }

  /// Takes one step from (x, t) towards the stop t1 > t, which is never passed; the last one sets
  /// t = t1 exactly.
  /// @return success; step_underflow; non_finite where the step or the drift is
  Status try_step(X& x, Time& t, Time t1, Counts& counts) {
    accepted_ = false;
    this->enter(x, t, t1);
    evaluate_drift(*this->process_, x, t, y_);
    ++counts.drift_evaluations;
    const double rate = relative_rate(x, y_);
    if (!std::isfinite(rate)) return Status::non_finite;
    Time wanted = delta_ / std::max(1.0, rate);
    if (wanted_ > 0) wanted = std::min(wanted, std::exchange(wanted_, 0));
    const std::uint64_t size = this->half_within(wanted, t);
    if (size == 0) return Status::step_underflow;
    this->step(x, t, this->at_, size, y_, counts);
    if (!y_.isFinite().all()) return Status::non_finite;
    this->accept(x, t, size, counts);
    return Status::success;
  }

 private:
  /// max |f| / max(1, |x|) over the paths; nan if there is one.
  static double relative_rate(const X& x, const X& f) {
    const auto length = [](const auto& a) { return a.matrix().colwise().norm().array(); };
    return static_cast<double>(
        (length(f) / length(x).max(1)).template maxCoeff<Eigen::PropagateNaN>());
  }

  double delta_;
};

}  // namespace detail

}  // namespace fokker
