#include <cmath>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include <Eigen/Core>

#include <fokker/analysis/linear_law.hpp>
#include <fokker/solvers/text.hpp>

namespace fokker::detail {
namespace {

template <class T>
auto vector(std::span<T> values) {
  using Vector = std::conditional_t<std::is_const_v<T>, const Eigen::VectorXd, Eigen::VectorXd>;
  return Eigen::Map<Vector>(values.data(), static_cast<Index>(values.size()));
}

/// Refuses a step whose answer at a generic point is not what linearity predicts. Answers beyond
/// all numbers, of a scheme that is not stable on this grid, tell nothing: its law is then not
/// finite.
/// @throws std::invalid_argument
void require_linear(std::span<const double> got, std::span<const double> expected) {
  const auto a = vector(got).array(), b = vector(expected).array();
  if (!a.isFinite().all() || !b.isFinite().all()) return;
  const double off = (a - b).abs().maxCoeff();
  if (off > 1e-9 * (1.0 + a.abs().maxCoeff()))
    throw std::invalid_argument(
        "the scheme is not linear on this process (for a diagonal law: not coordinate by "
        "coordinate), so its law cannot be propagated exactly: off by " +
        text(off));
}

std::span<const double> values(const Eigen::ArrayXd& a) {
  return {a.data(), static_cast<std::size_t>(a.size())};
}

}  // namespace

std::vector<double> generic_values(Index count) {
  std::vector<double> z;
  for (Index i = 0; i < count; ++i)
    z.push_back(std::fmod(static_cast<double>(i + 1) * 1.6180339887498949, 2.0) - 1.0);
  return z;
}

DiagonalMoments::DiagonalMoments(const DiagonalGaussian& law, std::size_t kept, Index sources)
    : sources_(sources),
      mean_(kept, Eigen::ArrayXd::Zero(law.mean.size())),
      covariance_(kept, mean_) {
  const Index d = law.mean.size(), columns = static_cast<Index>(kept) + sources;
  generic_ = Eigen::Map<const Eigen::ArrayXXd>(generic_values(d * columns).data(), d, columns);
  mean_[0] = law.mean;
  covariance_[0][0] = law.variance;
}

void DiagonalMoments::ask(const std::vector<Block<double>*>& carried) const {
  Index column = 0;
  for (Block<double>* array : carried) {
    array->setZero();
    array->col(1 + column).setOnes();
    array->col(columns() - 1) = generic_.col(column);
    ++column;
  }
}

void DiagonalMoments::advance(const std::vector<Block<double>*>& answers) {
  using Array = Eigen::ArrayXd;
  const std::size_t kept = mean_.size();
  const Index d = generic_.rows();
  const auto count = [](std::size_t n) { return static_cast<Index>(n); };
  const auto response = [&](std::size_t i, Index column) -> Array {
    return answers[i]->col(column) - answers[i]->col(0);
  };
  std::vector<std::vector<Array>> a(kept), c(kept);
  for (std::size_t i = 0; i < kept; ++i) {
    Array expected = answers[i]->col(0);
    for (std::size_t j = 0; j < kept; ++j) {
      a[i].push_back(response(i, 1 + count(j)));
      expected += a[i][j] * generic_.col(count(j));
    }
    for (Index s = 0; s < sources_; ++s) {
      c[i].push_back(response(i, column_of_normal(s)));
      expected += c[i].back() * generic_.col(count(kept) + s);
    }
    const Array got = answers[i]->col(columns() - 1);
    require_linear(values(got), values(expected));
  }

  std::vector<Array> next_mean;
  std::vector<std::vector<Array>> half(kept), next(kept);  // half = a covariance
  for (std::size_t i = 0; i < kept; ++i) {
    next_mean.push_back(answers[i]->col(0));
    for (std::size_t j = 0; j < kept; ++j) {
      next_mean[i] += a[i][j] * mean_[j];
      half[i].push_back(Array::Zero(d));
      for (std::size_t l = 0; l < kept; ++l) half[i][j] += a[i][l] * covariance_[l][j];
    }
  }
  for (std::size_t i = 0; i < kept; ++i)
    for (std::size_t j = 0; j < kept; ++j) {
      next[i].push_back(Array::Zero(d));
      for (std::size_t l = 0; l < kept; ++l) next[i][j] += half[i][l] * a[j][l];
      for (std::size_t s = 0; s < c[i].size(); ++s) next[i][j] += c[i][s] * c[j][s];
    }
  mean_.swap(next_mean);
  covariance_.swap(next);
}

void DiagonalMoments::get(DiagonalGaussian& law) const {
  law.mean = mean_[0];
  law.variance = covariance_[0][0];
}

void advance_moments(std::span<const double> answers, std::span<const double> generic,
                     std::span<double> mean, std::span<double> covariance) {
  using Eigen::MatrixXd, Eigen::VectorXd;
  const auto n = static_cast<Index>(mean.size()), m = static_cast<Index>(generic.size()) - n;
  const Eigen::Map<const MatrixXd> z(answers.data(), n, 2 + n + m);
  const VectorXd b = z.col(0), got = z.col(1 + n + m);
  const MatrixXd a = z.middleCols(1, n).colwise() - b;
  const MatrixXd c = z.middleCols(1 + n, m).colwise() - b;
  const VectorXd expected = a * vector(generic).head(n) + c * vector(generic).tail(m) + b;
  require_linear({got.data(), mean.size()}, {expected.data(), mean.size()});
  auto first = vector(mean);
  Eigen::Map<MatrixXd> second(covariance.data(), n, n);
  first = a * first + b;  // a product is evaluated before it is assigned
  second = a * second * a.transpose() + c * c.transpose();
}

}  // namespace fokker::detail
