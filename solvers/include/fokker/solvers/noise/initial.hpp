#pragma once
/// @file  fokker/solvers/noise/initial.hpp
/// @brief Initial values of an ensemble: a number, a vector, or a law sampled per path.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/core/state.hpp>
#include <fokker/solvers/noise/random.hpp>

namespace fokker {

/// The random numbers of a block of paths that a law is sampled with. Normals and uniforms are two
/// streams per path; path j has the same numbers in every block and on every thread.
class PathRandom {
 public:
  PathRandom(Seed seed, std::uint64_t first_path, Index paths)
      : seed_(seed), first_path_(first_path), paths_(static_cast<std::size_t>(paths)) {}

  /// Fills z (any rows, contiguous rows of `paths` columns) with standard normals.
  template <State X>
  void normal(X& z) {
    using S = typename X::Scalar;
    StreamLanes& lanes = made(normals_, Purpose::initial);
    Eigen::Array<S, 1, Eigen::Dynamic> spare(z.cols());
    for (Index r = 0; r < z.rows(); r += 2)
      lanes.normal_pair(&z.coeffRef(r, 0), r + 1 < z.rows() ? &z.coeffRef(r + 1, 0) : spare.data(),
                        S(1), S(1));
  }

  /// Fills a row of `paths` values with uniforms in (0, 1).
  template <class S>
  void uniform(Eigen::Array<S, 1, Eigen::Dynamic>& u) {
    made(uniforms_, Purpose::choice).uniform(u.data());
  }

 private:
  /// The streams of a purpose, seeded when they are first asked for: many laws need only one.
  StreamLanes& made(std::optional<StreamLanes>& lanes, Purpose purpose) {
    if (!lanes) lanes.emplace(seed_, first_path_, paths_, purpose);
    return *lanes;
  }

  Seed seed_;
  std::uint64_t first_path_;
  std::size_t paths_;
  std::optional<StreamLanes> normals_, uniforms_;
};

/// A law that fills a block: `law.sample(random, x)` with x d x n.
template <class L, class X>
concept InitialLaw = requires(const L& law, PathRandom& random, X& x) {
  law.sample(random, x);
};

namespace detail {

/// A start given as numbers, in the form that runs take: a number of S, or an Eigen array of S, a
/// column for `std::array`, `std::vector` and Eigen vectors. A law, and what is no start, stays.
template <class S, class X0>
decltype(auto) as_start(const X0& x0) {
  if constexpr (std::is_arithmetic_v<X0>) {
    return static_cast<S>(x0);
  } else if constexpr (State<X0>) {
    if constexpr (std::is_integral_v<typename X0::Scalar>)
      return Plain<decltype(x0.template cast<S>())>(x0.template cast<S>());
    else
      return Plain<X0>(x0);
  } else if constexpr (requires { x0.array().rows(); }) {
    return as_start<S>(x0.array());
  } else if constexpr (requires {
                         std::tuple_size<X0>::value;
                         static_cast<S>(x0[0]);
                       }) {
    PathState<S, static_cast<int>(std::tuple_size<X0>::value)> x;
    for (std::size_t i = 0; i < x0.size(); ++i) x[static_cast<Index>(i)] = static_cast<S>(x0[i]);
    return x;
  } else if constexpr (requires {
                         x0.data();
                         x0.size();
                         static_cast<S>(*x0.data());
                       }) {
    PathState<S> x(static_cast<Index>(x0.size()));
    for (std::size_t i = 0; i < x0.size(); ++i)
      x[static_cast<Index>(i)] = static_cast<S>(x0.data()[i]);
    return x;
  } else {
    return (x0);
  }
}

/// The scalar of a run from x0: that of its numbers, double for integers.
template <class X0>
struct ScalarOf {
  using Type = double;
};
template <>
struct ScalarOf<float> {
  using Type = float;
};
template <class X0>
requires requires { typename X0::Scalar; }
struct ScalarOf<X0> {
  using Type = std::conditional_t<std::is_same_v<typename X0::Scalar, float>, float, double>;
};
template <class X0>
requires(
    !requires { typename X0::Scalar; } &&
    requires { typename X0::value_type; }) struct ScalarOf<X0> {
  using Type = std::conditional_t<std::is_same_v<typename X0::value_type, float>, float, double>;
};

/// Rows of the state that process or `x0` fix at compile time, if the process takes such states.
template <class S, class P, class X0>
constexpr int state_rows() {
  constexpr int rows = [] {
    if constexpr (fixed_dimension<P> != Eigen::Dynamic)
      return fixed_dimension<P>;
    else if constexpr (std::is_arithmetic_v<X0>)
      return 1;
    else if constexpr (requires { X0::RowsAtCompileTime; })
      return static_cast<int>(X0::RowsAtCompileTime);
    else
      return static_cast<int>(Eigen::Dynamic);
  }();
  return Process<P, Block<S, rows>> ? rows : static_cast<int>(Eigen::Dynamic);
}

/// Says what does not fit. @throws std::invalid_argument  always
[[noreturn]] void refuse_dimension(Index of_process, Index of_x0);
[[noreturn]] void refuse_start(Index component, double x0, double low, double high);

/// Dimension of the state: of x0 if it has one, else of the process.
/// @throws std::invalid_argument  if they differ
template <class P, class X0>
Index state_dimension(const P& p, const X0& x0) {
  const Index from_process = dimension_of(p);
  Index from_x0 = -1;
  if constexpr (std::is_arithmetic_v<X0>)
    from_x0 = 1;
  else if constexpr (requires { x0.rows(); })
    from_x0 = x0.rows();
  else if constexpr (requires { Index{x0.dimension()}; })
    from_x0 = x0.dimension();
  if (from_process >= 0 && from_x0 >= 0 && from_process != from_x0)
    refuse_dimension(from_process, from_x0);
  return from_x0 >= 0 ? from_x0 : from_process >= 0 ? from_process : 1;
}

/// @throws std::invalid_argument  if a component of x0, a number or an array, lies outside the
///                                domain of a process that has one
template <class P, class X0>
void check_domain(const P& p, const X0& x0) {
  if constexpr (requires(Index i) { double{p.domain(i).low}; }) {
    const auto check = [&](Index i, double x) {
      const auto domain = p.domain(i);
      if (!(domain.low <= x && x <= domain.high)) refuse_start(i, x, domain.low, domain.high);
    };
    if constexpr (std::is_arithmetic_v<X0>)
      check(0, static_cast<double>(x0));
    else if constexpr (requires { x0.cols(); })
      for (Index i = 0; i < x0.rows(); ++i)
        for (Index j = 0; j < x0.cols(); ++j) check(i, static_cast<double>(x0(i, j)));
  }
}

/// x = x0 for every path of the block.
template <State X, class X0>
void set_initial(const X0& x0, PathRandom& random, X& x) {
  using S = typename X::Scalar;
  if constexpr (std::is_arithmetic_v<X0>)
    x.setConstant(static_cast<S>(x0));
  else if constexpr (InitialLaw<X0, X>)
    x0.sample(random, x);
  else
    for (Index r = 0; r < x.rows(); ++r) x.row(r).setConstant(static_cast<S>(x0(r)));
}

}  // namespace detail

}  // namespace fokker
