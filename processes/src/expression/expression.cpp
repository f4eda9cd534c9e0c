/// @file  expression.cpp
/// @brief Expressions of an equation as a graph: simplification, derivatives, printing.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <stdexcept>
#include <utility>

#include <fokker/processes/expression/expression.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace {

constexpr std::array function_table = {
    Function{"sqrt", Op::sqrt},   Function{"exp", Op::exp},     Function{"log", Op::log},
    Function{"ln", Op::log},      Function{"sin", Op::sin},     Function{"cos", Op::cos},
    Function{"tanh", Op::tanh},   Function{"sinh", Op::sinh},   Function{"cosh", Op::cosh},
    Function{"expm1", Op::expm1}, Function{"log1p", Op::log1p}, Function{"abs", Op::abs},
    Function{"fabs", Op::abs},    Function{"sign", Op::sign},   Function{"step", Op::step},
    Function{"tan", Op::tan},     Function{"asin", Op::asin},   Function{"acos", Op::acos},
    Function{"atan", Op::atan},   Function{"asinh", Op::asinh}, Function{"acosh", Op::acosh},
    Function{"atanh", Op::atanh}, Function{"cbrt", Op::cbrt},   Function{"erf", Op::erf},
    Function{"erfc", Op::erfc},   Function{"exp2", Op::exp2},   Function{"log2", Op::log2},
    Function{"log10", Op::log10}, Function{"floor", Op::floor}, Function{"ceil", Op::ceil},
    Function{"round", Op::round}, Function{"trunc", Op::trunc}, Function{"min", Op::min},
    Function{"max", Op::max},     Function{"fmin", Op::min},    Function{"fmax", Op::max},
    Function{"pow", Op::power},   Function{"atan2", Op::atan2}, Function{"hypot", Op::hypot},
    Function{"fmod", Op::fmod}};

std::string_view name_of(Op op) {
  for (const Function& f : function_table)
    if (f.op == op) return f.name;
  return "if";
}

}  // namespace

std::span<const Function> functions() { return function_table; }

int arguments_of(Op op) {
  if (op <= Op::time) return 0;
  if (op <= Op::less_equal) return 2;
  return op == Op::select ? 3 : 1;
}

double apply(Op op, double a, double b, double c) {
  switch (op) {
    case Op::constant:
    case Op::parameter:
    case Op::state:
    case Op::time:
    case Op::table:  // see ExpressionGraph::evaluate
    case Op::table_slope:
      return a;
    case Op::add:
      return a + b;
    case Op::subtract:
      return a - b;
    case Op::multiply:
      return a * b;
    case Op::divide:
      return a / b;
    case Op::power:
      return std::pow(a, b);
    case Op::min:
      return b < a ? b : a;
    case Op::max:
      return a < b ? b : a;
    case Op::atan2:
      return std::atan2(a, b);
    case Op::hypot:
      return std::hypot(a, b);
    case Op::fmod:
      return std::fmod(a, b);
    case Op::less:
      return a < b ? 1 : 0;
    case Op::less_equal:
      return a <= b ? 1 : 0;
    case Op::select:
      return a != 0 ? b : c;
    case Op::negate:
      return -a;
    case Op::sqrt:
      return std::sqrt(a);
    case Op::exp:
      return std::exp(a);
    case Op::log:
      return std::log(a);
    case Op::sin:
      return std::sin(a);
    case Op::cos:
      return std::cos(a);
    case Op::tanh:
      return std::tanh(a);
    case Op::sinh:
      return std::sinh(a);
    case Op::cosh:
      return std::cosh(a);
    case Op::expm1:
      return std::expm1(a);
    case Op::log1p:
      return std::log1p(a);
    case Op::abs:
      return std::abs(a);
    case Op::sign:
      return a > 0 ? 1 : a < 0 ? -1 : a;
    case Op::step:
      return a >= 0 ? 1 : 0;
    case Op::tan:
      return std::tan(a);
    case Op::asin:
      return std::asin(a);
    case Op::acos:
      return std::acos(a);
    case Op::atan:
      return std::atan(a);
    case Op::asinh:
      return std::asinh(a);
    case Op::acosh:
      return std::acosh(a);
    case Op::atanh:
      return std::atanh(a);
    case Op::cbrt:
      return std::cbrt(a);
    case Op::erf:
      return std::erf(a);
    case Op::erfc:
      return std::erfc(a);
    case Op::exp2:
      return std::exp2(a);
    case Op::log2:
      return std::log2(a);
    case Op::log10:
      return std::log10(a);
    case Op::floor:
      return std::floor(a);
    case Op::ceil:
      return std::ceil(a);
    case Op::round:
      return std::round(a);
    case Op::trunc:
      return std::trunc(a);
  }
  return a;
}

std::size_t ExpressionGraph::Hash::operator()(const Node& node) const {
  std::size_t h = static_cast<std::size_t>(node.op);
  const auto mix = [&](std::uint64_t v) { h = (h ^ v) * 0x9E3779B97F4A7C15u + (h >> 29); };
  mix(std::bit_cast<std::uint64_t>(node.value));
  for (const int i : {node.index, node.a, node.b, node.c}) mix(static_cast<std::uint64_t>(i));
  return h;
}

Expr ExpressionGraph::intern(const Node& node) {
  if (const auto found = known_.find(node); found != known_.end()) return found->second;
  if (nodes_.size() >= most_nodes)
    throw std::length_error(
        fokker::text("an equation has at most {} operations, with those of "
                     "its derivatives: split it or simplify it",
                     {most_nodes}));
  const Expr e = static_cast<Expr>(nodes_.size());
  nodes_.push_back(node);
  known_.emplace(node, e);
  return e;
}

Expr ExpressionGraph::constant(double value) { return intern({Op::constant, value + 0.0}); }

Expr ExpressionGraph::make(Op op, Expr a, Expr b, Expr c) {
  const int n = arguments_of(op);
  const auto value = [this](Expr e) { return e < 0 ? 0 : (*this)[e].value; };
  if (is_constant(a) && (n < 2 || is_constant(b)) && (n < 3 || is_constant(c))) {
    const double folded = apply(op, value(a), value(b), value(c));
    if (!std::isnan(folded)) return constant(folded);
  }
  const auto negated = [this](Expr e) { return e >= 0 && (*this)[e].op == Op::negate; };
  const auto inner = [this](Expr e) { return (*this)[e].a; };
  /// if(c, x, 0) or if(c, 0, x): a factor goes inside, where it is only looked at if it counts.
  const auto gated = [this](Expr e) {
    const Node& node = (*this)[e];
    return node.op == Op::select && (is(node.b, 0) || is(node.c, 0));
  };
  switch (op) {
    case Op::add:
      if (is(a, 0)) return b;
      if (is(b, 0)) return a;
      if (negated(b)) return subtract(a, inner(b));
      if (negated(a)) return subtract(b, inner(a));
      break;
    case Op::subtract:
      if (a == b) return constant(0);
      if (is(b, 0)) return a;
      if (is(a, 0)) return make(Op::negate, b);
      if (negated(b)) return add(a, inner(b));
      break;
    case Op::multiply:
      if (is(a, 0) || is(b, 0)) return constant(0);
      if (is(a, 1)) return b;
      if (is(b, 1)) return a;
      if (is(a, -1)) return make(Op::negate, b);
      if (is(b, -1)) return make(Op::negate, a);
      if (negated(a) && negated(b)) return multiply(inner(a), inner(b));
      if (negated(a)) return make(Op::negate, multiply(inner(a), b));
      if (negated(b)) return make(Op::negate, multiply(a, inner(b)));
      if (gated(a)) {
        const Node s = (*this)[a];
        const Expr yes = multiply(s.b, b), no = multiply(s.c, b);
        return make(Op::select, s.a, yes, no);
      }
      if (gated(b)) {
        const Node s = (*this)[b];
        const Expr yes = multiply(a, s.b), no = multiply(a, s.c);
        return make(Op::select, s.a, yes, no);
      }
      break;
    case Op::divide:
      if (is(a, 0)) return a;
      if (is(b, 1)) return a;
      if (is(b, -1)) return make(Op::negate, a);
      if (a == b) return constant(1);
      if (negated(a) && negated(b)) return divide(inner(a), inner(b));
      if (negated(a)) return make(Op::negate, divide(inner(a), b));
      if (negated(b)) return make(Op::negate, divide(a, inner(b)));
      if (gated(a)) {
        const Node s = (*this)[a];
        const Expr yes = divide(s.b, b), no = divide(s.c, b);
        return make(Op::select, s.a, yes, no);
      }
      break;
    case Op::power:
      if (is(b, 0)) return constant(1);
      if (is(b, 1)) return a;
      break;
    case Op::min:
    case Op::max:
      if (a == b) return a;
      break;
    case Op::select:
      if (b == c) return b;
      if (is_constant(a)) return (*this)[a].value != 0 ? b : c;
      break;
    case Op::negate:
      if (negated(a)) return inner(a);
      break;
    default:
      break;
  }
  return intern({op, 0, 0, a, n > 1 ? b : -1, n > 2 ? c : -1});
}

Expr ExpressionGraph::remake(const Node& node, Expr a, Expr b, Expr c) {
  if (node.op == Op::table || node.op == Op::table_slope)
    return intern({node.op, 0, node.index, a});
  return make(node.op, a, b, c);
}

Expr ExpressionGraph::look_up(std::shared_ptr<const ForcingTable> table, Expr a) {
  auto found = std::find(tables_.begin(), tables_.end(), table);
  if (found == tables_.end()) found = tables_.insert(found, std::move(table));
  return intern({Op::table, 0, static_cast<int>(found - tables_.begin()), a});
}

std::vector<Expr> ExpressionGraph::parts(std::span<const Expr> roots) const {
  Expr last = -1;
  for (const Expr e : roots) last = std::max(last, e);
  std::vector<bool> used(static_cast<std::size_t>(last + 1));
  for (const Expr e : roots) used[static_cast<std::size_t>(e)] = true;
  std::vector<Expr> found;
  for (Expr e = last; e >= 0; --e) {
    if (!used[static_cast<std::size_t>(e)]) continue;
    found.push_back(e);
    for (const Expr argument : {(*this)[e].a, (*this)[e].b, (*this)[e].c})
      if (argument >= 0) used[static_cast<std::size_t>(argument)] = true;
  }
  std::reverse(found.begin(), found.end());
  return found;
}

bool ExpressionGraph::has_state(Expr e) const {
  for (const Expr p : parts({&e, 1}))
    if ((*this)[p].op == Op::state) return true;
  return false;
}

bool ExpressionGraph::has_state(Expr e, int i) const {
  for (const Expr p : parts({&e, 1}))
    if ((*this)[p].op == Op::state && (*this)[p].index == i) return true;
  return false;
}

bool ExpressionGraph::has_time(Expr e) const {
  for (const Expr p : parts({&e, 1}))
    if ((*this)[p].op == Op::time) return true;
  return false;
}

Expr ExpressionGraph::derivative(Expr e, int i) {
  const std::vector<Expr> order = parts({&e, 1});
  std::unordered_map<Expr, Expr> d;
  for (const Expr p : order) {
    const Node node = (*this)[p];
    const auto of = [&](Expr argument) { return argument < 0 ? -1 : d.at(argument); };
    if (node.op == Op::state)
      d[p] = constant(node.index == i ? 1 : 0);
    else if (arguments_of(node.op) == 0)
      d[p] = constant(0);
    else
      d[p] = derivative_of_call(p, of(node.a), of(node.b), of(node.c));
  }
  return d.at(e);
}

Expr ExpressionGraph::derivative_of_call(Expr e, Expr da, Expr db, Expr dc) {
  const Node node = (*this)[e];
  const Expr a = node.a, b = node.b;
  if (is(da, 0) && (db < 0 || is(db, 0)) && (dc < 0 || is(dc, 0))) return constant(0);
  const auto number = [this](double v) { return constant(v); };
  const auto square = [this](Expr x) { return multiply(x, x); };
  const auto one_plus = [&](Expr x) { return add(number(1), x); };
  const auto one_minus = [&](Expr x) { return subtract(number(1), x); };
  switch (node.op) {
    case Op::add:
      return add(da, db);
    case Op::subtract:
      return subtract(da, db);
    case Op::multiply:
      return add(multiply(da, b), multiply(a, db));
    case Op::divide:
      return subtract(divide(da, b), divide(multiply(e, db), b));
    case Op::power: {
      const Expr by_base =
          is(da, 0) ? number(0)
                    : multiply(multiply(b, make(Op::power, a, subtract(b, number(1)))), da);
      const Expr by_exponent = is(db, 0) ? number(0) : multiply(multiply(e, make(Op::log, a)), db);
      return add(by_base, by_exponent);
    }
    case Op::min:
      return make(Op::select, make(Op::less, b, a), db, da);
    case Op::max:
      return make(Op::select, make(Op::less, a, b), db, da);
    case Op::atan2:
      return divide(subtract(multiply(b, da), multiply(a, db)), add(square(a), square(b)));
    case Op::hypot:
      return divide(add(multiply(a, da), multiply(b, db)), e);
    case Op::fmod:
      return subtract(da, multiply(make(Op::trunc, divide(a, b)), db));
    case Op::select:
      return make(Op::select, a, db, dc);
    case Op::negate:
      return make(Op::negate, da);
    case Op::sqrt:
      return divide(da, multiply(number(2), e));
    case Op::exp:
      return multiply(e, da);
    case Op::log:
      return divide(da, a);
    case Op::sin:
      return multiply(make(Op::cos, a), da);
    case Op::cos:
      return make(Op::negate, multiply(make(Op::sin, a), da));
    case Op::tanh:
      return multiply(one_minus(square(e)), da);
    case Op::sinh:
      return multiply(make(Op::cosh, a), da);
    case Op::cosh:
      return multiply(make(Op::sinh, a), da);
    case Op::expm1:
      return multiply(make(Op::exp, a), da);
    case Op::log1p:
      return divide(da, one_plus(a));
    case Op::abs:
      return multiply(make(Op::sign, a), da);
    case Op::tan:
      return multiply(one_plus(square(e)), da);
    case Op::asin:
      return divide(da, make(Op::sqrt, one_minus(square(a))));
    case Op::acos:
      return make(Op::negate, divide(da, make(Op::sqrt, one_minus(square(a)))));
    case Op::atan:
      return divide(da, one_plus(square(a)));
    case Op::asinh:
      return divide(da, make(Op::sqrt, one_plus(square(a))));
    case Op::acosh:
      return divide(da, make(Op::sqrt, subtract(square(a), number(1))));
    case Op::atanh:
      return divide(da, one_minus(square(a)));
    case Op::cbrt:
      return divide(da, multiply(number(3), square(e)));
    case Op::erf:
    case Op::erfc: {
      const double scale = (node.op == Op::erf ? 2 : -2) * std::numbers::inv_sqrtpi;
      const Expr bell = make(Op::exp, make(Op::negate, square(a)));
      return multiply(multiply(number(scale), bell), da);
    }
    case Op::exp2:
      return multiply(multiply(number(std::numbers::ln2), e), da);
    case Op::log2:
      return divide(da, multiply(number(std::numbers::ln2), a));
    case Op::log10:
      return divide(da, multiply(number(std::numbers::ln10), a));
    case Op::table:
      return multiply(intern({Op::table_slope, 0, node.index, a}), da);
    default:  // constant between jumps
      return number(0);
  }
}

double ExpressionGraph::evaluate(Expr e, std::span<const double> states, double t,
                                 std::span<const double> parameters) const {
  std::vector<double> value(static_cast<std::size_t>(e) + 1);
  const auto at = [&](Expr argument) {
    return argument < 0 ? 0 : value[static_cast<std::size_t>(argument)];
  };
  for (const Expr p : parts({&e, 1})) {
    const Node& node = (*this)[p];
    const auto index = static_cast<std::size_t>(node.index);
    value[static_cast<std::size_t>(p)] = node.op == Op::constant    ? node.value
                                         : node.op == Op::parameter ? parameters[index]
                                         : node.op == Op::state     ? states[index]
                                         : node.op == Op::time      ? t
                                         : node.op == Op::table ? tables_[index]->value(at(node.a))
                                         : node.op == Op::table_slope
                                             ? tables_[index]->slope(at(node.a))
                                             : apply(node.op, at(node.a), at(node.b), at(node.c));
  }
  return value.back();
}

std::string ExpressionGraph::text(Expr e, std::span<const std::string> states,
                                  std::span<const std::string> parameters) const {
  constexpr std::size_t longest = 2000;
  enum Level { comparison, sum, product, sign, power, atom };
  struct Text {
    std::string words;
    Level level = atom;
  };
  std::unordered_map<Expr, Text> text_of;
  const auto in = [&](Expr argument, Level least) {
    const Text& t = text_of.at(argument);
    return t.level >= least ? t.words : "(" + t.words + ")";
  };
  for (const Expr p : parts({&e, 1})) {
    const Node& node = (*this)[p];
    Text& t = text_of[p];
    const auto index = static_cast<std::size_t>(node.index);
    switch (node.op) {
      case Op::constant:
        t = {fokker::text(node.value), node.value < 0 ? sign : atom};
        break;
      case Op::parameter:
        t = {parameters[index], atom};
        break;
      case Op::state:
        t = {states[index], atom};
        break;
      case Op::time:
        t = {"t", atom};
        break;
      case Op::add:
        t = {in(node.a, sum) + " + " + in(node.b, product), sum};
        break;
      case Op::subtract:
        t = {in(node.a, sum) + " - " + in(node.b, product), sum};
        break;
      case Op::multiply:
        t = {in(node.a, product) + "*" + in(node.b, power), product};
        break;
      case Op::divide:
        t = {in(node.a, product) + "/" + in(node.b, power), product};
        break;
      case Op::power:
        t = {in(node.a, atom) + "^" + in(node.b, power), power};
        break;
      case Op::less:
        t = {in(node.a, sum) + " < " + in(node.b, sum), comparison};
        break;
      case Op::less_equal:
        t = {in(node.a, sum) + " <= " + in(node.b, sum), comparison};
        break;
      case Op::table:
      case Op::table_slope:
        t.words = node.op == Op::table ? "table(" : "table_slope(";
        t.words += tables_[index]->file() + ", " + in(node.a, comparison) + ")";
        break;
      case Op::negate:
        t = {"-" + in(node.a, product), sign};
        break;
      default:
        t.words = std::string(name_of(node.op)) + "(" + in(node.a, comparison);
        for (const Expr argument : {node.b, node.c})
          if (argument >= 0) t.words += ", " + in(argument, comparison);
        t.words += ")";
    }
    if (t.words.size() > longest) t = {"(...)", atom};
  }
  return text_of.at(e).words;
}

}  // namespace fokker
