/// @file  reductions.cpp
/// @brief What the reductions of an ensemble merge and make at its end.

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include <fokker/solvers/ensemble/path_statistics.hpp>
#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/support/memory.hpp>

namespace fokker {

RunningMoments RunningMoments::merge(const RunningMoments& a, const RunningMoments& b) {
  if (a.n == 0) return b;
  if (b.n == 0) return a;
  const double n = a.n + b.n, d = b.mean - a.mean;
  return {n, a.mean + d * (b.n / n), a.m2 + b.m2 + d * d * (a.n * b.n / n)};
}

std::vector<RunningMoments> detail::merge_rows(std::vector<RunningMoments> a,
                                               const std::vector<RunningMoments>& b) {
  if (a.empty()) return b;
  for (std::size_t r = 0; r < b.size(); ++r) a[r] = RunningMoments::merge(a[r], b[r]);
  return a;
}

Moments::Value Moments::result(const Partial& total) const {
  const auto d = static_cast<Index>(total.size());
  Value v{Eigen::ArrayXd(d), Eigen::ArrayXd(d), Eigen::ArrayXd(d)};
  for (Index r = 0; r < d; ++r) {
    const RunningMoments& m = total[static_cast<std::size_t>(r)];
    v.mean[r] = m.mean;
    v.variance[r] = m.variance();
    v.standard_error[r] = m.standard_error();
  }
  return v;
}

void detail::require_memory_of_paths(Index paths, Index numbers) {
  require_memory(8.0 * static_cast<double>(paths) * static_cast<double>(numbers),
                 fmt::format("the reduction stores {} numbers for each of {} paths; fewer paths or "
                             "saved times, Moments or an expectation, or StreamedStates, which "
                             "writes to a file",
                             numbers, paths));
}

void FinalState::prepare(Index paths, Index d, std::span<const Time>) {
  detail::require_memory_of_paths(paths, d);
  states_.setConstant(d, paths, std::numeric_limits<double>::quiet_NaN());
}

void States::prepare(Index paths, Index d, std::span<const Time> times) {
  detail::require_memory_of_paths(paths, d * static_cast<Index>(times.size()));
  states_.assign(times.size(),
                 Value::value_type::Constant(d, paths, std::numeric_limits<double>::quiet_NaN()));
}

FourMoments FourMoments::of(std::span<const double> x) {
  if (x.empty()) return {};
  const double n = static_cast<double>(x.size());
  double sum = 0;
  for (const double value : x) sum += value;
  FourMoments m{n, sum / n};
  for (const double value : x) {
    const double e = value - m.mean, square = e * e;
    m.m2 += square;
    m.m3 += square * e;
    m.m4 += square * square;
  }
  return m;
}

FourMoments FourMoments::merge(const FourMoments& a, const FourMoments& b) {
  if (a.n == 0) return b;
  if (b.n == 0) return a;
  const double n = a.n + b.n, d = b.mean - a.mean, p = a.n / n, q = b.n / n;
  const double d2 = d * d, pq = p * q;
  return {n, a.mean + d * q, a.m2 + b.m2 + d2 * pq * n,
          a.m3 + b.m3 + d2 * d * pq * n * (p - q) + 3 * d * (p * b.m2 - q * a.m2),
          a.m4 + b.m4 + d2 * d2 * pq * n * (p * p - pq + q * q) +
              6 * d2 * (p * p * b.m2 + q * q * a.m2) + 4 * d * (p * b.m3 - q * a.m3)};
}

double FourMoments::sd_error() const {
  return std::sqrt(std::max(0.0, m4 / n - variance() * variance()) / n) /
         (2 * std::sqrt(variance()));
}

void PathStatistics::prepare(Index paths, Index d, std::span<const Time> times) {
  times_ = static_cast<Index>(times.size());
  paths_ = paths;
  d_ = d;
  keep_ = std::min(keep_, paths);
  detail::require_memory_of_paths(keep_, d * times_);
  if (streamed_) streamed_->prepare(paths, d, times);
}

PathStatistics::Partial PathStatistics::merge(Partial a, Partial b) {
  if (a.moments.empty()) return b;
  a.paths += b.paths;
  for (std::size_t i = 0; i < b.moments.size(); ++i)
    a.moments[i] = FourMoments::merge(a.moments[i], b.moments[i]);
  std::move(b.kept.begin(), b.kept.end(), std::back_inserter(a.kept));
  return a;
}

PathStatistics::Value PathStatistics::result(Partial total) {
  Value value{std::move(total.moments), {}, false};
  value.moments.resize(numbers());
  for (Index i = 0; i < times_; ++i) value.states.emplace_back(States::Constant(d_, keep_, NAN));
  for (const Kept& kept : total.kept)
    for (Index i = 0; i < times_; ++i)
      value.states[static_cast<std::size_t>(i)].middleCols(kept.first, kept.count) =
          Eigen::Map<const States>(kept.values.data() + i * d_ * kept.count, d_, kept.count);
  if (streamed_) value.streamed = streamed_->result(total.paths);
  return value;
}

}  // namespace fokker
