#pragma once
/// @file  fokker/solvers/noise/brownian_tree.hpp
/// @brief A Brownian path that can be asked for any interval in any order.

#include <cmath>
#include <cstdint>
#include <vector>

#include <fokker/solvers/noise/brownian.hpp>

namespace fokker {

/// The Brownian paths first_path, first_path + 1, ... of a seed on [t0, t1]: W, H and K over any
/// interval, in any order of queries, with their exact joint law; queries that overlap agree, and
/// asking for H or K never changes W.
///
/// [t0, t1] is halved again and again. The values over a half follow from those over the whole:
/// with W, H, K over an interval of length h and independent z ~ N(0, h/16), x ~ N(0, h/768) and y
/// ~ N(0, h/2880),
///
///     W_left = W/2 + 3/2 H + z                     W_right = W - W_left
///     H_left, H_right = H/4 - z/2 +- (15/4 K + x)
///     K_left, K_right = K/8 - x/2 +- y
///
/// and an interval is put together from halves by Chen's relation. The normals of a half have their
/// own hashed place in the stream of (seed, path, Purpose::tree), so nothing depends on what was
/// asked before. Times are rounded to t0 + (t1 - t0) i / 2^depth, the same time always to the same
/// point.
///
/// Cost          per query the halves on the way that the last query did not already make: O(1)
///               amortised for a sweep over points of a coarse dyadic grid, O(depth) in general;
///               the arrays of a level are made where a query first reaches it.
/// Source        Foster, Lyons & Oberhauser (2020); Jelincic, Foster & Kidger (2024) for the
///               single-seed virtual Brownian tree.
template <class S>
class BrownianTree {
 public:
  static constexpr int depth = 40;

  /// @param seed        of the whole run
  /// @param first_path  number of the path in column 0
  /// @param paths       columns n
  /// @param m           independent Wiener processes per path
  /// @param piece       number of the piece of a longer path that this tree is: pieces with
  ///                    different numbers are independent
  /// @throws std::invalid_argument  unless t0 < t1 are finite
  BrownianTree(Seed seed, std::uint64_t first_path, Index paths, Index m, Time t0, Time t1,
               std::uint64_t piece = 0);

  /// Makes this the tree on [t0, t1] with that number, in the memory it has.
  /// @throws std::invalid_argument  unless t0 < t1 are finite
  void restart(Time t0, Time t1, std::uint64_t piece);

  /// The point that a time stands for, in units of (t1 - t0) / 2^depth.
  /// @throws std::invalid_argument  for a time outside [t0, t1]
  std::uint64_t point(Time t) const;

  /// dw = the increment over [s, t], s < t, with what of h and k it has room for.
  /// @throws std::invalid_argument  for times outside [t0, t1]
  template <class Dw>
  void increment(Time s, Time t, Dw& dw) {
    increment_between(point(s), point(t), dw);
  }

  /// The same between two points.
  template <class Dw>
  void increment_between(std::uint64_t from, std::uint64_t to, Dw& dw) {
    sum_between(from, to);
    dw.w = sum_.w;
    if (dw.h.size() > 0) dw.h = sum_.h;
    if (dw.k.size() > 0) dw.k = sum_.k;
  }

 private:
  static constexpr std::uint64_t end = std::uint64_t{1} << depth, none = ~std::uint64_t{0};

  struct Values {
    using W = Block<S>;
    W w, h, k, area;
    void resize(Index m, Index n) {
      for (W* v : {&w, &h, &k}) v->resize(m, n);
    }
  };

  /// Both halves of the node `parent` one level up.
  struct Level {
    std::uint64_t parent = none;
    Values left, right;
  };

  /// Row block i of the normals drawn last, of variance v.
  auto scaled(Index i, Time v) const {
    const Index m = root_.w.rows();
    return static_cast<S>(std::sqrt(v)) * normals_.middleRows(i * m, m);
  }

  /// sum_ = the increment between two points.
  void sum_between(std::uint64_t from, std::uint64_t to);

  /// The 3 m normals of node `number` (1 the root, 2 and 3 its halves, ...; 0: the root's own).
  void draw(std::uint64_t number);

  /// The values over node `index` of 2^level.
  const Values& values(int level, std::uint64_t index) {
    if (level == 0) return root_;
    Level& halves = levels_[static_cast<std::size_t>(level)];
    if (halves.parent != index / 2) split(level, index / 2, halves);
    return index % 2 == 0 ? halves.left : halves.right;
  }

  void split(int level, std::uint64_t parent, Level& halves);

  StreamLanes lanes_;
  Time t0_ = 0, span_ = 0;
  std::uint64_t piece_ = 0;
  std::uint64_t position_ = 0;  // of lanes_ in their streams
  Block<S> normals_;
  Values root_, sum_;
  std::vector<Level> levels_;
};

extern template class BrownianTree<float>;
extern template class BrownianTree<double>;

}  // namespace fokker
