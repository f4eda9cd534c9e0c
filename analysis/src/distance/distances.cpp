#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <numeric>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fokker/analysis/distance/distances.hpp>

namespace fokker {
namespace {

using Span = std::span<const double>;
using Values = std::vector<double>;

constexpr std::size_t size_of(Index n) { return static_cast<std::size_t>(n); }

Values sorted(Span x) {
  Values copy(x.begin(), x.end());
  std::sort(copy.begin(), copy.end());
  return copy;
}

bool all_finite(SampleView x) {
  for (Index r = 0; r < x.d; ++r) {
    if (!std::all_of(x.row(r), x.row(r) + x.n, [](double v) { return std::isfinite(v); })) {
      return false;
    }
  }
  return true;
}

/// Var(phi) / n: the variance of the mean of n independent values.
double variance_of_mean(Span phi) {
  const double n = static_cast<double>(phi.size());
  const double mean = std::accumulate(phi.begin(), phi.end(), 0.0) / n;
  double squares = 0.0;
  for (const double v : phi) squares += (v - mean) * (v - mean);
  return squares / (n * (n - 1.0));
}

/// The square root of a squared distance that has the given variance.
Distance root(double square, double variance) {
  const double value = std::sqrt(std::max(square, 0.0));
  return {value, value > 0.0 ? std::sqrt(variance) / (2.0 * value) : 0.0};
}

// -- Quantile functions: W2 in one dimension ------------------------------------------------------

/// Calls f(i, j, mass) for every piece of the monotone coupling of n equal masses with m.
void couple(std::size_t n, std::size_t m, auto f) {
  const double unit = 1.0 / (static_cast<double>(n) * static_cast<double>(m));
  std::size_t i = 0, j = 0, at = 0;  // masses in units of 1 / (n m)
  while (i < n) {
    const std::size_t end_i = (i + 1) * m, end_j = (j + 1) * n;
    const std::size_t end = std::min(end_i, end_j);
    f(i, j, static_cast<double>(end - at) * unit);
    at = end;
    i += end == end_i;
    j += end == end_j;
  }
}

/// W2^2 of two sorted samples; sends the mean partner of each point to `to_y` and `to_x`.
double coupled_square(Span x, Span y, Values& to_y, Values& to_x) {
  const std::size_t n = x.size(), m = y.size();
  double sum = 0.0;
  if (n == m) {
    to_y.assign(y.begin(), y.end());
    to_x.assign(x.begin(), x.end());
    for (std::size_t i = 0; i < n; ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sum / static_cast<double>(n);
  }
  to_y.assign(n, 0.0);
  to_x.assign(m, 0.0);
  couple(n, m, [&](std::size_t i, std::size_t j, double mass) {
    sum += mass * (x[i] - y[j]) * (x[i] - y[j]);
    to_y[i] += mass * y[j];
    to_x[j] += mass * x[i];
  });
  for (double& v : to_y) v *= static_cast<double>(n);
  for (double& v : to_x) v *= static_cast<double>(m);
  return sum;
}

/// The Kantorovich potential of W2^2 on the sorted points x with partners T: phi' = 2 (x - T), by
/// the trapezoidal rule, which is exact for a dual optimum of two equally large samples.
void potential(Span x, Values& partner) {
  double phi = 0.0, previous = partner[0];
  partner[0] = 0.0;
  for (std::size_t i = 1; i < x.size(); ++i) {
    const double current = partner[i];
    phi += (x[i] - x[i - 1]) * (x[i] + x[i - 1] - current - previous);
    partner[i] = phi;
    previous = current;
  }
}

// -- Directions -----------------------------------------------------------------------------------

std::uint64_t splitmix64(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// A normal from a counter.
double hashed_normal(std::uint64_t counter) {
  const auto uniform = [](std::uint64_t k) {
    return (static_cast<double>(splitmix64(splitmix64(k)) >> 11) + 0.5) * 0x1p-53;
  };
  return std::sqrt(-2.0 * std::log(uniform(2 * counter))) *
         std::cos(2.0 * std::numbers::pi * uniform(2 * counter + 1));
}

/// Unit vectors in d dimensions, one after the other.
Values directions(Index d) {
  if (d == 1) return {1.0};
  if (d == 2) {
    constexpr int count = 64;
    Values v;
    for (int k = 0; k < count; ++k) {
      const double angle = std::numbers::pi * (k + 0.5) / count;
      v.insert(v.end(), {std::cos(angle), std::sin(angle)});
    }
    return v;
  }
  constexpr std::size_t count = 128;
  const std::size_t rows = size_of(d);
  Values v(count * rows);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = hashed_normal(i);
  for (std::size_t k = 0; k < count; ++k) {
    const auto unit = std::span(v).subspan(k * rows, rows);
    const double norm = std::sqrt(std::inner_product(unit.begin(), unit.end(), unit.begin(), 0.0));
    for (double& x : unit) x /= norm;
  }
  return v;
}

/// A projected sample in increasing order, and which path each value belongs to.
struct Projection {
  Values values;
  std::vector<std::uint32_t> path;
};

/// Sorts numbers, keeping track of the path of each: a radix sort of the bits, 11 at a time (at
/// 50000 paths ten times as fast as a comparison sort).
Projection sort_paths(const double* values, std::size_t n) {
  constexpr int digit_bits = 11, digits = 6;
  constexpr std::uint64_t top = std::uint64_t{1} << 63, mask = (1u << digit_bits) - 1;
  using Key = std::pair<std::uint64_t, std::uint32_t>;
  std::vector<Key> from(n), to(n);
  std::vector<std::array<std::uint32_t, mask + 1>> counts(digits);
  for (std::size_t j = 0; j < n; ++j) {
    // Flipping the sign bit, or all bits of negative numbers, makes the order that of integers.
    const auto bits = std::bit_cast<std::uint64_t>(values[j]);
    from[j] = {bits ^ ((bits & top) != 0 ? ~std::uint64_t{0} : top), static_cast<std::uint32_t>(j)};
    for (int k = 0; k < digits; ++k) {
      ++counts[static_cast<std::size_t>(k)][from[j].first >> (digit_bits * k) & mask];
    }
  }
  for (int k = 0; k < digits; ++k) {
    auto& next = counts[static_cast<std::size_t>(k)];
    std::exclusive_scan(next.begin(), next.end(), next.begin(), std::uint32_t{0});
    for (const Key& key : from) to[next[key.first >> (digit_bits * k) & mask]++] = key;
    from.swap(to);
  }
  Projection sorted{Values(n), std::vector<std::uint32_t>(n)};
  for (std::size_t j = 0; j < n; ++j) {
    sorted.path[j] = from[j].second;
    sorted.values[j] = values[from[j].second];
  }
  return sorted;
}

/// Calls f(k, projection) for each direction k, a group of directions projected at a time, until
/// stop() is true.
void for_each_projection(SampleView x, const Values& directions, auto stop, auto f) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  constexpr Index group = 16;
  const Index count = static_cast<Index>(directions.size()) / x.d;
  const Eigen::Map<const RowMajor> units(directions.data(), count, x.d);
  const Eigen::Map<const RowMajor, 0, Eigen::OuterStride<>> points(x.data, x.d, x.n,
                                                                   Eigen::OuterStride<>(x.stride));
  RowMajor projected;
  for (Index begin = 0; begin < count; begin += group) {
    projected.noalias() = units.middleRows(begin, std::min(group, count - begin)) * points;
    for (Index k = 0; k < projected.rows(); ++k) {
      if (stop()) return;
      f(size_of(begin + k), sort_paths(projected.row(k).data(), size_of(x.n)));
    }
  }
}

/// Sliced W2, and for d = 1 W2 itself. The reference is projected and sorted once.
class SlicedWasserstein final : public Metric {
 public:
  SlicedWasserstein(SampleView reference, const std::atomic<bool>* cancel)
      : Metric(reference, cancel), directions_(directions(reference.d)) {
    for_each_projection(
        reference, directions_, [&] { return cancelled(); },
        [&](std::size_t, Projection y) { references_.push_back(std::move(y)); });
  }

 private:
  Distance measure(SampleView sample) const override {
    const std::size_t n = size_of(sample.n), m = references_[0].values.size();
    const double weight = 1.0 / static_cast<double>(references_.size());
    Values phi(n, 0.0), psi(m, 0.0), to_reference, to_sample;
    double square = 0.0;
    const auto stop = [&] { return cancelled(); };
    for_each_projection(sample, directions_, stop, [&](std::size_t k, const Projection& x) {
      const Projection& y = references_[k];
      square += weight * coupled_square(x.values, y.values, to_reference, to_sample);
      potential(x.values, to_reference);
      potential(y.values, to_sample);
      // A potential is free up to a constant per direction, which the variance does not see.
      for (std::size_t i = 0; i < n; ++i) phi[x.path[i]] += weight * to_reference[i];
      for (std::size_t j = 0; j < m; ++j) psi[y.path[j]] += weight * to_sample[j];
    });
    return root(square, variance_of_mean(phi) + variance_of_mean(psi));
  }

  Values directions_;
  std::vector<Projection> references_;
};

// -- Distribution functions: W1 and energy in one dimension ---------------------------------------

/// The integral of cost(F - G) over the line for two sorted samples with distribution functions F
/// and G; `phi` and `psi` become its first-order change with the mass at each point, which is
/// -/+ the running integral of slope = cost'.
double integrate_gap(Span x, Span y, auto cost, auto slope, Values& phi, Values& psi) {
  const double n = static_cast<double>(x.size()), m = static_cast<double>(y.size());
  double sum = 0.0, running = 0.0, last = std::min(x[0], y[0]);
  phi.resize(x.size());
  psi.resize(y.size());
  std::size_t i = 0, j = 0;
  while (i < x.size() || j < y.size()) {
    const bool from_x = j == y.size() || (i < x.size() && x[i] <= y[j]);
    const double here = from_x ? x[i] : y[j];
    const double gap = static_cast<double>(i) / n - static_cast<double>(j) / m;
    sum += cost(gap) * (here - last);
    running += slope(gap) * (here - last);
    last = here;
    if (from_x) {
      phi[i++] = -running;
    } else {
      psi[j++] = running;
    }
  }
  return sum;
}

constexpr auto absolute = [](double gap) { return std::abs(gap); };
constexpr auto sign = [](double gap) { return static_cast<double>((gap > 0.0) - (gap < 0.0)); };

/// W1 = integral |F - G|.
class Wasserstein1 final : public Metric {
 public:
  Wasserstein1(SampleView reference, const std::atomic<bool>* cancel)
      : Metric(reference, cancel), reference_(sorted({reference.data, size_of(reference.n)})) {}

 private:
  Distance measure(SampleView sample) const override {
    Values phi, psi;
    const double value = integrate_gap(sorted({sample.data, size_of(sample.n)}), reference_,
                                       absolute, sign, phi, psi);
    return {value, std::sqrt(variance_of_mean(phi) + variance_of_mean(psi))};
  }

  Values reference_;
};

/// Energy distance in one dimension, where its square is 2 integral (F - G)^2.
class Energy1 final : public Metric {
 public:
  Energy1(SampleView reference, const std::atomic<bool>* cancel)
      : Metric(reference, cancel), reference_(sorted({reference.data, size_of(reference.n)})) {}

 private:
  Distance measure(SampleView sample) const override {
    Values phi, psi;
    const double square = integrate_gap(
        sorted({sample.data, size_of(sample.n)}), reference_,
        [](double gap) { return 2.0 * gap * gap; }, [](double gap) { return 4.0 * gap; }, phi, psi);
    return root(square, variance_of_mean(phi) + variance_of_mean(psi));
  }

  Values reference_;
};

// -- Energy distance in d > 1 ---------------------------------------------------------------------

/// The first `energy_paths` columns.
SampleView capped(SampleView x) { return {x.data, x.d, std::min(x.n, energy_paths), x.stride}; }

/// Adds |x_i - y_j| over all pairs to row_sums[i] and column_sums[j], until stop() is true: eight y
/// in registers at once.
void add_distances(SampleView x, SampleView y, Values& row_sums, Values& column_sums, auto stop) {
  constexpr Index width = 8;
  using Eight = Eigen::Array<double, width, 1>;
  const Eigen::ArrayXXd paths =  // column i is path i
      Eigen::Map<const Eigen::ArrayXXd, 0, Eigen::OuterStride<>>(x.data, x.n, x.d,
                                                                 Eigen::OuterStride<>(x.stride))
          .transpose();
  Eigen::Array<double, width, Eigen::Dynamic> tile(width, x.d);
  for (Index begin = 0; begin < y.n; begin += width) {
    if (stop()) return;
    const Index count = std::min(width, y.n - begin);
    tile.setZero();
    for (Index r = 0; r < y.d; ++r) std::copy_n(y.row(r) + begin, count, tile.col(r).data());
    Eight column_sum = Eight::Zero();
    for (Index i = 0; i < x.n; ++i) {
      Eight square = Eight::Zero();
      for (Index r = 0; r < x.d; ++r) square += (tile.col(r) - paths(r, i)).square();
      const Eight distance = square.sqrt();
      column_sum += distance;
      row_sums[size_of(i)] += count == width ? distance.sum() : distance.head(count).sum();
    }
    for (Index j = 0; j < count; ++j) column_sums[size_of(begin + j)] += column_sum(j);
  }
}

/// The mean of |x_i - x_k| over k, itself included, for each i.
Values mean_distances(SampleView x, auto stop) {
  Values sums(size_of(x.n), 0.0), same(size_of(x.n), 0.0);
  add_distances(x, x, sums, same, stop);
  for (double& v : sums) v /= static_cast<double>(x.n);
  return sums;
}

class Energy final : public Metric {
 public:
  Energy(SampleView reference, const std::atomic<bool>* cancel)
      : Metric(reference, cancel), reference_(reference.d, capped(reference).n) {
    for (Index r = 0; r < reference_.d; ++r) {
      std::copy_n(reference.row(r), reference_.n, reference_.row(r));
    }
    within_reference_ = mean_distances(reference_, [&] { return cancelled(); });
  }

 private:
  Distance measure(SampleView whole) const override {
    const SampleView x = capped(whole), y = reference_;
    Values phi(size_of(x.n), 0.0), psi(size_of(y.n), 0.0);
    const auto stop = [&] { return cancelled(); };
    add_distances(x, y, phi, psi, stop);
    const Values within = mean_distances(x, stop);

    // V = 2 mean|x-y| - mean|x-x'| - mean|y-y'|; with the mass at x_i it changes at the rate
    // phi_i = 2 (mean_j |x_i - y_j| - mean_k |x_i - x_k|), and V = (mean phi + mean psi) / 2.
    const auto contrast = [](Values& across, const Values& inside, Index others) {
      double sum = 0.0;
      for (std::size_t i = 0; i < across.size(); ++i) {
        across[i] = 2.0 * (across[i] / static_cast<double>(others) - inside[i]);
        sum += across[i];
      }
      return sum / static_cast<double>(across.size());
    };
    const double square =
        0.5 * (contrast(phi, within, y.n) + contrast(psi, within_reference_, x.n));
    return root(square, variance_of_mean(phi) + variance_of_mean(psi));
  }

  Sample reference_;
  Values within_reference_;
};

void check_one_dimension(std::string_view name, Index d) {
  if (d > 1) {
    throw std::invalid_argument(fmt::format(
        "metric {} needs one dimension: got {}; use sliced-w2 or energy instead", name, d));
  }
}

}  // namespace

Metric::Metric(SampleView reference, const std::atomic<bool>* cancel)
    : d_(reference.d), cancel_(cancel) {
  if (reference.d < 1 || reference.n < 2) {
    throw std::invalid_argument(
        fmt::format("a reference sample needs two paths: got {} x {}", reference.d, reference.n));
  }
  if (!all_finite(reference)) {
    throw std::invalid_argument("a reference sample must be finite: it has nan or inf");
  }
}

Distance Metric::operator()(SampleView sample) const {
  if (sample.d != d_ || sample.n < 2) {
    throw std::invalid_argument(
        fmt::format("a sample must have the dimension of the reference and two paths: got {} x {}, "
                    "expected {} x n",
                    sample.d, sample.n, d_));
  }
  if (!all_finite(sample)) {
    return {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()};
  }
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  if (cancelled()) return {nan, nan};
  const Distance distance = measure(sample);
  return cancelled() ? Distance{nan, nan} : distance;
}

const Catalogue<MetricInfo>& list_metrics() {
  static const Catalogue<MetricInfo> metrics(
      "metric",
      {{"sliced-w2", "2-Wasserstein distance of projections, averaged over directions",
        "Bonneel et al. (2015), J. Math. Imaging Vis. 51"},
       {"energy", "energy distance", "Szekely & Rizzo (2013), J. Stat. Plan. Inference 143"},
       {"w1", "1-Wasserstein distance, one dimension only", "Villani (2009), 6"},
       {"w2", "2-Wasserstein distance, one dimension only; exact for Gaussian laws with --exact",
        "Villani (2009), 6"}});
  return metrics;
}

std::unique_ptr<Metric> make_metric(std::string_view metric, SampleView reference,
                                    const std::atomic<bool>* cancel) {
  const std::string_view name = list_metrics().at(metric).name;
  if (name == "sliced-w2") return std::make_unique<SlicedWasserstein>(reference, cancel);
  if (name == "energy" && reference.d == 1) return std::make_unique<Energy1>(reference, cancel);
  if (name == "energy") return std::make_unique<Energy>(reference, cancel);
  if (name == "w1") {
    check_one_dimension(name, reference.d);
    return std::make_unique<Wasserstein1>(reference, cancel);
  }
  check_one_dimension(name, reference.d);
  return std::make_unique<SlicedWasserstein>(reference, cancel);
}

double wasserstein_1d(Span x, Span y, int p) {
  if (p != 1 && p != 2) {
    throw std::invalid_argument(fmt::format("wasserstein_1d: p must be 1 or 2: got {}", p));
  }
  for (const Span a : {x, y}) {
    const SampleView view(a.data(), 1, static_cast<Index>(a.size()), 0);
    if (a.empty() || !all_finite(view)) {
      throw std::invalid_argument("wasserstein_1d: samples must be finite and not empty");
    }
  }
  Values first, second;
  return p == 1 ? integrate_gap(sorted(x), sorted(y), absolute, sign, first, second)
                : std::sqrt(coupled_square(sorted(x), sorted(y), first, second));
}

Distance root_mean_square(Span squares) {
  if (squares.size() < 2) {
    throw std::invalid_argument(
        fmt::format("root_mean_square needs two values: got {}", squares.size()));
  }
  const double mean =
      std::accumulate(squares.begin(), squares.end(), 0.0) / static_cast<double>(squares.size());
  if (!std::isfinite(mean)) {
    return {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()};
  }
  return root(mean, variance_of_mean(squares));
}

Floor floor_of(std::string_view metric, const std::function<std::pair<Sample, Sample>(int)>& draw,
               int repetitions, const std::atomic<bool>* cancel) {
  if (repetitions < 2) {
    throw std::invalid_argument(
        fmt::format("a floor needs at least 2 repetitions: got {}", repetitions));
  }
  Values distances;
  for (int k = 0; k < repetitions; ++k) {
    const auto [reference, sample] = draw(k);
    distances.push_back((*make_metric(metric, reference, cancel))(sample).value);
  }
  const double mean = std::accumulate(distances.begin(), distances.end(), 0.0) / repetitions;
  return {mean, std::sqrt(variance_of_mean(distances) * repetitions), repetitions};
}

}  // namespace fokker
