// expect-first-error: this solver chooses its own steps
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/radau.hpp>

int main() {
  const auto ode = fokker::make_ode([](const auto& x, double) { return -x; });
  fokker::integrate(ode, fokker::Radau5{}, fokker::Fixed{0.1}, 1.0, {0, 1});
}
