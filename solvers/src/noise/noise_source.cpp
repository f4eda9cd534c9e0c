/// @file  noise_source.cpp
/// @brief Increments copied between sources.

#include <fokker/solvers/noise/noise_source.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace fokker::detail {

template <class S, class From>
void copy_columns(const Numbers<S>& to, const Numbers<const From>& from, Index first) {
  const Index given = std::min(to.columns, from.columns - first);
  for (Index i = 0; i < to.rows; ++i) {
    S* const row = to.first + i * to.row_stride;
    const From* const source = from.first + i * from.row_stride + first * from.column_stride;
    for (Index j = 0; j < to.columns; ++j)
      row[j * to.column_stride] = j < given ? static_cast<S>(source[j * from.column_stride]) : S(0);
  }
}

template void copy_columns(const Numbers<double>&, const Numbers<const double>&, Index);
template void copy_columns(const Numbers<double>&, const Numbers<const float>&, Index);
template void copy_columns(const Numbers<float>&, const Numbers<const double>&, Index);
template void copy_columns(const Numbers<float>&, const Numbers<const float>&, Index);

template <class S>
RunNoise<S>::RunNoise(const NoiseKey& key, Index n, Index m, Needs needs)
    : needs_(needs), down_(key.down) {
  if (key.has_source()) {
    if (m == 0)
      throw std::invalid_argument(
          "a process without noise takes no noise source: leave .noise out");
    given_ = key.given->make(key.path, key.run_path, n, m, key.run_paths, needs);
    erased_.resize(m, n, needs);
  } else {
    own_.emplace(key.seed, key.path, n, m, needs);
  }
}

template <class S>
RunNoise<S>::RunNoise(const RunNoise& other)
    : own_(other.own_),
      given_(other.given_ ? other.given_->clone() : nullptr),
      erased_(other.erased_),
      needs_(other.needs_),
      down_(other.down_) {}

template <class S>
RunNoise<S>::RunNoise(RunNoise&&) noexcept = default;

template <class S>
RunNoise<S>& RunNoise<S>::operator=(RunNoise other) noexcept {
  own_ = std::move(other.own_);
  given_ = std::move(other.given_);
  erased_ = std::move(other.erased_);
  needs_ = other.needs_;
  down_ = other.down_;
  return *this;
}

template <class S>
RunNoise<S>::~RunNoise() = default;

template class RunNoise<float>;
template class RunNoise<double>;

}  // namespace fokker::detail
