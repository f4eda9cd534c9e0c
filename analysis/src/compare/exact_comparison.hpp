#pragma once
/// @file  exact_comparison.hpp
/// @brief The comparison on Gaussian data: the law of every scheme, without Monte Carlo.

#include <functional>
#include <vector>

#include <fokker/analysis/law/gaussian.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/score/any_score.hpp>

#include "compare/comparison_plan.hpp"

namespace fokker::detail {

/// Thrown by `ExactRun::scheme` when the settings' cancel is true.
struct Cancelled {};

/// The laws of samplers on the Gaussian data of one comparison.
class ExactRun {
 public:
  /// Settings and process must outlive it.
  ExactRun(const ComparisonSettings& settings, const DiffusionProcess& process);

  const DiagonalGaussian& data() const { return data_; }

  /// The law at the end of the grid, start first, and after FinalStep::denoise; `observe` is told t and
  /// the law at every point.
  /// @throws std::invalid_argument  for a sampler whose step is not linear
  /// @throws Cancelled               when it is cancelled
  DiagonalGaussian scheme(
      const Task& task, const TimeGrid& grid,
      const std::function<void(Time t, const DiagonalGaussian& law)>& observe = {});

  /// Evaluations of the score in the last `scheme`, per path.
  double evaluations() const {
    return static_cast<double>(score_.calls()) + (s_.last == FinalStep::denoise ? 1 : 0);
  }

  /// The row of a task.
  ComparisonRow run(const Task& task);

 private:
  DiagonalGaussian start_law(Time start) const;
  DiagonalGaussian with_wrong_score(const Task& task, Time start, Time end) const;

  const ComparisonSettings& s_;
  const DiffusionProcess& process_;
  GaussianSpectrum spectrum_;
  DiagonalGaussian data_;
  AnyScore<double> score_;
};

/// Runs the tasks and adds their rows; ends with those that are finished where it is cancelled.
void compare_laws(Comparison& result, const DiffusionProcess& process,
                  const std::vector<Task>& tasks);

}  // namespace fokker::detail
