/// @file  network.cpp
/// @brief The network of learned scores: its formula, its gradient, and the optimiser.

#include <cmath>
#include <limits>

#include <Eigen/Core>

#include <fokker/diffusion/score/network.hpp>

#include "catch.hpp"

using fokker::Adam;
using fokker::Index;
using fokker::Network;
using fokker::NetworkShape;

namespace {

constexpr NetworkShape small{.dimension = 3, .width = 5, .layers = 2, .frequencies = 2};

/// A network of which no weight is zero.
template <class S>
Network<S> filled(const NetworkShape& shape) {
  Network<S> network(shape);
  for (Index i = 0; i < network.parameters().size(); ++i)
    network.parameters()(i) = static_cast<S>(0.4 * std::sin(1.0 + 1.7 * static_cast<double>(i)));
  return network;
}

Eigen::MatrixXd points(Index d, Index n) {
  Eigen::MatrixXd x(d, n);
  for (Index j = 0; j < n; ++j)
    for (Index r = 0; r < d; ++r)
      x(r, j) = std::cos(0.3 + static_cast<double>(r) + 2.1 * static_cast<double>(j));
  return x;
}

/// Half the sum of squares of F, whose slope in F is F.
double half_square(const Network<double>& network, const Eigen::MatrixXd& x,
                   const Eigen::VectorXd& log_sigma, Network<double>::Workspace& w) {
  network.input(x.cols(), w) = x;
  network.set_features(log_sigma, w);
  network.forward(w, true);
  return 0.5 * w.output.squaredNorm();
}

}  // namespace

TEST_CASE("the network is the formula of its header") {
  const NetworkShape shape{.dimension = 1, .width = 1, .layers = 1, .frequencies = 1};
  const Network<double> network = filled<double>(shape);
  const double x = 0.7, log_sigma = -1.3;
  Network<double>::Workspace w;

  network.input(1, w)(0, 0) = x;
  network.set_features(Eigen::VectorXd::Constant(1, log_sigma), w);
  network.forward(w, false);

  const auto& p = network.parameters();
  const auto silu = [](double z) { return z / (1 + std::exp(-z)); };
  const double c = std::cos(0.1 * log_sigma), s = std::sin(0.1 * log_sigma);
  const double h1 = p(0) * x + p(1) + p(2) * c + p(3) * s;
  const double h2 = h1 + p(4) * silu(h1) + p(5) + p(6) * c + p(7) * s;
  const double f = p(8) * silu(h2) + p(9) + p(10) * c + p(11) * s;
  REQUIRE(p.size() == 12);
  CHECK(std::abs(w.output(0, 0) - f) < 1e-15);
}

TEST_CASE("the gradient of the network is that of differences") {
  for (const Index levels : {Index{1}, Index{4}}) {  // one for the block, or one for each column
    CAPTURE(levels);
    Network<double> network = filled<double>(small);
    const Eigen::MatrixXd x = points(3, 4);
    const Eigen::VectorXd log_sigma = Eigen::VectorXd::LinSpaced(levels, -2.5, 1.5);
    Network<double>::Workspace w;
    Eigen::VectorXd gradient = Eigen::VectorXd::Zero(network.parameters().size());

    half_square(network, x, log_sigma, w);
    network.backward(w.output, w, gradient);

    constexpr double h = 1e-5;
    for (Index i = 0; i < gradient.size(); ++i) {
      double& weight = network.parameters()(i);
      const double here = weight;
      weight = here + h;
      const double above = half_square(network, x, log_sigma, w);
      weight = here - h;
      const double below = half_square(network, x, log_sigma, w);
      weight = here;
      CAPTURE(i);
      CHECK(std::abs(gradient(i) - (above - below) / (2 * h)) < 1e-8);
    }
  }
}

TEST_CASE("the derivative of the network along a direction is that of differences") {
  for (const Index layers : {Index{0}, Index{2}}) {
    CAPTURE(layers);
    const Network<double> network =
        filled<double>({.dimension = 3, .width = 5, .layers = layers, .frequencies = 2});
    const Eigen::MatrixXd x = points(3, 4), direction = points(3, 4).rowwise().reverse();
    const Eigen::VectorXd log_sigma = Eigen::VectorXd::Constant(1, -0.4);
    Network<double>::Workspace w;
    Network<double>::Matrix along = direction, out;

    half_square(network, x, log_sigma, w);
    network.tangent(along, w, out);

    constexpr double h = 1e-5;
    half_square(network, x + h * direction, log_sigma, w);
    const Eigen::MatrixXd above = w.output;
    half_square(network, x - h * direction, log_sigma, w);
    CHECK((out - (above - w.output) / (2 * h)).cwiseAbs().maxCoeff() < 1e-9);
  }
}

TEST_CASE("the transposed derivative gives the same products as the derivative") {
  for (const Index layers : {Index{0}, Index{2}}) {
    CAPTURE(layers);
    const Network<double> network =
        filled<double>({.dimension = 3, .width = 5, .layers = layers, .frequencies = 2});
    const Network<double>::Matrix v = points(3, 4), u = points(3, 4).array().sin();
    Network<double>::Workspace w;
    Network<double>::Matrix along, back;

    half_square(network, points(3, 4), Eigen::VectorXd::Constant(1, -0.4), w);
    network.tangent(v, w, along);
    network.cotangent(u, w, back);

    const auto product = u.cwiseProduct(along).colwise().sum().eval();
    CHECK((product - back.cwiseProduct(v).colwise().sum()).cwiseAbs().maxCoeff() < 1e-14);
    network.tangent(u, w, along);
    CHECK((along - back).cwiseAbs().maxCoeff() > 0.01);  // it is not symmetric
  }
}

TEST_CASE("gradients of blocks add up") {
  const Network<double> network = filled<double>(small);
  const Eigen::VectorXd log_sigma = Eigen::VectorXd::LinSpaced(4, -2.5, 1.5);
  const Eigen::MatrixXd x = points(3, 4);
  Network<double>::Workspace w;
  Eigen::VectorXd whole = Eigen::VectorXd::Zero(network.parameters().size()), parts = whole;

  half_square(network, x, log_sigma, w);
  network.backward(w.output, w, whole);
  for (const Index first : {Index{0}, Index{1}}) {
    const Index n = first == 0 ? 1 : 3;
    half_square(network, x.middleCols(first, n), log_sigma.segment(first, n), w);
    network.backward(w.output, w, parts);
  }

  CHECK((whole - parts).cwiseAbs().maxCoeff() < 1e-14);
}

TEST_CASE("a network is the same in float up to rounding") {
  const Network<double> exact = filled<double>(small);
  const Network<float> network = filled<float>(small);
  Network<double>::Workspace w;
  Network<float>::Workspace single;
  const Eigen::MatrixXd x = points(3, 4);

  half_square(exact, x, Eigen::VectorXd::Constant(1, 0.5), w);
  network.input(4, single) = x.cast<float>();
  network.set_features(Eigen::VectorXf::Constant(1, 0.5f), single);
  network.forward(single, false);

  CHECK((w.output - single.output.cast<double>()).cwiseAbs().maxCoeff() < 1e-6);
}

TEST_CASE("a new network is zero, the same for the same seed") {
  Network<float> network(small), same(small), other(small);
  network.initialise(7);
  same.initialise(7);
  other.initialise(8);
  Network<float>::Workspace w;

  network.input(4, w) = points(3, 4).cast<float>();
  network.set_features(Eigen::VectorXf::Constant(1, 0.5f), w);
  network.forward(w, false);

  CHECK(w.output.isZero(0));
  CHECK(w.activation[2].cwiseAbs().maxCoeff() > 0.01f);
  CHECK(network.parameters() == same.parameters());
  CHECK(network.parameters() != other.parameters());
}

TEST_CASE("Adam moves as its formula says") {
  Eigen::VectorXd x{{1.0, -2.0}};
  const Eigen::VectorXd first{{0.5, -4.0}}, second{{-1.0, 2.0}};
  Adam<double> adam(2);

  adam.step(first, 0.1, x);
  const Eigen::VectorXd after_one = x;
  adam.step(second, 0.1, x);

  // In the first step m^ = g and v^ = g^2: it moves by the rate against the sign.
  CHECK((after_one - Eigen::VectorXd{{0.9, -1.9}}).cwiseAbs().maxCoeff() < 1e-8);
  for (Index i = 0; i < 2; ++i) {
    const double m = (0.9 * 0.1 * first(i) + 0.1 * second(i)) / (1 - 0.81);
    const double v =
        (0.99 * 0.01 * first(i) * first(i) + 0.01 * second(i) * second(i)) / (1 - 0.9801);
    CHECK(std::abs(x(i) - (after_one(i) - 0.1 * m / (std::sqrt(v) + 1e-8))) < 1e-14);
  }
}

TEST_CASE("impossible networks are refused") {
  CHECK_THROWS_AS(Network<float>({.dimension = 0}), std::invalid_argument);
  CHECK_THROWS_AS(Network<float>({.dimension = 2, .width = 0}), std::invalid_argument);
  CHECK_THROWS_AS(Network<float>({.dimension = 2, .width = 8, .layers = -1}),
                  std::invalid_argument);
  CHECK_THROWS_AS(Network<float>({.dimension = 2, .width = 20000, .layers = 3}),
                  std::invalid_argument);
  CHECK_THROWS_AS(Network<float>({.dimension = std::numeric_limits<Index>::max()}),
                  std::invalid_argument);
}
