// expect-first-error: x0 must be a number, an Eigen vector or array, a std::array or a std::vector
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

int main() {
  const auto ode = fokker::make_ode([](const auto& x, double) { return -x; });
  fokker::integrate(ode, fokker::Rk4{}, fokker::Fixed{0.1}, "1.0", {0, 1});
}
