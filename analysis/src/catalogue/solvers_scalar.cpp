/// @file  solvers_scalar.cpp
/// @brief The solvers that take scalar noise.

#include <fokker/analysis/catalogue/solver_registry.hpp>

#include "catalogue/solver_table.hpp"

namespace fokker {

template <NoiseKind kind, Calculus calculus>
SdeStepper<kind, calculus> make_solver(std::string_view name) {
  return detail::find_stepper<AnySde<kind, calculus>>(name, detail::SdeMethods{});
}

template SdeStepper<NoiseKind::scalar> make_solver<NoiseKind::scalar>(std::string_view);
template SdeStepper<NoiseKind::scalar, Calculus::stratonovich>
    make_solver<NoiseKind::scalar, Calculus::stratonovich>(std::string_view);

}  // namespace fokker
