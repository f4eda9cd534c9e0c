#pragma once
/// @file  fokker/diffusion/any_score.hpp
/// @brief A score chosen at run time: one virtual call per evaluation of a block or path.

#include <concepts>
#include <memory>
#include <utility>

#include <fokker/solvers/state.hpp>

namespace fokker {

/// Any score with its denoiser on states of dynamic dimension with scalar S: blocks, and single
/// paths (which adaptive solvers ask for). Copies share the score, which is constant.
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

 private:
  struct Concept {
    virtual ~Concept() = default;
    virtual Index dimension() const = 0;
    virtual void score(const Block<S>&, Time, Block<S>&) const = 0;
    virtual void score(const Path<S>&, Time, Path<S>&) const = 0;
    virtual void denoise(const Block<S>&, Time, Block<S>&) const = 0;
    virtual void denoise(const Path<S>&, Time, Path<S>&) const = 0;
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
    Score inner;
  };

  std::shared_ptr<const Concept> self_;
};

}  // namespace fokker
