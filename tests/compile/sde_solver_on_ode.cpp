// expect-error: this solver is for SDEs and the process has no noise
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>

int main() {
  const auto decay = fokker::make_ode([](const auto& x, fokker::Time) { return -x; });
  fokker::integrate(decay, fokker::EulerMaruyama{}, fokker::Fixed{0.1}, 1.0, {0, 1});
}
