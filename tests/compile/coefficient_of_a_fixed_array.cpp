// expect-error: a coefficient must return a number or an Eigen array expression
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>

// Eigen would convert the block of paths to the fixed array and drop all columns but one.
int main() {
  const auto process =
      fokker::make_sde([](const Eigen::Array2d& x, fokker::Time) -> Eigen::Array2d { return -x; },
                       [](fokker::Time) { return 1.0; }, fokker::noise::additive);
  const fokker::Block<double> x0 = fokker::Block<double>::Ones(2, 8);
  fokker::integrate(process, fokker::EulerMaruyama{}, fokker::Fixed{0.1}, x0, {0, 1});
}
