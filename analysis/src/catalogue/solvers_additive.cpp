/// @file  solvers_additive.cpp
/// @brief The solvers that take additive noise.

#include <fokker/analysis/catalogue/solver_registry.hpp>

#include "catalogue/solver_table.hpp"

namespace fokker {

template <NoiseKind kind, Calculus calculus>
SdeStepper<kind, calculus> make_solver(std::string_view name) {
  return detail::find_stepper<AnySde<kind, calculus>>(name, detail::SdeMethods{});
}

template SdeStepper<NoiseKind::additive> make_solver<NoiseKind::additive>(std::string_view);

}  // namespace fokker
