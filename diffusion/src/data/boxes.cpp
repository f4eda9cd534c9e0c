/// @file  boxes.cpp
/// @brief Unions of boxes, and the posterior over boxes.

#include <fokker/diffusion/data/boxes.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include <Eigen/Core>

#include "data/cut_normal.hpp"
#include "data/data_model.hpp"

namespace fokker {
namespace detail {
namespace {

class BoxesModel final : public DoubleModel<BoxesModel> {
 public:
  explicit BoxesModel(std::vector<Box> boxes) : boxes_(std::move(boxes)) {
    if (boxes_.empty()) throw std::invalid_argument("a union of boxes needs at least one box");
    const std::size_t d = boxes_.front().low.size();
    for (std::size_t k = 0; k < boxes_.size(); ++k) {
      try {
        check(boxes_[k], d);
      } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(
            fmt::format("box {} of {}: {}", k + 1, boxes_.size(), error.what()));
      }
    }
    scale_weights(boxes_);
    mean_ = Eigen::VectorXd::Zero(static_cast<Index>(d));
    std::map<std::array<double, 3>, std::size_t> known;
    double cumulative = 0;
    for (const Box& box : boxes_) {
      cumulative_.push_back(cumulative += box.weight);
      mean_ += box.weight * middle(box);
      for (std::size_t r = 0; r < d; ++r) {
        const auto [at, added] =
            known.try_emplace({static_cast<double>(r), box.low[r], box.high[r]}, intervals_.size());
        if (added) intervals_.push_back({static_cast<Index>(r), box.low[r], box.high[r]});
        interval_of_.push_back(at->second);
      }
    }
  }

  std::span<const Box> boxes() const { return boxes_; }

  DataKind kind() const override { return DataKind::boxes; }
  Index dimension() const override { return mean_.size(); }
  bool has_density() const override { return false; }
  void mean(double* out) const override { Eigen::Map<Eigen::VectorXd>(out, dimension()) = mean_; }

  void variance(double* out) const override {
    Eigen::Map<Eigen::VectorXd> total(out, dimension());
    total.setZero();
    for (const Box& box : boxes_)
      total += box.weight * ((middle(box) - mean_).cwiseAbs2() + own_variance(box));
  }

  void covariance(double* out) const override {
    Eigen::Map<Eigen::MatrixXd> total(out, dimension(), dimension());
    total.setZero();
    for (const Box& box : boxes_) {
      const Eigen::VectorXd offset = middle(box) - mean_;
      total += box.weight * offset * offset.transpose();
      total.diagonal() += box.weight * own_variance(box);
    }
  }

  void sample_values(PathRandom& random, BlockView<double> x) const {
    Eigen::Array<double, 1, Eigen::Dynamic> u(x.columns), choice(x.columns);
    random.uniform(choice);
    for (Index r = 0; r < x.rows; ++r) {
      random.uniform(u);
      for (Index j = 0; j < x.columns; ++j) {
        const auto at = std::lower_bound(cumulative_.begin(), cumulative_.end() - 1, choice(j));
        const Box& box = boxes_[static_cast<std::size_t>(at - cumulative_.begin())];
        const auto i = static_cast<std::size_t>(r);
        x.row(r)[j] = box.low[i] + (box.high[i] - box.low[i]) * u(j);
      }
    }
  }

  void score_values(BlockView<const double> x, double s, double std, BlockView<double> out) const {
    require_density(0, s, std);
    for (Index j = 0; j < x.columns; ++j) {
      const Posterior& p = posterior(x, j, s, std);
      for (Index r = 0; r < x.rows; ++r) {
        double mean = 0;
        for (const auto& [weight, k] : p.boxes) mean += weight * p.slices[interval(k, r)].mean;
        out.row(r)[j] = -mean / std;
      }
    }
  }

  void denoise_values(BlockView<const double> x, double s, double std,
                      BlockView<double> out) const {
    if (std == 0) return project(x, s, out);
    for (Index j = 0; j < x.columns; ++j) {
      const Posterior& p = posterior(x, j, s, std);
      for (Index r = 0; r < x.rows; ++r) out.row(r)[j] = denoised(p, r);
    }
  }

  void log_density_values(BlockView<const double> x, double s, double std, double* out) const {
    require_density(0, s, std);
    const double constant = -static_cast<double>(dimension()) * (0.5 * log_two_pi + std::log(std));
    for (Index j = 0; j < x.columns; ++j) out[j] = constant + posterior(x, j, s, std).log_sum;
  }

  void covariance_times_values(BlockView<const double> x, double s, double std,
                               BlockView<const double> v, BlockView<double> out) const {
    as_array(out).setZero();
    if (std == 0 && s > 0) return;  // x determines x0
    Eigen::Map<Eigen::VectorXd> mean(scratch<double, Slot<BoxesModel, 0>>(x.rows), x.rows);
    for (Index j = 0; j < x.columns; ++j) {
      // Without noise and scale x0 is independent of x, as at any std > 0 without scale.
      const Posterior& p = posterior(x, j, s, std == 0 ? 1 : std);
      for (Index r = 0; r < x.rows; ++r) mean(r) = denoised(p, r);
      for (const auto& [weight, k] : p.boxes) {
        double along = 0;
        for (Index r = 0; r < x.rows; ++r)
          along += (expected(p, interval(k, r)) - mean(r)) * v.row(r)[j];
        for (Index r = 0; r < x.rows; ++r) {
          const Interval& i = intervals_[interval(k, r)];
          const double width = i.high - i.low;
          out.row(r)[j] += weight * (width * width * p.slices[interval(k, r)].spread * v.row(r)[j] +
                                     along * (expected(p, interval(k, r)) - mean(r)));
        }
      }
    }
  }

 private:
  /// The extent of a box in a coordinate; boxes above each other share theirs.
  struct Interval {
    Index coordinate;
    double low, high;
  };

  /// The posterior of one path: of each interval, and the boxes with their weights.
  struct Posterior {
    std::vector<double> low, high;  ///< ends of the noise in each interval
    std::vector<double> bound;      ///< of the log density
    std::vector<CutNormal> slices;  ///< of intervals that a box has asked for
    std::vector<char> known;
    std::vector<std::pair<double, std::size_t>> boxes;
    double log_sum;
  };

  static void check(const Box& box, std::size_t d) {
    check_positive("the weight", box.weight);
    if (d == 0 || box.low.size() != d || box.high.size() != d)
      throw std::invalid_argument(
          fmt::format("all boxes need the same dimension >= 1: got {} lows and {} highs, and {} in "
                      "the first",
                      box.low.size(), box.high.size(), d));
    require_coordinates(box.low, "low ends of a box");
    require_coordinates(box.high, "high ends of a box");
    for (std::size_t r = 0; r < d; ++r)
      if (!(box.low[r] <= box.high[r]))
        throw std::invalid_argument(
            fmt::format("it needs finite low <= high: coordinate {} goes from {} to {}", r + 1,
                        box.low[r], box.high[r]));
  }

  static Eigen::Map<const Eigen::VectorXd> vector(const std::vector<double>& v) {
    return {v.data(), static_cast<Index>(v.size())};
  }
  static Eigen::VectorXd middle(const Box& box) {
    return 0.5 * (vector(box.low) + vector(box.high));
  }
  static Eigen::VectorXd own_variance(const Box& box) {
    return (vector(box.high) - vector(box.low)).cwiseAbs2() / 12;
  }

  /// The number of the interval of box k in coordinate r.
  std::size_t interval(std::size_t k, Index r) const {
    return interval_of_[k * static_cast<std::size_t>(dimension()) + static_cast<std::size_t>(r)];
  }

  /// E[x0_r | x, x0 in the interval].
  double expected(const Posterior& p, std::size_t i) const {
    return intervals_[i].high - (intervals_[i].high - intervals_[i].low) * p.slices[i].place;
  }

  /// E[x0_r | x].
  double denoised(const Posterior& p, Index r) const {
    double mean = 0;
    for (const auto& [weight, k] : p.boxes) mean += weight * expected(p, interval(k, r));
    return mean;
  }

  /// Of column j of x, for std > 0. Boxes below e^-50 of the nearest are left out before they cost
  /// anything.
  const Posterior& posterior(BlockView<const double> x, Index j, double s, double std) const {
    static thread_local Posterior p;
    const std::size_t n = intervals_.size();
    p.low.resize(n);
    p.high.resize(n);
    p.bound.resize(n);
    p.slices.resize(n);
    p.known.assign(n, 0);
    for (std::size_t i = 0; i < n; ++i) {
      const double at = x.row(intervals_[i].coordinate)[j];
      p.low[i] = (at - s * intervals_[i].high) / std;
      p.high[i] = (at - s * intervals_[i].low) / std;
      const double gap = std::max({p.low[i], -p.high[i], 0.0});
      p.bound[i] = -0.5 * gap * gap;
    }
    p.boxes.clear();
    for (std::size_t k = 0; k < boxes_.size(); ++k) {
      double bound = std::log(boxes_[k].weight);
      for (Index r = 0; r < x.rows; ++r) bound += p.bound[interval(k, r)];
      p.boxes.emplace_back(bound, k);
    }
    // The most likely first, so that the others can be measured against it; the rest in order.
    std::iter_swap(p.boxes.begin(), std::max_element(p.boxes.begin(), p.boxes.end()));

    double top = -std::numeric_limits<double>::infinity();
    std::size_t kept = 0;
    for (const auto& [bound, k] : p.boxes) {
      if (bound < top - 50) continue;
      double logit = std::log(boxes_[k].weight);
      for (Index r = 0; r < x.rows; ++r) {
        const std::size_t i = interval(k, r);
        if (p.known[i] == 0) {
          const Interval& e = intervals_[i];
          const double at = x.row(e.coordinate)[j];
          p.slices[i] = cut_normal(p.low[i], p.high[i], (at - 0.5 * s * (e.low + e.high)) / std,
                                   s * (e.high - e.low) / std);
          p.known[i] = 1;
        }
        logit += p.slices[i].log_density;
      }
      top = std::max(top, logit);
      p.boxes[kept++] = {logit, k};
    }
    p.boxes.resize(kept);
    double sum = 0;
    for (auto& [weight, k] : p.boxes) sum += weight = std::exp(weight - top);
    for (auto& [weight, k] : p.boxes) weight /= sum;
    p.log_sum = top + std::log(sum);
    return p;
  }

  /// The limit without noise: the nearest point of the nearest box, the first of several; the mean
  /// where there is no scale either.
  void project(BlockView<const double> x, double s, BlockView<double> out) const {
    if (s == 0) {
      as_array(out).colwise() = mean_.array();
      return;
    }
    for (Index j = 0; j < x.columns; ++j) {
      double least = std::numeric_limits<double>::infinity();
      std::size_t nearest = 0;
      for (std::size_t k = 0; k < boxes_.size(); ++k) {
        double square = 0;
        for (std::size_t r = 0; r < boxes_[k].low.size(); ++r) {
          const double at = x.row(static_cast<Index>(r))[j] / s;
          const double gap = at - std::clamp(at, boxes_[k].low[r], boxes_[k].high[r]);
          square += gap * gap;
        }
        if (square < least) {
          least = square;
          nearest = k;
        }
      }
      for (std::size_t r = 0; r < boxes_[nearest].low.size(); ++r) {
        const auto row = static_cast<Index>(r);
        out.row(row)[j] =
            std::clamp(x.row(row)[j] / s, boxes_[nearest].low[r], boxes_[nearest].high[r]);
      }
    }
  }

  std::vector<Box> boxes_;
  std::vector<double> cumulative_;
  std::vector<Interval> intervals_;
  std::vector<std::size_t> interval_of_;  ///< K x d
  Eigen::VectorXd mean_;
};

}  // namespace
}  // namespace detail

Boxes::Boxes(std::vector<Box> boxes)
    : AnyData(std::make_shared<detail::BoxesModel>(std::move(boxes))) {}

Boxes Boxes::checkerboard(Index cells, double half_width) {
  detail::require_count(cells, detail::most_cells, "a checkerboard needs cells");
  check_positive({"the half width of a checkerboard", "half_width"}, half_width);
  const auto edge = [=](Index i) {
    return half_width * (2 * static_cast<double>(i) / static_cast<double>(cells) - 1);
  };
  std::vector<Box> boxes;
  for (Index i = 0; i < cells; ++i)
    for (Index j = i % 2; j < cells; j += 2)
      boxes.push_back({1.0, {edge(i), edge(j)}, {edge(i + 1), edge(j + 1)}});
  return Boxes(std::move(boxes));
}

std::span<const Box> Boxes::boxes() const {
  return static_cast<const detail::BoxesModel&>(model()).boxes();
}

}  // namespace fokker
