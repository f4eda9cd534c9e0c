#pragma once
/// @file  many_odes.hpp
/// @brief The ensemble of Lorenz systems of the benchmarks.

#include <fokker/solvers/noise/random.hpp>

constexpr fokker::Index paths = 256;

/// Starts about (1, 1, 1), so that no two paths take the same steps.
struct Starts {
  void sample(fokker::PathRandom& random, auto& x) const {
    random.normal(x);
    x = 1 + 0.1 * x;
  }
};
