// expect-error: Ito and Stratonovich do not match
#include <fokker/analysis/convergence/convergence.hpp>
#include <fokker/solvers/stratonovich/stochastic_heun.hpp>

using namespace fokker;

int main() {
  const auto p = make_sde([](const auto& x, Time) { return -x; },
                          [](const auto& x, Time) { return 0.5 * x; }, noise::diagonal);
  measure_convergence(p, HeunSde{}, {}, {.x0 = Eigen::ArrayXd::Ones(1)}, {});
}
