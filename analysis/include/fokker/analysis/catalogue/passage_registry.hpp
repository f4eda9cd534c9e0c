#pragma once
/// @file  fokker/analysis/catalogue/passage_registry.hpp
/// @brief First passage times of a process and a solver that are both chosen at run time.

#include <span>
#include <string_view>

#include <fokker/analysis/catalogue/solver_registry.hpp>
#include <fokker/solvers/ensemble/first_passage.hpp>

namespace fokker {

/// `first_passage` by names: when each path first meets `level` in a component, also between the
/// points of the grid. An ODE has one path, and its time is a root found on the interpolant of its
/// steps; a fixed-step solver takes as many equal steps as the grid has, an adaptive one its own.
/// @throws std::invalid_argument  as `simulate_by_name`; tolerances for an SDE; a component that
///                                the state has not
Ensemble<PassageTimes> first_passage_by_name(const RegisteredProcess& process,
                                             std::string_view solver, std::span<const double> x0,
                                             std::span<const Time> grid,
                                             const SimulateOptions& options, Level level,
                                             const Adaptive& tolerances = {});

}  // namespace fokker
