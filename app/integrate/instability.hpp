#pragma once
/// @file  instability.hpp
/// @brief A run whose steps grow where the exact solution does not.

#include <span>
#include <string>
#include <string_view>

#include <fokker/analysis/catalogue/solver_registry.hpp>

#include "integrate/summary.hpp"

namespace fokker::app {

/// What is wrong with fixed steps of h that are unstable on a linear process, and which are not;
/// empty where nothing is or nothing is known.
std::string instability_warning(const RegisteredProcess& process, std::string_view solver, Time t,
                                Time h, Index steps);

/// What is wrong with a mean or a standard deviation that is more than twice the size of the
/// exact law away from the exact one, and not by chance; empty where none is.
/// @param means, deviations  exact, by component  @param x0  the start
std::string far_from_exact(std::span<const Summary> found, std::span<const double> means,
                           std::span<const double> deviations, std::span<const double> x0);

}  // namespace fokker::app
