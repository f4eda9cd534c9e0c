#pragma once
/// @file  fokker/solvers/any_process.hpp
/// @brief Processes chosen at run time: one virtual call per coefficient and block.

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <fokker/solvers/process.hpp>

namespace fokker {

/// Any process of one noise kind, calculus and clock on states Block<double>, with the type erased,
/// so that each solver is instantiated once per kind and not once per process. Copies share the
/// process, which is constant. Coefficients are written into `out`, which must have the shape of x.
/// An analytic slope is known at run time only: `has_diffusion_slope()`; Milstein asks it.
template <NoiseKind kind, Calculus c = Calculus::ito,
          Clock direction = kind == NoiseKind::none ? Clock::both : Clock::up>
class AnyProcess {
 public:
  static constexpr NoiseKind noise = kind;
  static constexpr Calculus calculus = c;
  static constexpr Clock clock = direction;
  using X = Block<double>;
  using Vector = Eigen::Ref<Path<double>, 0, Eigen::InnerStride<>>;  ///< d values, any spacing

  /// @param process  of this kind, calculus (if it matters) and clock; checked at compile time
  /// @param name     what the process is called; by default its own `name`, if it has one
  template <class P>
  requires(!std::same_as<P, AnyProcess>) explicit AnyProcess(P process,
                                                             std::string name = own_name<P>())
      : self_(std::make_shared<Model<P>>(std::move(process))), name_(std::move(name)) {
    static_assert(Process<P, X>, "the process must work on states Block<double>");
    static_assert(noise_kind<P> == kind, "the process has another kind of noise");
    static_assert(
        kind == NoiseKind::none || kind == NoiseKind::additive || calculus_of<P> == calculus,
        "Ito and Stratonovich do not match: convert the process with to_stratonovich(process) or "
        "to_ito(process)");
    static_assert(clock_of<P> == clock, "the process has another clock");
  }

  const std::string& name() const { return name_; }

  /// Dimension that the process fixes; -1: any.
  Index dimension() const { return self_->dimension(); }

  /// out = f(x, t).
  /// @throws std::invalid_argument  if x does not have the dimension of the process
  void drift(const X& x, Time t, X& out) const {
    check_rows(x.rows());
    self_->drift(x, t, out);
  }

  /// g = g(t).
  void diffusion(Time t, Vector g) const requires(kind == NoiseKind::additive) {
    check_rows(g.rows());
    self_->diffusion(t, g);
  }

  /// out = g(x, t).
  void diffusion(const X& x, Time t, X& out) const
      requires(kind == NoiseKind::scalar || kind == NoiseKind::diagonal) {
    check_rows(x.rows());
    self_->diffusion(x, t, out);
  }

  /// out = g_k(x, t).
  /// @throws std::invalid_argument  also for k outside [0, sources())
  void diffusion(const X& x, Time t, Index k, X& out) const requires(by_columns(kind)) {
    check_rows(x.rows());
    if (k < 0 || k >= sources())
      throw std::invalid_argument(
          fmt::format("the process has {} sources of noise: got source {}", sources(), k));
    self_->diffusion(x, t, k, out);
  }

  Index sources() const requires(by_columns(kind)) { return self_->sources(); }

  bool has_diffusion_slope() const { return self_->has_slope(); }

  /// out = the slope of g at (x, t).
  /// @throws std::invalid_argument  if the process does not know it
  void diffusion_slope(const X& x, Time t, X& out) const
      requires(kind == NoiseKind::scalar || kind == NoiseKind::diagonal) {
    check_rows(x.rows());
    if (!has_diffusion_slope())
      throw std::invalid_argument(fmt::format(
          "the process {} has no diffusion_slope: ask has_diffusion_slope() first", name_));
    self_->slope(x, t, out);
  }

 private:
  struct Concept {
    virtual ~Concept() = default;
    virtual Index dimension() const = 0;
    virtual Index sources() const = 0;
    virtual bool has_slope() const = 0;
    virtual void drift(const X&, Time, X&) const = 0;
    virtual void diffusion(Time, Vector&) const = 0;
    virtual void diffusion(const X&, Time, X&) const = 0;
    virtual void diffusion(const X&, Time, Index, X&) const = 0;
    virtual void slope(const X&, Time, X&) const = 0;
  };

  /// Each function does what the kind of noise has; the others are never called.
  template <class P>
  struct Model final : Concept {
    explicit Model(P process) : p(std::move(process)) {}
    Index dimension() const override { return dimension_of(p); }
    Index sources() const override { return wiener_dimension(p, dimension()); }
    bool has_slope() const override { return fokker::has_diffusion_slope<X>(p); }
    void drift(const X& x, Time t, X& out) const override { evaluate_drift(p, x, t, out); }
    void diffusion([[maybe_unused]] Time t, [[maybe_unused]] Vector& g) const override {
      if constexpr (kind == NoiseKind::additive) {
        if constexpr (requires { p.diffusion(t, g); })
          p.diffusion(t, g);
        else
          g = p.diffusion(t);
      }
    }
    void diffusion([[maybe_unused]] const X& x, [[maybe_unused]] Time t,
                   [[maybe_unused]] X& out) const override {
      if constexpr (kind == NoiseKind::scalar || kind == NoiseKind::diagonal)
        detail::assign(out, fokker::diffusion(p, x, t, out));
    }
    void diffusion([[maybe_unused]] const X& x, [[maybe_unused]] Time t, [[maybe_unused]] Index k,
                   [[maybe_unused]] X& out) const override {
      if constexpr (by_columns(kind)) detail::assign(out, fokker::diffusion(p, x, t, k, out));
    }
    void slope([[maybe_unused]] const X& x, [[maybe_unused]] Time t,
               [[maybe_unused]] X& out) const override {
      if constexpr (HasDiffusionSlope<P, X>)
        detail::assign(out, fokker::diffusion_slope(p, x, t, out));
    }
    P p;
  };

  template <class P>
  static std::string own_name() {
    if constexpr (requires { std::string(P::name); })
      return std::string(P::name);
    else
      return "process";
  }

  void check_rows(Index rows) const {
    if (dimension() >= 0 && rows != dimension())
      throw std::invalid_argument(fmt::format(
          "the process {} has dimension {} and the state has {}", name_, dimension(), rows));
  }

  std::shared_ptr<const Concept> self_;
  std::string name_;
};

/// Any SDE of one noise kind: `AnySde<NoiseKind::diagonal>{GeometricBrownianMotion{...}}`.
template <NoiseKind kind, Calculus c = Calculus::ito, Clock direction = Clock::up>
using AnySde = AnyProcess<kind, c, direction>;

/// Any ODE.
using AnyOde = AnyProcess<NoiseKind::none>;

}  // namespace fokker
