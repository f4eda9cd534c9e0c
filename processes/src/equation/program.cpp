/// @file  equation/program.cpp
/// @brief Expressions as byte code on rows of a block.

#include "equation/program.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include <simd/dispatch.hpp>

namespace fokker::detail {

namespace {

/// Calls apply() value by value.
void run_other(const Instruction& in, double* const* slots, std::size_t n) {
  const auto value = [&](int k, int slot, std::size_t i) {
    return slot < 0 ? 0.0 : slots[slot][in.numbers[k] ? 0 : i];
  };
  if (in.table) {
    for (std::size_t i = 0; i < n; ++i)
      slots[in.out][i] = in.op == Op::table ? in.table->value(value(0, in.a, i))
                                            : in.table->slope(value(0, in.a, i));
    return;
  }
  for (std::size_t i = 0; i < n; ++i)
    slots[in.out][i] = apply(in.op, value(0, in.a, i), value(1, in.b, i), value(2, in.c, i));
}

/// a^n by the fewest products.
Expr whole_power(ExpressionGraph& g, Expr a, int n) {
  if (n == 1) return a;
  const Expr half = whole_power(g, a, n / 2), square = g.multiply(half, half);
  return n % 2 == 0 ? square : g.multiply(square, a);
}

/// A power with a constant exponent that products and roots give, else the power itself.
Expr expanded_power(ExpressionGraph& g, Expr a, Expr b) {
  constexpr double most = 64;
  const double n = g.is_constant(b) ? g[b].value : 0, twice = 2 * n;
  if (n == 0 || twice != std::round(twice) || std::abs(n) > most) return g.make(Op::power, a, b);
  const int whole = static_cast<int>(std::abs(n));
  const bool half = std::abs(n) != whole;
  Expr out = whole > 0 ? whole_power(g, a, whole) : g.constant(1);
  if (half) out = g.multiply(out, g.make(Op::sqrt, a));
  return n < 0 ? g.divide(g.constant(1), out) : out;
}

struct Scratch {
  std::vector<double> values;
  std::vector<double*> slots;
};

Scratch& scratch() {
  thread_local Scratch own;
  return own;
}

}  // namespace

// Slots: states, outputs, numbers, results of once_, registers.
Program::Program(const ExpressionGraph& graph, std::span<const Expr> outputs, int states,
                 std::span<const double> parameters)
    : states_(states), outputs_(static_cast<int>(outputs.size())), numbers_{0} {
  // The expressions with numbers for parameters and products for powers.
  ExpressionGraph g;
  g.share_tables(graph);
  tables_ = graph.tables();
  std::map<Expr, Expr> own;
  for (const Expr e : graph.parts(outputs)) {
    const auto& node = graph[e];
    const auto of = [&](Expr argument) { return argument < 0 ? -1 : own.at(argument); };
    switch (node.op) {
      case Op::constant:
        own[e] = g.constant(node.value);
        break;
      case Op::parameter:
        own[e] = g.constant(parameters[static_cast<std::size_t>(node.index)]);
        break;
      case Op::state:
        own[e] = g.state(node.index);
        break;
      case Op::time:
        own[e] = g.time();
        break;
      case Op::power:
        own[e] = expanded_power(g, of(node.a), of(node.b));
        break;
      default:
        own[e] = g.remake(node, of(node.a), of(node.b), of(node.c));
    }
  }
  std::vector<Expr> roots;
  for (const Expr e : outputs) roots.push_back(own.at(e));
  const std::vector<Expr> order = g.parts(roots);

  // What is a number, what depends on t alone, and what is a row.
  enum class Sort { number, once, row };
  std::map<Expr, Sort> sort;
  std::map<Expr, int> number_of, uniform_of, last_use;
  for (const Expr e : order) {
    const auto& node = g[e];
    if (node.op == Op::constant) {
      sort[e] = Sort::number;
      number_of[e] = static_cast<int>(numbers_.size());
      numbers_.push_back(node.value);
    } else if (node.op == Op::time) {
      sort[e] = Sort::number;
      number_of[e] = 0;
    } else if (node.op == Op::state) {
      sort[e] = Sort::row;
    } else {
      bool row = false;
      for (const Expr a : {node.a, node.b, node.c}) row = row || (a >= 0 && sort[a] == Sort::row);
      sort[e] = row ? Sort::row : Sort::once;
      if (!row) uniform_of[e] = uniforms_++;
      for (const Expr a : {node.a, node.b, node.c})
        if (a >= 0) last_use[a] = e;
    }
  }
  std::map<Expr, int> output_of;  // the first output that an expression is
  for (int i = outputs_ - 1; i >= 0; --i) output_of[roots[static_cast<std::size_t>(i)]] = i;

  const int first_number = states_ + outputs_;
  const int first_uniform = first_number + static_cast<int>(numbers_.size());
  const int first_register = first_uniform + uniforms_;
  std::map<Expr, int> slot;
  std::vector<int> free;
  const auto is_number = [&](Expr e) { return e >= 0 && sort.at(e) != Sort::row; };
  const auto slot_of = [&](Expr e) { return e < 0 ? -1 : slot.at(e); };
  const auto instruction = [&](Op op, int out, Expr a, Expr b, Expr c, const ForcingTable* table) {
    return Instruction{
        op,   {is_number(a), is_number(b), is_number(c)}, out, slot_of(a), slot_of(b), slot_of(c),
        table};
  };
  const auto made = [&](const ExpressionGraph::Node& node, int out) {
    const bool looks_up = node.op == Op::table || node.op == Op::table_slope;
    return instruction(node.op, out, node.a, node.b, node.c,
                       looks_up ? tables_[static_cast<std::size_t>(node.index)].get() : nullptr);
  };
  for (const Expr e : order) {
    const auto& node = g[e];
    if (sort[e] == Sort::number) {
      slot[e] = first_number + number_of[e];
    } else if (node.op == Op::state) {
      slot[e] = node.index;
    } else if (sort[e] == Sort::once) {
      slot[e] = first_uniform + uniform_of[e];
      once_.push_back(made(node, slot[e]));
    } else {
      int out = 0;
      if (const auto found = output_of.find(e); found != output_of.end()) {
        out = states_ + found->second;
      } else if (!free.empty()) {
        out = free.back();
        free.pop_back();
      } else {
        out = first_register + registers_++;
      }
      rows_.push_back(made(node, out));
      slot[e] = out;
      Expr freed = -1;
      for (const Expr a : {node.a, node.b, node.c})
        if (a >= 0 && a != freed && slot[a] >= first_register && last_use[a] == e) {
          free.push_back(slot[a]);
          freed = a;
        }
    }
  }
  for (int i = 0; i < outputs_; ++i) {
    const Expr e = roots[static_cast<std::size_t>(i)];
    if (slot.at(e) != states_ + i)
      rows_.push_back(instruction(Op::constant, states_ + i, e, -1, -1, nullptr));
  }
  constexpr std::size_t cache = 24 * 1024 / sizeof(double), most = 512;
  const auto live = static_cast<std::size_t>(std::max(1, states_ + registers_ + 1));
  piece_ = std::clamp(cache / live / row_lanes * row_lanes, row_lanes, most);
}

void Program::run(const double* x, std::ptrdiff_t x_stride, std::ptrdiff_t n, double t, double* out,
                  std::ptrdiff_t out_stride) const {
  const auto size = [](auto i) { return static_cast<std::size_t>(i); };
  Scratch& s = scratch();
  const std::size_t numbers = numbers_.size(), uniforms = size(uniforms_),
                    registers = size(registers_), edges = size(states_ + outputs_);
  const std::size_t needed = numbers + (uniforms + edges) * row_lanes + registers * piece_;
  if (s.values.size() < needed) s.values.resize(needed);
  const std::size_t slots = edges + numbers + uniforms + registers;
  if (s.slots.size() < slots) s.slots.resize(slots);
  double* const value = s.values.data();
  double** const slot = s.slots.data();
  double* const uniform = value + numbers;
  double* const edge = uniform + uniforms * row_lanes;
  double* const first_register = edge + edges * row_lanes;
  std::copy(numbers_.begin(), numbers_.end(), value);
  value[0] = t;
  for (std::size_t i = 0; i < numbers; ++i) slot[edges + i] = value + i;
  for (std::size_t i = 0; i < uniforms; ++i) slot[edges + numbers + i] = uniform + i * row_lanes;
  for (std::size_t i = 0; i < registers; ++i)
    slot[edges + numbers + uniforms + i] = first_register + i * piece_;

  const RunInstructions execute = FOKKER_DISPATCH(run_instructions);
  for (const Instruction& in : once_) {
    double rows[3][row_lanes];
    const int arguments[3] = {in.a, in.b, in.c};
    for (std::size_t k = 0; k < 3; ++k)
      std::fill_n(rows[k], row_lanes, arguments[k] < 0 ? 0 : *slot[arguments[k]]);
    double* const four[4] = {rows[0], rows[1], rows[2], slot[in.out]};
    const Instruction whole{in.op, {false, false, false}, 3, 0, 1, 2, in.table};
    execute(&whole, 1, four, row_lanes, run_other);
  }

  std::ptrdiff_t j = 0;
  const auto lanes = static_cast<std::ptrdiff_t>(row_lanes);
  while (n - j >= lanes) {
    const std::ptrdiff_t m = std::min(static_cast<std::ptrdiff_t>(piece_), (n - j) / lanes * lanes);
    for (int i = 0; i < states_; ++i) slot[i] = const_cast<double*>(x) + i * x_stride + j;
    for (int i = 0; i < outputs_; ++i) slot[states_ + i] = out + i * out_stride + j;
    execute(rows_.data(), rows_.size(), slot, size(m), run_other);
    j += m;
  }
  if (j == n) return;
  const std::ptrdiff_t rest = n - j;
  for (std::size_t i = 0; i < edges; ++i) slot[i] = edge + i * row_lanes;
  for (int i = 0; i < states_; ++i) {
    const double* row = x + i * x_stride + j;
    std::copy(row, row + rest, slot[i]);
    std::fill(slot[i] + rest, slot[i] + lanes, row[0]);
  }
  execute(rows_.data(), rows_.size(), slot, row_lanes, run_other);
  for (int i = 0; i < outputs_; ++i)
    std::copy(slot[states_ + i], slot[states_ + i] + rest, out + i * out_stride + j);
}

}  // namespace fokker::detail
