#pragma once
/// @file  fokker/diffusion/score/any_score.hpp
/// @brief A score chosen at run time: one virtual call per evaluation of a block or path.

#include <concepts>
#include <memory>
#include <stdexcept>
#include <utility>

#include <fokker/diffusion/score/score_jacobian.hpp>
#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// Any score with its denoiser on states of dynamic dimension with scalar S: blocks, and single
/// paths (which adaptive solvers ask for). What the score knows of its Jacobian is passed on, see
/// score_jacobian.hpp. Copies share the score, which is constant.
template <class S>
class AnyScore {
 public:
  /// @param score  has score(x, t, out), denoise(x, t, out) and dimension(), as `exact_score` gives
  template <class Score>
  requires(!std::same_as<Score, AnyScore>) AnyScore(Score score)
      : self_(std::make_shared<Model<Score>>(std::move(score))) {}

  Index dimension() const { return self_->dimension(); }

  /// out = grad log p_t(x). @param x,out  d x n; must not overlap
  void operator()(const Block<S>& x, Time t, Block<S>& out) const { self_->score(x, t, out); }
  void operator()(const Path<S>& x, Time t, Path<S>& out) const { self_->score(x, t, out); }

  /// out = E[x0 | x_t = x]. @param x,out  d x n; must not overlap
  void denoise(const Block<S>& x, Time t, Block<S>& out) const { self_->denoise(x, t, out); }
  void denoise(const Path<S>& x, Time t, Path<S>& out) const { self_->denoise(x, t, out); }

  bool has_posterior_covariance() const { return self_->has_posterior_covariance(); }
  bool has_jacobian() const { return self_->has_jacobian(); }
  bool has_transposed_jacobian() const { return self_->has_transposed_jacobian(); }

  /// out = Cov[x0 | x_t = x] v. @param x,v,out  d x n; out must not overlap
  /// @throws std::logic_error  unless has_posterior_covariance()
  void posterior_covariance_times(const Block<S>& x, Time t, const Block<S>& v,
                                  Block<S>& out) const {
    self_->posterior_covariance_times(x, t, v, out);
  }

  /// out = (d score / dx) v. @param x,v,out  d x n; out must not overlap
  /// @throws std::logic_error  unless has_jacobian()
  void jacobian_times(const Block<S>& x, Time t, const Block<S>& v, Block<S>& out) const {
    self_->jacobian_times(x, t, v, out);
  }

  /// out = (d score / dx)^T v. @param x,v,out  d x n; out must not overlap
  /// @throws std::logic_error  unless has_transposed_jacobian()
  void jacobian_transposed_times(const Block<S>& x, Time t, const Block<S>& v,
                                 Block<S>& out) const {
    self_->jacobian_transposed_times(x, t, v, out);
  }

 private:
  struct Concept {
    virtual ~Concept() = default;
    virtual Index dimension() const = 0;
    virtual void score(const Block<S>&, Time, Block<S>&) const = 0;
    virtual void score(const Path<S>&, Time, Path<S>&) const = 0;
    virtual void denoise(const Block<S>&, Time, Block<S>&) const = 0;
    virtual void denoise(const Path<S>&, Time, Path<S>&) const = 0;
    virtual bool has_posterior_covariance() const = 0;
    virtual bool has_jacobian() const = 0;
    virtual bool has_transposed_jacobian() const = 0;
    virtual void posterior_covariance_times(const Block<S>&, Time, const Block<S>&,
                                            Block<S>&) const = 0;
    virtual void jacobian_times(const Block<S>&, Time, const Block<S>&, Block<S>&) const = 0;
    virtual void jacobian_transposed_times(const Block<S>&, Time, const Block<S>&,
                                           Block<S>&) const = 0;
  };

  template <class Score>
  struct Model final : Concept {
    explicit Model(Score s) : inner(std::move(s)) {}
    Index dimension() const override { return inner.dimension(); }
    void score(const Block<S>& x, Time t, Block<S>& out) const override { inner(x, t, out); }
    void score(const Path<S>& x, Time t, Path<S>& out) const override { inner(x, t, out); }
    void denoise(const Block<S>& x, Time t, Block<S>& out) const override {
      inner.denoise(x, t, out);
    }
    void denoise(const Path<S>& x, Time t, Path<S>& out) const override {
      inner.denoise(x, t, out);
    }
    bool has_posterior_covariance() const override {
      return detail::knows_posterior_covariance<Block<S>>(inner);
    }
    bool has_jacobian() const override { return detail::knows_jacobian<Block<S>>(inner); }
    bool has_transposed_jacobian() const override {
      return detail::knows_transposed_jacobian<Block<S>>(inner);
    }
    void posterior_covariance_times(const Block<S>& x, Time t, const Block<S>& v,
                                    Block<S>& out) const override {
      if constexpr (detail::OffersPosteriorCovariance<Score, Block<S>>)
        inner.posterior_covariance_times(x, t, v, out);
      else
        throw std::logic_error("this score does not know its posterior covariance");
    }
    void jacobian_times(const Block<S>& x, Time t, const Block<S>& v,
                        Block<S>& out) const override {
      if constexpr (detail::OffersJacobian<Score, Block<S>>)
        inner.jacobian_times(x, t, v, out);
      else
        throw std::logic_error("this score does not know its Jacobian");
    }
    void jacobian_transposed_times(const Block<S>& x, Time t, const Block<S>& v,
                                   Block<S>& out) const override {
      if constexpr (detail::OffersTransposedJacobian<Score, Block<S>>)
        inner.jacobian_transposed_times(x, t, v, out);
      else
        throw std::logic_error("this score does not know its transposed Jacobian");
    }
    Score inner;
  };

  std::shared_ptr<const Concept> self_;
};

}  // namespace fokker
