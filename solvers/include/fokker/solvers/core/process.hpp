#pragma once
/// @file  fokker/solvers/core/process.hpp
/// @brief What a process is: drift and diffusion coefficients with calculus, noise kind and clock.
///
/// A process is any object with
///
///     static constexpr NoiseKind noise;        // always
///     static constexpr Calculus calculus;      // unless the noise is none or additive
///     static constexpr Clock clock;            // optional: see clock_of
///     drift(x, t)         -> d x n
///     diffusion(t)        -> number or d-vector  // additive: one W per component
///     diffusion(x, t)     -> d x n               // scalar (one W) and diagonal (W_i drives X_i)
///     diffusion(x, t, k)  -> d x n, sources()    // commutative and general: the column g_k
///
/// for dX = f(X, t) dt + sum_k g_k(X, t) dW_k, 0 <= k < sources(). In diagonal noise g_i may depend
/// on x_i alone; in commutative noise (g_k . grad) g_l = (g_l . grad) g_k for all k, l.
///
/// A state is a block of paths, one per column: x.row(i) is component i of all of them, and x(i) is
/// entry i of the memory, which is component i on a single path only. A coefficient returns a
/// number or an array expression with the scalar and the columns of x, or writes every entry of one
/// more, last argument `out`. Column j of the result depends on column j of x alone. An expression
/// may refer to x and to members, never to locals: a coefficient with a local array ends its
/// parameters with `-> Plain<decltype(x)>`. All this is checked once per run (contract.hpp).
///
/// Optional members, found by concept: diffusion_slope, exact, mean, covariance, log_density,
/// sample_exact, divergence, domain, dimension, autonomous.

#include <string_view>
#include <utility>

#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// The interpretation of an SDE.
enum class Calculus { ito, stratonovich };

/// How the noise enters; part of the type of a process.
enum class NoiseKind { none, additive, scalar, diagonal, commutative, general };

/// Whether the diffusion coefficient is given column by column, g_k = diffusion(x, t, k).
constexpr bool by_columns(NoiseKind kind) {
  return kind == NoiseKind::commutative || kind == NoiseKind::general;
}

/// The directions of time in which a process may be integrated.
enum class Clock { both, up, down };

/// "Ito" or "Stratonovich".
constexpr std::string_view to_string(Calculus c) {
  return c == Calculus::ito ? "Ito" : "Stratonovich";
}

/// The name of a kind of noise.
constexpr std::string_view to_string(NoiseKind kind) {
  switch (kind) {
    case NoiseKind::none:
      return "none";
    case NoiseKind::additive:
      return "additive";
    case NoiseKind::scalar:
      return "scalar";
    case NoiseKind::diagonal:
      return "diagonal";
    case NoiseKind::commutative:
      return "commutative";
    case NoiseKind::general:
      return "general";
  }
  return "unknown";
}

/// Tags that name the noise kind for `make_sde`.
namespace noise {
/// A kind of noise as an argument of make_sde.
template <NoiseKind k>
struct Tag {
  static constexpr NoiseKind kind = k;
};
/// dX = f dt + g(t) dW, one W per component.
inline constexpr Tag<NoiseKind::additive> additive{};
/// dX = f dt + g(X, t) dW, one W for all components.
inline constexpr Tag<NoiseKind::scalar> scalar{};
/// dX_i = f_i dt + g_i(X_i, t) dW_i.
inline constexpr Tag<NoiseKind::diagonal> diagonal{};
/// Noise given by columns and driven by `sources` independent Wiener processes.
template <NoiseKind k>
struct Columns {
  /// With m Wiener processes.
  constexpr explicit Columns(Index m) : sources(m) {}
  Index sources;
};
using commutative = Columns<NoiseKind::commutative>;
using general = Columns<NoiseKind::general>;
}  // namespace noise

/// The kind of noise of a process.
template <class P>
inline constexpr NoiseKind noise_kind = std::remove_cvref_t<P>::noise;

/// The calculus of a process; Ito where it does not matter and is not said.
template <class P>
inline constexpr Calculus calculus_of = [] {
  if constexpr (requires { std::remove_cvref_t<P>::calculus; })
    return std::remove_cvref_t<P>::calculus;
  else
    return Calculus::ito;
}();

/// The clock of a process: as it says, else both ways for an ODE and up for an SDE.
template <class P>
inline constexpr Clock clock_of = [] {
  if constexpr (requires { std::remove_cvref_t<P>::clock; })
    return std::remove_cvref_t<P>::clock;
  else
    return noise_kind<P> == NoiseKind::none ? Clock::both : Clock::up;
}();

/// Whether the coefficients of a process ignore t, where it says so:
/// `static constexpr bool autonomous = true`. Paths at different times may then share a call.
template <class P>
inline constexpr bool is_autonomous = [] {
  if constexpr (requires { std::remove_cvref_t<P>::autonomous; })
    return std::remove_cvref_t<P>::autonomous;
  else
    return false;
}();

/// Number of Wiener processes that drive a process in d dimensions.
template <class P>
Index wiener_dimension(const P& p, Index d) {
  if constexpr (noise_kind<P> == NoiseKind::none)
    return 0;
  else if constexpr (noise_kind<P> == NoiseKind::scalar)
    return 1;
  else if constexpr (by_columns(noise_kind<P>))
    return p.sources();
  else
    return d;
}

/// Dimension that the process fixes, as a member function or a constant; -1: any.
template <class P>
Index dimension_of(const P& p) {
  if constexpr (requires { Index{p.dimension()}; })
    return p.dimension();
  else if constexpr (requires { Index{P::dimension}; })
    return P::dimension;
  else
    return -1;
}

/// Dimension that the type of the process fixes, a constant `dimension`; else Eigen::Dynamic.
template <class P>
inline constexpr int fixed_dimension = [] {
  if constexpr (requires { std::integral_constant<int, P::dimension>{}; })
    return static_cast<int>(P::dimension);
  else
    return static_cast<int>(Eigen::Dynamic);
}();

namespace detail {

template <class R>
concept PlainArray = State<R> && std::same_as<std::remove_cvref_t<R>, Plain<R>>;

template <class R>
concept Number = std::is_arithmetic_v<std::remove_cvref_t<R>>;

/// What a coefficient may return at a state X: a number, or an array with X's scalar and columns.
template <class R, class X>
constexpr bool is_coefficient() {
  using T = std::remove_cvref_t<R>;
  if constexpr (Number<T>) {
    return true;
  } else if constexpr (State<T>) {
    constexpr int rows = T::RowsAtCompileTime, x_rows = X::RowsAtCompileTime;
    constexpr int columns = T::ColsAtCompileTime, x_columns = X::ColsAtCompileTime;
    return std::same_as<typename T::Scalar, typename X::Scalar> && columns == x_columns &&
           (rows == x_rows || rows == Eigen::Dynamic || x_rows == Eigen::Dynamic);
  } else {
    return false;
  }
}

/// The value of `call()` in a form that outlives the statement: a number as the scalar of X, an
/// expression by value, a named array by reference, a returned array through `scratch`.
template <class X, class Call>
decltype(auto) materialise(X& scratch, Call&& call) {
  using R = decltype(call());
  static_assert(
      is_coefficient<R, X>(),
      "a coefficient must return a number or an Eigen array expression with the scalar "
      "and the columns of the state it is given (take `const auto& x`, not a fixed array)");
  if constexpr (Number<R>) {
    return static_cast<typename X::Scalar>(call());
  } else if constexpr (PlainArray<R> && !std::is_lvalue_reference_v<R>) {
    scratch = call();
    return std::as_const(scratch);
  } else {
    return call();
  }
}

}  // namespace detail

/// f(x, t): an expression over x, or `scratch` filled with the value.
template <class P, State X>
decltype(auto) drift(const P& p, const X& x, Time t, X& scratch) {
  if constexpr (requires { p.drift(x, t, scratch); }) {
    p.drift(x, t, scratch);
    return std::as_const(scratch);
  } else {
    return detail::materialise(scratch, [&]() -> decltype(auto) { return p.drift(x, t); });
  }
}

/// out = f(x, t).
template <class P, State X>
void evaluate_drift(const P& p, const X& x, Time t, X& out) {
  if constexpr (requires { p.drift(x, t, out); })
    p.drift(x, t, out);
  else
    detail::assign(out, drift(p, x, t, out));
}

/// g(x, t) of scalar or diagonal noise: an expression over x, or `scratch` filled with the value.
template <class P, State X>
decltype(auto) diffusion(const P& p, const X& x, Time t, X& scratch) {
  if constexpr (requires { p.diffusion(x, t, scratch); }) {
    p.diffusion(x, t, scratch);
    return std::as_const(scratch);
  } else {
    return detail::materialise(scratch, [&]() -> decltype(auto) { return p.diffusion(x, t); });
  }
}

/// g_k(x, t) of commutative or general noise.
template <class P, State X>
decltype(auto) diffusion(const P& p, const X& x, Time t, Index k, X& scratch) {
  if constexpr (requires { p.diffusion(x, t, k, scratch); }) {
    p.diffusion(x, t, k, scratch);
    return std::as_const(scratch);
  } else {
    return detail::materialise(scratch, [&]() -> decltype(auto) { return p.diffusion(x, t, k); });
  }
}

/// A process has the analytic slope of its diffusion coefficient: for diagonal noise dg_i/dx_i, for
/// scalar noise the directional derivative (g . grad) g, each d x n at (x, t).
template <class P, class X>
concept HasDiffusionSlope = State<X> && requires(const P& p, const X& x, Time t, X& out) {
  requires requires { p.diffusion_slope(x, t); } || requires {
    p.diffusion_slope(x, t, out);
  };
};

/// Whether p has the analytic slope; a type-erased process answers at run time.
template <State X, class P>
constexpr bool has_diffusion_slope(const P& p) {
  if constexpr (HasDiffusionSlope<P, X> && requires { p.has_diffusion_slope(); })
    return p.has_diffusion_slope();
  else
    return HasDiffusionSlope<P, X>;
}

/// The slope of g at (x, t): an expression over x, or `scratch` filled with the value.
template <State X, HasDiffusionSlope<X> P>
decltype(auto) diffusion_slope(const P& p, const X& x, Time t, X& scratch) {
  if constexpr (requires { p.diffusion_slope(x, t, scratch); }) {
    p.diffusion_slope(x, t, scratch);
    return std::as_const(scratch);
  } else {
    return detail::materialise(scratch,
                               [&]() -> decltype(auto) { return p.diffusion_slope(x, t); });
  }
}

namespace detail {

/// P has the drift on states X in one of its forms.
template <class P, class X>
inline constexpr bool has_drift = [] {
  constexpr bool returns = requires(const P& p, const X& x, Time t) { p.drift(x, t); };
  constexpr bool writes = requires(const P& p, const X& x, Time t, X& out) { p.drift(x, t, out); };
  return returns || writes;
}();

/// P has the diffusion coefficient that its noise kind asks for, in one of its forms. (A
/// column g_k is looked at when it is called.)
template <class P, class X>
inline constexpr bool has_diffusion = [] {
  if constexpr (noise_kind<P> == NoiseKind::none) {
    return true;
  } else if constexpr (noise_kind<P> == NoiseKind::additive) {
    constexpr bool returns = requires(const P& p, Time t) { p.diffusion(t); };
    constexpr bool writes = requires(const P& p, Time t, X& out) { p.diffusion(t, out.col(0)); };
    return returns || writes;
  } else if constexpr (by_columns(noise_kind<P>)) {
    return requires(const P& p) { p.sources(); };
  } else {
    constexpr bool returns = requires(const P& p, const X& x, Time t) { p.diffusion(x, t); };
    constexpr bool writes = requires(const P& p, const X& x, Time t, X& out) {
      p.diffusion(x, t, out);
    };
    return returns || writes;
  }
}();

}  // namespace detail

/// A process that can be integrated on states X; what `simulate` and `integrate` ask for.
template <class P, class X>
concept Process =
    State<X> && std::same_as<std::remove_cvref_t<decltype(noise_kind<P>)>, NoiseKind> &&
    detail::has_drift<P, X> && detail::has_diffusion<P, X>;

/// An SDE from two callables; made by `make_sde`.
template <class Drift, class Diffusion, NoiseKind kind, Calculus c = Calculus::ito>
struct Sde {
  static constexpr Calculus calculus = c;
  static constexpr NoiseKind noise = kind;
  Drift drift;
  Diffusion diffusion;
};

/// An SDE whose noise is given by columns, from two callables; made by `make_sde`.
template <class Drift, class Diffusion, NoiseKind kind, Calculus c>
requires(by_columns(kind)) struct Sde<Drift, Diffusion, kind, c> {
  static constexpr Calculus calculus = c;
  static constexpr NoiseKind noise = kind;
  Drift drift;
  Diffusion diffusion;
  Index columns;
  Index sources() const { return columns; }
};

/// An ODE dx = f(x, t) dt from a callable; made by `make_ode`.
template <class Drift>
struct Ode {
  static constexpr NoiseKind noise = NoiseKind::none;
  Drift drift;
};

/// dX = drift(X, t) dt + diffusion dW from two callables: `make_sde(f, g, noise::diagonal)`. The
/// arguments of `diffusion` follow the noise kind: (t) additive, (x, t) scalar and diagonal,
/// (x, t, k) with `noise::commutative(m)` and `noise::general(m)`. Ito unless
/// `make_sde<Calculus::stratonovich>` is written.
template <Calculus c = Calculus::ito, class Drift, class Diffusion, NoiseKind kind>
auto make_sde(Drift drift, Diffusion diffusion, noise::Tag<kind>) {
  return Sde<Drift, Diffusion, kind, c>{std::move(drift), std::move(diffusion)};
}

/// An SDE with m noise columns, `diffusion(x, t, k)` being the k-th.
template <Calculus c = Calculus::ito, class Drift, class Diffusion, NoiseKind kind>
auto make_sde(Drift drift, Diffusion diffusion, noise::Columns<kind> tag) {
  return Sde<Drift, Diffusion, kind, c>{std::move(drift), std::move(diffusion), tag.sources};
}

/// dx/dt = drift(x, t) from a callable.
template <class Drift>
auto make_ode(Drift drift) {
  return Ode<Drift>{std::move(drift)};
}

/// The same process on the clock r = -t: dX = -f(X, -r) dr + g(X, -r) dW. `integrate` and
/// `simulate` make it when they go down in time, so that a step always has h > 0.
template <class P>
struct TimeReversed {
  static constexpr NoiseKind noise = noise_kind<P>;
  static constexpr Calculus calculus = calculus_of<P>;
  static constexpr bool autonomous = is_autonomous<P>;

  const P& base;  ///< the process in its own time t

  template <State X>
  requires detail::has_drift<P, X>
  void drift(const X& x, Time r, X& out) const {
    evaluate_drift(base, x, -r, out);
    out = -out;
  }
  Index dimension() const { return dimension_of(base); }
  decltype(auto) diffusion(Time r) const requires requires { base.diffusion(r); }
  { return base.diffusion(-r); }
  void diffusion(Time r, auto&& out) const requires requires { base.diffusion(r, out); }
  { base.diffusion(-r, out); }
  decltype(auto) diffusion(const auto& x, Time r) const requires requires { base.diffusion(x, -r); }
  { return base.diffusion(x, -r); }
  decltype(auto) diffusion(const auto& x, Time r, auto&& last) const requires requires {
    base.diffusion(x, -r, last);
  }
  { return base.diffusion(x, -r, last); }
  void diffusion(const auto& x, Time r, Index k, auto& out) const requires requires {
    base.diffusion(x, -r, k, out);
  }
  { base.diffusion(x, -r, k, out); }
  decltype(auto) diffusion_slope(const auto& x, Time r) const requires requires {
    base.diffusion_slope(x, -r);
  }
  { return base.diffusion_slope(x, -r); }
  void diffusion_slope(const auto& x, Time r, auto& out) const requires requires {
    base.diffusion_slope(x, -r, out);
  }
  { base.diffusion_slope(x, -r, out); }
  bool has_diffusion_slope() const requires requires { base.has_diffusion_slope(); }
  { return base.has_diffusion_slope(); }
  Index sources() const requires(by_columns(noise)) { return base.sources(); }
  void drift_jacobian(const auto& x, Time r, auto& j, auto&... scratch) const requires requires {
    base.drift_jacobian(x, -r, j, scratch...);
  }
  {
    base.drift_jacobian(x, -r, j, scratch...);
    j = -j;
  }
  bool has_drift_jacobian() const requires requires { base.has_drift_jacobian(); }
  { return base.has_drift_jacobian(); }
  auto linear_part() const requires requires { base.linear_part(); }
  {
    if constexpr (requires { base.linear_part().eval(); })
      return (-base.linear_part()).eval();
    else
      return -base.linear_part();
  }
  void linear_part(auto& out) const requires requires { base.linear_part(out); }
  {
    base.linear_part(out);
    out = -out;
  }
  bool has_linear_part() const requires requires { base.has_linear_part(); }
  { return base.has_linear_part(); }
  auto domain(Index component) const requires requires { base.domain(component); }
  { return base.domain(component); }
};

/// As that of the process.
template <class P>
inline constexpr int fixed_dimension<TimeReversed<P>> = fixed_dimension<P>;

}  // namespace fokker
