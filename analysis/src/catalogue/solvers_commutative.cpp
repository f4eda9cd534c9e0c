/// @file  solvers_commutative.cpp
/// @brief The solvers that take commutative noise.

#include <fokker/analysis/catalogue/solver_registry.hpp>

#include "catalogue/solver_table.hpp"

namespace fokker {

template <NoiseKind kind, Calculus calculus>
SdeStepper<kind, calculus> make_solver(std::string_view name) {
  return detail::find_stepper<AnySde<kind, calculus>>(name, detail::SdeMethods{});
}

template SdeStepper<NoiseKind::commutative> make_solver<NoiseKind::commutative>(std::string_view);
template SdeStepper<NoiseKind::commutative, Calculus::stratonovich>
    make_solver<NoiseKind::commutative, Calculus::stratonovich>(std::string_view);

}  // namespace fokker
