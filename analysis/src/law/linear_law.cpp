#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <Eigen/Core>
#include <Eigen/QR>

#include <fokker/analysis/law/linear_law.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {
namespace {

using Array = Eigen::ArrayXd;

/// Rotates column k of the form into column i, coordinate by coordinate, so that entry k of array i
/// becomes 0. Orthogonal: the law stays, and every array keeps its norm to rounding.
void rotate(std::vector<Eigen::ArrayXXd>& root, std::size_t i, Index k) {
  const auto pivot = static_cast<Index>(i);
  const Array a = root[i].col(pivot), b = root[i].col(k);
  const Array r = a.binaryExpr(b, [](double x, double y) { return std::hypot(x, y); });
  const Array c = (r == 0).select(Array::Ones(r.size()), a / r);
  const Array s = (r == 0).select(Array::Zero(r.size()), b / r);
  for (std::size_t l = i; l < root.size(); ++l) {
    const Array kept = c * root[l].col(pivot) + s * root[l].col(k);
    root[l].col(k) = c * root[l].col(k) - s * root[l].col(pivot);
    root[l].col(pivot) = kept;
  }
}

}  // namespace

void require_linear(std::span<const double> got, std::span<const double> expected, double scale) {
  const auto n = static_cast<Index>(got.size());
  const Eigen::Map<const Array> a(got.data(), n), b(expected.data(), n);
  if (!a.isFinite().all() || !b.isFinite().all() || !std::isfinite(scale)) return;
  const double off = (a - b).abs().maxCoeff();
  if (off > 1e-9 * scale)
    throw std::invalid_argument(
        "the scheme is not linear on this process (for a diagonal law: not coordinate by "
        "coordinate), so its law cannot be propagated exactly: off by " +
        text(off));
}

std::vector<double> generic_values(Index count) {
  std::vector<double> z;
  for (Index i = 0; i < count; ++i)
    z.push_back(std::fmod(static_cast<double>(i + 1) * 1.6180339887498949, 2.0) - 1.0);
  return z;
}

DiagonalForm::DiagonalForm(const DiagonalGaussian& law, std::size_t kept, Index sources)
    : width_(sources == 0 ? 1 : static_cast<Index>(kept)),
      sources_(sources),
      mean_(kept, Array::Zero(law.mean.size())),
      root_(kept, Eigen::ArrayXXd::Zero(law.mean.size(), width_)) {
  if ((law.variance.array() < 0).any())
    throw std::invalid_argument("a variance must be >= 0: got " + text(law.variance.minCoeff()));
  const Index d = law.mean.size(), columns = width_ + 1 + sources;
  generic_ = Eigen::Map<const Eigen::ArrayXXd>(generic_values(d * columns).data(), d, columns);
  mean_[0] = law.mean;
  root_[0].col(0) = law.variance.array().sqrt();
}

void DiagonalForm::ask(const std::vector<Block<double>*>& carried) const {
  for (std::size_t i = 0; i < carried.size(); ++i) {
    Block<double>& array = *carried[i];
    array.setZero();
    array.middleCols(1, width_) = root_[i];
    array.col(1 + width_) = mean_[i];
    const double size = std::max(root_[i].abs().maxCoeff(), mean_[i].abs().maxCoeff());
    const auto rough = generic_values(static_cast<Index>(i + 1) * array.rows());
    array.col(columns() - 2) =
        size *
        Eigen::Map<const Array>(rough.data(), static_cast<Index>(rough.size())).tail(array.rows());
    array.col(columns() - 1) =
        (root_[i] * generic_.leftCols(width_)).rowwise().sum() + mean_[i] * generic_.col(width_);
  }
}

void DiagonalForm::advance(const std::vector<Block<double>*>& answers) {
  const Index d = generic_.rows(), used = width_ + 1 + sources_;
  std::vector<Array> expected(answers.size());
  double scale = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Array zero = answers[i]->col(0);
    const Array mean = answers[i]->col(1 + width_);
    Eigen::ArrayXXd next(d, width_ + sources_);
    next.leftCols(width_) = answers[i]->middleCols(1, width_).colwise() - zero;
    next.rightCols(sources_) = answers[i]->middleCols(2 + width_, sources_).colwise() - zero;
    expected[i] = zero + (next.leftCols(width_) * generic_.leftCols(width_)).rowwise().sum() +
                  (mean - zero) * generic_.col(width_) +
                  (next.rightCols(sources_) * generic_.rightCols(sources_)).rowwise().sum();
    for (const double size : {root_[i].abs().maxCoeff(), mean_[i].abs().maxCoeff(),
                              answers[i]->leftCols(2 + used).abs().maxCoeff()})
      scale = std::max(scale, size);
    mean_[i] = mean;
    root_[i] = std::move(next);
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Array got = answers[i]->col(columns() - 1);
    const auto count = static_cast<std::size_t>(d);
    require_linear({got.data(), count}, {expected[i].data(), count}, scale);
  }
  if (sources_ == 0) return;
  for (std::size_t i = 0; i < root_.size(); ++i)
    for (Index k = static_cast<Index>(i) + 1; k < width_ + sources_; ++k) rotate(root_, i, k);
  for (Eigen::ArrayXXd& root : root_) root.conservativeResize(d, width_);
}

void DiagonalForm::get(DiagonalGaussian& law) const {
  law.mean = mean_[0];
  law.variance = root_[0].square().rowwise().sum();
}

FullForm::FullForm(const GaussianRoot& law, Index size, Index sources)
    : sources_(sources), mean_(Eigen::VectorXd::Zero(size)) {
  // noise fills the root up to a square, which the first steps would otherwise widen to
  const Index width = sources == 0 ? law.root.cols() : std::max(size, law.root.cols());
  root_ = Eigen::MatrixXd::Zero(size, width);
  mean_.head(law.mean.size()) = law.mean;
  root_.topLeftCorner(law.root.rows(), law.root.cols()) = law.root;
}

double FullForm::normal(Index s) const {
  return generic_values(root_.cols() + 1 +
                        sources_)[static_cast<std::size_t>(root_.cols() + 1 + s)];
}

Eigen::MatrixXd FullForm::ask() const {
  const Index width = root_.cols();
  const std::vector<double> generic = generic_values(width + 1);
  Eigen::MatrixXd columns = Eigen::MatrixXd::Zero(mean_.size(), this->columns());
  columns.middleCols(1, width) = root_;
  columns.col(1 + width) = mean_;
  // each number of the size of its row, which a step combines as it does not in a law
  const std::vector<double> rough = generic_values(mean_.size());
  columns.col(this->columns() - 2) =
      (root_.rowwise().norm() + mean_.cwiseAbs())
          .cwiseProduct(Eigen::Map<const Eigen::VectorXd>(rough.data(), mean_.size()));
  columns.col(this->columns() - 1) =
      root_ * Eigen::Map<const Eigen::VectorXd>(generic.data(), width) +
      generic[static_cast<std::size_t>(width)] * mean_;
  return columns;
}

void FullForm::advance(const Eigen::MatrixXd& answers) {
  const Index size = mean_.size(), width = root_.cols();
  const std::vector<double> values = generic_values(width + 1 + sources_);
  const Eigen::Map<const Eigen::VectorXd> generic(values.data(), width + 1 + sources_);
  const Eigen::VectorXd zero = answers.col(0);
  Eigen::MatrixXd next(size, width + sources_);
  next.leftCols(width) = answers.middleCols(1, width).colwise() - zero;
  next.rightCols(sources_) = answers.middleCols(2 + width, sources_).colwise() - zero;
  const Eigen::VectorXd got = answers.col(columns() - 1);
  const Eigen::VectorXd expected = zero + next.leftCols(width) * generic.head(width) +
                                   (answers.col(1 + width) - zero) * generic[width] +
                                   next.rightCols(sources_) * generic.tail(sources_);
  const double scale = std::max({root_.cwiseAbs().maxCoeff(), mean_.cwiseAbs().maxCoeff(),
                                 answers.leftCols(columns() - 1).cwiseAbs().maxCoeff()});
  const auto count = static_cast<std::size_t>(size);
  require_linear({got.data(), count}, {expected.data(), count}, scale);
  mean_ = answers.col(1 + width);
  if (next.cols() > width) {  // Q of next^T = Q R leaves the law: keep R^T, with zeros behind it
    const Eigen::HouseholderQR<Eigen::MatrixXd> qr(next.transpose());
    root_.setZero();
    root_.leftCols(size) =
        qr.matrixQR().topRows(size).triangularView<Eigen::Upper>().toDenseMatrix().transpose();
  } else {
    root_ = std::move(next);
  }
}

}  // namespace fokker::detail
