#pragma once
/// @file  kernels/limit.hpp
/// @brief What could be had at most: the work of the benchmarks by hand, for one process and one
///        mixture, with all of a path in registers.
///
/// The generator and its normals are those of the library (StreamLanes), so that the results agree
/// to rounding; the benchmarks check that they do.

#include <cstddef>
#include <cstdint>

namespace fokker::detail {

/// Eight isotropic modes in the plane at one time.
struct PlaneModes {
  static constexpr std::size_t count = 8;
  double mean_x[count], mean_y[count];
  double precision[count], log_weight[count];
};

/// A step of the reverse SDE: x <- keep x + score_weight score(x) + noise z.
struct ReverseStep {
  PlaneModes modes;
  double keep, score_weight, noise;
};

struct LimitKernels {
  /// The mean of X_N over `paths` (a multiple of 32), X_0 = 1, for `steps` (even) of
  /// X <- X (growth + spread z).
  double (*gbm)(std::uint64_t seed, std::size_t paths, std::size_t steps, double growth,
                double spread);

  /// The score of n (a multiple of 32) points.
  void (*score)(const PlaneModes& modes, const double* x, const double* y, std::size_t n,
                double* score_x, double* score_y);

  /// The mean of x^2 + y^2 over `paths` (a multiple of 32), from a standard normal.
  double (*reverse)(std::uint64_t seed, std::size_t paths, const ReverseStep* steps,
                    std::size_t count);
};

namespace baseline {
extern const LimitKernels limit_kernels;
}
namespace avx2 {
extern const LimitKernels limit_kernels;
}
namespace avx512 {
extern const LimitKernels limit_kernels;
}

}  // namespace fokker::detail
