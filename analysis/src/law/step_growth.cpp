/// @file  step_growth.cpp
/// @brief Spectral radii of steps and of the solutions that they stand for.

#include <fokker/analysis/law/step_growth.hpp>

#include <cmath>
#include <numbers>

#include <Eigen/Eigenvalues>

namespace fokker {

bool StepGrowth::unstable(Index steps) const {
  constexpr double rounding = 1e-7;  // of the eigenvalues of a defective matrix
  return scheme > rounding && static_cast<double>(steps) * (scheme - solution) > std::numbers::ln2;
}

namespace detail {

const Rule& gauss_rule() {
  static const Rule rule{
      {-2.8569700138728056, -1.3556261799742659, 0, 1.3556261799742659, 2.8569700138728056},
      {0.011257411327720691, 0.22207592200561264, 8.0 / 15, 0.22207592200561264,
       0.011257411327720691}};
  return rule;
}

const Rule& cell_rule() {
  static const Rule rule{{-1.8, -1.2, -0.5, 0.5, 1.2, 1.8},
                         {1.0 / 12, 1.0 / 12, 1.0 / 3, 1.0 / 3, 1.0 / 12, 1.0 / 12}};
  return rule;
}

void add_kronecker(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b, Eigen::MatrixXd& total) {
  const Index d = a.rows();
  for (Index i = 0; i < d; ++i)
    for (Index j = 0; j < d; ++j) total.block(d * i, d * j, d, d) += a(i, j) * b;
}

void add_square(const Eigen::MatrixXd& map, double weight, Eigen::MatrixXd& total) {
  add_kronecker(weight * map, map, total);
}

double log_spectral_radius(const Eigen::MatrixXd& a) {
  return std::log(a.eigenvalues().cwiseAbs().maxCoeff());
}

double spectral_abscissa(const Eigen::MatrixXd& a) { return a.eigenvalues().real().maxCoeff(); }

}  // namespace detail

}  // namespace fokker
