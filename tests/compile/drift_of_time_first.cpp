// expect-first-error: the drift takes \(t, x\): fokker calls drift\(x, t\)
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

int main() {
  const auto ode = fokker::make_ode([](double t, const auto& x) { return -t * x; });
  fokker::integrate(ode, fokker::Rk4{}, fokker::Fixed{0.1}, 1.0, {0, 1});
}
