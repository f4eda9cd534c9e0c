#pragma once
/// @file  fokker/solvers/core/facts.hpp
/// @brief What is known of a method, as one constexpr record.
///
///     static constexpr Facts facts{
///         .name = "euler-maruyama",
///         .source = "Kloeden & Platen (1992), 10.2",
///         .order = {.strong = {0.5, {.additive = 1}}, .weak = 1, .deterministic = 1},
///         .cost = {.drift = 1, .diffusion = 1}};
///
/// The tables in the documentation, `fokker list` and the certificates follow from it.

#include <initializer_list>
#include <optional>
#include <string_view>

#include <fokker/solvers/core/increment.hpp>
#include <fokker/solvers/core/process.hpp>

namespace fokker {

/// Proved orders of convergence; empty where none is proved.
///   strong         E|X_N - X_T| = O(h^strong)
///   weak           |E phi(X_N) - E phi(X_T)| = O(h^weak) for smooth phi
///   deterministic  the order where the noise vanishes
struct Orders {
  std::optional<double> strong{}, weak{}, deterministic{};
};

/// Calls of the coefficients in one step (noise by columns: of all g_k together).
struct Evaluations {
  int drift = 0;
  int diffusion = 0;
};

/// A set of kinds of noise.
class NoiseKinds {
 public:
  constexpr NoiseKinds(std::initializer_list<NoiseKind> kinds) {
    for (const NoiseKind kind : kinds) insert(kind);
  }
  /// Adds a kind.
  constexpr void insert(NoiseKind kind) { bits_ |= bit(kind); }
  /// Whether the set has a kind.
  constexpr bool contains(NoiseKind kind) const { return (bits_ & bit(kind)) != 0; }

 private:
  static constexpr unsigned bit(NoiseKind kind) { return 1u << static_cast<unsigned>(kind); }
  unsigned bits_ = 0;
};

/// Every kind of noise.
inline constexpr NoiseKinds any_noise{NoiseKind::additive, NoiseKind::scalar, NoiseKind::diagonal,
                                      NoiseKind::commutative, NoiseKind::general};
/// Noise given by its columns g_k.
inline constexpr NoiseKinds noise_by_columns{NoiseKind::commutative, NoiseKind::general};

/// A figure for some kinds of noise; empty for the others.
template <class T>
struct NoiseExceptions {
  std::optional<T> none{}, additive{}, scalar{}, diagonal{}, commutative{}, general{};
};

/// A figure for every kind of noise: {0.5, {.additive = 1}} is 1 for additive noise and 0.5 for the
/// others.
template <class T>
class ByNoise {
 public:
  constexpr ByNoise() = default;
  constexpr ByNoise(std::optional<T> value, NoiseExceptions<T> exceptions = {})
      : value_(value), exceptions_(exceptions) {}
  constexpr ByNoise(T value, NoiseExceptions<T> exceptions = {})
      : ByNoise(std::optional<T>(value), exceptions) {}

  constexpr std::optional<T> operator()(NoiseKind kind) const {
    const std::optional<T>& exception = exception_of(kind);
    return exception ? exception : value_;
  }

 private:
  constexpr const std::optional<T>& exception_of(NoiseKind kind) const {
    switch (kind) {
      case NoiseKind::none:
        return exceptions_.none;
      case NoiseKind::additive:
        return exceptions_.additive;
      case NoiseKind::scalar:
        return exceptions_.scalar;
      case NoiseKind::diagonal:
        return exceptions_.diagonal;
      case NoiseKind::commutative:
        return exceptions_.commutative;
      case NoiseKind::general:
        break;
    }
    return exceptions_.general;
  }

  std::optional<T> value_{};
  NoiseExceptions<T> exceptions_{};
};

/// Orders for every kind of noise.
struct OrdersByNoise {
  ByNoise<double> strong{}, weak{}, deterministic{};
};

/// Evaluations per step for every kind of noise.
struct EvaluationsByNoise {
  ByNoise<int> drift{}, diffusion{};
};

/// What is known of a method.
struct Facts {
  std::string_view name{};
  std::string_view source{};
  Calculus calculus = Calculus::ito;  ///< of the SDE whose solution it approximates
  NoiseKinds noise = any_noise;       ///< the kinds that it takes
  OrdersByNoise order{};
  std::string_view condition{};  ///< of the orders, beside smooth coefficients
  EvaluationsByNoise cost{};     ///< evaluations per step
  Needs needs{};                 ///< of the Brownian path, beside W
  bool has_memory = false;       ///< carries something from step to step

  constexpr bool supports(NoiseKind kind) const { return noise.contains(kind); }
  /// Empty for noise that it does not take.
  constexpr Orders orders(NoiseKind kind) const {
    if (!supports(kind)) return {};
    return {order.strong(kind), order.weak(kind), order.deterministic(kind)};
  }
  constexpr Evaluations evaluations(NoiseKind kind) const {
    return {cost.drift(kind).value_or(0), cost.diffusion(kind).value_or(0)};
  }
};

}  // namespace fokker
