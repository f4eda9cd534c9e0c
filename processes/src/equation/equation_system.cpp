/// @file  equation_system.cpp
/// @brief The meaning of the words of an equation: states, parameters, dt and Brownian motions.

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include <fokker/processes/equation/equation_error.hpp>
#include <fokker/processes/equation/equation_system.hpp>
#include <fokker/solvers/support/names.hpp>

#include "equation/syntax.hpp"
#include "expression/normal_form.hpp"

namespace fokker {

namespace {

using detail::Statement;
using detail::SyntaxNode;
using Kind = SyntaxNode::Kind;

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// A differential: dt, or a Brownian motion in one of the calculi.
struct Differential {
  int source = -1;  ///< dt
  bool ring = false;
  auto operator<=>(const Differential&) const = default;
};

/// An expression that is linear in differentials: plain + sum of factor * differential.
struct Linear {
  Expr plain = -1;  ///< none
  std::size_t plain_at = 0;
  std::map<Differential, Expr> terms = {};

  bool has_differential() const { return !terms.empty(); }
};

class Reader {
 public:
  Reader(const std::map<std::string, double>& given, Unknown unknown)
      : given_(given), unknown_(unknown) {}

  EquationSystem read(std::string_view text) {
    const std::vector<Statement> statements = detail::read_syntax(text);
    for (const Statement& s : statements) declare(s);
    std::vector<Expr> drift(system_.states.size(), -1);
    std::vector<std::map<Differential, Expr>> right(system_.states.size());
    for (const Statement& s : statements) {
      statement_ = &s;
      if (s.is_let)
        define(s);
      else
        right[rate_of_.at(&s)] = right_side(s);
    }
    fill(right);
    check_given();
    return std::move(system_);
  }

 private:
  struct Left {
    std::string state;
    int order = 1;  ///< of the derivative
    bool stochastic = false;
  };

  [[noreturn]] void refuse(std::size_t at, const std::string& message) const {
    throw EquationError(statement_->line, statement_->number, at, message);
  }

  Left left_of(const Statement& s) const {
    const std::string_view name = s.left;
    const std::size_t primes = name.size() - std::min(name.find('\''), name.size());
    if (primes > 0) {
      if (s.over_dt) refuse(s.left_at, "x' is a rate already: write x' = ... or dx/dt = ...");
      return {std::string(name.substr(0, name.size() - primes)), static_cast<int>(primes)};
    }
    if (!name.starts_with('d') || name.size() == 1)
      refuse(s.left_at, "expected d" + std::string(name) + " = ..., d" + std::string(name) +
                            "/dt = ..., " + std::string(name) + "' = ... or let " +
                            std::string(name) + " = ...");
    return {std::string(name.substr(1)), 1, !s.over_dt};
  }

  void check_free(const std::string& name, std::size_t at) const {
    if (name == "t") refuse(at, "t is the time: give the state another name");
    if (name == "pi") refuse(at, "pi is the number 3.14...: choose another name");
    if (detail::letter_at(name, 0, true) == 0)
      refuse(at, "a name begins with a letter: got " + name);
    if (function_named(name) || name == "if")
      refuse(at, name + " is a function: choose another name");
    if (given_.contains(name))
      refuse(at, name + " is given as a parameter: give either its equation or its value");
  }

  /// Makes states of the left sides.
  void declare(const Statement& s) {
    statement_ = &s;
    if (s.is_let) return;
    const Left left = left_of(s);
    check_free(left.state, s.left_at);
    if (std::find(system_.states.begin(), system_.states.end(), left.state) != system_.states.end())
      refuse(s.left_at, left.state + " has two equations: one for each state");
    constexpr int highest = 8;
    if (left.order > highest) refuse(s.left_at, "derivatives up to the eighth, got more primes");
    std::string name = left.state;
    for (int k = 0; k < left.order; ++k, name += "'") system_.states.push_back(name);
    rate_of_[&s] = system_.states.size() - 1;
    if (system_.states.size() > 200) refuse(s.left_at, "an equation has at most 200 states");
  }

  void define(const Statement& s) {
    check_free(s.left, s.left_at);
    if (state_named(s.left) >= 0)
      refuse(s.left_at, s.left + " is a state: let defines other names");
    if (s.left.find('\'') != s.left.npos) refuse(s.left_at, "a name after let has no primes");
    if (lets_.contains(s.left)) refuse(s.left_at, s.left + " is defined twice");
    lets_.emplace(s.left, value(s.right));
  }

  std::map<Differential, Expr> right_side(const Statement& s) {
    const Left left = left_of(s);
    Linear linear = lowered(s.right, 0);
    if (!left.stochastic) {
      if (linear.has_differential())
        refuse(first_differential(s.right),
               "a rate has no differentials: write d" + left.state + " = ... dt + ... dW");
      return {{Differential{}, linear.plain}};
    }
    if (linear.plain >= 0 && !graph().is(linear.plain, 0))
      refuse(linear.plain_at, "every term of d" + left.state +
                                  " needs dt or a Brownian motion such as dW behind it");
    return std::move(linear.terms);
  }

  ExpressionGraph& graph() { return system_.graph; }
  const SyntaxNode& node(int i) const { return statement_->nodes[static_cast<std::size_t>(i)]; }

  static std::optional<Op> function_named(std::string_view name) {
    for (const Function& f : functions())
      if (f.name == name) return f.op;
    return {};
  }
  int state_named(std::string_view name) const {
    const auto found = std::find(system_.states.begin(), system_.states.end(), name);
    return found == system_.states.end() ? -1 : static_cast<int>(found - system_.states.begin());
  }

  std::size_t first_differential(int i) const {
    std::size_t first = statement_->line.size();
    std::vector<int> open{i};
    while (!open.empty()) {
      const SyntaxNode& n = node(open.back());
      open.pop_back();
      if (n.kind == Kind::name && is_brownian_or_time(n.word)) first = std::min(first, n.at);
      open.insert(open.end(), n.children.begin(), n.children.end());
    }
    return first;
  }

  bool is_brownian_or_time(const std::string& word) const {
    return detail::is_differential(word) && !given_.contains(word) && !lets_.contains(word);
  }

  /// A value without differentials.
  Expr value(int i) {
    const Linear linear = lowered(i, 0);
    if (linear.has_differential())
      refuse(first_differential(i),
             "dt and dW stand only on the right side of dX = ..., each as a "
             "factor of its own");
    return linear.plain;
  }

  Expr make(Op op, Expr a, Expr b = -1, Expr c = -1) {
    try {
      return graph().make(op, a, b, c);
    } catch (const std::length_error& e) {
      refuse(statement_->left_at, e.what());
    }
  }

  Linear plain(Expr e, std::size_t at) const { return {e, at}; }

  Linear lowered(int i, int depth) {
    constexpr int deepest = 1000;
    const SyntaxNode& n = node(i);
    if (depth > deepest) refuse(n.at, "more than 1000 terms one after another: name parts by let");
    switch (n.kind) {
      case Kind::number:
        return plain(graph().constant(n.value), n.at);
      case Kind::name:
        return named(n);
      case Kind::call:
        return plain(called(n), n.at);
      case Kind::table:
        return plain(looked_up(n), n.at);
      case Kind::noise:
        return with_noise(n, depth);
      case Kind::operation:
        return n.children.size() == 1 ? negated(lowered(n.children[0], depth + 1))
                                      : operation(n, depth);
    }
    return {};
  }

  Linear negated(Linear x) {
    if (x.plain >= 0) x.plain = make(Op::negate, x.plain);
    for (auto& [differential, factor] : x.terms) factor = make(Op::negate, factor);
    return x;
  }

  Linear scaled(Linear x, Expr by, bool from_left) {
    for (auto& [differential, factor] : x.terms)
      factor = from_left ? make(Op::multiply, by, factor) : make(Op::multiply, factor, by);
    if (x.plain >= 0)
      x.plain = from_left ? make(Op::multiply, by, x.plain) : make(Op::multiply, x.plain, by);
    return x;
  }

  Linear operation(const SyntaxNode& n, int depth) {
    Linear a = lowered(n.children[0], depth + 1);
    const Linear b = lowered(n.children[1], depth + 1);
    const std::string& op = n.word;
    if (op == "+" || op == "-") {
      const Op made = op == "+" ? Op::add : Op::subtract;
      const auto sum = [&](Expr x, Expr y) {
        return x < 0 ? (op == "+" ? y : make(Op::negate, y)) : make(made, x, y);
      };
      if (b.plain >= 0) {
        if (a.plain < 0) a.plain_at = b.plain_at;
        a.plain = sum(a.plain, b.plain);
      }
      for (const auto& [differential, factor] : b.terms) {
        const auto known = a.terms.find(differential);
        const Expr before = known == a.terms.end() ? -1 : known->second;
        a.terms[differential] = sum(before, factor);
      }
      return a;
    }
    if (!a.has_differential() && !b.has_differential()) {
      if (op == ">" || op == ">=")
        return plain(make(op == ">" ? Op::less : Op::less_equal, b.plain, a.plain), a.plain_at);
      const Op made = op == "*"   ? Op::multiply
                      : op == "/" ? Op::divide
                      : op == "^" ? Op::power
                      : op == "<" ? Op::less
                                  : Op::less_equal;
      return plain(make(made, a.plain, b.plain), a.plain_at);
    }
    if (op == "*") {
      if (a.has_differential() && b.has_differential())
        refuse(first_differential(n.children[1]),
               "a product of differentials: the right side is linear in dt and dW");
      return a.has_differential() ? scaled(std::move(a), b.plain, false) : scaled(b, a.plain, true);
    }
    if (op == "/" && !b.has_differential()) {
      for (auto& [differential, factor] : a.terms) factor = make(Op::divide, factor, b.plain);
      if (a.plain >= 0) a.plain = make(Op::divide, a.plain, b.plain);
      return a;
    }
    const int culprit = b.has_differential() ? n.children[1] : n.children[0];
    refuse(first_differential(culprit),
           std::string(op == "/"   ? "a differential stands in no denominator"
                       : op == "^" ? "a differential has no power"
                                   : "a differential cannot be compared") +
               ": the right side is linear in dt and dW");
  }

  Linear with_noise(const SyntaxNode& n, int depth) {
    const SyntaxNode& differential = node(n.children[1]);
    const Linear factor = lowered(n.children[0], depth + 1);
    if (given_.contains(differential.word) || lets_.contains(differential.word))
      refuse(differential.at, "expected an operator: " + differential.word +
                                  " is a parameter here, and a product is written with *");
    if (factor.has_differential())
      refuse(differential.at, "a product of differentials: the right side is linear in dt and dW");
    if (n.word == "o" && differential.word == "dt")
      refuse(differential.at, "expected dW after o: only noise is Ito or Stratonovich");
    Linear out;
    out.terms[differential_of(differential, n.word == "o")] = factor.plain;
    return out;
  }

  Differential differential_of(const SyntaxNode& n, bool ring) {
    if (n.word == "dt") return {};
    const std::string name = n.word.substr(1);
    if (state_named(name) >= 0)
      refuse(n.at, n.word +
                       " is the differential of a state: on the right side stand dt and the "
                       "differentials of Brownian motions, such as dW");
    const auto found = std::find(system_.sources.begin(), system_.sources.end(), name);
    const auto k = static_cast<int>(found - system_.sources.begin());
    if (found == system_.sources.end()) system_.sources.push_back(name);
    if (k >= 200) refuse(n.at, "an equation has at most 200 Brownian motions");
    return {k, ring};
  }

  Linear named(const SyntaxNode& n) {
    const std::string& word = n.word;
    if (const auto found = lets_.find(word); found != lets_.end())
      return plain(found->second, n.at);
    if (const int i = state_named(word); i >= 0) return plain(graph().state(i), n.at);
    if (word == "t") return plain(graph().time(), n.at);
    if (word == "pi") return plain(graph().constant(std::numbers::pi), n.at);
    if (is_brownian_or_time(word)) {
      Linear out;
      out.terms[differential_of(n, false)] = graph().constant(1);
      return out;
    }
    if (given_.contains(word)) return plain(parameter(word), n.at);
    if (function_named(word) || word == "if")
      refuse(n.at, word + " is a function: expected " + word + "(...)");
    if (word.find('\'') != word.npos)
      refuse(n.at, word + " is no state: states are " + joined(system_.states));
    if (unknown_ == Unknown::parameter) return plain(parameter(word), n.at);
    refuse(n.at, unknown_name(word));
  }

  /// "v is neither a state nor a parameter: states are S; give v by --set v=..."
  std::string unknown_name(const std::string& word) const {
    std::string message = word + " is neither a state nor a parameter: ";
    std::vector<std::string_view> known(system_.states.begin(), system_.states.end());
    for (const auto& [name, expression] : lets_) known.emplace_back(name);
    for (const auto& [name, number] : given_) known.emplace_back(name);
    const auto near = nearest_names(word, known);
    if (!near.empty()) {
      message += "did you mean ";
      for (std::size_t i = 0; i < near.size(); ++i)
        message += (i == 0 ? "" : i + 1 < near.size() ? ", " : " or ") + std::string(near[i]);
      message += "? ";
    }
    message += "states are " + joined(system_.states);
    if (word.starts_with("dw") || word.starts_with("db"))
      message += "; a Brownian motion has a capital letter, such as dW";
    return message + "; give " + word + " by --set " + word + "=...";
  }

  Expr parameter(const std::string& name) {
    const auto found = std::find(system_.parameters.begin(), system_.parameters.end(), name);
    const auto k = static_cast<int>(found - system_.parameters.begin());
    if (found == system_.parameters.end()) system_.parameters.push_back(name);
    return graph().parameter(k);
  }

  Expr looked_up(const SyntaxNode& n) {
    std::shared_ptr<const ForcingTable>& table = tables_[n.word];
    try {
      if (!table) table = std::make_shared<const ForcingTable>(n.word);
    } catch (const std::invalid_argument& e) {
      refuse(n.at, e.what());
    }
    return graph().look_up(table, value(n.children.front()));
  }

  Expr called(const SyntaxNode& n) {
    const std::string& word = n.word;
    const bool is_if = word == "if";
    const std::optional<Op> op = is_if ? Op::select : function_named(word);
    if (!op) {
      if (state_named(word) >= 0 || lets_.contains(word) || given_.contains(word) || word == "t" ||
          word == "pi")
        refuse(n.at, word + " is no function: a product is written with *");
      std::vector<std::string_view> known{"if"};
      for (const Function& f : functions()) known.push_back(f.name);
      std::string message = "no function has the name " + word;
      const auto near = nearest_names(word, known);
      for (std::size_t i = 0; i < near.size(); ++i)
        message += (i == 0 ? ": did you mean " : " or ") + std::string(near[i]);
      refuse(n.at, message + (near.empty() ? "; a product is written with *" : "?"));
    }
    const auto wanted = static_cast<std::size_t>(arguments_of(*op));
    const bool folds = (*op == Op::min || *op == Op::max) && n.children.size() > 2;
    if (n.children.size() != wanted && !folds)
      refuse(n.at, word + " takes " + std::to_string(wanted) +
                       (wanted == 1 ? " argument" : " arguments") + ": got " +
                       std::to_string(n.children.size()));
    std::vector<Expr> arguments;
    for (const int child : n.children) arguments.push_back(value(child));
    if (folds) {
      Expr least = arguments.front();
      for (std::size_t i = 1; i < arguments.size(); ++i) least = make(*op, least, arguments[i]);
      return least;
    }
    arguments.resize(3, -1);
    return make(*op, arguments[0], arguments[1], arguments[2]);
  }

  /// Drift and noise of all states, in both calculi.
  void fill(const std::vector<std::map<Differential, Expr>>& right) {
    const std::size_t d = system_.states.size(), m = system_.sources.size();
    const Expr zero = graph().constant(0);
    std::vector<Expr> written(d, zero);
    using Columns = std::vector<std::vector<Expr>>;
    Columns plain(m, std::vector<Expr>(d, zero)), ringed = plain;
    bool any_plain = false, any_ring = false;
    for (std::size_t i = 0; i < d; ++i) {
      const bool rate_of_next = i + 1 < d && system_.states[i + 1] == system_.states[i] + "'";
      if (rate_of_next) {
        written[i] = graph().state(static_cast<int>(i) + 1);
        continue;
      }
      for (const auto& [differential, factor] : right[i]) {
        if (differential.source < 0) {
          written[i] = factor;
          continue;
        }
        (differential.ring ? any_ring : any_plain) = true;
        Columns& columns = differential.ring ? ringed : plain;
        columns[static_cast<std::size_t>(differential.source)][i] = factor;
      }
    }
    system_.noise = Columns(m, std::vector<Expr>(d, zero));
    for (std::size_t k = 0; k < m; ++k)
      for (std::size_t i = 0; i < d; ++i)
        system_.noise[k][i] = graph().add(plain[k][i], ringed[k][i]);
    system_.calculus = any_ring && !any_plain ? Calculus::stratonovich : Calculus::ito;
    // The Ito form of a term h o dW_k is h dW_k + 1/2 (G_k . grad) h dt with G_k all of dW_k.
    const auto shift = [&](const std::vector<Expr>& drift, const Columns& of, double sign) {
      std::vector<Expr> shifted = drift;
      for (std::size_t i = 0; i < d; ++i) {
        Expr sum = zero;
        for (std::size_t k = 0; k < m; ++k)
          sum = graph().add(sum, system_.along(system_.noise[k], of[k][i]));
        detail::NormalForms forms(graph());
        if (forms.is_zero(sum)) continue;
        const Expr half = graph().multiply(graph().constant(0.5), sum);
        shifted[i] = forms.simplified(sign > 0 ? graph().add(shifted[i], half)
                                               : graph().subtract(shifted[i], half));
      }
      return shifted;
    };
    try {
      system_.ito_drift = any_ring ? shift(written, ringed, 1) : written;
      system_.stratonovich_drift = system_.calculus == Calculus::stratonovich
                                       ? written
                                       : shift(system_.ito_drift, system_.noise, -1);
    } catch (const std::length_error& e) {
      refuse(statement_->left_at, e.what());
    }
  }

  void check_given() const {
    std::vector<std::string_view> known(system_.parameters.begin(), system_.parameters.end());
    for (const auto& [name, number] : given_) {
      if (std::find(known.begin(), known.end(), name) == known.end())
        throw std::invalid_argument(unknown_name_message("parameter of the equation", name, known));
      if (!std::isfinite(number))
        throw std::invalid_argument("the parameter " + name + " must be finite");
    }
  }

  const std::map<std::string, double>& given_;
  Unknown unknown_;
  EquationSystem system_;
  std::map<std::string, Expr> lets_;
  std::map<std::string, std::shared_ptr<const ForcingTable>> tables_;
  std::map<const Statement*, std::size_t> rate_of_;  ///< the state whose rate a statement gives
  const Statement* statement_ = nullptr;
};

}  // namespace

Expr EquationSystem::along(const std::vector<Expr>& a, Expr e) {
  Expr sum = graph.constant(0);
  for (int j = 0; j < dimension(); ++j) {
    const Expr factor = a[static_cast<std::size_t>(j)];
    if (!graph.is(factor, 0)) sum = graph.add(sum, graph.multiply(factor, graph.derivative(e, j)));
  }
  return sum;
}

EquationSystem read_equations(std::string_view text, const std::map<std::string, double>& given,
                              Unknown unknown) {
  return Reader(given, unknown).read(text);
}

}  // namespace fokker
