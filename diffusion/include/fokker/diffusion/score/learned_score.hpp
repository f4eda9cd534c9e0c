#pragma once
/// @file  fokker/diffusion/score/learned_score.hpp
/// @brief A score that has been learned from samples, and its file.

#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fokker/diffusion/data/data.hpp>
#include <fokker/diffusion/schedule/any_schedule.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/diffusion/score/network.hpp>
#include <fokker/solvers/support/file_path.hpp>

namespace fokker {

/// All that a learned denoiser is made of.
struct LearnedParts {
  NetworkShape shape;
  Eigen::VectorXf weights;   ///< see Network
  std::vector<double> mean;  ///< m, of the data, d numbers
  double data_std = 1;       ///< sigma_d: root of the mean variance of their coordinates
  double sigma_min = 0;      ///< noise levels it was trained on; ln sigma is held within them
  double sigma_max = 0;
  std::string process;    ///< a name of list_schedules() that it was trained under, or "custom"
  Parameters parameters;  ///< of that process
  std::string loss;       ///< a name of list_score_losses()
  /// Root mean square of the coordinates of (x - s m) / v up to which it was trained; beyond it the
  /// network is damped. Infinite: never.
  double reach = std::numeric_limits<double>::infinity();
};

/// E[x0 | s x0 + std eps = x] by a network F with the preconditioning of EDM, about the mean m:
///
///     D = m + (s sigma_d^2 / v^2) (x - s m) + (std sigma_d / v) F((x - s m) / v, ln sigma)
///     grad log p = -(x - s m) / v^2 + (s sigma_d / (v std)) F
///
/// with v^2 = std^2 + s^2 sigma_d^2 and sigma = std / s: with F = 0 exact for N(m, sigma_d^2 I).
/// Where the root mean square q of the coordinates of the input (x - s m) / v exceeds the reach R
/// of the training, F is multiplied by 1 - u^2 (3 - 2u), u = q/R - 1, and by 0 from 2R on: far
/// outside its data the score is that of N(m, sigma_d^2 I), which pulls back, whatever the network
/// does. It knows a process by (s, std) alone, so one trained under one process serves all of them,
/// as far as its noise levels go. The interface is that of a data distribution (data.hpp), blocks
/// of float or double; the network computes in float. Copies share the weights, which are constant;
/// safe to call from any thread. Nothing is allocated once the scratch of a thread has grown, but
/// by the matrix products of wide networks. Source: Karras et al. (2022), arXiv 2206.00364, table 1
/// (sigma_d for the data's own).
class LearnedDenoiser {
 public:
  /// @throws std::invalid_argument  parts that do not fit each other or are not finite
  explicit LearnedDenoiser(LearnedParts parts);

  Index dimension() const { return self_->parts.shape.dimension; }
  /// Network, scaling and range of the denoiser.
  const LearnedParts& parts() const { return self_->parts; }

  /// out = grad log p_t(x). @param x,out  d x n; must not overlap
  /// @throws std::invalid_argument  for std = 0, or another number of rows
  template <State X>
  void score(const X& x, double s, double std, X& out) const {
    evaluate(x, s, std, out, true);
  }

  /// out = E[x0 | x_t = x], also in the limits s = 0 and std = 0 (x / s).
  /// @param x,out  d x n; must not overlap
  template <State X>
  void denoise(const X& x, double s, double std, X& out) const {
    evaluate(x, s, std, out, false);
  }

  /// out = (d score / dx) v, column by column, by the derivative of the network. Not symmetric, as
  /// that of a true score is. @param x,v,out  d x n; must not overlap
  /// @throws std::invalid_argument  for std = 0, or another number of rows or columns
  template <State X>
  void score_jacobian_times(const X& x, double s, double std, const X& v, X& out) const {
    differentiate(x, s, std, v, out, Side::right);
  }

  /// out = (d score / dx)^T v, likewise, by the pass back through the network.
  template <State X>
  void score_jacobian_transposed_times(const X& x, double s, double std, const X& v, X& out) const {
    differentiate(x, s, std, v, out, Side::left);
  }

 private:
  /// On which side of the Jacobian the vector stands.
  enum class Side { right, left };

  struct Self {
    LearnedParts parts;
    Network<float> network;
  };

  template <State X>
  void evaluate(const X& x, double s, double std, X& out, bool score) const {
    detail::with_input(x, [&](auto in) {
      detail::with_output(out, [&](auto result) { evaluate(in, s, std, result, score); });
    });
  }
  void evaluate(detail::BlockView<const float> x, double s, double std,
                detail::BlockView<float> out, bool score) const;
  void evaluate(detail::BlockView<const double> x, double s, double std,
                detail::BlockView<double> out, bool score) const;
  template <State X>
  void differentiate(const X& x, double s, double std, const X& v, X& out, Side side) const {
    detail::with_input(x, [&](auto in) {
      detail::with_input(v, [&](auto vector) {
        detail::with_output(out,
                            [&](auto result) { differentiate(in, s, std, vector, result, side); });
      });
    });
  }
  void differentiate(detail::BlockView<const float> x, double s, double std,
                     detail::BlockView<const float> v, detail::BlockView<float> out,
                     Side side) const;
  void differentiate(detail::BlockView<const double> x, double s, double std,
                     detail::BlockView<const double> v, detail::BlockView<double> out,
                     Side side) const;

  std::shared_ptr<const Self> self_;
};

/// A learned score under a process: score(x, t, out), score.denoise(x, t, out), as `exact_score`.
template <class Process>
using LearnedScore = ExactScore<Process, LearnedDenoiser>;

/// The score of a denoiser under a process.
template <class Process>
LearnedScore<Process> learned_score(Process process, LearnedDenoiser denoiser) {
  return {std::move(process), std::move(denoiser)};
}

/// The file of a denoiser: one JSON object that names its format, with every weight to the bit.
std::string to_json(const LearnedDenoiser& denoiser);

/// A denoiser from the text of its file. @param name  of the file, for messages
/// @throws std::invalid_argument  `model.json: ...`: no JSON, another format or version, a member
///                                that is missing or of another type, parts that do not fit
LearnedDenoiser denoiser_from_json(const std::string& text, const std::string& name);

/// Reads a denoiser. @throws std::runtime_error  a file that cannot be read
/// @throws std::invalid_argument  as denoiser_from_json
LearnedDenoiser read_denoiser(const FilePath& path);

}  // namespace fokker
