#pragma once
/// @file  odes.hpp
/// @brief The initial value problems of the benchmarks on ODEs.

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include <fokker/processes/models/lorenz.hpp>
#include <fokker/processes/models/van_der_pol.hpp>

/// A problem: `process` is f as fokker takes it, `f` as Boost.Odeint does, both with rtol = atol.
/// One tolerance means different things to them: the unit of fokker's error is atol + rtol max(|x|,
/// |y|), that of odeint's atol + rtol (|x| + h |f|), and they aim at other parts of it. So each has
/// one of its own, with which odeint ends no nearer to the solution: `error` is reported by both.

struct LorenzProblem {
  static constexpr std::size_t d = 3;
  static constexpr double end = 10;
  static constexpr std::array<double, d> start = {1, 1, 1};
  static constexpr double ours = 1.6e-9, theirs = 1e-9;
  static constexpr fokker::Lorenz process{};
  static void f(const auto& x, auto& dx) {
    dx[0] = 10 * (x[1] - x[0]);
    dx[1] = x[0] * (28 - x[2]) - x[1];
    dx[2] = x[0] * x[1] - 8.0 / 3 * x[2];
  }
};

struct VanDerPolProblem {
  static constexpr std::size_t d = 2;
  static constexpr double end = 20;
  static constexpr std::array<double, d> start = {2, 0};
  static constexpr double ours = 1.2e-9, theirs = 1e-9;
  static constexpr fokker::VanDerPol process{.mu = 5};
  static void f(const auto& x, auto& dx) {
    dx[0] = x[1];
    dx[1] = 5 * (1 - x[0] * x[0]) * x[1] - x[0];
  }
};

/// Seven stars in the plane. Source: Hairer, Norsett & Wanner (1993), II.10.
struct PleiadesProblem {
  static constexpr std::size_t d = 28;  // x, y, x', y' of the stars
  static constexpr double end = 3;
  static constexpr std::array<double, d> start = {3,    3, -1, -3, 2,     -2, 2, 3, -3, 2,
                                                  0,    0, -4, 4,  0,     0,  0, 0, 0,  1.75,
                                                  -1.5, 0, 0,  0,  -1.25, 1,  0, 0};
  static constexpr double ours = 1.3e-9, theirs = 1e-9;
  static void f(const auto& state, auto& rate) {
    const double* x = state.data();
    double* dx = rate.data();
    for (int i = 0; i < 14; ++i) {
      dx[i] = x[i + 14];
      dx[i + 14] = 0;
    }
    for (int i = 0; i < 7; ++i)
      for (int j = 0; j < i; ++j) {
        const double a = x[j] - x[i], b = x[j + 7] - x[i + 7], square = a * a + b * b;
        const double w = 1 / (square * std::sqrt(square)), of_i = w * (i + 1), of_j = w * (j + 1);
        dx[i + 14] += of_j * a;
        dx[i + 21] += of_j * b;
        dx[j + 14] -= of_i * a;
        dx[j + 21] -= of_i * b;
      }
  }
  struct Process {
    static constexpr fokker::NoiseKind noise = fokker::NoiseKind::none;
    static constexpr int dimension = 28;
    void drift(const auto& x, fokker::Time, auto& out) const { f(x, out); }
  };
  static constexpr Process process{};
};

/// max |e_i| / (1 + |x_i|) at the end, against a solution of order 8 at 1e-14.
template <class Problem>
double error(const std::array<double, Problem::d>& x);

/// The states of a solution that was looked at.
template <class Problem>
struct Points {
  std::vector<double> t;
  std::vector<std::array<double, Problem::d>> x;
};
