#include <fokker/diffusion/score/network.hpp>

#include <cmath>
#include <stdexcept>
#include <tuple>

#include <fmt/format.h>

#include <fokker/solvers/noise/random.hpp>

namespace fokker {

Index NetworkShape::parameters() const {
  Index count = 0;
  for (Index l = 0; l < matrices(); ++l) count += rows(l) * (inputs(l) + features());
  return count;
}

void NetworkShape::validate() const {
  constexpr Index most = Index{1} << 26, longest = Index{1} << 20;
  for (const auto& [name, value, least] :
       {std::tuple{"dimension", dimension, Index{1}}, std::tuple{"width", width, Index{1}},
        std::tuple{"layers", layers, Index{0}}, std::tuple{"frequencies", frequencies, Index{1}}})
    if (value < least || value > longest)
      throw std::invalid_argument(
          fmt::format("a network needs {} from {} to {}: got {}", name, least, longest, value));
  // In double: the product of sizes that were each allowed may be too large for an Index.
  const auto size = [](Index value) { return static_cast<double>(value); };
  const double estimate =
      size(width) * (size(dimension + features()) + size(layers) * size(width + features())) +
      size(dimension) * size(width + features());
  if (estimate > size(most))
    throw std::invalid_argument(
        fmt::format("a network of at most {} weights is made here: got {:.0f} (dimension {}, width "
                    "{}, layers {})",
                    most, estimate, dimension, width, layers));
}

std::vector<double> feature_frequencies(const NetworkShape& shape) {
  constexpr double slowest = 0.1, fastest = 4;
  std::vector<double> f(static_cast<std::size_t>(shape.frequencies), slowest);
  for (std::size_t k = 1; k < f.size(); ++k)
    f[k] = slowest *
           std::pow(fastest / slowest, static_cast<double>(k) / static_cast<double>(f.size() - 1));
  return f;
}

template <class S>
Network<S>::Network(const NetworkShape& shape) : shape_(shape) {
  shape.validate();
  Index offset = 0;
  for (Index l = 0; l < shape.matrices(); ++l) {
    offset_.push_back(offset);
    offset += shape.rows(l) * (shape.inputs(l) + shape.features());
  }
  parameters_ = Vector::Zero(offset);
}

template <class S>
void Network<S>::initialise(std::uint64_t seed) {
  parameters_.setZero();
  StreamLanes random(seed, 0, 1, Purpose::initial);
  for (Index l = 0; l + 1 < shape_.matrices(); ++l) {
    const Index inputs = shape_.inputs(l), columns = inputs + shape_.features();
    const double scale = 1 / std::sqrt(static_cast<double>(columns));
    Eigen::Map<Matrix> weights(parameters_.data() + offset_[static_cast<std::size_t>(l)],
                               shape_.rows(l), columns);
    for (Index r = 0; r < weights.rows(); ++r)
      for (Index c = 0; c < columns; ++c) {
        double z = 0, spare = 0;
        random.normal_pair(&z, &spare, scale, scale);
        if (c != inputs) weights(r, c) = static_cast<S>(z);
      }
  }
}

template <class S>
void Network<S>::set_features(const Vector& log_sigma, Workspace& w) const {
  w.features.resize(shape_.features(), log_sigma.size());
  w.features.row(0).setOnes();
  const std::vector<double> frequencies = feature_frequencies(shape_);
  for (std::size_t k = 0; k < frequencies.size(); ++k) {
    const auto angle = static_cast<S>(frequencies[k]) * log_sigma.transpose().array();
    const Index row = 1 + 2 * static_cast<Index>(k);
    w.features.row(row) = angle.cos();
    w.features.row(row + 1) = angle.sin();
  }
}

template <class S>
typename Network<S>::Matrix& Network<S>::input(Index n, Workspace& w) const {
  const auto count = static_cast<std::size_t>(shape_.matrices());
  w.activation.resize(count);
  w.slope.resize(count);
  w.activation[0].resize(shape_.dimension, n);
  return w.activation[0];
}

template <class S>
void Network<S>::forward(Workspace& w, bool keep_slopes) const {
  const Index n = w.activation[0].cols(), e = shape_.features();
  for (std::size_t l = 0; l < offset_.size(); ++l) {
    const Index layer = static_cast<Index>(l);
    const Index rows = shape_.rows(layer), inputs = shape_.inputs(layer);
    const Eigen::Map<const Matrix> weights(parameters_.data() + offset_[l], rows, inputs + e);
    const bool last = l + 1 == offset_.size();
    Matrix& h = last ? w.output : w.h;
    if (l == 0 || last)
      h.noalias() = weights.leftCols(inputs) * w.activation[l];
    else
      h.noalias() += weights.leftCols(inputs) * w.activation[l];
    if (w.features.cols() == n) {
      h.noalias() += weights.rightCols(e) * w.features;
    } else {
      const Vector bias = weights.rightCols(e) * w.features.col(0);
      h.colwise() += bias;
    }
    if (last) break;
    Matrix& a = w.activation[l + 1];
    a = (S(1) + (-h.array()).exp()).inverse();  // the logistic function
    if (keep_slopes) w.slope[l + 1] = a.array() * (S(1) + h.array() * (S(1) - a.array()));
    a.array() *= h.array();
  }
}

template <class S>
void Network<S>::tangent(const Matrix& direction, Workspace& w, Matrix& out) const {
  for (std::size_t l = 0; l < offset_.size(); ++l) {
    const auto weights = weights_of(l);
    const bool last = l + 1 == offset_.size();
    if (last)
      out.noalias() = weights * w.back;
    else if (l == 0)
      w.h.noalias() = weights * direction;
    else
      w.h.noalias() += weights * w.back;
    if (!last) w.back = w.h.array() * w.slope[l + 1].array();
  }
}

template <class S>
void Network<S>::cotangent(const Matrix& slope, Workspace& w, Matrix& out) const {
  for (std::size_t l = offset_.size() - 1; l > 0; --l)
    pull_back(l, l + 1 == offset_.size() ? slope : w.h, w);
  out.noalias() = weights_of(0).transpose() * w.h;
}

template <class S>
void Network<S>::backward(const Matrix& output_slope, Workspace& w, Vector& gradient) const {
  const Index e = shape_.features();
  for (std::size_t l = offset_.size(); l-- > 0;) {
    const Index layer = static_cast<Index>(l);
    const Index rows = shape_.rows(layer), inputs = shape_.inputs(layer);
    const bool last = l + 1 == offset_.size();
    const Matrix& dh = last ? output_slope : w.h;
    Eigen::Map<Matrix> dw(gradient.data() + offset_[l], rows, inputs + e);
    dw.leftCols(inputs).noalias() += dh * w.activation[l].transpose();
    if (w.features.cols() == dh.cols())
      dw.rightCols(e).noalias() += dh * w.features.transpose();
    else
      dw.rightCols(e).noalias() += dh.rowwise().sum() * w.features.transpose();
    if (l == 0) break;
    pull_back(l, dh, w);
  }
}

template <class S>
void Network<S>::pull_back(std::size_t l, const Matrix& slope, Workspace& w) const {
  w.back.noalias() = weights_of(l).transpose() * slope;
  if (l + 1 == offset_.size())
    w.h = w.back.array() * w.slope[l].array();
  else
    w.h.array() += w.back.array() * w.slope[l].array();
}

template <class S>
void Adam<S>::step(const Vector& gradient, double rate, Vector& parameters) {
  constexpr double b1 = 0.9, b2 = 0.99;
  mean_decay_ *= b1;
  square_decay_ *= b2;
  mean_ = S(b1) * mean_ + S(1 - b1) * gradient;
  square_ = S(b2) * square_ + S(1 - b2) * gradient.cwiseAbs2();
  parameters.array() -= static_cast<S>(rate / (1 - mean_decay_)) * mean_.array() /
                        ((square_.array() / static_cast<S>(1 - square_decay_)).sqrt() + S(1e-8));
}

template class Network<float>;
template class Network<double>;
template class Adam<float>;
template class Adam<double>;

}  // namespace fokker
