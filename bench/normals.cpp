/// @file  normals.cpp
/// @brief Standard normals: the lanes of a block against one generator after another.

#include <random>
#include <vector>

#include <benchmark/benchmark.h>
#include <pcg_random.hpp>

#include <fokker/solvers/noise/random.hpp>

namespace {

using fokker::Generator;

constexpr std::size_t size = 1024;

template <class S, Generator generator = Generator::pcg32>
void lanes(benchmark::State& state) {
  fokker::StreamLanes streams({1, generator}, 0, size, fokker::Purpose::wiener);
  std::vector<S> z0(size), z1(size);
  for (auto _ : state) {
    streams.normal_pair(z0.data(), z1.data(), S(1), S(1));
    benchmark::DoNotOptimize(z0.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(2 * size));
}

template <class S, class Generator>
void standard(benchmark::State& state) {
  Generator generator(1);
  std::normal_distribution<S> normal;
  std::vector<S> z(size);
  for (auto _ : state) {
    for (S& value : z) value = normal(generator);
    benchmark::DoNotOptimize(z.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

BENCHMARK(lanes<double>)->Name("normals/fokker");
BENCHMARK(lanes<double, Generator::philox>)->Name("normals/fokker, philox");
BENCHMARK(standard<double, pcg64>)->Name("normals/pcg64 + std::normal_distribution");
BENCHMARK(standard<double, std::mt19937_64>)->Name("normals/mt19937_64 + std::normal_distribution");
BENCHMARK(lanes<float>)->Name("normals_float/fokker");
BENCHMARK(lanes<float, Generator::philox>)->Name("normals_float/fokker, philox");
BENCHMARK(standard<float, pcg64>)->Name("normals_float/pcg64 + std::normal_distribution");

}  // namespace
