/// @file  score_error.cpp
/// @brief The draw of a random field and its values.

#include <fokker/diffusion/score/score_error.hpp>

#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include <fokker/solvers/noise/initial.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

ScoreField::ScoreField(Index d, double amplitude, double length, std::uint64_t seed,
                       Index features) {
  if (d < 1 || features < 1)
    throw std::invalid_argument(fmt::format(
        "a random field needs d >= 1 dimensions and at least one feature: got {} and {}", d,
        features));
  check_finite({"the amplitude of a random field", "amplitude"}, amplitude);
  check_positive({"the length of a random field", "length"}, length);
  PathRandom random(seed, 0, features);
  Block<double> normals(2 * d, features);
  Eigen::Array<double, 1, Eigen::Dynamic> uniforms(features);
  random.normal(normals);
  random.uniform(uniforms);
  frequencies_ = normals.topRows(d).matrix().transpose() / length;
  amplitudes_ =
      amplitude * std::sqrt(2.0 / static_cast<double>(features)) * normals.bottomRows(d).matrix();
  phases_ = 2 * std::numbers::pi * uniforms.matrix().transpose();
}

Block<double> ScoreField::values(const Block<double>& x) const {
  const Eigen::MatrixXd waves = ((frequencies_ * x.matrix()).colwise() + phases_).array().cos();
  return (amplitudes_ * waves).array();
}

}  // namespace fokker
