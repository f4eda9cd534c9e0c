/// @file  brownian_tree.cpp
/// @brief The halves of a Brownian tree.

#include <fokker/solvers/noise/brownian_tree.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace {

/// A hash, the finaliser of splitmix64. Places at distances with a large power of two in them
/// would have correlated normals.
std::uint64_t mixed(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

template <class S>
BrownianTree<S>::BrownianTree(Seed seed, std::uint64_t first_path, Index paths, Index m, Time t0,
                              Time t1, std::uint64_t piece)
    : lanes_(seed, first_path, static_cast<std::size_t>(paths), Purpose::tree),
      normals_(3 * m + 1, paths),
      levels_(static_cast<std::size_t>(depth) + 1) {
  for (Values* v : {&root_, &sum_}) v->resize(m, paths);
  restart(t0, t1, piece);
}

template <class S>
void BrownianTree<S>::restart(Time t0, Time t1, std::uint64_t piece) {
  t0_ = t0;
  span_ = t1 - t0;
  piece_ = piece;
  if (!(t0 < t1) || !std::isfinite(span_))
    throw std::invalid_argument("a Brownian tree needs finite times t0 < t1: got t0=" + text(t0) +
                                ", t1=" + text(t1));
  for (Level& level : levels_) level.parent = none;
  draw(0);
  root_.w = scaled(0, span_);
  root_.h = scaled(1, span_ / 12);
  root_.k = scaled(2, span_ / 720);
}

template <class S>
std::uint64_t BrownianTree<S>::point(Time t) const {
  const double at = std::round((t - t0_) / span_ * static_cast<double>(end));
  if (!(at >= 0) || at > static_cast<double>(end))
    throw std::invalid_argument("the Brownian tree reaches from t=" + text(t0_) + " to " +
                                text(t0_ + span_) + ": got t=" + text(t));
  return static_cast<std::uint64_t>(at);
}

template <class S>
void BrownianTree<S>::draw(std::uint64_t number) {
  constexpr std::uint64_t draws_per_pair = sizeof(S) == 8 ? 3 : 2;
  const auto pairs = static_cast<std::uint64_t>((3 * root_.w.rows() + 1) / 2);
  const std::uint64_t place = mixed(mixed(piece_) ^ number);
  lanes_.advance(place - position_);
  for (Index r = 0; r < 3 * root_.w.rows(); r += 2)
    lanes_.normal_pair(&normals_.coeffRef(r, 0), &normals_.coeffRef(r + 1, 0), S(1), S(1));
  position_ = place + pairs * draws_per_pair;
}

template <class S>
void BrownianTree<S>::split(int level, std::uint64_t parent, Level& halves) {
  const Values& whole = values(level - 1, parent);
  if (halves.left.w.size() == 0)
    for (Values* v : {&halves.left, &halves.right}) v->resize(root_.w.rows(), root_.w.cols());
  draw((std::uint64_t{1} << (level - 1)) + parent);
  const Time h = span_ * std::ldexp(1.0, 1 - level);
  const auto z = scaled(0, h / 16), x = scaled(1, h / 768), y = scaled(2, h / 2880);
  Values &left = halves.left, &right = halves.right;
  left.w = S(0.5) * whole.w + S(1.5) * whole.h + z;
  right.w = whole.w - left.w;
  left.h = S(0.25) * whole.h - S(0.5) * z + (S(3.75) * whole.k + x);
  right.h = S(0.25) * whole.h - S(0.5) * z - (S(3.75) * whole.k + x);
  left.k = S(0.125) * whole.k - S(0.5) * x + y;
  right.k = S(0.125) * whole.k - S(0.5) * x - y;
  halves.parent = parent;
}

template <class S>
void BrownianTree<S>::sum_between(std::uint64_t from, std::uint64_t to) {
  sum_.w.setZero();
  sum_.h.setZero();
  sum_.k.setZero();
  Time length = 0;
  while (from < to) {
    // The largest half that starts here and does not pass the end.
    std::uint64_t size = from == 0 ? end : from & (~from + 1);
    size = std::min(size, std::bit_floor(to - from));
    const int level = depth - std::countr_zero(size);
    const Time piece = span_ * std::ldexp(1.0, -level);
    append(sum_, length, values(level, from / size), piece, {.h = true, .k = true});
    length += piece;
    from += size;
  }
}

template class BrownianTree<float>;
template class BrownianTree<double>;

}  // namespace fokker
