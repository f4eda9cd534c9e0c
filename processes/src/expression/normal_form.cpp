/// @file  expression/normal_form.cpp
/// @brief Sums of products of powers: what decides whether two expressions are one function.

#include "expression/normal_form.hpp"

#include <algorithm>
#include <cmath>

namespace fokker::detail {

namespace {

constexpr std::size_t most_terms = 256;
constexpr double most_power = 8;  // of a sum that is multiplied out

void add_term(Polynomial& sum, const Monomial& monomial, double factor) {
  double& now = sum[monomial];
  const double before = now;
  now += factor;
  // what is left of two factors that cancel is rounding
  if (std::abs(now) <= 1e-14 * std::max(std::abs(before), std::abs(factor))) sum.erase(monomial);
}

Monomial product(const Monomial& a, const Monomial& b) {
  Monomial out;
  auto i = a.begin(), j = b.begin();
  while (i != a.end() || j != b.end()) {
    if (j == b.end() || (i != a.end() && i->first < j->first)) {
      out.push_back(*i++);
    } else if (i == a.end() || j->first < i->first) {
      out.push_back(*j++);
    } else {
      if (const double power = i->second + j->second; power != 0) out.emplace_back(i->first, power);
      ++i;
      ++j;
    }
  }
  return out;
}

std::optional<Polynomial> product(const Polynomial& a, const Polynomial& b) {
  if (a.size() * b.size() > most_terms) return {};
  Polynomial out;
  for (const auto& [m, f] : a)
    for (const auto& [n, g] : b) add_term(out, product(m, n), f * g);
  return out;
}

/// The power of one monomial, or of a sum where n is a small whole number.
std::optional<Polynomial> power(const Polynomial& a, double n) {
  if (a.empty()) return n > 0 ? std::optional(Polynomial{}) : std::nullopt;
  const bool whole = n == std::round(n);
  if (a.size() == 1) {
    const auto& [monomial, factor] = *a.begin();
    const bool simple = monomial.size() == 1 && monomial.front().second == 1;
    if (whole || (factor > 0 && (monomial.empty() || simple))) {
      Monomial out = monomial;
      for (auto& [atom, exponent] : out) exponent *= n;
      return Polynomial{{out, std::pow(factor, n)}};
    }
    return {};
  }
  if (!whole || n < 0 || n > most_power) return {};
  std::optional<Polynomial> out = Polynomial{{Monomial{}, 1.0}};
  for (double k = 0; k < n && out; ++k) out = product(*out, a);
  return out;
}

}  // namespace

const Polynomial& NormalForms::of(Expr e) {
  if (const auto found = known_.find(e); found != known_.end()) return found->second;
  for (const Expr p : graph_.parts({&e, 1}))
    if (!known_.contains(p)) known_.emplace(p, made(p));
  return known_.at(e);
}

Polynomial NormalForms::atom(Expr e) { return {{Monomial{{e, 1.0}}, 1.0}}; }

/// A power that is multiplied out, or the sum as one atom with that power.
std::optional<Polynomial> NormalForms::root(const Polynomial& a, double n) {
  if (auto out = power(a, n)) return out;
  if (a.size() < 2) return {};
  return Polynomial{{Monomial{{expression(a), n}}, 1.0}};
}

/// Sums that became whole positive powers, multiplied out: sqrt(1 - r^2)^2.
std::optional<Polynomial> NormalForms::expanded(const Polynomial& polynomial) {
  Polynomial out;
  for (const auto& [monomial, factor] : polynomial) {
    std::optional<Polynomial> whole = Polynomial{{Monomial{}, factor}};
    for (const auto& [atom, exponent] : monomial) {
      const Op op = graph_[atom].op;
      const bool is_sum = op == Op::add || op == Op::subtract;
      const bool opens = is_sum && exponent > 0 && exponent == std::round(exponent);
      const auto part = opens ? power(Polynomial(of(atom)), exponent)
                              : std::optional(Polynomial{{Monomial{{atom, exponent}}, 1.0}});
      if (!part) return {};
      whole = product(*whole, *part);
      if (!whole) return {};
    }
    for (const auto& [m, f] : *whole) add_term(out, m, f);
  }
  return out;
}

/// The arguments of e are known.
Polynomial NormalForms::made(Expr e) {
  const ExpressionGraph::Node node = graph_[e];
  if (node.op == Op::constant)
    return node.value == 0 ? Polynomial{} : Polynomial{{Monomial{}, node.value}};
  if (arguments_of(node.op) == 0) return atom(e);
  const auto term = [&](Expr argument) -> const Polynomial& { return known_.at(argument); };
  std::optional<Polynomial> out;
  switch (node.op) {
    case Op::add:
    case Op::subtract:
      if (term(node.a).size() + term(node.b).size() > most_terms) break;
      out = term(node.a);
      for (const auto& [monomial, factor] : term(node.b))
        add_term(*out, monomial, node.op == Op::add ? factor : -factor);
      break;
    case Op::negate:
      out = term(node.a);
      for (auto& [monomial, factor] : *out) factor = -factor;
      break;
    case Op::multiply:
      out = product(term(node.a), term(node.b));
      break;
    case Op::divide: {
      const Polynomial &a = term(node.a), &b = term(node.b);
      if (b.empty()) break;
      if (a.size() == b.size() && b.size() > 1) {  // one sum over a multiple of itself
        const double ratio = a.begin()->second / b.begin()->second;
        const bool multiple = std::equal(a.begin(), a.end(), b.begin(), [&](auto& x, auto& y) {
          return x.first == y.first &&
                 std::abs(x.second - ratio * y.second) <= 1e-14 * std::abs(x.second);
        });
        if (multiple) return {{Monomial{}, ratio}};
      }
      const auto inverse = b.size() == 1
                               ? power(b, -1)
                               : std::optional(Polynomial{{Monomial{{expression(b), -1.0}}, 1.0}});
      if (inverse) out = product(a, *inverse);
      break;
    }
    case Op::sqrt:
      out = root(term(node.a), 0.5);
      break;
    case Op::power:
      if (graph_.is_constant(node.b)) out = root(term(node.a), graph_[node.b].value);
      break;
    default:
      break;
  }
  if (out) out = expanded(*out);
  if (out && out->size() <= most_terms) return *out;
  const auto argument = [&](Expr x) { return x < 0 ? x : expression(known_.at(x)); };
  const Expr a = argument(node.a), b = argument(node.b), c = argument(node.c);
  const Expr same = graph_.remake(node, a, b, c);
  if (graph_.is_constant(same))
    return graph_.is(same, 0) ? Polynomial{} : Polynomial{{Monomial{}, graph_[same].value}};
  return atom(same);
}

Expr NormalForms::expression(const Polynomial& polynomial) {
  Expr sum = graph_.constant(0);
  for (const auto& [monomial, factor] : polynomial) {
    Expr above = graph_.constant(1), below = graph_.constant(1);
    for (const auto& [atom, exponent] : monomial) {
      Expr& side = exponent < 0 ? below : above;
      const double n = std::abs(exponent);
      const Expr factor_of_side =
          n == 0.5 ? graph_.make(Op::sqrt, atom) : graph_.make(Op::power, atom, graph_.constant(n));
      side = graph_.multiply(side, factor_of_side);
    }
    const Expr size =
        graph_.divide(graph_.multiply(graph_.constant(std::abs(factor)), above), below);
    sum = factor < 0 ? graph_.subtract(sum, size) : graph_.add(sum, size);
  }
  return sum;
}

Expr NormalForms::simplified(Expr e) {
  const Expr normal = expression(of(e));
  return graph_.parts({&normal, 1}).size() <= graph_.parts({&e, 1}).size() ? normal : e;
}

}  // namespace fokker::detail
