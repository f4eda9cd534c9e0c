#pragma once
/// @file  fokker/solvers/langevin/langevin_splitting.hpp
/// @brief Splitting methods for underdamped Langevin dynamics: words in A, B and O.

#include <cmath>

#include <fokker/solvers/langevin/kinetic_process.hpp>

namespace fokker {

/// The words. A letter that occurs r times stands for h/r of time; a new method is a struct here.
namespace splittings {

struct Baoab {
  static constexpr std::string_view name = "baoab";
  static constexpr std::string_view source = "Leimkuhler & Matthews (2013)";
  static constexpr std::string_view word = "BAOAB";
};

struct Aboba {
  static constexpr std::string_view name = "aboba";
  static constexpr std::string_view source = "Leimkuhler & Matthews (2013)";
  static constexpr std::string_view word = "ABOBA";
};

struct Obabo {
  static constexpr std::string_view name = "obabo";
  static constexpr std::string_view source = "Bussi & Parrinello (2007)";
  static constexpr std::string_view word = "OBABO";
};

}  // namespace splittings

/// One step of a symmetric splitting of a KineticProcess, the letters of the word from left to
/// right, each for its time s:
///
///     A   q <- q + s v
///     B   v <- v + s a(q)
///     O   v <- e^{-gamma s} v + sqrt(u (1 - e^{-2 gamma s})) xi
///
/// with xi = W / sqrt(h) for one O, and for two (W + sqrt(12) H) / sqrt(2h), then
/// (W - sqrt(12) H) / sqrt(2h): independent standard normals, functions of the Brownian path.
///
/// Converges to  the Ito and the Stratonovich solution (the noise is additive).
/// Order         strong 1, weak 2, deterministic 2, for a(q) with bounded derivatives. For a linear
///               a(q) BAOAB has the exact stationary variance of q, for every h of a stable step.
/// Cost          BAOAB and OBABO two accelerations, ABOBA one; OBABO needs H; no allocation.
/// Source        the method's; Leimkuhler, Matthews & Stoltz (2016) for the weak order.
template <class Method>
struct LangevinSplitting {
  static constexpr std::string_view word = Method::word;

  /// How often a part occurs in the splitting.
  static constexpr int count(char letter) {
    int n = 0;
    for (const char c : word) n += c == letter ? 1 : 0;
    return n;
  }
  /// Evaluations of a(q) in a step; none where q has not moved since the last.
  static constexpr int accelerations() {
    int evaluations = 0;
    bool stale = true;
    for (const char c : word) {
      if (c == 'B' && stale) ++evaluations;
      if (c != 'O') stale = c == 'A';
    }
    return evaluations;
  }
  static_assert(count('O') == 1 || count('O') == 2, "W and H make two normals");

  static constexpr Facts facts{.name = Method::name,
                               .source = Method::source,
                               .noise = {NoiseKind::additive},
                               .order = {.strong = 1, .weak = 2, .deterministic = 2},
                               .condition = "a kinetic process, a(q) with bounded derivatives",
                               .cost = {.drift = accelerations(), .diffusion = count('O')},
                               .needs = {.h = count('O') == 2}};

  template <State X>
  using Workspace = HalfScratch<X, 3>;

  /// @copydoc EulerMaruyama::step
  template <State X, KineticProcess<X> P>
  void step(const P& p, const X& x, Time, Time h, const Increment<P, X>& dw, X& y,
            Workspace<X>& w) const {
    using S = typename X::Scalar;
    const Index half = x.rows() / 2;
    const double friction = p.friction() * h / count('O');
    const S drift_time = static_cast<S>(h / count('A')), kick_time = static_cast<S>(h / count('B'));
    const S decay = static_cast<S>(std::exp(-friction));
    const double deviation = std::sqrt(-std::expm1(-2 * friction) * p.velocity_variance());
    const S of_w = static_cast<S>(deviation / std::sqrt(h * count('O')));
    S of_h = static_cast<S>(deviation * std::sqrt(6 / h));

    auto& [q, v, a] = w.array;
    q = x.topRows(half);
    v = x.bottomRows(half);
    bool stale = true;
    for (const char letter : word) {
      if (letter == 'A') {
        q += drift_time * v;
        stale = true;
      } else if (letter == 'B') {
        if (stale) evaluate_acceleration(p, q, a);
        stale = false;
        v += kick_time * a;
      } else {
        v = decay * v + of_w * dw.w.bottomRows(half);
        if constexpr (facts.needs.h) v += of_h * dw.h.bottomRows(half);
        of_h = -of_h;
      }
    }
    y.topRows(half) = q;
    y.bottomRows(half) = v;
  }
};

using Baoab = LangevinSplitting<splittings::Baoab>;
using Aboba = LangevinSplitting<splittings::Aboba>;
using Obabo = LangevinSplitting<splittings::Obabo>;

}  // namespace fokker
