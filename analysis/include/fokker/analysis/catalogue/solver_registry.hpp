#pragma once
/// @file  fokker/analysis/catalogue/solver_registry.hpp
/// @brief Solvers by name, and runs of a process and a solver that are both chosen at run time.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fokker/analysis/convergence/convergence.hpp>
#include <fokker/analysis/law/step_growth.hpp>
#include <fokker/processes/models/registry.hpp>
#include <fokker/solvers/core/any_stepper.hpp>
#include <fokker/solvers/ensemble/path_statistics.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/support/catalogue.hpp>

namespace fokker {

/// A solver of the catalogue: its facts (an adaptive one states no evaluations per step), and how
/// programs find it.
struct SolverInfo : Facts {
  std::string_view type;                ///< in C++
  std::string_view family;              ///< "Ito, strong"
  std::string_view process;             ///< the one that it is made for; empty: any
  bool adaptive;                        ///< chooses its own steps, always
  bool (*adaptable)(NoiseKind);         ///< it takes Adaptive steps where tolerances are given
  bool (*takes)(const AnyRegistered&);  ///< false where the process lacks what the solver requires
};

/// All solvers, those of SDEs first. A new one is a name in solver_table.hpp.
const Catalogue<SolverInfo>& list_solvers();

/// A fixed-step solver for type-erased SDEs of one noise kind and calculus.
template <NoiseKind kind, Calculus calculus = Calculus::ito>
using SdeStepper = AnyStepper<AnySde<kind, calculus>, Block<double>>;

/// The fixed-step solver of this name for such SDEs, of any kind of noise.
/// @throws std::invalid_argument  if no solver of that name takes them
template <NoiseKind kind, Calculus calculus = Calculus::ito>
SdeStepper<kind, calculus> make_solver(std::string_view name);

/// How a solver takes a process.
enum class Fit {
  refused,
  direct,
  converted  ///< in Stratonovich form, made by to_stratonovich
};

/// Whether a solver takes a process. A registered process is Ito: a Stratonovich solver takes it as
/// it is where the noise is additive, else converted.
Fit fit(const RegisteredProcess& process, const SolverInfo& solver);

/// The names of the solvers that take a process.
std::vector<std::string_view> fitting_solvers(const RegisteredProcess& process);

/// Refuses a solver that does not take a process. @throws std::invalid_argument  with those that do
void require_fit(const RegisteredProcess& process, const SolverInfo& solver);

/// Refuses an adaptive solver. @throws std::invalid_argument
void require_fixed_step(const SolverInfo& solver);

/// Refuses tolerances for a solver that has fixed steps only on the noise of the process.
/// @throws std::invalid_argument  with those that adapt theirs
void require_adaptive(const RegisteredProcess& process, const SolverInfo& solver);

/// `simulate` by names; ODEs run both ways. See simulate.hpp for the options and the result. A
/// solver of SDEs takes Adaptive steps where tolerances are given, and else those of the grid; one
/// that chooses its own lands on options.save_at, which if it is empty is the grid.
/// @throws std::invalid_argument  as `simulate`; a solver that does not take the process, with
///                                those that do; tolerances for a solver with fixed steps
Ensemble<PathStatistics::Value> simulate_by_name(const RegisteredProcess& process,
                                                 std::string_view solver,
                                                 std::span<const double> x0,
                                                 std::span<const Time> grid, PathStatistics keep,
                                                 SimulateOptions options,
                                                 const Adaptive& tolerances = {});

/// The growth of a step of h from time t, where solver and process are linear; empty otherwise and
/// for solvers that choose their steps.
/// @throws std::invalid_argument  a solver that does not take the process
std::optional<StepGrowth> step_growth_by_name(const RegisteredProcess& process,
                                              std::string_view solver, Time t, Time h);

/// `measure_convergence` by names, against the exact solution where the process knows it; for an
/// ODE the strong order is the deterministic one. settings.x0 may be empty: the process's start.
/// @throws std::invalid_argument  as `measure_convergence`; an adaptive solver, or one that does
/// not take the process
ConvergenceStudy measure_convergence_by_name(const RegisteredProcess& process,
                                             std::string_view solver, ConvergenceSettings settings);

}  // namespace fokker
