#include <stdexcept>
#include <type_traits>

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

}  // namespace

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
