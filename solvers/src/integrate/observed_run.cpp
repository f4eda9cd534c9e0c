/// @file  observed_run.cpp
/// @brief The run of `integrate`, compiled for the common states.

#include <fokker/solvers/integrate/observed_run.hpp>

namespace fokker::detail {

template class Integrator<PathState<double, 1>>;
template class Integrator<PathState<double, 2>>;
template class Integrator<PathState<double, 3>>;
template class Integrator<Block<double>>;
template class ObservedRun<PathState<double, 1>>;
template class ObservedRun<PathState<double, 2>>;
template class ObservedRun<PathState<double, 3>>;
template class ObservedRun<Block<double>>;

}  // namespace fokker::detail
