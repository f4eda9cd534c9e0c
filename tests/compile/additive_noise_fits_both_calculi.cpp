// expect-ok
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/euler_maruyama.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

int main() {
  const auto wiener = fokker::make_sde([](const auto&, fokker::Time) { return 0.0; },
                                       [](fokker::Time) { return 1.0; }, fokker::noise::additive);
  fokker::integrate(wiener, fokker::EulerMaruyama{}, fokker::Fixed{0.1}, 0.0, {0, 1});
  fokker::integrate(wiener, fokker::HeunSde{}, fokker::Fixed{0.1}, 0.0, {0, 1});
}
