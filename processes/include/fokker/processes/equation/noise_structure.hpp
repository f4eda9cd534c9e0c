#pragma once
/// @file  fokker/processes/equation/noise_structure.hpp
/// @brief The kind of noise of an equation, proved from its expressions.

#include <map>
#include <string>
#include <vector>

#include <fokker/processes/equation/equation_system.hpp>

namespace fokker {

/// How the noise of an equation enters.
///
/// A column that is 0 is left out, and columns of which one is a multiple of the other by a factor
/// without states and t are one: g dW1 + c g dW2 has the law of sqrt(1 + c^2) g dW. Columns with
/// g_k = +-g_l times a constant are recognised where like terms and powers show it.
struct NoiseStructure {
  NoiseKind kind = NoiseKind::none;
  /// No column depends on a state. Such noise is of the kind `additive` where each Brownian motion
  /// drives one component of its own, else scalar or commutative.
  bool additive = true;
  bool commutative = true;                   ///< (g_k . grad) g_l = (g_l . grad) g_k for all k, l
  std::string reason{};                      ///< why it is commutative, or is not
  std::vector<std::string> sources{};        ///< Brownian motions, those made one joined by "+"
  std::vector<std::vector<Expr>> columns{};  ///< g_k, d each
};

/// Classifies the noise of a system. Commutativity is decided by the expressions or, where these do
/// not show that a commutator is 0, at 64 random points (reported in `reason`).
/// @param values  of the parameters that are known, by name; others are drawn between 0.1 and 0.9
NoiseStructure noise_structure(EquationSystem& system, const std::map<std::string, double>& values);

}  // namespace fokker
