/// @file  equation.cpp
/// @brief Equations as processes: programs for their coefficients and derivatives.

#include <fokker/processes/equation/equation.hpp>

#include <optional>
#include <span>
#include <stdexcept>
#include <utility>

#include "equation/program.hpp"
#include "expression/normal_form.hpp"

namespace fokker {

namespace {

using detail::NormalForms;
using detail::Program;
using X = Block<double>;

/// The matrices of A x + a(t) and B_k x + b_k(t), where they are constant.
struct LinearParts {
  std::optional<Eigen::MatrixXd> drift;  ///< A, or the linear terms of a drift with others
  bool all = false;                      ///< drift and noise are linear
  std::vector<Eigen::MatrixXd> noise;    ///< B_k
};

/// What a coefficient needs, compiled.
struct Compiled {
  int d = 1;
  std::string name;
  Program drift, jacobian;
  std::vector<Program> noise;  ///< of columns; of one vector where the noise is not by columns
  std::optional<Program> slope;
  LinearParts linear;
};

/// The process of one kind of noise.
template <NoiseKind kind, Calculus c>
struct EquationProcess {
  static constexpr NoiseKind noise = kind;
  static constexpr Calculus calculus = c;

  std::shared_ptr<const Compiled> code;

  Index dimension() const { return code->d; }
  Index sources() const requires(by_columns(kind)) {
    return static_cast<Index>(code->noise.size());
  }
  void drift(const X& x, Time t, X& out) const { run(code->drift, x, t, out); }
  void diffusion(Time t, auto&& g) const requires(kind == NoiseKind::additive) {
    Scratch& s = scratch();
    s.values.resize(code->d, 1);
    run(code->noise.front(), s.values, t, s.values);
    g = s.values.col(0);
  }
  void diffusion(const X& x, Time t, X& out) const
      requires(kind == NoiseKind::scalar || kind == NoiseKind::diagonal) {
    run(code->noise.front(), x, t, out);
  }
  void diffusion(const X& x, Time t, Index k, X& out) const requires(by_columns(kind)) {
    run(code->noise[static_cast<std::size_t>(k)], x, t, out);
  }
  void diffusion_slope(const X& x, Time t, X& out) const
      requires(kind == NoiseKind::scalar || kind == NoiseKind::diagonal) {
    run(*code->slope, x, t, out);
  }
  void drift_jacobian(const PathState<double>& x, Time t, Eigen::MatrixXd& j) const {
    code->jacobian.run(x.data(), 1, 1, t, j.data(), 1);
  }
  void drift_jacobian(const X& x, Time t, X& out, PathState<double>&, Eigen::MatrixXd&) const {
    run(code->jacobian, x, t, out);
  }
  bool has_linear_part() const { return code->linear.drift.has_value(); }
  bool linear() const { return code->linear.all; }
  void linear_part(Eigen::MatrixXd& out) const { out = *code->linear.drift; }
  void linear_diffusion(Index k, Eigen::MatrixXd& out) const
      requires(kind != NoiseKind::none && kind != NoiseKind::additive) {
    out = code->linear.noise[static_cast<std::size_t>(k)];
  }

 private:
  struct Scratch {
    X values;
  };
  static Scratch& scratch() {
    thread_local Scratch own;
    return own;
  }
  static void run(const Program& program, const X& x, Time t, X& out) {
    program.run(x.data(), x.cols(), x.cols(), t, out.data(), out.cols());
  }
};

/// Makes programs and matrices from the expressions of a system.
class Compiler {
 public:
  Compiler(EquationSystem& system, const NoiseStructure& noise, std::vector<double> values,
           std::string_view name)
      : s_(system), g_(system.graph), noise_(noise), values_(std::move(values)), name_(name) {}

  template <Calculus c>
  ProcessOfAnyNoise<c> process() {
    auto code = std::make_shared<const Compiled>(compiled(c));
    switch (noise_.kind) {
      case NoiseKind::none:
        return AnyOde(EquationProcess<NoiseKind::none, c>{code}, code->name);
      case NoiseKind::additive:
        return sde<NoiseKind::additive, c>(code);
      case NoiseKind::scalar:
        return sde<NoiseKind::scalar, c>(code);
      case NoiseKind::diagonal:
        return sde<NoiseKind::diagonal, c>(code);
      case NoiseKind::commutative:
        return sde<NoiseKind::commutative, c>(code);
      case NoiseKind::general:
        break;
    }
    return sde<NoiseKind::general, c>(code);
  }

 private:
  template <NoiseKind kind, Calculus c>
  static AnySde<kind, c> sde(const std::shared_ptr<const Compiled>& code) {
    return AnySde<kind, c>(EquationProcess<kind, c>{code}, code->name);
  }

  Program program(const std::vector<Expr>& outputs) const {
    return Program(g_, outputs, s_.dimension(), values_);
  }

  Compiled compiled(Calculus c) {
    const int d = s_.dimension();
    const std::vector<Expr>& drift = s_.drift(c);
    std::vector<Expr> jacobian;
    for (int k = 0; k < d; ++k)
      for (int i = 0; i < d; ++i)
        jacobian.push_back(g_.derivative(drift[static_cast<std::size_t>(i)], k));
    std::vector<Program> noise;
    std::optional<Program> slope;
    switch (noise_.kind) {
      case NoiseKind::none:
        break;
      case NoiseKind::additive:
      case NoiseKind::diagonal: {
        std::vector<Expr> own(static_cast<std::size_t>(d), g_.constant(0)), slopes = own;
        for (const auto& column : noise_.columns)
          for (std::size_t i = 0; i < column.size(); ++i)
            if (!g_.is(column[i], 0)) {
              own[i] = column[i];
              slopes[i] = g_.derivative(column[i], static_cast<int>(i));
            }
        noise.push_back(program(own));
        slope = program(slopes);
        break;
      }
      case NoiseKind::scalar: {
        const auto& column = noise_.columns.front();
        std::vector<Expr> slopes;
        for (const Expr e : column) slopes.push_back(s_.along(column, e));
        noise.push_back(program(column));
        slope = program(slopes);
        break;
      }
      case NoiseKind::commutative:
      case NoiseKind::general:
        for (const auto& column : noise_.columns) noise.push_back(program(column));
    }
    return {d,
            name_,
            program(drift),
            program(jacobian),
            std::move(noise),
            std::move(slope),
            linear_parts(drift, jacobian)};
  }

  /// The value of an expression without states and t.
  std::optional<double> constant(Expr e) {
    NormalForms forms(g_);
    const Expr simple = forms.expression(forms.of(e));
    if (g_.has_state(simple) || g_.has_time(simple)) return {};
    return g_.evaluate(simple, {}, 0, values_);
  }

  std::optional<Eigen::MatrixXd> constants(const std::vector<Expr>& jacobian) {
    const int d = s_.dimension();
    Eigen::MatrixXd out(d, d);
    for (int k = 0; k < d; ++k)
      for (int i = 0; i < d; ++i) {
        const auto value = constant(jacobian[static_cast<std::size_t>(k * d + i)]);
        if (!value) return {};
        out(i, k) = *value;
      }
    return out;
  }

  /// The factors of x_k alone in the normal form of the drift.
  std::optional<Eigen::MatrixXd> linear_terms(const std::vector<Expr>& drift) {
    const int d = s_.dimension();
    Eigen::MatrixXd out = Eigen::MatrixXd::Zero(d, d);
    for (int i = 0; i < d; ++i) {
      NormalForms forms(g_);
      const detail::Polynomial polynomial = forms.of(drift[static_cast<std::size_t>(i)]);
      for (const auto& [monomial, factor] : polynomial) {
        int state = -1;
        bool linear = true;
        detail::Monomial rest;
        for (const auto& [atom, exponent] : monomial) {
          const auto& node = g_[atom];
          if (node.op == Op::state && exponent == 1 && state < 0)
            state = node.index;
          else if (!g_.has_state(atom) && !g_.has_time(atom))
            rest.emplace_back(atom, exponent);
          else
            linear = false;
        }
        if (!linear || state < 0) continue;
        out(i, state) += g_.evaluate(forms.expression({{rest, factor}}), {}, 0, values_);
      }
    }
    if (out.isZero(0) || !out.allFinite()) return {};
    return out;
  }

  LinearParts linear_parts(const std::vector<Expr>& drift, const std::vector<Expr>& jacobian) {
    LinearParts out{constants(jacobian), false, {}};
    const bool drift_is_linear = out.drift.has_value();
    if (!drift_is_linear) {
      out.drift = linear_terms(drift);
      return out;
    }
    out.all = true;
    if (noise_.kind == NoiseKind::additive || noise_.kind == NoiseKind::none) return out;
    const std::size_t d = drift.size();
    const auto slope_of = [&](const std::vector<Expr>& column) {
      std::vector<Expr> slopes;
      for (std::size_t k = 0; k < d; ++k)
        for (std::size_t i = 0; i < d; ++i)
          slopes.push_back(g_.derivative(column[i], static_cast<int>(k)));
      return slopes;
    };
    // diagonal noise: B_k is that of component k
    std::vector<std::vector<Expr>> columns = noise_.columns;
    if (noise_.kind == NoiseKind::diagonal) {
      columns.assign(d, std::vector<Expr>(d, g_.constant(0)));
      for (const auto& column : noise_.columns)
        for (std::size_t i = 0; i < d; ++i)
          if (!g_.is(column[i], 0)) columns[i][i] = column[i];
    }
    for (const auto& column : columns) {
      auto matrix = constants(slope_of(column));
      if (!matrix) {
        out.all = false;
        out.noise.clear();
        return out;
      }
      out.noise.push_back(std::move(*matrix));
    }
    return out;
  }

  EquationSystem& s_;
  ExpressionGraph& g_;
  const NoiseStructure& noise_;
  std::vector<double> values_;
  std::string name_;
};

}  // namespace

struct Equation::Data {
  Data(std::string_view words, const std::map<std::string, double>& parameters)
      : text(words), system(read_equations(words, parameters)) {
    noise = noise_structure(system, parameters);
    std::vector<double> values;
    for (const std::string& name : system.parameters) values.push_back(parameters.at(name));
    Compiler compiler(system, noise, std::move(values), text);
    ito.emplace(compiler.process<Calculus::ito>());
    stratonovich.emplace(compiler.process<Calculus::stratonovich>());
  }

  std::string text;
  EquationSystem system;
  NoiseStructure noise;
  std::optional<ProcessOfAnyNoise<Calculus::ito>> ito;
  std::optional<ProcessOfAnyNoise<Calculus::stratonovich>> stratonovich;
};

Equation::Equation(std::string_view text, const std::map<std::string, double>& parameters) {
  try {
    data_ = std::make_shared<const Data>(text, parameters);
  } catch (const std::length_error& e) {
    throw std::invalid_argument(e.what());
  }
}

const std::string& Equation::text() const { return data_->text; }
const EquationSystem& Equation::system() const { return data_->system; }
const NoiseStructure& Equation::noise() const { return data_->noise; }

template <>
const ProcessOfAnyNoise<Calculus::ito>& Equation::process() const {
  return *data_->ito;
}
template <>
const ProcessOfAnyNoise<Calculus::stratonovich>& Equation::process() const {
  return *data_->stratonovich;
}

}  // namespace fokker
