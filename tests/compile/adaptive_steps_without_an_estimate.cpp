// expect-first-error: this ODE solver does not estimate its error
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

int main() {
  const auto ode = fokker::make_ode([](const auto& x, double) { return -x; });
  fokker::integrate(ode, fokker::Rk4{}, fokker::Adaptive{}, 1.0, {0, 1});
}
