#pragma once
/// @file  fokker/solvers/core/any_stepper.hpp
/// @brief A solver chosen at run time: one virtual call per step and block.

#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fokker/solvers/core/solver.hpp>

namespace fokker {

/// Any fixed-step solver for process P on states X, with the type erased; with `sampler` any sampler
/// of the model P, whose steps go from t to t_next. Copies share the solver, which is constant.
template <class P, State X, bool sampler = false>
class AnyStepper {
  struct AnyWorkspace {
    virtual ~AnyWorkspace() = default;
    virtual std::unique_ptr<AnyWorkspace> clone() const = 0;
  };

 public:
  using ProcessType = P;  ///< the one process type it takes
  static constexpr bool is_sampler = sampler;
  static constexpr Calculus calculus = calculus_of<P>;
  static constexpr bool supports(NoiseKind) { return true; }

  /// The workspace of the solver inside, made at its first step.
  template <State>
  class Workspace {
   public:
    Workspace(Index rows, Index columns) : d_(rows), n_(columns) {}
    Workspace(const Workspace& other)
        : d_(other.d_), n_(other.n_), inner_(other.inner_ ? other.inner_->clone() : nullptr) {}
    Workspace(Workspace&&) noexcept = default;
    Workspace& operator=(Workspace other) noexcept {
      std::swap(d_, other.d_);
      std::swap(n_, other.n_);
      inner_.swap(other.inner_);
      return *this;
    }

   private:
    friend AnyStepper;
    Index d_, n_;
    std::unique_ptr<AnyWorkspace> inner_;
  };

  /// @param method  a solver or a sampler whose step takes P; compatibility is checked here, at compile time
  template <class M>
  requires(!std::same_as<M, AnyStepper>) explicit AnyStepper(M method)
      : self_(std::make_shared<Model<M>>(std::move(method))) {
    static_assert(Sampler<M> == sampler, "a sampler steps a model, a solver a process");
    require_compatible<M, P>();
  }

  /// The facts of the solver inside.
  const Facts& facts() const { return self_->facts; }

  /// As check_parameters (solver.hpp).
  void check(const P& p) const { self_->check(p); }

  /// As check_first_steps (solver.hpp).
  void check_start(const P& p, const X& x, Index steps,
                   const std::function<Time(Index)>& time) const {
    self_->check_start(p, x, steps, time);
  }

  /// The arrays that the solver inside carries from step to step.
  std::span<X> memory(Workspace<X>& w) const { return self_->memory(inner(w)); }

  /// @copydoc EulerMaruyama::step
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    self_->step(p, x, t, h, dw, y, inner(w));
  }

  /// Whether the solver inside estimates its error.
  bool has_error_estimate() const { return self_->has_error_estimate(); }

  /// The same with the estimate. @throws std::logic_error  if there is none
  void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y, X& error,
            Workspace<X>& w) const {
    self_->step(p, x, t, h, dw, y, error, inner(w));
  }

 private:
  struct Concept {
    explicit Concept(const Facts& of_method) : facts(of_method) {}
    virtual ~Concept() = default;
    virtual void check(const P&) const = 0;
    virtual void check_start(const P&, const X&, Index,
                             const std::function<Time(Index)>&) const = 0;
    virtual bool has_error_estimate() const = 0;
    virtual std::unique_ptr<AnyWorkspace> workspace(Index d, Index n) const = 0;
    virtual std::span<X> memory(AnyWorkspace&) const = 0;
    virtual void step(const P&, const X&, Time, Time, const Increment<P, X>&, X&,
                      AnyWorkspace&) const = 0;
    virtual void step(const P&, const X&, Time, Time, const Increment<P, X>&, X&, X&,
                      AnyWorkspace&) const = 0;
    Facts facts;
  };

  template <class M>
  struct Model final : Concept {
    explicit Model(M m) : Concept(facts_of(m)), method(std::move(m)) {}
    void check(const P& p) const override { check_parameters(method, p); }
    void check_start(const P& p, const X& x, Index steps,
                     const std::function<Time(Index)>& time) const override {
      check_first_steps(method, p, x, steps, time);
    }
    bool has_error_estimate() const override { return EmbeddedStepper<M, P, X>; }
    std::unique_ptr<AnyWorkspace> workspace(Index d, Index n) const override {
      return std::make_unique<Held>(d, n);
    }
    std::span<X> memory(AnyWorkspace& w) const override {
      return memory_of<X>(method, static_cast<Held&>(w).workspace);
    }
    void step(const P& p, const X& x, Time t, Time h, const Increment<P, X>& dw, X& y,
              AnyWorkspace& w) const override {
      method.step(p, x, t, h, dw, y, static_cast<Held&>(w).workspace);
    }
    void step([[maybe_unused]] const P& p, [[maybe_unused]] const X& x, [[maybe_unused]] Time t,
              [[maybe_unused]] Time h, [[maybe_unused]] const Increment<P, X>& dw,
              [[maybe_unused]] X& y, [[maybe_unused]] X& error,
              [[maybe_unused]] AnyWorkspace& w) const override {
      if constexpr (EmbeddedStepper<M, P, X>)
        method.step(p, x, t, h, dw, y, error, static_cast<Held&>(w).workspace);
      else
        throw std::logic_error("this solver has no error estimate: ask has_error_estimate first");
    }

    struct Held final : AnyWorkspace {
      Held(Index d, Index n) : workspace(d, n) {}
      std::unique_ptr<AnyWorkspace> clone() const override { return std::make_unique<Held>(*this); }
      typename M::template Workspace<X> workspace;
    };
    M method;
  };

  AnyWorkspace& inner(Workspace<X>& w) const {
    if (!w.inner_) w.inner_ = self_->workspace(w.d_, w.n_);
    return *w.inner_;
  }

  std::shared_ptr<const Concept> self_;
};

}  // namespace fokker
