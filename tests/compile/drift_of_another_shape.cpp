// expect-first-error: a coefficient must return a number or an Eigen array expression
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

int main() {
  const auto ode = fokker::make_ode([](const auto&, double) { return Eigen::Array3d(1, 2, 3); });
  fokker::integrate(ode, fokker::Rk4{}, fokker::Fixed{0.1}, Eigen::Array2d(1, 2), {0, 1});
}
