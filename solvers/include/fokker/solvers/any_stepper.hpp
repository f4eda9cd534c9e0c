#pragma once
/// @file  fokker/solvers/any_stepper.hpp
/// @brief A solver chosen at run time: one virtual call per step and block.

#include <memory>
#include <stdexcept>
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

  /// Whether the solver inside estimates its error.
  bool has_error_estimate() const { return self_->has_error_estimate(); }

  /// The same with the estimate. @throws std::logic_error  if there is none
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y, X& error,
            Workspace<X>& w) const {
    if (!w.scratch) w.scratch = self_->scratch(w.d, w.n);
    self_->step(p, x, t, h, dw, y, error, w.scratch.get());
  }

 private:
  struct Concept {
    virtual ~Concept() = default;
    virtual std::string_view name() const = 0;
    virtual Orders orders(NoiseKind) const = 0;
    virtual Evaluations evaluations(NoiseKind) const = 0;
    virtual Needs needs() const = 0;
    virtual std::shared_ptr<void> scratch(Index d, Index n) const = 0;
    virtual bool has_error_estimate() const = 0;
    virtual void step(const P&, const X&, Time, Time, const Increment<P, X>&, X&, void*) const = 0;
    virtual void step(const P&, const X&, Time, Time, const Increment<P, X>&, X&, X&,
                      void*) const = 0;
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
    bool has_error_estimate() const override { return EmbeddedStepper<M, P, X>; }
    void step([[maybe_unused]] const P& p, [[maybe_unused]] const X& x, [[maybe_unused]] Time t,
              [[maybe_unused]] Time h, [[maybe_unused]] const Increment<P, X>& dw,
              [[maybe_unused]] X& y, [[maybe_unused]] X& error,
              [[maybe_unused]] void* scratch) const override {
      if constexpr (EmbeddedStepper<M, P, X>)
        method.step(p, x, t, h, dw, y, error,
                    *static_cast<typename M::template Workspace<X>*>(scratch));
      else
        throw std::logic_error("this solver has no error estimate: ask has_error_estimate first");
    }
    M method;
  };

  std::shared_ptr<const Concept> self_;
};

}  // namespace fokker
