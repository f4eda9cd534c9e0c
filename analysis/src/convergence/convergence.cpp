/// @file  convergence.cpp
/// @brief The errors of a solver path by path, and the orders that are fitted to them.

#include <fokker/analysis/convergence/convergence.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/ensemble/shared_work.hpp>
#include <fokker/solvers/ensemble/threads.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

namespace {

/// Squared error and second-moment difference of each path at every level, levels x paths, and the
/// squared norm of its reference.
struct PathErrors {
  PathErrors() = default;
  PathErrors(std::size_t levels, Index paths)
      : squares(levels * static_cast<std::size_t>(paths)),
        moments(squares.size()),
        norms(static_cast<std::size_t>(paths)) {}

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
    std::copy(part.norms.begin(), part.norms.end(), norms.begin() + first);
  }
  void save(ByteWriter& out) const {
    out.put(squares);
    out.put(moments);
    out.put(norms);
  }
  void load(ByteReader& in) {
    in.get(squares);
    in.get(moments);
    in.get(norms);
  }

  std::vector<double> squares, moments, norms;
};

/// One block: each level on sums of the finest increments, and the reference.
PathErrors block_errors(const EndStates& end_states, Index wieners, const ExactSolution& exact,
                        const ConvergenceSettings& s, Index first, Index width) {
  using X = Block<double>;
  const Index finest = s.steps.back() * (exact ? 1 : s.refinement);
  X w = X::Zero(wieners, width);
  std::vector<X> ends;
  for (const Index steps : s.steps)
    ends.push_back(
        end_states(first, width, steps, finest, exact && steps == finest ? &w : nullptr));
  const X reference = exact ? exact(s.x0.replicate(1, width), s.t1, w)
                            : end_states(first, width, finest, finest, nullptr);
  const Index real = std::min(width, s.paths - first);
  PathErrors errors(ends.size(), real);
  const Eigen::Array<double, 1, Eigen::Dynamic> norm = reference.square().colwise().sum();
  Eigen::Map<Eigen::ArrayXd>(errors.norms.data(), real) = norm.head(real).transpose();
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
void check_convergence(const ConvergenceSettings& s) {
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

}  // namespace

ConvergenceStudy measure_convergence(const EndStates& end_states, Index wieners,
                                     const ExactSolution& exact, const ConvergenceSettings& s,
                                     const Orders& claimed) {
  check_convergence(s);
  const Index width = block_width(s.x0.size(), sizeof(double));
  const Index blocks = (s.paths + width - 1) / width;
  const std::size_t levels = s.steps.size(), paths = static_cast<std::size_t>(s.paths);
  PathErrors errors(levels, s.paths);
  SharedWork alone;
  SharedWork& work = s.work ? *s.work : alone;
  SharedWork::Results results;
  Index done = 0;
  Threads(s.threads).run([&] {
    results = work.in_parallel(
        blocks,
        [&](Index b) -> std::optional<std::string> {
          if (s.cancel && s.cancel->load()) return {};
          const PathErrors found = block_errors(end_states, wieners, exact, s, b * width, width);
          if (s.cancel && s.cancel->load()) return {};  // it may have ended before its time
          return to_bytes(found);
        },
        [&](Index) {
          if (s.progress) s.progress(static_cast<double>(++done) / static_cast<double>(blocks));
        });
  });
  for (Index b = 0; b < blocks && !work.cancelled(); ++b)
    errors.insert(from_bytes<PathErrors>(*results[static_cast<std::size_t>(b)]), levels, b * width);

  ConvergenceStudy study;
  study.claimed_strong = claimed.strong;
  study.claimed_weak = claimed.weak;
  study.reference = exact ? "exact solution"
                          : "the same solver with " + std::to_string(s.refinement) + " x " +
                                std::to_string(s.steps.back()) + " steps";
  study.cancelled = work.cancelled();
  if (study.cancelled) return study;
  const auto norms = RunningMoments::of(
      s.paths, [&](Index j) { return errors.norms[static_cast<std::size_t>(j)]; });
  study.scale = std::sqrt(std::max(norms.mean, s.x0.square().sum()));
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

}  // namespace fokker::detail
