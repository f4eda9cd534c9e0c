#pragma once
/// @file  fokker/solvers/core/any_process.hpp
/// @brief Processes chosen at run time: one virtual call per coefficient and block.

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <fokker/solvers/core/drift_jacobian.hpp>
#include <fokker/solvers/core/linear_process.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

/// Any process of one noise kind, calculus and clock on states Block<double>, with the type erased,
/// so that each solver is instantiated once per kind and not once per process. Copies share the
/// process, which is constant. Coefficients are written into `out`, which must have the shape of x.
/// What else the process knows, solvers ask at run time: `has_diffusion_slope()`,
/// `has_drift_jacobian()`, `has_linear_part()`, `linear()`.
template <NoiseKind kind, Calculus c = Calculus::ito,
          Clock direction = kind == NoiseKind::none ? Clock::both : Clock::up>
class AnyProcess {
 public:
  static constexpr NoiseKind noise = kind;
  static constexpr Calculus calculus = c;
  static constexpr Clock clock = direction;
  /// A block of states.
  using X = Block<double>;
  using Vector = Eigen::Ref<PathState<double>, 0, Eigen::InnerStride<>>;  ///< d values, any spacing

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
          text("the process has {} sources of noise: got source {}", {sources(), k}));
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
      throw std::invalid_argument(
          text("the process {} has no diffusion_slope: ask has_diffusion_slope() first", {name_}));
    self_->slope(x, t, out);
  }

  bool has_drift_jacobian() const { return self_->has_jacobian(); }

  /// j = df_i/dx_k at one path x, d x d.
  /// @throws std::invalid_argument  if the process does not know it
  void drift_jacobian(const PathState<double>& x, Time t, Eigen::MatrixXd& j) const {
    check_jacobian(x.rows());
    self_->jacobian(x, t, j);
  }

  /// The Jacobians of all paths by one virtual call; see evaluate_drift_jacobian.
  /// @throws std::invalid_argument  if the process does not know them
  void drift_jacobian(const X& x, Time t, X& out, PathState<double>& path,
                      Eigen::MatrixXd& matrix) const {
    check_jacobian(x.rows());
    self_->jacobian(x, t, out, path, matrix);
  }

  bool has_linear_part() const { return self_->has_linear_part(); }

  /// Whether the process is linear and gives its matrices (see LinearProcess).
  bool linear() const { return self_->linear(); }

  /// out = A, d x d, of the drift A x + F(x, t).
  /// @throws std::invalid_argument  if the process does not know it
  void linear_part(Eigen::MatrixXd& out) const {
    check_rows(out.rows());
    if (!has_linear_part())
      throw std::invalid_argument(
          text("the process {} has no linear_part: ask has_linear_part() first", {name_}));
    self_->linear_part(out);
  }

  /// out = B_k, d x d, of the noise B_k x + b_k(t).
  /// @throws std::invalid_argument  if the process is not linear
  void linear_diffusion(Index k, Eigen::MatrixXd& out) const
      requires(kind != NoiseKind::none && kind != NoiseKind::additive) {
    check_rows(out.rows());
    if (!linear())
      throw std::invalid_argument(
          text("the process {} is not linear: ask linear() first", {name_}));
    self_->linear_diffusion(k, out);
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
    virtual bool has_jacobian() const = 0;
    virtual void jacobian(const PathState<double>&, Time, Eigen::MatrixXd&) const = 0;
    virtual void jacobian(const X&, Time, X&, PathState<double>&, Eigen::MatrixXd&) const = 0;
    virtual bool has_linear_part() const = 0;
    virtual bool linear() const = 0;
    virtual void linear_part(Eigen::MatrixXd&) const = 0;
    virtual void linear_diffusion(Index, Eigen::MatrixXd&) const = 0;
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
    bool has_jacobian() const override { return fokker::has_drift_jacobian<X>(p); }
    void jacobian([[maybe_unused]] const PathState<double>& x, [[maybe_unused]] Time t,
                  [[maybe_unused]] Eigen::MatrixXd& j) const override {
      if constexpr (HasDriftJacobian<P, X>) p.drift_jacobian(x, t, j);
    }
    void jacobian([[maybe_unused]] const X& x, [[maybe_unused]] Time t, [[maybe_unused]] X& out,
                  [[maybe_unused]] PathState<double>& path,
                  [[maybe_unused]] Eigen::MatrixXd& matrix) const override {
      if constexpr (HasDriftJacobian<P, X>) evaluate_drift_jacobian(p, x, t, out, path, matrix);
    }
    bool has_linear_part() const override { return fokker::has_linear_part(p); }
    bool linear() const override { return is_linear(p); }
    void linear_part([[maybe_unused]] Eigen::MatrixXd& out) const override {
      if constexpr (SemiLinearProcess<P, X>) evaluate_linear_part(p, out);
    }
    void linear_diffusion([[maybe_unused]] Index k,
                          [[maybe_unused]] Eigen::MatrixXd& out) const override {
      if constexpr (LinearProcess<P, X> && kind != NoiseKind::none && kind != NoiseKind::additive)
        evaluate_linear_diffusion(p, k, out);
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
      throw std::invalid_argument(
          text("the process {} has dimension {} and the state has {}", {name_, dimension(), rows}));
  }

  void check_jacobian(Index rows) const {
    check_rows(rows);
    if (!has_drift_jacobian())
      throw std::invalid_argument(
          text("the process {} has no drift_jacobian: ask has_drift_jacobian() first", {name_}));
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
