#pragma once
/// @file  fokker/solvers/ensemble/path_functionals.hpp
/// @brief Ready functionals of a path for `simulate`: time integral and average, running extrema.
///
///     simulate(process, method, steps, x0, span, options, time_average(0));          // E of the average
///     simulate(process, method, steps, x0, span, options,
///              time_average(0, [](const auto& a) { return (a - 1.0).max(0.0); }));
///     simulate(process, method, steps, x0, span, options, running_maximum(process, 0, options.seed));
///
/// Each is a PathFunctional: the result is an Estimate of E[phi(functional)], phi a function of a
/// row of values, 1 x n -> 1 x n, the identity if it is left out. The indicator of an event gives
/// its probability. A component that the state has not is refused by `simulate` with
/// std::invalid_argument.

#include <cmath>
#include <cstdint>
#include <functional>
#include <utility>

#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/noise/brownian_bridge.hpp>
#include <fokker/solvers/noise/random.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {
namespace detail {

using ValueRow = Eigen::Array<double, 1, Eigen::Dynamic>;

template <State X>
ValueRow row_of(const X& x, Index component) {
  check_index({"the component of a path functional", "component"}, component, x.rows());
  return x.row(component).template cast<double>();
}

/// The integral of a component so far, by the trapezoid rule.
struct IntegralCarry {
  ValueRow integral, previous;
  Time t, length;
};

/// phi(value(carry)) of the integral of a component.
template <class Value>
auto integral_functional(Index component, Value value) {
  return PathFunctional{[component](const auto& x, Time t) {
                          const ValueRow row = row_of(x, component);
                          return IntegralCarry{ValueRow::Zero(row.size()), row, t, 0};
                        },
                        [component](IntegralCarry& c, const auto& x, Time t) {
                          c.integral += (0.5 * (t - c.t)) * c.previous;
                          c.previous = x.row(component).template cast<double>();
                          c.integral += (0.5 * (t - c.t)) * c.previous;
                          c.length += t - c.t;
                          c.t = t;
                        },
                        [value = std::move(value)](const IntegralCarry& c, const auto&) {
                          return ValueRow(value(c));
                        }};
}

/// y where it is above m or nan: nan stays.
inline double higher(double m, double y) { return y > m || std::isnan(y) ? y : m; }

/// The running maximum of sign x_i over the points of the grid.
template <class Phi>
auto extremum_on_grid(double sign, Index component, Phi phi) {
  return PathFunctional{[=](const auto& x, Time) { return ValueRow(sign * row_of(x, component)); },
                        [=](ValueRow& m, const auto& x, Time) {
                          for (Index j = 0; j < m.size(); ++j)
                            m[j] = higher(m[j], sign * static_cast<double>(x.coeff(component, j)));
                        },
                        [sign, phi = std::move(phi)](const ValueRow& m, const auto&) {
                          return ValueRow(phi(ValueRow(sign * m)));
                        }};
}

/// The same with the bridges between the points: one uniform number for each path and step.
template <State X>
struct BridgeCarry {
  StreamLanes lanes;
  X sum, column;  // scratch
  ValueRow maximum, previous, variance, u;
  Time t;
};
template <class P, class Phi>
auto extremum_with_bridges(double sign, const P& process, Index component, Seed seed, Phi phi) {
  const auto start = [=, p = &process]<State X>(const X& x, Time t, Index first) {
    const ValueRow row = sign * row_of(x, component);
    BridgeCarry<X> c{StreamLanes(seed, static_cast<std::uint64_t>(first),
                                 static_cast<std::size_t>(x.cols()), Purpose::extremum),
                     x,
                     x,
                     row,
                     row,
                     row,
                     row,
                     t};
    component_variance(*p, x, t, component, c.sum, c.column, c.variance);
    return c;
  };
  const auto update = [=, p = &process]<State X>(BridgeCarry<X>& c, const X& x, Time t) {
    c.lanes.uniform(c.u.data());
    const Time h = std::abs(t - c.t);
    for (Index j = 0; j < c.maximum.size(); ++j) {
      const double end = sign * static_cast<double>(x.coeff(component, j));
      c.maximum[j] =
          higher(c.maximum[j], bridge_maximum(c.previous[j], end, c.variance[j] * h, c.u[j]));
      c.previous[j] = end;
    }
    c.t = t;
    component_variance(*p, x, t, component, c.sum, c.column, c.variance);
  };
  return PathFunctional{start, update, [sign, phi = std::move(phi)](const auto& c, const auto&) {
                          return ValueRow(phi(ValueRow(sign * c.maximum)));
                        }};
}

}  // namespace detail

/// E[phi(I)], I = integral of X_i dt from the first to the last point of the grid (its sign turns
/// with the direction of time), by the trapezoid rule on the points of the grid. For Brownian paths
/// the rule lacks the areas of the bridges, of variance g^2 h^3 / 12 each: the mean is right to
/// O(h^2), the variance too low by T g^2 h^2 / 12.
template <class Phi = std::identity>
auto time_integral(Index component, Phi phi = {}) {
  return detail::integral_functional(component, [phi = std::move(phi)](const auto& c) {
    return detail::ValueRow(phi(c.integral));
  });
}

/// E[phi(A)], A = the integral over the length of the run; X_i itself where the grid is one time.
template <class Phi = std::identity>
auto time_average(Index component, Phi phi = {}) {
  return detail::integral_functional(component, [phi = std::move(phi)](const auto& c) {
    return detail::ValueRow(
        phi(c.length == 0 ? c.previous : detail::ValueRow(c.integral / c.length)));
  });
}

/// E[phi(M)], M the maximum of X_i over the points of the grid, which misses the maximum of the
/// path by O(h^1/2).
template <class Phi = std::identity>
auto running_maximum(Index component, Phi phi = {}) {
  return detail::extremum_on_grid(1, component, std::move(phi));
}

/// E[phi(M)], M the minimum of X_i over the points of the grid.
template <class Phi = std::identity>
auto running_minimum(Index component, Phi phi = {}) {
  return detail::extremum_on_grid(-1, component, std::move(phi));
}

/// E[phi(M)], M the maximum of X_i over the run, also between the points of the grid. There the
/// path is taken for a Brownian bridge with the noise at the start of the step, whose maximum is
/// drawn from its law: with constant drift and noise M is exact in law on any grid, else right to
/// O(h). Not for paths with jumps. Random numbers are those of (seed, path), Purpose::extremum, one
/// for each path and step.
/// @param process  the one that is simulated; must outlive the run
/// @param seed     the seed of the run
template <class P, class Phi = std::identity>
auto running_maximum(const P& process, Index component, Seed seed, Phi phi = {}) {
  return detail::extremum_with_bridges(1, process, component, seed, std::move(phi));
}

/// The same for the minimum. Maximum and minimum each have the right law; together they do not.
template <class P, class Phi = std::identity>
auto running_minimum(const P& process, Index component, Seed seed, Phi phi = {}) {
  return detail::extremum_with_bridges(-1, process, component, seed, std::move(phi));
}

}  // namespace fokker
