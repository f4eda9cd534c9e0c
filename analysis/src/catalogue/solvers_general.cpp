/// @file  solvers_general.cpp
/// @brief The solvers that take general noise.

#include <fokker/analysis/catalogue/solver_registry.hpp>

#include "catalogue/solver_table.hpp"

namespace fokker {

template <NoiseKind kind, Calculus calculus>
SdeStepper<kind, calculus> make_solver(std::string_view name) {
  return detail::find_stepper<AnySde<kind, calculus>>(name, detail::SdeMethods{});
}

template SdeStepper<NoiseKind::general> make_solver<NoiseKind::general>(std::string_view);
template SdeStepper<NoiseKind::general, Calculus::stratonovich>
    make_solver<NoiseKind::general, Calculus::stratonovich>(std::string_view);

}  // namespace fokker
