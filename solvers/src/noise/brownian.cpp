/// @file  brownian.cpp
/// @brief The streams behind Wiener increments and Levy areas.

#include <fokker/solvers/noise/brownian.hpp>

#include <stdexcept>

namespace fokker {

template <class S>
LevyAreas<S>::LevyAreas(Seed seed, std::uint64_t first_path, Index paths, Index m, LevyTail tail)
    : lanes_(seed, first_path, static_cast<std::size_t>(paths), Purpose::levy_area),
      tail_(tail),
      x_(m, paths),
      y_(m, paths),
      s_(m, paths),
      g_(m * (m - 1) / 2, paths) {}

template <class S>
void LevyAreas<S>::draw_tail() {
  const Index first = tail_ == LevyTail::wiktorsson ? s_.rows() : 0;
  const Index count = s_.rows() + g_.rows();
  const auto target = [&](Index i) {
    if (i == count) return row(y_, 0);  // the spare one of an odd number
    return i < s_.rows() ? row(x_, i) : row(g_, i - s_.rows());
  };
  for (Index i = first; i < count; i += 2) lanes_.normal_pair(target(i), target(i + 1), S(1), S(1));
}

template <class S>
BrownianIncrements<S>::BrownianIncrements(Seed seed, std::uint64_t first_path, Index paths, Index m,
                                          Needs needs)
    : w_(seed, first_path, paths, m, Purpose::wiener) {
  if (needs.area && (needs.h || needs.k))
    throw std::invalid_argument(
        "Levy areas between Wiener processes are drawn given W alone: a solver cannot have them "
        "together with the space-time areas H and K");
  if (needs.h || needs.k) h_.emplace(seed, first_path, paths, m, Purpose::levy_h);
  if (needs.k) k_.emplace(seed, first_path, paths, m, Purpose::levy_k);
  if (needs.area) area_.emplace(seed, first_path, paths, m);
  if (needs.normals > 0)
    normals_.emplace(seed, first_path, paths, needs.normals * m, Purpose::normals);
}

template class LevyAreas<float>;
template class LevyAreas<double>;
template class BrownianIncrements<float>;
template class BrownianIncrements<double>;

}  // namespace fokker
