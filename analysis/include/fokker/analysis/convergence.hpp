#pragma once
/// @file  fokker/analysis/convergence.hpp
/// @brief Strong and weak errors of a solver on halved steps, all on the same Brownian paths.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fokker/analysis/regression.hpp>
#include <fokker/solvers/advance.hpp>
#include <fokker/solvers/grid.hpp>
#include <fokker/solvers/initial.hpp>
#include <fokker/solvers/random.hpp>
#include <fokker/solvers/reductions.hpp>
#include <fokker/solvers/shared_work.hpp>
#include <fokker/solvers/text.hpp>
#include <fokker/solvers/threads.hpp>

namespace fokker {

/// The solution X_t as a function of x0 and W_t, blocks in and out, where it is known.
using ExactSolution =
    std::function<Block<double>(const Block<double>& x0, Time t, const Block<double>& w)>;

/// What to measure.
struct ConvergenceSettings {
  Eigen::ArrayXd x0;
  Time t0 = 0, t1 = 1;
  std::vector<Index> steps = {16, 32, 64, 128, 256, 512};  ///< each divides the largest
  Index paths = 65536;
  Seed seed = 1;
  int threads = 0;        ///< 0: all cores; never changes a result
  Index refinement = 16;  ///< without an exact solution the reference has so many times more steps
  SharedWork* work = nullptr;  ///< of a run with a checkpoint or ranks: the study is a stage of it
  const std::atomic<bool>* cancel = nullptr;
  std::function<void(double fraction)> progress = {};
};

/// The errors at one step size.
struct ConvergenceLevel {
  Index steps = 0;
  double h = 0;
  double strong = 0;  ///< sqrt(E |X_N - X_T|^2)
  double strong_stderr = 0;
  double weak = 0;  ///< |E |X_N|^2 - E |X_T|^2|, differences taken path by path
  double weak_stderr = 0;
};

/// A measured convergence and what was claimed.
struct ConvergenceStudy {
  std::vector<ConvergenceLevel> levels;
  OrderFit strong, weak;
  std::optional<double> claimed_strong, claimed_weak;
  std::string reference;  ///< "exact solution" or "the same solver with 16 x 512 steps"
  bool cancelled = false;
};

/// The states at s.t1 of `width` paths from number `first` on, after `steps` steps. Each step has
/// the sum of the increments of `finest` steps, a multiple, that fall into it: so all solvers and
/// all numbers of steps see the same paths.
/// @param whole  if given, the increment over [s.t0, s.t1] is added to it, m x width
template <class P, class M>
Block<double> end_states(const P& process, const M& method, const ConvergenceSettings& s,
                         Index first, Index width, Index steps, Index finest,
                         Block<double>* whole = nullptr) {
  using X = Block<double>;
  const Index d = s.x0.size(), m = wiener_dimension(process, d);
  const TimeGrid grid = uniform_grid(s.t0, s.t1, steps);
  const Needs needs = needs_of(method);
  CoarsenedIncrements source{
      BrownianIncrements<double>(s.seed, static_cast<std::uint64_t>(first), width, m, needs),
      finest / steps, needs};
  Increment<P, X> dw;
  dw.resize(m, width, needs);
  X x = s.x0.replicate(1, width), y(d, width);
  typename M::template Workspace<X> workspace(d, width);
  for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
    source.increment(grid[k], grid[k + 1], dw);
    if (whole) *whole += dw.w;
    method.step(process, x, grid[k], grid[k + 1] - grid[k], dw, y, workspace);
    x.swap(y);
  }
  return x;
}

namespace detail {

/// Squared error and second-moment difference of each path at every level, levels x paths.
struct PathErrors {
  PathErrors() = default;
  PathErrors(std::size_t levels, Index paths)
      : squares(levels * static_cast<std::size_t>(paths)), moments(squares.size()) {}

  /// The errors of fewer paths from `first` on.
  void insert(const PathErrors& part, std::size_t levels, Index first) {
    const auto into = [&](std::vector<double>& all, const std::vector<double>& some) {
      const std::size_t paths = all.size() / levels, count = some.size() / levels;
      for (std::size_t level = 0; level < levels; ++level)
        std::copy_n(some.data() + level * count, count,
                    all.data() + level * paths + static_cast<std::size_t>(first));
    };
    into(squares, part.squares);
    into(moments, part.moments);
  }
  void save(ByteWriter& out) const {
    out.put(squares);
    out.put(moments);
  }
  void load(ByteReader& in) {
    in.get(squares);
    in.get(moments);
  }

  std::vector<double> squares, moments;
};

/// One block: each level on sums of the finest increments, and the reference.
template <class P, class M>
PathErrors block_errors(const P& process, const M& method, const ExactSolution& exact,
                        const ConvergenceSettings& s, Index first, Index width) {
  using X = Block<double>;
  const Index d = s.x0.size(), finest = s.steps.back() * (exact ? 1 : s.refinement);
  X w = X::Zero(wiener_dimension(process, d), width);
  std::vector<X> ends;
  for (const Index steps : s.steps)
    ends.push_back(end_states(process, method, s, first, width, steps, finest,
                              exact && steps == finest ? &w : nullptr));
  const X reference = exact ? exact(s.x0.replicate(1, width), s.t1, w)
                            : end_states(process, method, s, first, width, finest, finest);
  const Index real = std::min(width, s.paths - first);
  PathErrors errors(ends.size(), real);
  for (std::size_t level = 0; level < ends.size(); ++level) {
    const Eigen::Array<double, 1, Eigen::Dynamic> square =
        (ends[level] - reference).square().colwise().sum();
    const Eigen::Array<double, 1, Eigen::Dynamic> moment =
        (ends[level].square() - reference.square()).colwise().sum();
    const auto at = static_cast<Index>(level) * real;
    Eigen::Map<Eigen::ArrayXd>(errors.squares.data() + at, real) = square.head(real).transpose();
    Eigen::Map<Eigen::ArrayXd>(errors.moments.data() + at, real) = moment.head(real).transpose();
  }
  return errors;
}

/// Refuses settings that no study can be made of. @throws std::invalid_argument
inline void check_convergence(const ConvergenceSettings& s) {
  if (s.paths < 2)
    throw std::invalid_argument("a convergence study needs at least two paths: got " +
                                std::to_string(s.paths));
  if (s.steps.size() < 3)
    throw std::invalid_argument("an order needs at least three step sizes: got " +
                                std::to_string(s.steps.size()));
  for (std::size_t i = 0; i < s.steps.size(); ++i)
    if (s.steps[i] < 1 || (i > 0 && s.steps[i] <= s.steps[i - 1]) ||
        s.steps.back() % s.steps[i] != 0)
      throw std::invalid_argument("numbers of steps must ascend and divide the largest, " +
                                  std::to_string(s.steps.back()) + ": got " +
                                  std::to_string(s.steps[i]));
  if (!(s.t1 > s.t0))
    throw std::invalid_argument("a convergence study runs up in time: got t0=" + text(s.t0) +
                                ", t1=" + text(s.t1));
}

}  // namespace detail

/// Measures the strong and weak order of `method` on `process`, every level on the same Brownian
/// paths: against `exact` where it is given, otherwise against the same solver with `refinement`
/// times more steps than the finest level. The interval of the strong order is a bootstrap over
/// paths; weak errors are differences on the same path, so only their own noise is left.
/// @param claimed  the orders that the method claims on this process
/// @throws std::invalid_argument  fewer than three levels or two paths, steps that do not divide
template <class P, class M>
ConvergenceStudy measure_convergence(const P& process, const M& method, const ExactSolution& exact,
                                     const ConvergenceSettings& s, const Orders& claimed) {
  detail::check_convergence(s);
  const Index width = block_width(s.x0.size(), sizeof(double));
  const Index blocks = (s.paths + width - 1) / width;
  const std::size_t levels = s.steps.size(), paths = static_cast<std::size_t>(s.paths);
  detail::PathErrors errors(levels, s.paths);
  SharedWork alone;
  SharedWork& work = s.work ? *s.work : alone;
  SharedWork::Results results;
  Index done = 0;
  Threads(s.threads).run([&] {
    results = work.in_parallel(
        blocks,
        [&](Index b) -> std::optional<std::string> {
          if (s.cancel && s.cancel->load()) return {};
          return to_bytes(detail::block_errors(process, method, exact, s, b * width, width));
        },
        [&](Index) {
          if (s.progress) s.progress(static_cast<double>(++done) / static_cast<double>(blocks));
        });
  });
  for (Index b = 0; b < blocks && !work.cancelled(); ++b)
    errors.insert(from_bytes<detail::PathErrors>(*results[static_cast<std::size_t>(b)]), levels,
                  b * width);

  ConvergenceStudy study;
  study.claimed_strong = claimed.strong;
  study.claimed_weak = claimed.weak;
  study.reference = exact ? "exact solution"
                          : "the same solver with " + std::to_string(s.refinement) + " x " +
                                std::to_string(s.steps.back()) + " steps";
  study.cancelled = work.cancelled();
  if (study.cancelled) return study;
  std::vector<double> h, weak, weak_stderr;
  for (std::size_t level = 0; level < levels; ++level) {
    const double* square = errors.squares.data() + level * paths;
    const double* moment = errors.moments.data() + level * paths;
    const auto strong = RunningMoments::of(s.paths, [&](Index j) { return square[j]; });
    const auto second = RunningMoments::of(s.paths, [&](Index j) { return moment[j]; });
    const double rms = std::sqrt(strong.mean);
    h.push_back((s.t1 - s.t0) / static_cast<double>(s.steps[level]));
    weak.push_back(std::abs(second.mean));
    weak_stderr.push_back(second.standard_error());
    study.levels.push_back({s.steps[level], h.back(), rms, strong.standard_error() / (2 * rms),
                            weak.back(), weak_stderr.back()});
  }
  study.strong = fit_order_bootstrap(h, errors.squares, 400, s.seed.number);
  study.weak = fit_order(h, weak, weak_stderr);
  return study;
}

}  // namespace fokker
