// expect-error: Ito and Stratonovich do not match
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

int main() {
  const auto gbm = fokker::make_sde([](const auto& x, fokker::Time) { return 0.1 * x; },
                                    [](const auto& x, fokker::Time) { return 0.3 * x; },
                                    fokker::noise::diagonal);
  fokker::integrate(gbm, fokker::HeunSde{}, fokker::Fixed{0.1}, 1.0, {0, 1});
}
