#pragma once
/// @file  expression/normal_form.hpp
/// @brief Sums of products of powers: what decides whether two expressions are one function.

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <fokker/processes/expression/expression.hpp>

namespace fokker::detail {

/// A product of powers of atoms: states, parameters, t and calls of functions; ascending.
using Monomial = std::vector<std::pair<Expr, double>>;
/// A sum of monomials with their factors, none of them 0.
using Polynomial = std::map<Monomial, double>;

/// Writes expressions of a graph as polynomials. Like terms are collected and powers of one atom
/// added; sqrt(a) is a^(1/2) and sqrt(a)^2 is a, as it is where sqrt(a) is defined. Sums of more
/// than 256 terms stay as they are.
class NormalForms {
 public:
  explicit NormalForms(ExpressionGraph& graph) : graph_(graph) {}

  const Polynomial& of(Expr e);
  /// Whether e is 0 by these rules; false proves nothing.
  bool is_zero(Expr e) { return of(e).empty(); }
  /// The polynomial as an expression.
  Expr expression(const Polynomial& polynomial);
  /// e in normal form where that is not written with more operations.
  Expr simplified(Expr e);

 private:
  Polynomial made(Expr e);
  Polynomial atom(Expr e);
  std::optional<Polynomial> root(const Polynomial& a, double n);
  std::optional<Polynomial> expanded(const Polynomial& polynomial);

  ExpressionGraph& graph_;
  std::map<Expr, Polynomial> known_;
};

}  // namespace fokker::detail
