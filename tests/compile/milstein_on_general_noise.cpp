// expect-error: this solver does not handle the noise kind of the process
#include <fokker/solvers/integrate/integrate.hpp>
#include <fokker/solvers/ito/milstein.hpp>

int main() {
  const auto process =
      fokker::make_sde([](const auto& x, fokker::Time) { return 0.1 * x; },
                       [](const auto& x, fokker::Time, fokker::Index) { return 0.3 * x; },
                       fokker::noise::general(2));
  fokker::integrate(process, fokker::Milstein{}, fokker::Fixed{0.1}, 1.0, {0, 1});
}
