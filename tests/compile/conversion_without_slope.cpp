// expect-error: need the derivative of the diffusion coefficient
#include <fokker/solvers/calculus.hpp>

int main() {
  using X = fokker::Block<double>;
  const auto gbm = fokker::make_sde([](const auto& x, fokker::Time) { return 0.1 * x; },
                                    [](const X& x, fokker::Time) { return X(0.3 * x); },
                                    fokker::noise::diagonal);
  fokker::to_stratonovich(gbm);
}
