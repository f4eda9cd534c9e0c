// expect-first-error: the drift cannot be called as drift\(x, t\)
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

#include <vector>

int main() {
  const auto ode = fokker::make_ode([](const std::vector<double>& x, double) { return -x[0]; });
  fokker::integrate(ode, fokker::Rk4{}, fokker::Fixed{0.1}, 1.0, {0, 1});
}
