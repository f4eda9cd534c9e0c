#pragma once
/// @file  fokker/processes/equation/equation.hpp
/// @brief A process from text: `parse_sde("dX = theta*(mu - X) dt + sigma dW", {...})`.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fokker/processes/equation/equation_error.hpp>
#include <fokker/processes/equation/equation_system.hpp>
#include <fokker/processes/equation/noise_structure.hpp>
#include <fokker/solvers/core/any_process.hpp>

namespace fokker {

/// A process of any kind of noise in one calculus, with its type erased.
template <Calculus c>
using ProcessOfAnyNoise =
    std::variant<AnyOde, AnySde<NoiseKind::additive, c>, AnySde<NoiseKind::scalar, c>,
                 AnySde<NoiseKind::diagonal, c>, AnySde<NoiseKind::commutative, c>,
                 AnySde<NoiseKind::general, c>>;

/// Ordinary or stochastic differential equations read from text:
///
///     dX = theta*(mu - X) dt + sigma dW             one SDE
///     dS = r*S dt + sqrt(v)*S dW1;  dv = kappa*(theta - v) dt
///          + xi*sqrt(v)*(rho dW1 + sqrt(1 - rho^2) dW2)
///     dx/dt = v - x;  v' = -x;  q'' = -sin(q)       ODEs; q'' has the states q and q'
///     let a = x^2 + y^2                             a name for an expression
///
/// Equations are separated by `;` or the ends of lines, `#` begins a comment. Each name dW, dW1,
/// dB_x is one Brownian motion (d before a capital letter), independent of the others; `o dW` or
/// `∘ dW` makes a term Stratonovich. The right side is linear in dt and dW; a product is written
/// with * except before them. Names that are neither states, t, pi nor functions are parameters.
/// Functions: those of C's math library with one or two arguments, min, max, abs, sign, step(x)
/// (1 for x >= 0, else 0), if(c, a, b) with comparisons in c, and table(FILE.csv, t), linear
/// interpolation of measured values (table.hpp).
///
/// The kind of noise is proved (noise_structure.hpp), derivatives are symbolic: slopes, Jacobian,
/// drift in both calculi. Coefficients are evaluated by byte code on rows of a block.
///
/// `integrate` and `simulate` take an Equation in place of a process (integrate_equation.hpp).
class Equation {
 public:
  /// @throws EquationError          with the line, a caret and what would be right
  /// @throws std::invalid_argument  a parameter that occurs nowhere or is not finite
  explicit Equation(std::string_view text, const std::map<std::string, double>& parameters = {});

  Index dimension() const { return system().dimension(); }
  /// Names of the components.
  const std::vector<std::string>& states() const { return system().states; }
  /// The text that was read.
  const std::string& text() const;
  /// Drift and noise as expressions.
  const EquationSystem& system() const;
  const NoiseStructure& noise() const;

  /// The process, with drift in this calculus.
  template <Calculus c>
  const ProcessOfAnyNoise<c>& process() const;

 private:
  struct Data;
  std::shared_ptr<const Data> data_;
};

/// The process in Ito form.
template <>
const ProcessOfAnyNoise<Calculus::ito>& Equation::process() const;
/// The process in Stratonovich form.
template <>
const ProcessOfAnyNoise<Calculus::stratonovich>& Equation::process() const;

/// The equation as a process; see Equation.
inline Equation parse_sde(std::string_view text,
                          const std::map<std::string, double>& parameters = {}) {
  return Equation(text, parameters);
}

}  // namespace fokker
