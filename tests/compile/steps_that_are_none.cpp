// expect-first-error: the third argument is the steps
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

int main() {
  const auto ode = fokker::make_ode([](const auto& x, double) { return -x; });
  fokker::integrate(ode, fokker::Rk4{}, 0.1, 1.0, {0, 1});
}
