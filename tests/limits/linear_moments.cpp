/// @file  limits/linear_moments.cpp
/// @brief Covariances of linear SDEs where they are small beside the second moment: against the
///        equation of the second moment, solved in 80 digits by mpmath.

#include "limits/row.hpp"

#include <cmath>

#include "catch.hpp"

#include <fokker/processes/models/kubo.hpp>
#include <fokker/processes/models/langevin.hpp>
#include <fokker/processes/models/linear.hpp>

using namespace fokker;

namespace {

void check(const Eigen::MatrixXd& c, double c11, double c12, double c22, double tolerance = 1e-13) {
  CHECK_THAT(c(0, 0), WithinRel(c11, tolerance));
  CHECK_THAT(c(0, 1), WithinRel(c12, tolerance));
  CHECK_THAT(c(1, 0), WithinRel(c12, tolerance));
  CHECK_THAT(c(1, 1), WithinRel(c22, tolerance));
}

Eigen::MatrixXd matrix(double a, double b, double c, double d) {
  return (Eigen::MatrixXd(2, 2) << a, b, c, d).finished();
}

}  // namespace

TEST_CASE("the covariance of the Kubo oscillator keeps its digits at small noise and small times") {
  const Eigen::Array2d axis(1, 0), x0(0.3, -2);

  check(KuboOscillator{1, 1e-9}.covariance(axis, 1), 7.0807341827357119e-19,
        -4.5464871341284085e-19, 2.9192658172642881e-19);
  check(KuboOscillator{1, 1e-9}.covariance(x0, 1e-6), 3.99999879999609e-24, 6.000039099988e-25,
        9.0001200003909999e-26);
  check(KuboOscillator{3, 0.7}.covariance(x0, 2), 1.7397540462625658, -0.12723457972718004,
        0.81522355943521007);
  CHECK(KuboOscillator{1, 1e-200}.covariance(axis, 0).isZero(0));
  limit_row("laws", "covariance of `kubo`", "sigma = 1e-9, t from 1e-6", "13 digits");
}

TEST_CASE("the covariance of Langevin dynamics keeps its digits at every friction and time") {
  const Eigen::Array2d x0(1, 0);

  check(Langevin{}.covariance(x0, 1e-6), 6.6666616666676667e-19, 9.9999900000025e-13,
        1.9999980000006667e-6);
  check(Langevin{}.covariance(x0, 1e-12), 6.6666666666616667e-37, 9.99999999999e-25,
        1.999999999998e-12);
  check(Langevin{.gamma = 2, .kT = 0.5}.covariance(x0, 0.3), 0.011557643876316475,
        0.049393047248462379, 0.34084462553273233);  // equal eigenvalues
  check(Langevin{.gamma = 1000}.covariance(x0, 2), 0.0039890266051362356, 0.00099601196940782919,
        0.99999900398703458, 1e-11);
  check(Langevin{.gamma = 0.001}.covariance(x0, 100), 0.095557567551507168, 0.00023201582551618564,
        0.094767364360748169, 1e-11);
  check(Langevin{.stiffness = 1e6}.covariance(x0, 1e-3), 5.4495208305529112e-10,
        7.0736576206687796e-7, 0.0014533408844326587, 1e-11);
  check(Langevin{.kT = 1e-18}.covariance(x0, 1), 2.8016578037581821e-19, 2.8462992723914709e-19,
        6.9944541004215006e-19);
  limit_row("laws", "covariance of `langevin`",
            "t from 1e-12, kT from 1e-18, gamma from 0.001 to 1000", "11 digits at least");
}

TEST_CASE("the covariance of a linear SDE keeps its digits at small noise") {
  const Eigen::MatrixXd A = matrix(-0.4, 0.3, 0.1, -0.2), B1 = matrix(0.2, 0.4, 0, 0.1),
                        B2 = matrix(0.1, 0, 0.5, -0.2);
  const LinearSde small = LinearSde::homogeneous(A, {1e-9 * B1, 1e-9 * B2});
  LinearSde affine = LinearSde::homogeneous(A, {B1, B2});
  affine.a << 0.7, -0.3;
  affine.b[0] << 0.1, 0.2;
  affine.b[1] << 0, -0.5;
  const Eigen::Array2d x0(1, 1);

  check(small.covariance(x0, 1e-6), 3.699998420000441e-25, 8.9999997499993733e-26,
        9.99999790000033e-26);
  check(small.covariance(x0, 1), 2.4781260980350408e-19, 8.3062547350170606e-20,
        8.1746085462957717e-20);
  check(small.covariance(x0, 30), 9.4986522324454229e-21, 8.4374388365199143e-21,
        8.2747731046020393e-21);
  check(affine.covariance(x0, 1.5), 0.53581301687435141, 0.27112067835561175, 0.1958022808212336);
  limit_row("laws", "covariance of `linear`", "noise 1e-9 times the default", "13 digits");
}
