#pragma once
/// @file  fokker/solvers/any_stepper.hpp
/// @brief A solver chosen at run time: one virtual call per step and block.

#include <memory>
#include <string_view>
#include <utility>

#include <fokker/solvers/solver.hpp>

namespace fokker {

/// Any fixed-step solver for process P on states X, with the type erased. Copies share the solver,
/// which is constant.
template <class P, State X>
class AnyStepper {
 public:
  using ProcessType = P;  ///< the one process type it takes
  static constexpr Calculus calculus = calculus_of<P>;
  static constexpr bool supports(NoiseKind) { return true; }

  /// Scratch of the solver inside, made at its first step.
  template <State>
  struct Workspace {
    Workspace(Index rows, Index columns) : d(rows), n(columns) {}
    Index d, n;
    std::shared_ptr<void> scratch;
  };

  /// @param method  a solver whose step takes P; compatibility is checked here, at compile time
  template <class M>
  requires(!std::same_as<M, AnyStepper>) explicit AnyStepper(M method)
      : self_(std::make_shared<Model<M>>(std::move(method))) {
    require_compatible<M, P>();
  }

  std::string_view name() const { return self_->name(); }
  Orders orders(NoiseKind kind) const { return self_->orders(kind); }
  Evaluations evaluations(NoiseKind kind) const { return self_->evaluations(kind); }
  Needs needs() const { return self_->needs(); }

  /// @copydoc EulerMaruyama::step
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    if (!w.scratch) w.scratch = self_->scratch(w.d, w.n);
    self_->step(p, x, t, h, dw, y, w.scratch.get());
  }

 private:
  struct Concept {
    virtual ~Concept() = default;
    virtual std::string_view name() const = 0;
    virtual Orders orders(NoiseKind) const = 0;
    virtual Evaluations evaluations(NoiseKind) const = 0;
    virtual Needs needs() const = 0;
    virtual std::shared_ptr<void> scratch(Index d, Index n) const = 0;
    virtual void step(const P&, const X&, Time, Time, const Increment<P, X>&, X&, void*) const = 0;
  };

  template <class M>
  struct Model final : Concept {
    explicit Model(M m) : method(std::move(m)) {}
    std::string_view name() const override { return method.name; }
    Orders orders(NoiseKind kind) const override { return method.orders(kind); }
    Evaluations evaluations(NoiseKind kind) const override { return method.evaluations(kind); }
    Needs needs() const override { return needs_of(method); }
    std::shared_ptr<void> scratch(Index d, Index n) const override {
      return std::make_shared<typename M::template Workspace<X>>(d, n);
    }
    void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
              void* scratch) const override {
      method.step(p, x, t, h, dw, y, *static_cast<typename M::template Workspace<X>*>(scratch));
    }
    M method;
  };

  std::shared_ptr<const Concept> self_;
};

}  // namespace fokker
