#include <fokker/analysis/catalogue/solver_registry.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include <fokker/analysis/catalogue/passage_registry.hpp>
#include <fokker/solvers/core/calculus.hpp>
#include <fokker/solvers/integrate/adaptive_sde.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/ode.hpp>
#include <fokker/solvers/ode/radau.hpp>
#include <fokker/solvers/ode/rosenbrock.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

#include "catalogue/bound_solver.hpp"
#include "catalogue/solver_table.hpp"

namespace fokker {

namespace {

using X = Block<double>;
using KeptEnsemble = Ensemble<PathStatistics::Value>;

template <class M>
SolverInfo info_of(std::string_view type, std::string_view family, std::string_view process) {
  return {M::facts, type, family, process, AdaptiveSolver<M>,
          /*adaptable*/
          []([[maybe_unused]] NoiseKind kind) {
            if constexpr (AdaptiveSolver<M> || M::facts.supports(NoiseKind::none))
              return false;
            else
              return M::facts.supports(kind) &&
                     adaptable(M::facts.calculus, M::facts.needs, M::facts.orders(kind), kind,
                               M::facts.has_memory);
          },
          /*takes*/
          []([[maybe_unused]] const AnyRegistered& any) {
            if constexpr (requires(const AnyOde& ode) { M::takes(ode); })
              return std::visit([](const auto& p) { return M::takes(p); }, any);
            else
              return true;
          }};
}

using detail::TypeList;

FOKKER_TYPE_LIST(OdeMethods, Euler, Heun, Rk4);
FOKKER_TYPE_LIST(AdaptiveMethods, Dopri5, Bs3, Tsit5, Vern7, Dop853, Rodas4, Rodas5P, Radau5,
                 OdeintDopri5, Fehlberg78, BulirschStoer);

std::vector<SolverInfo> all_solvers() {
  std::vector<SolverInfo> all;
  const auto add = [&]<class... Ms>(TypeList<Ms...>, std::string_view list, std::string_view family,
                                    std::string_view process = {}) {
    const std::vector<std::string_view> names = detail::type_names(list);
    std::size_t i = 0;
    (all.push_back(info_of<Ms>(names[i++], family, process)), ...);
  };
  using namespace detail;
  add(ItoMethods{}, ItoMethodsNames, "Ito, strong");
  add(AdditiveMethods{}, AdditiveMethodsNames, "Additive noise");
  add(StratonovichMethods{}, StratonovichMethodsNames, "Stratonovich");
  add(WeakMethods{}, WeakMethodsNames, "Ito, weak");
  add(SuperlinearMethods{}, SuperlinearMethodsNames, "Superlinear drift");
  add(StiffMethods{}, StiffMethodsNames, "Stiff drift");
  add(LinearMethods{}, LinearMethodsNames, "Linear");
  add(OdeMethods{}, OdeMethodsNames, "ODE, fixed steps");
  add(AdaptiveMethods{}, AdaptiveMethodsNames, "ODE, adaptive");
  add(LangevinMethods{}, LangevinMethodsNames, "Langevin dynamics", "langevin");
  add(CirMethods{}, CirMethodsNames, "Cox-Ingersoll-Ross", "cir");
  add(HestonMethods{}, HestonMethodsNames, "Heston", "heston");
  return all;
}

/// The solver of this name that is made for the process P, for the process with its type erased.
/// @throws std::invalid_argument  for parameters that it cannot take (`check_parameters`)
template <class P, class... Ms>
AnyStepper<AnySde<noise_kind<P>>, X> bound_stepper(const RegisteredProcess& process,
                                                   std::string_view name, TypeList<Ms...>) {
  std::vector<AnyStepper<AnySde<noise_kind<P>>, X>> found;
  const auto look = [&]<class M>() {
    if (M::facts.name != name) return;
    const P& typed = std::any_cast<const P&>(process.typed);
    check_parameters(M{}, typed);
    found.emplace_back(detail::BoundSolver<M, P>{typed});
  };
  (look.template operator()<Ms>(), ...);
  return found.front();
}

/// An ODE on the clock sign * t, which only runs up.
struct OneWay {
  static constexpr NoiseKind noise = NoiseKind::none;
  static constexpr Clock clock = Clock::up;

  AnyOde ode;
  double sign;

  Index dimension() const { return ode.dimension(); }
  bool has_drift_jacobian() const { return ode.has_drift_jacobian(); }
  void drift_jacobian(const PathState<double>& x, Time t, Eigen::MatrixXd& j) const {
    ode.drift_jacobian(x, sign * t, j);
    j *= sign;
  }
  template <State Y>
  void drift(const Y& x, Time t, Y& out) const {
    if constexpr (std::same_as<Y, X>) {
      ode.drift(x, sign * t, out);
      out *= sign;
    } else {  // one path of an adaptive solver
      const X in = x;
      X slope(x.rows(), x.cols());
      drift(in, t, slope);
      out = slope;
    }
  }
};

/// @throws std::invalid_argument  for a start outside the domain of the process
void check_start(const RegisteredProcess& process, std::span<const double> x0) {
  for (std::size_t i = 0; i < std::min(x0.size(), process.domain.size()); ++i) {
    const auto [low, high] = process.domain[i];
    if (!(low <= x0[i] && x0[i] <= high))
      throw std::invalid_argument(
          fmt::format("{} starts at {} in component {}, outside its domain [{}, {}]",
                      process.info->name, x0[i], i, low, high));
  }
}

/// Calls f(process, stepper) with the process in the form that the solver takes.
template <class F>
auto with_stepper(const RegisteredProcess& process, const SolverInfo& solver, F&& f) {
  const bool converted = fit(process, solver) == Fit::converted;
  return std::visit(
      [&]<class P>(const P& p) {
        constexpr NoiseKind kind = noise_kind<P>;
        const auto bound = [&]<class Q>(auto methods) {
          return bound_stepper<Q>(process, solver.name, methods);
        };
        if constexpr (kind == NoiseKind::additive)
          if (solver.process == "langevin")
            return f(p, bound.template operator()<Langevin>(detail::LangevinMethods{}));
        if constexpr (kind == NoiseKind::diagonal)
          if (solver.process == "cir")
            return f(p, bound.template operator()<CoxIngersollRoss>(detail::CirMethods{}));
        if constexpr (kind == NoiseKind::general)
          if (solver.process == "heston")
            return f(p, bound.template operator()<Heston>(detail::HestonMethods{}));
        if constexpr (kind != NoiseKind::none && kind != NoiseKind::additive)
          if (converted)
            return f(AnySde<kind, Calculus::stratonovich>{to_stratonovich(p), p.name()},
                     make_solver<kind, Calculus::stratonovich>(solver.name));
        if constexpr (kind == NoiseKind::none)
          return f(OneWay{p, 1.0}, detail::find_stepper<OneWay>(solver.name, OdeMethods{}));
        else
          return f(p, make_solver<kind>(solver.name));
      },
      process.process);
}

/// Whether tolerances are given.
bool given(const Adaptive& tolerances) { return tolerances.rtol || tolerances.atol; }

/// Calls f(method) with the adaptive solver of this name.
template <class F, class... Ms>
auto with_adaptive(std::string_view name, F&& f, TypeList<Ms...>) {
  std::common_type_t<decltype(f(std::declval<const Ms&>()))...> result;
  const auto look = [&]<class M>() {
    if (M::facts.name != name) return;
    result = f(M{});
  };
  (look.template operator()<Ms>(), ...);
  return result;
}

/// The entry of this name, for a run of the process from x0 along the grid.
/// @throws std::invalid_argument  where one does not fit the other
const SolverInfo& checked_solver(const RegisteredProcess& process, std::string_view name,
                                 std::span<const double> x0, std::span<const Time> grid,
                                 const Adaptive& tolerances) {
  const SolverInfo& info = list_solvers().at(name);
  require_fit(process, info);
  if (given(tolerances)) require_adaptive(process, info);
  check_start(process, x0);
  check_grid(grid);
  return info;
}

/// Calls f(ode, method, steps, sign) with the ODE on the clock sign * t, which goes up along the
/// grid.
template <class F>
auto with_ode(const AnyOde& ode, const SolverInfo& solver, std::span<const Time> grid,
              const Adaptive& tolerances, F&& f) {
  const double sign = grid[1] < grid[0] ? -1.0 : 1.0;
  const OneWay one_way{ode, sign};
  if (!solver.adaptive) {
    OnGrid steps{TimeGrid(grid.begin(), grid.end())};
    for (Time& t : steps.times) t *= sign;
    return f(one_way, detail::find_stepper<OneWay>(solver.name, OdeMethods{}), steps, sign);
  }
  return with_adaptive(
      solver.name, [&](const auto& method) { return f(one_way, method, tolerances, sign); },
      AdaptiveMethods{});
}

/// The passage time of the one path of an ODE: a root of x_i - level on the solver's interpolant.
template <class M, class Steps>
Ensemble<PassageTimes> passage_of_ode(const OneWay& ode, const M& method, const Steps& steps,
                                      std::span<const double> x0, Time t0, Time t1,
                                      const SimulateOptions& options, Level level) {
  const auto started = std::chrono::steady_clock::now();
  const IntegrateOptions how{
      .save_at = {t1},
      .cancel = options.cancel,
      .events = {level_event(level.component, level.value, Crossing::both, true)}};
  const X start = Eigen::Map<const PathState<double>>(x0.data(), static_cast<Index>(x0.size()));
  const auto solution = [&] {
    if constexpr (detail::GivesGrid<Steps>)
      return integrate(ode, method, Fixed{(t1 - t0) / static_cast<double>(steps.times.size() - 1)},
                       start, {t0, t1}, how);
    else
      return integrate(ode, method, steps, start, {t0, t1}, how);
  }();

  Ensemble<PassageTimes> result;
  const bool met = solution.status == Status::event;
  if (!met) result.status = solution.status;
  const bool ended = result.status == Status::success;
  result.value.time.resize(1);
  result.value.time[0] = met     ? solution.end_time - t0
                         : ended ? std::numeric_limits<double>::infinity()
                                 : std::numeric_limits<double>::quiet_NaN();
  result.value.horizon = t1 - t0;
  result.paths = result.status == Status::cancelled ? 0 : 1;
  result.failed = ended || result.paths == 0 ? 0 : 1;
  result.counts = MeanCounts(solution.counts, 1);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started;
  result.seconds = elapsed.count();
  return result;
}

}  // namespace

const Catalogue<SolverInfo>& list_solvers() {
  static const Catalogue<SolverInfo> solvers("solver", all_solvers(),
                                             {{"em", "euler-maruyama"},
                                              {"eulermaruyama", "euler-maruyama"},
                                              {"rk45", "dopri5"},
                                              {"ode45", "dopri5"},
                                              {"dop54", "dopri5"},
                                              {"dormand-prince", "dopri5"},
                                              {"radau", "radau5"}});
  return solvers;
}

Fit fit(const RegisteredProcess& process, const SolverInfo& solver) {
  const NoiseKind kind = process.info->noise;
  if (!solver.supports(kind) || !solver.takes(process.process)) return Fit::refused;
  if (!solver.process.empty())
    return solver.process == process.info->name ? Fit::direct : Fit::refused;
  if (kind == NoiseKind::none || kind == NoiseKind::additive || solver.calculus == Calculus::ito)
    return Fit::direct;
  return Fit::converted;
}

std::vector<std::string_view> fitting_solvers(const RegisteredProcess& process) {
  std::vector<std::string_view> names;
  for (const SolverInfo& solver : list_solvers())
    if (fit(process, solver) != Fit::refused) names.push_back(solver.name);
  return names;
}

void require_fit(const RegisteredProcess& process, const SolverInfo& solver) {
  if (fit(process, solver) != Fit::refused) return;
  const auto names = fitting_solvers(process);
  if (!solver.process.empty())
    throw std::invalid_argument(fmt::format("{} is made for {} and does not take {}: use {}",
                                            solver.name, solver.process, process.info->name,
                                            fmt::join(names, ", ")));
  if (solver.supports(process.info->noise) && !solver.takes(process.process))
    throw std::invalid_argument(
        fmt::format("{} is for linear SDEs, or those that know the linear part of their drift, "
                    "and does not take {}: use {}",
                    solver.name, process.info->name, fmt::join(names, ", ")));
  throw std::invalid_argument(fmt::format(
      "{} does not take {}, which has {} noise: use {}", solver.name, process.info->name,
      process.info->noise == NoiseKind::none ? "no" : to_string(process.info->noise),
      fmt::join(names, ", ")));
}

void require_fixed_step(const SolverInfo& solver) {
  if (solver.adaptive)
    throw std::invalid_argument(fmt::format(
        "{} chooses its own steps: a convergence study takes fixed-step solvers", solver.name));
}

void require_adaptive(const RegisteredProcess& process, const SolverInfo& solver) {
  if (solver.adaptive || solver.adaptable(process.info->noise)) return;
  std::vector<std::string_view> names;
  for (const SolverInfo& other : list_solvers())
    if ((other.adaptive || other.adaptable(process.info->noise)) &&
        fit(process, other) != Fit::refused)
      names.push_back(other.name);
  const bool ode = process.info->noise == NoiseKind::none;
  throw std::invalid_argument(
      fmt::format("{} has fixed steps{}: give a step (--dt), not tolerances{}{}", solver.name,
                  ode ? "" : fmt::format(" only on {} noise", to_string(process.info->noise)),
                  names.empty() ? "" : ", or choose from ", fmt::join(names, ", ")));
}

KeptEnsemble simulate_by_name(const RegisteredProcess& process, std::string_view solver,
                              std::span<const double> x0, std::span<const Time> grid,
                              PathStatistics keep, SimulateOptions options,
                              const Adaptive& tolerances) {
  const SolverInfo& info = checked_solver(process, solver, x0, grid, tolerances);
  const PathState<double> start =
      Eigen::Map<const PathState<double>>(x0.data(), static_cast<Index>(x0.size()));
  const bool chooses_steps = info.adaptive || given(tolerances);
  if (chooses_steps && options.save_at.empty()) options.save_at.assign(grid.begin(), grid.end());
  const auto run = [&]<class Steps>(const auto& p, const auto& method, const Steps& steps,
                                    double sign) {
    if constexpr (detail::GivesGrid<Steps>)
      return simulate(p, method, steps, start, options, std::move(keep));
    else
      return simulate(p, method, steps, start, {sign * grid.front(), sign * grid.back()}, options,
                      std::move(keep));
  };
  if (const AnyOde* ode = std::get_if<AnyOde>(&process.process))
    return with_ode(*ode, info, grid, tolerances,
                    [&](const OneWay& p, const auto& method, const auto& steps, double sign) {
                      for (Time& t : options.save_at) t *= sign;
                      KeptEnsemble ensemble = run(p, method, steps, sign);
                      for (Time& t : ensemble.t) t *= sign;
                      return ensemble;
                    });
  return with_stepper(process, info, [&]<class P, class M>(const P& p, const M& method) {
    if constexpr (noise_kind<P> != NoiseKind::none)
      if (chooses_steps) return run(p, method, tolerances, 1.0);
    return run(p, method, OnGrid{TimeGrid(grid.begin(), grid.end())}, 1.0);
  });
}

Ensemble<PassageTimes> first_passage_by_name(const RegisteredProcess& process,
                                             std::string_view solver, std::span<const double> x0,
                                             std::span<const Time> grid,
                                             const SimulateOptions& options, Level level,
                                             const Adaptive& tolerances) {
  const SolverInfo& info = checked_solver(process, solver, x0, grid, tolerances);
  if (const AnyOde* ode = std::get_if<AnyOde>(&process.process))
    return with_ode(*ode, info, grid, tolerances,
                    [&](const OneWay& p, const auto& method, const auto& steps, double sign) {
                      return passage_of_ode(p, method, steps, x0, sign * grid.front(),
                                            sign * grid.back(), options, level);
                    });
  if (given(tolerances))
    throw std::invalid_argument(
        "passage times of an SDE are found on the steps of a grid: give a step (--dt), not "
        "tolerances");
  const PathState<double> start =
      Eigen::Map<const PathState<double>>(x0.data(), static_cast<Index>(x0.size()));
  return with_stepper(process, info, [&](const auto& p, const auto& method) {
    return first_passage(p, method, OnGrid{TimeGrid(grid.begin(), grid.end())}, start, options,
                         level);
  });
}

std::optional<StepGrowth> step_growth_by_name(const RegisteredProcess& process,
                                              std::string_view solver, Time t, Time h) {
  const SolverInfo& info = list_solvers().at(solver);
  require_fit(process, info);
  if (info.adaptive || process.info->noise == NoiseKind::none) return {};
  const auto d = static_cast<Index>(process.x0.size());
  const bool linear = std::visit([](const auto& p) { return p.linear(); }, process.process);
  if (!linear) return {};
  const auto scheme =
      with_stepper(process, info, [&]<class P, class M>(const P& p, const M& method) {
        if constexpr (noise_kind<P> == NoiseKind::none)
          return std::optional<double>{};
        else
          return growth_of_scheme(p, method, d, t, h);
      });
  if (!scheme) return {};
  const double solution =
      std::visit([&](const auto& p) { return growth_of_solution(p, d, h); }, process.process);
  return StepGrowth{*scheme, solution};
}

ConvergenceStudy measure_convergence_by_name(const RegisteredProcess& process,
                                             std::string_view solver,
                                             ConvergenceSettings settings) {
  const SolverInfo& info = list_solvers().at(solver);
  require_fit(process, info);
  require_fixed_step(info);
  if (settings.x0.size() == 0)
    settings.x0 =
        Eigen::Map<const Eigen::ArrayXd>(process.x0.data(), static_cast<Index>(process.x0.size()));
  check_start(process, {settings.x0.data(), static_cast<std::size_t>(settings.x0.size())});
  ExactSolution exact;
  if (process.exact)
    exact = [f = process.exact](const X& x0, Time t, const X& w) {
      X out(x0.rows(), x0.cols());
      f(x0, t, w, out);
      return out;
    };
  Orders claimed = info.orders(process.info->noise);
  if (process.info->noise == NoiseKind::none) claimed.strong = claimed.deterministic;
  return with_stepper(process, info, [&](const auto& p, const auto& method) {
    return measure_convergence(p, method, exact, settings, claimed);
  });
}

}  // namespace fokker
