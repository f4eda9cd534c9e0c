/// @file  work_precision.cpp
/// @brief Error against work of fixed and adaptive steps, on eight problems: the picture of
///        docs/work_precision.md.
///
///     work_precision [PATHS [FILE...]]
///
/// FILE ends in .csv, .svg or .png; without one the CSV goes to stdout.
///
/// The error is that at the end time, sqrt(mean |X - X_T|^2) over the paths, with X_T the exact
/// solution or a fine fixed grid on the same Brownian tree. The work is the mean number of
/// evaluations of f and of g per path. Fails, and says where, if a smaller tolerance gives a larger
/// error.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <fokker/analysis/figures/plot.hpp>
#include <fokker/processes/models/kubo.hpp>
#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/ensemble/threads.hpp>
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/integrate/stepping.hpp>
#include <fokker/solvers/ito/milstein.hpp>
#include <fokker/solvers/ito/sra.hpp>
#include <fokker/solvers/ito/sri.hpp>
#include <fokker/solvers/noise/brownian_tree.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/rosenbrock.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>
#include <fokker/solvers/stratonovich/stratonovich_runge_kutta.hpp>

namespace {

using namespace fokker;

constexpr std::uint64_t seed = 2024;

/// One solver at one step size or tolerance.
struct Measurement {
  std::string solver;
  bool adaptive = false;
  double setting = 0;  ///< number of steps, or tolerance
  double error = 0, standard_error = 0;
  double f = 0, g = 0, accepted = 0, rejected = 0;  ///< means per path

  double work() const { return f + g; }
};

struct Results {
  std::string problem, noise;
  std::vector<Measurement> measurements;
};

/// 2^from, 2^(from + 1), ..., 2^to.
std::vector<Index> powers_of_two(int from, int to) {
  std::vector<Index> steps;
  for (int k = from; k <= to; ++k) steps.push_back(Index{1} << k);
  return steps;
}

/// `first`, then each `factor` times smaller.
std::vector<double> tolerances(double first, int count, double factor = 4) {
  std::vector<double> all;
  for (int i = 0; i < count; ++i) all.push_back(first * std::pow(factor, -i));
  return all;
}

/// A problem: P on [0, end] from x0.
template <class P, State X>
class Problem {
 public:
  Problem(std::string name, P process, X x0, Time end, Index paths)
      : process_(std::move(process)),
        x0_(x0),
        end_(end),
        truth_(static_cast<std::size_t>(paths)),
        results_{std::move(name), std::string(to_string(noise_kind<P>)), {}} {}

  /// X_T = solution(x0, end, W_T).
  template <class Solution>
  void exactly(Solution solution) {
    for_paths([&](std::uint64_t path) {
      if constexpr (noise_kind<P> == NoiseKind::none) {
        truth_[path] = solution(x0_, end_);
      } else {
        Increment<P, X> dw;
        dw.resize(wieners(), 1);
        tree(path).increment(0, end_, dw);
        truth_[path] = solution(x0_, end_, dw.w);
      }
    });
  }

  /// X_T by `steps` equal steps.
  template <class M>
  void finely(const M& method, Index steps) {
    for_paths([&](std::uint64_t path) { truth_[path] = walk(method, steps, path); });
  }

  template <class M>
  void fixed(const M& method, const std::vector<Index>& all_steps) {
    const Evaluations per_step = facts_of(method).evaluations(noise_kind<P>);
    for (const Index steps : all_steps)
      measure(name_of(method), false, static_cast<double>(steps),
              [&](std::uint64_t path, Counts& counts) {
                counts.accepted = static_cast<std::uint64_t>(steps);
                counts.drift_evaluations =
                    counts.accepted * static_cast<std::uint64_t>(per_step.drift);
                counts.diffusion_evaluations =
                    counts.accepted * static_cast<std::uint64_t>(per_step.diffusion);
                return walk(method, steps, path);
              });
  }

  /// An adaptive solver, `name` of them.
  template <class M>
  void adaptive(std::string_view name, const M& method, const std::vector<double>& all) {
    for (const double tolerance : all) {
      const Adaptive steps{.rtol = tolerance, .atol = tolerance};
      measure(name, true, tolerance, [&](std::uint64_t path, Counts& counts) {
        const auto run = integrate(process_, method, steps, x0_, {0, end_},
                                   {.save_at = {end_}, .seed = seed, .path = path, .check = false});
        counts = run.counts;
        if (run.status != Status::success)
          throw std::runtime_error(fmt::format("{}, {} at tolerance {}: {}", results_.problem, name,
                                               tolerance, to_string(run.status)));
        return run.end;
      });
    }
  }

  /// A step `M`, with both.
  template <class M>
  void both(const M& method, const std::vector<Index>& steps, const std::vector<double>& all) {
    fixed(method, steps);
    adaptive(name_of(method), method, all);
  }

  const Results& results() const { return results_; }

 private:
  Index wieners() const { return wiener_dimension(process_, x0_.rows()); }

  /// The path that an adaptive run with the key (seed, path) sees on its way from 0 to end.
  BrownianTree<double> tree(std::uint64_t path) const {
    return BrownianTree<double>(seed, path, 1, wieners(), 0, end_);
  }

  template <class Body>
  void for_paths(const Body& body) const {
    for_each_index(std::ssize(truth_), [&](Index j) { body(static_cast<std::uint64_t>(j)); });
  }

  template <class M>
  X walk(const M& method, Index steps, std::uint64_t path) const {
    const auto along = [&](auto source) {
      Stepping run(process_, method, x0_, std::move(source));
      for (Index i = 0; i < steps; ++i)
        run.to(subdivision(0, end_, i, steps), subdivision(0, end_, i + 1, steps));
      return run.x();
    };
    if constexpr (noise_kind<P> == NoiseKind::none)
      return along(NoNoise{});
    else
      return along(tree(path));
  }

  template <class Solve>
  void measure(std::string_view name, bool adaptive, double setting, const Solve& solve) {
    std::vector<double> squares(truth_.size());
    std::vector<Counts> counts(truth_.size());
    for_paths([&](std::uint64_t path) {
      squares[path] = (solve(path, counts[path]) - truth_[path]).square().sum();
    });
    const auto n = static_cast<double>(truth_.size());
    Measurement m{.solver = std::string(name), .adaptive = adaptive, .setting = setting};
    double mean = 0, variance = 0;
    for (const double square : squares) mean += square / n;
    for (const double square : squares) variance += (square - mean) * (square - mean) / n;
    m.error = std::sqrt(mean);
    m.standard_error = std::sqrt(variance / n) / (2 * m.error);
    for (const Counts& c : counts) {
      m.f += static_cast<double>(c.drift_evaluations) / n;
      m.g += static_cast<double>(c.diffusion_evaluations) / n;
      m.accepted += static_cast<double>(c.accepted) / n;
      m.rejected += static_cast<double>(c.rejected) / n;
    }
    results_.measurements.push_back(m);
  }

  P process_;
  X x0_;
  Time end_;
  std::vector<X> truth_;
  Results results_;
};

/// dX = (X - X^3) dt + 0.5 dW in two wells of the same depth.
Results double_wells(Index paths) {
  const auto process = make_sde([](const auto& x, double) { return x - x.cube(); },
                                [](double) { return 0.5; }, noise::additive);
  Problem problem("double well", process, PathState<double, 2>(2, -1), 4, paths);
  problem.finely(Sra3{}, 1 << 14);
  problem.both(Sra3{}, powers_of_two(5, 11), tolerances(0.025, 5));
  problem.both(Sosra{}, powers_of_two(5, 11), tolerances(0.025, 5));
  return problem.results();
}

/// A damped spring with noise that is stiff for a moment, at t = 1.3: x' = v, dv = -((1 + s(t)) x +
/// x^3 + v / 2) dt + 0.1 dW.
Results jerked_spring(Index paths) {
  const auto process = make_sde(
      [](const auto& x, double t, auto& out) {
        const double u = (t - 1.3) / 0.05, stiffness = 1 + 2000 * std::exp(-u * u);
        out(0) = x(1);
        out(1) = -stiffness * x(0) - x(0) * x(0) * x(0) - 0.5 * x(1);
      },
      [](double) { return Eigen::Array2d(0.0, 0.1); }, noise::additive);
  Problem problem("spring with a jerk", process, PathState<double, 2>(0.5, 0), 8, paths);
  problem.finely(Sra3{}, 1 << 16);
  problem.both(Sra3{}, powers_of_two(7, 12), tolerances(1e-2, 6));
  problem.both(Sosra{}, powers_of_two(7, 12), tolerances(1e-2, 6));
  return problem.results();
}

/// dX = -X (1 - X^2) / 4 dt + (1 - X^2) / 2 dW, with X_t = ((1 + x0) e^W + x0 - 1) / ((1 + x0) e^W
/// + 1 - x0).
Results cubic(Index paths) {
  const auto process =
      make_sde([](const auto& x, double) { return -0.25 * x * (1 - x.square()); },
               [](const auto& x, double) { return 0.5 * (1 - x.square()); }, noise::diagonal);
  Problem problem("cubic", process, PathState<double, 2>(0.5, -0.3), 4, paths);
  problem.exactly([](const auto& x0, Time, const auto& w) -> PathState<double, 2> {
    return ((1 + x0) * w.exp() + x0 - 1) / ((1 + x0) * w.exp() + 1 - x0);
  });
  problem.both(Sriw1{}, powers_of_two(3, 10), tolerances(0.1, 6));
  problem.both(Sosri2{}, powers_of_two(3, 10), tolerances(0.1, 6));
  problem.both(Milstein{}, powers_of_two(3, 11), tolerances(0.1, 6));
  return problem.results();
}

/// A rotation with a noisy frequency.
Results kubo(Index paths) {
  const KuboOscillator process{.omega = 2, .sigma = 0.5};
  Problem problem("Kubo oscillator", process, PathState<double, 2>(1, 0), 4, paths);
  problem.exactly([&](const auto& x0, Time t, const auto& w) { return process.exact(x0, t, w); });
  problem.both(Sriw1{}, powers_of_two(4, 11), tolerances(0.1, 6));
  problem.both(Sosri2{}, powers_of_two(4, 11), tolerances(0.1, 6));
  problem.both(Milstein{}, powers_of_two(5, 12), tolerances(0.1, 6));
  return problem.results();
}

/// dz = (1 + 3 i - |z|^2) z dt + 0.4 z o dW_1 + 0.8 i z o dW_2, z = X_1 + i X_2.
Results hopf(Index paths) {
  const auto process = make_sde<Calculus::stratonovich>(
      [](const auto& x, double, auto& out) {
        const double growth = 1 - x.square().sum();
        out(0) = growth * x(0) - 3 * x(1);
        out(1) = growth * x(1) + 3 * x(0);
      },
      [](const auto& x, double, Index k, auto& out) {
        if (k == 0) {
          out = 0.4 * x;
        } else {
          out(0) = -0.8 * x(1);
          out(1) = 0.8 * x(0);
        }
      },
      noise::commutative(2));
  Problem problem("Hopf oscillator", process, PathState<double, 2>(2, 0), 4, paths);
  problem.finely(SlowRk{}, 1 << 14);
  problem.both(SlowRk{}, powers_of_two(5, 10), tolerances(0.1, 6));
  problem.both(Spark{}, powers_of_two(5, 11), tolerances(0.1, 6));
  problem.both(HeunSde{}, powers_of_two(5, 11), tolerances(0.1, 6));
  return problem.results();
}

/// dX = A X dt + B_1 X o dW_1 + B_2 X o dW_2 with matrices that do not commute.
Results linear(Index paths) {
  const auto process = make_sde<Calculus::stratonovich>(
      [](const auto& x, double, auto& out) {
        out(0) = -0.4 * x(0) + 0.3 * x(1);
        out(1) = 0.1 * x(0) - 0.2 * x(1);
      },
      [](const auto& x, double, Index k, auto& out) {
        out(0) = k == 0 ? 0.2 * x(0) + 0.4 * x(1) : 0.1 * x(0);
        out(1) = k == 0 ? 0.1 * x(1) : 0.5 * x(0) - 0.2 * x(1);
      },
      noise::general(2));
  Problem problem("linear", process, PathState<double, 2>(1, 1), 1, paths);
  problem.finely(Spark{}, 1 << 16);
  problem.both(Spark{}, powers_of_two(2, 11), tolerances(0.05, 5));
  problem.both(HeunSde{}, powers_of_two(2, 11), tolerances(0.05, 5));
  return problem.results();
}

/// A periodic orbit of the restricted three body problem, with a close passage of the moon.
Results arenstorf() {
  constexpr double mu = 0.012277471, rest = 1 - mu;
  const auto process = make_ode([](const auto& x, double, auto& out) {
    const double near = std::pow((x(0) + mu) * (x(0) + mu) + x(1) * x(1), -1.5);
    const double far = std::pow((x(0) - rest) * (x(0) - rest) + x(1) * x(1), -1.5);
    out(0) = x(2);
    out(1) = x(3);
    out(2) = x(0) + 2 * x(3) - rest * near * (x(0) + mu) - mu * far * (x(0) - rest);
    out(3) = x(1) - 2 * x(2) - rest * near * x(1) - mu * far * x(1);
  });
  Problem problem("Arenstorf orbit", process,
                  PathState<double, 4>(0.994, 0, 0, -2.00158510637908252240537862224),
                  17.0652165601579625588917206249, 1);
  problem.exactly([](const auto& x0, Time) { return x0; });
  problem.fixed(ExplicitRungeKutta<tableaus::Dopri5>{}, powers_of_two(13, 17));
  problem.fixed(ExplicitRungeKutta<tableaus::Tsit5>{}, powers_of_two(13, 17));
  problem.fixed(ExplicitRungeKutta<tableaus::Dop853>{}, powers_of_two(12, 15));
  problem.adaptive(Dopri5::facts.name, Dopri5{}, tolerances(1e-5, 7, 10));
  problem.adaptive(Tsit5::facts.name, Tsit5{}, tolerances(1e-5, 7, 10));
  problem.adaptive(Dop853::facts.name, Dop853{}, tolerances(1e-5, 7, 10));
  return problem.results();
}

/// x' = y, y' = 1000 ((1 - x^2) y - x): stiff.
Results van_der_pol() {
  const auto process = make_ode([](const auto& x, double, auto& out) {
    out(0) = x(1);
    out(1) = 1000 * ((1 - x(0) * x(0)) * x(1) - x(0));
  });
  Problem problem("stiff Van der Pol", process, PathState<double, 2>(2, 0), 2, 1);
  problem.exactly([](const auto&, Time) {
    return PathState<double, 2>(1.76323454020343846, -0.835688681677677391);
  });
  problem.adaptive(Tsit5::facts.name, Tsit5{}, tolerances(1e-3, 6, 10));
  problem.adaptive(Rodas4::facts.name, Rodas4{}, tolerances(1e-3, 6, 10));
  problem.adaptive(Rodas5P::facts.name, Rodas5P{}, tolerances(1e-3, 6, 10));
  return problem.results();
}

std::string csv(const std::vector<Results>& all) {
  std::string text =
      "problem,noise,solver,steps,setting,error,error_stderr,evaluations,evaluations_f,"
      "evaluations_g,accepted,rejected\n";
  for (const Results& results : all)
    for (const Measurement& m : results.measurements)
      text += fmt::format("{},{},{},{},{:.6g},{:.4g},{:.2g},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g}\n",
                          results.problem, results.noise, m.solver,
                          m.adaptive ? "adaptive" : "fixed", m.setting, m.error, m.standard_error,
                          m.work(), m.f, m.g, m.accepted, m.rejected);
  return text;
}

/// One panel per problem; full lines are adaptive, dashed ones fixed steps.
Figure picture(const std::vector<Results>& all) {
  constexpr Colour colours[] = {Colour::blue, Colour::vermillion, Colour::green};
  Figure figure{.title =
                    "error at the end over evaluations per path: adaptive (full lines) and "
                    "fixed steps (dashed)",
                .columns = 2,
                .width = 1500,
                .height = 2100};
  for (const Results& results : all) {
    Panel drawn{.title = results.problem +
                         (results.noise == "none" ? " (ODE)" : " (" + results.noise + " noise)"),
                .x = {.label = "evaluations of f and g", .log = true},
                .y = {.label = "RMS error", .log = true}};
    std::vector<std::string> solvers;
    std::vector<Curve> curves;
    for (const Measurement& m : results.measurements) {
      if (std::find(solvers.begin(), solvers.end(), m.solver) == solvers.end())
        solvers.push_back(m.solver);
      const auto number = std::find(solvers.begin(), solvers.end(), m.solver) - solvers.begin();
      const std::string label = m.adaptive ? m.solver : m.solver + ", fixed";
      if (curves.empty() || curves.back().label != label)
        curves.push_back({.label = label, .colour = colours[number], .dashed = !m.adaptive});
      curves.back().x.push_back(m.work());
      curves.back().y.push_back(m.error);
    }
    for (Curve& curve : curves) drawn.layers.emplace_back(std::move(curve));
    figure.panels.push_back(std::move(drawn));
  }
  return figure;
}

/// Whether every adaptive solver's error falls with the tolerance; says where not.
bool errors_fall(const std::vector<Results>& all) {
  bool fall = true;
  for (const Results& results : all)
    for (std::size_t i = 1; i < results.measurements.size(); ++i) {
      const Measurement &before = results.measurements[i - 1], &after = results.measurements[i];
      if (!after.adaptive || !before.adaptive || after.solver != before.solver) continue;
      if (after.error < before.error) continue;
      fall = false;
      fmt::print(stderr, "{}, {}: tolerance {:.2g} has error {:.3g}, {:.2g} has {:.3g}\n",
                 results.problem, after.solver, before.setting, before.error, after.setting,
                 after.error);
    }
  return fall;
}

void write(const std::vector<Results>& all, const std::string& file) {
  if (!file.ends_with(".csv")) {
    write_figure(picture(all), file);
    return;
  }
  std::ofstream out(file);
  out << csv(all);
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Index paths = argc > 1 ? std::atoll(argv[1]) : 200;
    if (paths < 1) throw std::invalid_argument("usage: work_precision [PATHS [FILE...]]");
    const std::vector<std::string> files(argv + std::min(argc, 2), argv + argc);
    for (const std::string& file : files)
      if (!file.ends_with(".csv")) check_figure(file);

    const std::vector<Results> all = {double_wells(paths), jerked_spring(paths), cubic(paths),
                                      kubo(paths),         hopf(paths),          linear(paths),
                                      arenstorf(),         van_der_pol()};
    if (files.empty()) fmt::print("{}", csv(all));
    for (const std::string& file : files) write(all, file);
    return errors_fall(all) ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "work_precision: {}\n", error.what());
    return 2;
  }
}
