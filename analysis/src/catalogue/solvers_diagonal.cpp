/// @file  solvers_diagonal.cpp
/// @brief The solvers that take diagonal noise.

#include <fokker/analysis/catalogue/solver_registry.hpp>

#include "catalogue/solver_table.hpp"

namespace fokker {

template <NoiseKind kind, Calculus calculus>
SdeStepper<kind, calculus> make_solver(std::string_view name) {
  return detail::find_stepper<AnySde<kind, calculus>>(name, detail::SdeMethods{});
}

template SdeStepper<NoiseKind::diagonal> make_solver<NoiseKind::diagonal>(std::string_view);
template SdeStepper<NoiseKind::diagonal, Calculus::stratonovich>
    make_solver<NoiseKind::diagonal, Calculus::stratonovich>(std::string_view);

}  // namespace fokker
