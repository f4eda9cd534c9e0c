#pragma once
/// @file  fokker/diffusion/score/any_score.hpp
/// @brief A score chosen at run time, and the count of its evaluations.

#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <fokker/diffusion/score/score_jacobian.hpp>
#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// Any score on states of scalar S, with the type erased: one virtual call per evaluation of a
/// block, or of the single path of an adaptive run. It is made from any callable score(x, t, out)
/// or score(x, t) on blocks; a denoiser, a dimension and products with the Jacobian are passed on
/// where the callable has them (see evaluate_score.hpp and score_jacobian.hpp). Copies share the
/// score, which is constant.
///
/// `counted()` counts the evaluations (NFE), here and nowhere else. Each call, of the score, the
/// denoiser or a product with the Jacobian, is one evaluation for each column of its block.
/// Columns include the padding of the last block, so the NFE of a path is calls / blocks where
/// every block takes the same steps, and columns / paths only where the blocks are full.
template <class S>
class AnyScore {
 public:
  /// @param score  a callable on `Block<S>`; one that does not take `PathState<S>` is called with a block
  ///               of one column
  template <class Score>
  requires(!std::same_as<Score, AnyScore> && detail::ScoreOn<Score, Block<S>>) AnyScore(Score score)
      : self_(std::make_shared<Model<Score>>(std::move(score))) {}

  /// The dimension of the score, or -1 where it takes any.
  Index dimension() const { return self_->dimension; }

  bool has_denoiser() const { return self_->has_denoiser; }
  bool has_posterior_covariance() const { return self_->has_posterior_covariance; }
  bool has_jacobian() const { return self_->has_jacobian; }
  bool has_transposed_jacobian() const { return self_->has_transposed_jacobian; }

  /// out = grad log p_t(x). @param x,out  d x n; must not overlap
  void operator()(const Block<S>& x, Time t, Block<S>& out) const { counting(x).score(x, t, out); }
  void operator()(const PathState<S>& x, Time t, PathState<S>& out) const {
    counting(x).score(x, t, out);
  }

  /// out = E[x0 | x_t = x]. @param x,out  d x n; must not overlap
  /// @throws std::logic_error  unless has_denoiser(); `evaluate_denoiser` takes any score
  void denoise(const Block<S>& x, Time t, Block<S>& out) const { counting(x).denoise(x, t, out); }
  void denoise(const PathState<S>& x, Time t, PathState<S>& out) const {
    counting(x).denoise(x, t, out);
  }

  /// out = Cov[x0 | x_t = x] v. @param x,v,out  d x n; out must not overlap
  /// @throws std::logic_error  unless has_posterior_covariance()
  void posterior_covariance_times(const Block<S>& x, Time t, const Block<S>& v,
                                  Block<S>& out) const {
    counting(x).posterior_covariance_times(x, t, v, out);
  }

  /// out = (d score / dx) v. @param x,v,out  d x n; out must not overlap
  /// @throws std::logic_error  unless has_jacobian()
  void jacobian_times(const Block<S>& x, Time t, const Block<S>& v, Block<S>& out) const {
    counting(x).jacobian_times(x, t, v, out);
  }

  /// out = (d score / dx)^T v. @param x,v,out  d x n; out must not overlap
  /// @throws std::logic_error  unless has_transposed_jacobian()
  void jacobian_transposed_times(const Block<S>& x, Time t, const Block<S>& v,
                                 Block<S>& out) const {
    counting(x).jacobian_transposed_times(x, t, v, out);
  }

  /// The same score with a count of its own, which starts at 0. Copies share the count; counting
  /// is safe from any thread.
  AnyScore counted() const {
    AnyScore score = *this;
    score.counts_ = std::make_shared<Counts>();
    return score;
  }

  /// Number of calls. @throws std::logic_error  unless made by counted()
  std::uint64_t calls() const { return counts().calls.load(std::memory_order_relaxed); }
  /// Number of evaluated columns. @throws std::logic_error  unless made by counted()
  std::uint64_t columns() const { return counts().columns.load(std::memory_order_relaxed); }

  /// Sets the counts of this and all copies to 0.
  /// @throws std::logic_error  unless made by counted()
  void reset() const {
    counts().calls.store(0, std::memory_order_relaxed);
    counts().columns.store(0, std::memory_order_relaxed);
  }

 private:
  struct Concept {
    virtual ~Concept() = default;
    virtual void score(const Block<S>&, Time, Block<S>&) const = 0;
    virtual void score(const PathState<S>&, Time, PathState<S>&) const = 0;
    virtual void denoise(const Block<S>&, Time, Block<S>&) const = 0;
    virtual void denoise(const PathState<S>&, Time, PathState<S>&) const = 0;
    virtual void posterior_covariance_times(const Block<S>&, Time, const Block<S>&,
                                            Block<S>&) const = 0;
    virtual void jacobian_times(const Block<S>&, Time, const Block<S>&, Block<S>&) const = 0;
    virtual void jacobian_transposed_times(const Block<S>&, Time, const Block<S>&,
                                           Block<S>&) const = 0;
    Index dimension = -1;
    bool has_denoiser, has_posterior_covariance, has_jacobian, has_transposed_jacobian;
  };

  template <class Score>
  struct Model final : Concept {
    explicit Model(Score s) : inner(std::move(s)) {
      if constexpr (requires { Index{inner.dimension()}; }) this->dimension = inner.dimension();
      this->has_denoiser = detail::knows_denoiser<Block<S>>(inner);
      this->has_posterior_covariance = detail::knows_posterior_covariance<Block<S>>(inner);
      this->has_jacobian = detail::knows_jacobian<Block<S>>(inner);
      this->has_transposed_jacobian = detail::knows_transposed_jacobian<Block<S>>(inner);
    }

    void score(const Block<S>& x, Time t, Block<S>& out) const override {
      evaluate_score(inner, x, t, out);
    }
    void score(const PathState<S>& x, Time t, PathState<S>& out) const override {
      if constexpr (detail::ScoreOn<Score, PathState<S>>)
        evaluate_score(inner, x, t, out);
      else
        as_block(x, out, [&](const Block<S>& in, Block<S>& to) { score(in, t, to); });
    }
    void denoise(const Block<S>& x, Time t, Block<S>& out) const override {
      if constexpr (detail::OffersDenoiser<Score, Block<S>>)
        inner.denoise(x, t, out);
      else
        refuse("denoiser");
    }
    void denoise(const PathState<S>& x, Time t, PathState<S>& out) const override {
      if constexpr (detail::OffersDenoiser<Score, PathState<S>>)
        inner.denoise(x, t, out);
      else
        as_block(x, out, [&](const Block<S>& in, Block<S>& to) { denoise(in, t, to); });
    }
    void posterior_covariance_times(const Block<S>& x, Time t, const Block<S>& v,
                                    Block<S>& out) const override {
      if constexpr (detail::OffersPosteriorCovariance<Score, Block<S>>)
        inner.posterior_covariance_times(x, t, v, out);
      else
        refuse("posterior covariance");
    }
    void jacobian_times(const Block<S>& x, Time t, const Block<S>& v,
                        Block<S>& out) const override {
      if constexpr (detail::OffersJacobian<Score, Block<S>>)
        inner.jacobian_times(x, t, v, out);
      else
        refuse("Jacobian");
    }
    void jacobian_transposed_times(const Block<S>& x, Time t, const Block<S>& v,
                                   Block<S>& out) const override {
      if constexpr (detail::OffersTransposedJacobian<Score, Block<S>>)
        inner.jacobian_transposed_times(x, t, v, out);
      else
        refuse("transposed Jacobian");
    }

    Score inner;
  };

  struct Counts {
    std::atomic<std::uint64_t> calls{0}, columns{0};
  };

  [[noreturn]] static void refuse(const char* what) {
    throw std::logic_error(std::string("this score has no ") + what);
  }

  /// out = what f(block of x, to) writes.
  template <class F>
  static void as_block(const PathState<S>& x, PathState<S>& out, F&& f) {
    const Block<S> in = x;
    Block<S> to(x.rows(), 1);
    f(in, to);
    out = to;
  }

  /// The score behind this one, after its evaluation at the columns of x has been counted.
  template <State X>
  const Concept& counting(const X& x) const {
    if (counts_) {
      counts_->calls.fetch_add(1, std::memory_order_relaxed);
      counts_->columns.fetch_add(static_cast<std::uint64_t>(x.cols()), std::memory_order_relaxed);
    }
    return *self_;
  }

  Counts& counts() const {
    if (!counts_) throw std::logic_error("this score counts no evaluations: take its counted()");
    return *counts_;
  }

  std::shared_ptr<const Concept> self_;
  std::shared_ptr<Counts> counts_;
};

}  // namespace fokker
