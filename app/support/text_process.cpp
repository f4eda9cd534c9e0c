#include "support/text_process.hpp"

#include <deque>
#include <variant>

#include <fokker/processes/equation/equation.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker::app {
namespace {

/// What a ProcessInfo refers to; it lives as long as the program.
struct Described {
  Equation equation;
  ProcessInfo info;
};

}  // namespace

RegisteredProcess text_process(const std::string& text_of_it,
                               const std::map<std::string, double>& parameters) {
  static std::deque<Described> all;
  Described& kept = all.emplace_back(Described{Equation(text_of_it, parameters), {}});
  const Equation& equation = kept.equation;
  const AnyRegistered& process = equation.process<Calculus::ito>();
  ProcessInfo& info = kept.info;
  info.name = info.description = info.equation = equation.text();
  info.type = "Equation";
  info.dimension = equation.dimension();
  info.noise = std::visit([]<class P>(const P&) { return noise_kind<P>; }, process);
  info.calculus = Calculus::ito;
  for (const auto& [name, value] : parameters)
    info.parameters.push_back({name, text(value), {}, {}});
  info.components.assign(equation.states().begin(), equation.states().end());
  return {&info, process, {}, equation, {}, {}, {}, {}};
}

}  // namespace fokker::app
