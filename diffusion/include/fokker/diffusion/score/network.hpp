#pragma once
/// @file  fokker/diffusion/score/network.hpp
/// @brief A small residual network of a point and of the logarithm of its noise, with its gradient.
///
/// From a_0 = x (d x n) and the features e = (1, cos(f_k l), sin(f_k l)) of l = ln sigma, every
/// layer is one matrix W_l:
///
///     h_1     = W_0 [x; e]
///     h_{l+1} = h_l + W_l [silu(h_l); e]      l = 1, ..., layers
///     F       = W_{layers + 1} [silu(h_{layers + 1}); e]
///
/// with silu(z) = z / (1 + exp(-z)). The 1 among the features makes the biases. The frequencies f_k
/// go in equal ratios from 0.1 to 4, so that the slowest feature tells all noise levels from 1e-6
/// to 1e6 apart.

#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include <fokker/solvers/core/state.hpp>

namespace fokker {

/// The sizes of a network.
struct NetworkShape {
  Index dimension = 0;    ///< d, of x and of F
  Index width = 128;      ///< of the h
  Index layers = 3;       ///< residual ones, at least 0
  Index frequencies = 8;  ///< of the features, at least 1

  /// Number of features of the noise level.
  Index features() const { return 1 + 2 * frequencies; }
  /// Number of weight matrices.
  Index matrices() const { return layers + 2; }
  /// Rows of matrix l.
  Index rows(Index l) const { return l + 1 == matrices() ? dimension : width; }
  Index inputs(Index l) const { return l == 0 ? dimension : width; }  ///< beside the features
  Index parameters() const;

  /// @throws std::invalid_argument  for sizes below their least, or more than 2^26 parameters
  void validate() const;

  /// Equality.
  friend bool operator==(const NetworkShape&, const NetworkShape&) = default;
};

/// Frequencies f_k of the features.
std::vector<double> feature_frequencies(const NetworkShape& shape);

/// The network with weights of scalar S, float or double: all in one vector, matrix after matrix,
/// row after row.
template <class S>
class Network {
 public:
  /// Weights of a layer, or a block of activations.
  using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  /// Parameters in one column.
  using Vector = Eigen::Matrix<S, Eigen::Dynamic, 1>;

  /// What a pass leaves for the pass back. It grows to the largest block it has seen.
  struct Workspace {
    Matrix features;                 ///< e: one column for all of the block, or one for each
    std::vector<Matrix> activation;  ///< a_l = x, silu(h_1), ...
    std::vector<Matrix> slope;       ///< silu'(h_l)
    Matrix output;                   ///< F
    Matrix h, back;
  };

  /// All weights zero. @throws std::invalid_argument  see NetworkShape::validate
  explicit Network(const NetworkShape& shape);

  /// Sizes of the network.
  const NetworkShape& shape() const { return shape_; }
  Vector& parameters() { return parameters_; }
  const Vector& parameters() const { return parameters_; }

  /// Normal weights of variance 1 / inputs, those of biases and of the last matrix zero, so that F
  /// is zero at first.
  void initialise(std::uint64_t seed);

  /// w.features = e of the n values of ln sigma. @param log_sigma  1 or as many as x has columns
  void set_features(const Vector& log_sigma, Workspace& w) const;

  /// w.output = F of w.activation[0] = x (see `input`) and w.features. Cost: 2 x parameters flops
  /// for each column.
  void forward(Workspace& w, bool keep_slopes) const;

  /// The x of the next pass, to be filled: d x n.
  Matrix& input(Index n, Workspace& w) const;

  /// out = (dF/dx) direction, column by column, at the x of the last pass with slopes. Cost: 2 x
  /// parameters flops for each column. @param direction  d x n; out must not be it
  void tangent(const Matrix& direction, Workspace& w, Matrix& out) const;

  /// out = (dF/dx)^T slope, column by column, at the x of the last pass with slopes. Cost: 2 x
  /// parameters flops for each column. @param slope  d x n; out must not be it
  void cotangent(const Matrix& slope, Workspace& w, Matrix& out) const;

  /// gradient += dL/dW of the last pass with slopes, from output_slope = dL/dF (d x n). Cost: 4 x
  /// parameters flops for each column.
  void backward(const Matrix& output_slope, Workspace& w, Vector& gradient) const;

 private:
  /// The columns of W_l that meet the layer below, without those of the features.
  auto weights_of(std::size_t l) const {
    const Index rows = shape_.rows(static_cast<Index>(l)),
                inputs = shape_.inputs(static_cast<Index>(l));
    return Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>(
        parameters_.data() + offset_[l], rows, inputs,
        Eigen::OuterStride<>(inputs + shape_.features()));
  }
  /// From dL/dh of layer l + 1, that is W_l's output, to w.h = dL/dh_l. @param l  not 0
  void pull_back(std::size_t l, const Matrix& slope, Workspace& w) const;

  NetworkShape shape_;
  std::vector<Index> offset_;  ///< of each matrix in the parameters
  Vector parameters_;
};

extern template class Network<float>;
extern template class Network<double>;

/// Adam: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, and parameters move by
/// -rate m^ / (sqrt(v^) + 1e-8) with m^ = m / (1 - b1^k), v^ = v / (1 - b2^k) in step k; b1 = 0.9,
/// b2 = 0.99. Source: Kingma & Ba (2015), arXiv 1412.6980, algorithm 1.
template <class S>
class Adam {
 public:
  /// Parameters in one column.
  using Vector = Eigen::Matrix<S, Eigen::Dynamic, 1>;

  explicit Adam(Index size) : mean_(Vector::Zero(size)), square_(Vector::Zero(size)) {}

  void step(const Vector& gradient, double rate, Vector& parameters);

 private:
  Vector mean_, square_;
  double mean_decay_ = 1, square_decay_ = 1;  ///< b1^k and b2^k
};

extern template class Adam<float>;
extern template class Adam<double>;

}  // namespace fokker
