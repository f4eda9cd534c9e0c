#pragma once
/// @file  recommendation.hpp
/// @brief The solver for an equation when none is asked for.

#include <string_view>

#include <fokker/solvers/core/process.hpp>

namespace fokker::app {

/// A solver of `fokker list solvers` and the reason for it.
struct Recommendation {
  std::string_view solver, reason;
};

/// The solver that a user who names none gets: it takes the noise, adapts its steps, and has the
/// highest strong order of those.
Recommendation recommended_solver(NoiseKind kind);

}  // namespace fokker::app
