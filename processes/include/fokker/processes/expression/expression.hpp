#pragma once
/// @file  fokker/processes/expression/expression.hpp
/// @brief Expressions of an equation as a graph: simplification, derivatives, printing.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fokker/processes/expression/operation.hpp>
#include <fokker/processes/expression/table.hpp>

namespace fokker {

/// Number of arguments of an operation.
int arguments_of(Op op);

/// A function that an equation may call.
struct Function {
  std::string_view name;
  Op op;
};

/// The functions of one and two arguments, by name; `if(c, a, b)` stands beside them.
std::span<const Function> functions();

/// A node of an ExpressionGraph; arguments always have smaller numbers than the node itself.
using Expr = int;

/// Expressions that share their common parts: equal expressions are one node.
///
/// What makes a node also simplifies it, by rules that leave the value as it is to the last bit:
/// operations on numbers, 0 + x, 1 * x, x ^ 1, signs. Expressions stand for functions on the set
/// where all their parts are finite: x - x and 0 * x are 0, x / x is 1.
class ExpressionGraph {
 public:
  /// A node: its operation, the number that a constant is, which state, parameter or table,
  /// arguments.
  struct Node {
    Op op;
    double value = 0;
    int index = 0;
    Expr a = -1, b = -1, c = -1;
    bool operator==(const Node&) const = default;
  };

  /// The most nodes of a graph.
  static constexpr std::size_t most_nodes = 20000;

  /// A number.
  Expr constant(double value);
  /// A parameter by its index.
  Expr parameter(int index) { return intern({Op::parameter, 0, index}); }
  /// A state by its index.
  Expr state(int index) { return intern({Op::state, 0, index}); }
  /// The time t.
  Expr time() { return intern({Op::time}); }

  /// The operation with one, two or three arguments, simplified.
  /// @throws std::length_error  for more than most_nodes nodes
  Expr make(Op op, Expr a, Expr b = -1, Expr c = -1);

  /// The operation of a node with other arguments.
  Expr remake(const Node& node, Expr a, Expr b, Expr c);
  /// The table's value at a.
  Expr look_up(std::shared_ptr<const ForcingTable> table, Expr a);
  /// The tables that look_up refers to.
  const std::vector<std::shared_ptr<const ForcingTable>>& tables() const { return tables_; }
  /// Takes the tables of another graph, so that its nodes can be remade in this one.
  void share_tables(const ExpressionGraph& other) { tables_ = other.tables_; }

  /// a + b.
  Expr add(Expr a, Expr b) { return make(Op::add, a, b); }
  /// a - b.
  Expr subtract(Expr a, Expr b) { return make(Op::subtract, a, b); }
  /// a b.
  Expr multiply(Expr a, Expr b) { return make(Op::multiply, a, b); }
  /// a / b.
  Expr divide(Expr a, Expr b) { return make(Op::divide, a, b); }

  const Node& operator[](Expr e) const { return nodes_[static_cast<std::size_t>(e)]; }
  /// Number of nodes.
  std::size_t size() const { return nodes_.size(); }

  /// Whether e is a number.
  bool is_constant(Expr e) const { return (*this)[e].op == Op::constant; }
  /// Whether e is this number.
  bool is(Expr e, double value) const { return is_constant(e) && (*this)[e].value == value; }

  /// The nodes that `roots` are made of, with themselves, ascending: arguments before what takes
  /// them.
  std::vector<Expr> parts(std::span<const Expr> roots) const;

  /// Whether e contains a state.
  bool has_state(Expr e) const;
  /// Whether e contains state i.
  bool has_state(Expr e, int i) const;
  /// Whether e contains t.
  bool has_time(Expr e) const;

  /// de/dx_i. The derivative of a function with jumps or kinks is that of its pieces: of abs it is
  /// sign, of min and max that of the smaller and the larger argument, of step it is 0.
  Expr derivative(Expr e, int state);

  /// The value at one point.
  double evaluate(Expr e, std::span<const double> states, double t,
                  std::span<const double> parameters) const;

  /// The expression in the notation of an equation.
  std::string text(Expr e, std::span<const std::string> states,
                   std::span<const std::string> parameters) const;

 private:
  struct Hash {
    std::size_t operator()(const Node& node) const;
  };
  Expr intern(const Node& node);
  Expr derivative_of_call(Expr e, Expr da, Expr db, Expr dc);

  std::vector<Node> nodes_;
  std::vector<std::shared_ptr<const ForcingTable>> tables_;
  std::unordered_map<Node, Expr, Hash> known_;
};

/// op(a, b) of numbers.
double apply(Op op, double a, double b = 0, double c = 0);

}  // namespace fokker
