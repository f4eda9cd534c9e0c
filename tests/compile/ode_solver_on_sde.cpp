// expect-error: this solver is for ODEs and the process has noise
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

int main() {
  const auto wiener = fokker::make_sde([](const auto&, fokker::Time) { return 0.0; },
                                       [](fokker::Time) { return 1.0; }, fokker::noise::additive);
  fokker::integrate(wiener, fokker::Rk4{}, fokker::Fixed{0.1}, 0.0, {0, 1});
}
