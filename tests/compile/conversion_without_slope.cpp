// expect-ok
#include <fokker/solvers/core/calculus.hpp>

int main() {
  const auto gbm = fokker::make_sde([](const auto& x, fokker::Time) { return 0.1 * x; },
                                    [](const auto& x, fokker::Time) { return 0.3 * x; },
                                    fokker::noise::diagonal);
  fokker::to_stratonovich(gbm);
}
