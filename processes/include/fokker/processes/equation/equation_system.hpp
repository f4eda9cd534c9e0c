#pragma once
/// @file  fokker/processes/equation/equation_system.hpp
/// @brief What the text of an equation says: states, parameters, drift and noise as expressions.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fokker/processes/expression/expression.hpp>
#include <fokker/solvers/core/process.hpp>

namespace fokker {

/// dX_i = f_i dt + sum_k G_ik dW_k, as it is written and in both calculi.
struct EquationSystem {
  ExpressionGraph graph{};
  std::vector<std::string> states{};
  std::vector<std::string> parameters{};  ///< in the order in which they occur
  std::vector<std::string> sources{};     ///< the Brownian motions as named in the text: "W1"
  /// Ito where no term has `o dW`, Stratonovich where all have; with both, the mixture is written
  /// in Ito form. Ito without noise.
  Calculus calculus = Calculus::ito;
  std::vector<Expr> ito_drift{};           ///< d
  std::vector<Expr> stratonovich_drift{};  ///< d
  std::vector<std::vector<Expr>> noise{};  ///< one column of d for each source

  const std::vector<Expr>& drift(Calculus c) const {
    return c == Calculus::ito ? ito_drift : stratonovich_drift;
  }
  int dimension() const { return static_cast<int>(states.size()); }

  /// sum_j a_j de/dx_j.
  Expr along(const std::vector<Expr>& a, Expr e);
};

/// What is done about a name that has no meaning.
enum class Unknown {
  refused,
  parameter  ///< it is a parameter whose value is given later
};

/// Reads equations. Parameters are numbers, kept by name; values play no part here but that a name
/// given is a parameter, whatever it looks like.
/// @throws EquationError          with the line, a caret and what would be right
/// @throws std::invalid_argument  for a parameter given that occurs nowhere, with the nearest names
EquationSystem read_equations(std::string_view text, const std::map<std::string, double>& given,
                              Unknown unknown = Unknown::refused);

}  // namespace fokker
