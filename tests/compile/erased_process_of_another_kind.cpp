// expect-error: the process has another kind of noise
#include <fokker/solvers/core/any_process.hpp>

int main() {
  const fokker::AnySde<fokker::NoiseKind::diagonal> process{
      fokker::make_sde([](const auto&, fokker::Time) { return 0.0; },
                       [](fokker::Time) { return 1.0; }, fokker::noise::additive)};
}
