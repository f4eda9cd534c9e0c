/// @file  noise_structure.cpp
/// @brief The kind of noise of an equation, proved from its expressions.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include <fokker/processes/equation/noise_structure.hpp>
#include <fokker/solvers/support/text.hpp>

#include "expression/normal_form.hpp"

namespace fokker {

namespace {

using Column = std::vector<Expr>;

/// Numbers in (0, 1) that are the same in every run (SplitMix64, Steele, Lea & Flood 2014).
class Points {
 public:
  double next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }

 private:
  std::uint64_t state_ = 1;
};

class Classifier {
 public:
  Classifier(EquationSystem& system, const std::map<std::string, double>& values)
      : s_(system), g_(system.graph), forms_(system.graph), values_(values) {}

  NoiseStructure classify() {
    collect();
    NoiseStructure& out = out_;
    const std::size_t m = out.columns.size();
    for (const Column& column : out.columns)
      for (const Expr e : column) out.additive = out.additive && !depends(e);
    if (m == 0) {
      out.reason = "there is no noise";
      return out;
    }
    if (out.additive) {
      out.reason = "no column depends on a state";
      out.kind = one_each() ? NoiseKind::additive
                 : m == 1   ? NoiseKind::scalar
                            : NoiseKind::commutative;
      return out;
    }
    if (one_each() && own_state_only()) {
      out.kind = NoiseKind::diagonal;
      out.reason =
          "each component has a Brownian motion of its own and its column depends on that "
          "component alone";
      return out;
    }
    if (m == 1) {
      out.kind = NoiseKind::scalar;
      out.reason = "there is one Brownian motion";
      return out;
    }
    out.commutative = commutes();
    out.kind = out.commutative ? NoiseKind::commutative : NoiseKind::general;
    return out;
  }

 private:
  bool depends(Expr e) { return g_.has_state(simple(e)); }
  Expr simple(Expr e) { return forms_.expression(forms_.of(e)); }
  bool is_zero(Expr e) { return forms_.is_zero(e); }

  /// c in g_l = c g_k, where it has neither states nor t.
  std::optional<Expr> multiple(const Column& k, const Column& l) {
    std::optional<Expr> ratio;
    for (std::size_t i = 0; i < k.size(); ++i) {
      if (is_zero(k[i]) != is_zero(l[i])) return {};
      if (is_zero(k[i])) continue;
      const Expr here = simple(g_.divide(l[i], k[i]));
      if (g_.has_state(here) || g_.has_time(here)) return {};
      if (ratio && !is_zero(g_.subtract(here, *ratio))) return {};
      ratio = here;
    }
    return ratio;
  }

  /// The columns that are not 0, multiples made one.
  void collect() {
    for (std::size_t k = 0; k < s_.noise.size(); ++k) {
      Column column = s_.noise[k];
      bool zero = true;
      for (Expr& e : column) {
        if (is_zero(e))
          e = g_.constant(0);
        else
          zero = false;
      }
      if (zero) continue;
      bool merged = false;
      for (std::size_t l = 0; l < out_.columns.size() && !merged; ++l) {
        const auto c = multiple(out_.columns[l], column);
        if (!c) continue;
        merged = true;
        const Expr growth = g_.make(Op::sqrt, simple(g_.add(g_.constant(1), g_.multiply(*c, *c))));
        for (Expr& e : out_.columns[l]) e = g_.multiply(growth, e);
        out_.sources[l] += "+" + s_.sources[k];
      }
      if (merged) continue;
      out_.columns.push_back(std::move(column));
      out_.sources.push_back(s_.sources[k]);
    }
  }

  /// Each column has one component, and no component has two.
  bool one_each() const {
    std::vector<int> columns_of(static_cast<std::size_t>(s_.dimension()));
    for (const Column& column : out_.columns) {
      int components = 0;
      for (std::size_t i = 0; i < column.size(); ++i)
        if (!g_.is(column[i], 0)) {
          ++components;
          ++columns_of[i];
        }
      if (components != 1) return false;
    }
    return std::all_of(columns_of.begin(), columns_of.end(), [](int n) { return n <= 1; });
  }

  bool own_state_only() {
    for (const Column& column : out_.columns)
      for (std::size_t i = 0; i < column.size(); ++i)
        for (int j = 0; j < s_.dimension(); ++j)
          if (j != static_cast<int>(i) && g_.has_state(simple(column[i]), j)) return false;
    return true;
  }

  bool commutes() {
    const std::size_t m = out_.columns.size();
    bool by_points = false;
    for (std::size_t k = 0; k < m; ++k)
      for (std::size_t l = k + 1; l < m; ++l)
        for (std::size_t i = 0; i < out_.columns[k].size(); ++i) {
          const Column &gk = out_.columns[k], &gl = out_.columns[l];
          const Expr forth = s_.along(gk, gl[i]), back = s_.along(gl, gk[i]);
          const Expr commutator = g_.subtract(forth, back);
          if (is_zero(commutator)) continue;
          const auto vanishes = vanishes_at_points(forth, back);
          if (vanishes && *vanishes) {
            by_points = true;
            continue;
          }
          const std::string one = out_.sources[k], two = out_.sources[l];
          out_.reason = "in component " + s_.states[i] + ", (g_" + one + " . grad) g_" + two +
                        " - (g_" + two + " . grad) g_" + one + " = " +
                        g_.text(forms_.simplified(commutator), s_.states, s_.parameters) +
                        (vanishes ? "" : ", which is finite at no point tried");
          return false;
        }
    out_.reason = by_points ? "(g_k . grad) g_l = (g_l . grad) g_k at 64 random points"
                            : "(g_k . grad) g_l = (g_l . grad) g_k for all columns";
    return true;
  }

  /// Whether forth = back at random points, to rounding; nothing where no point is finite.
  std::optional<bool> vanishes_at_points(Expr forth, Expr back) {
    Points points;
    bool tried = false;
    constexpr int count = 64;
    for (int n = 0; n < 2 * count; ++n) {
      std::vector<double> x, p;
      const double spread = 2, shift = n % 2 == 0 ? 0 : 1;  // positive states, then all
      for (std::size_t i = 0; i < s_.states.size(); ++i)
        x.push_back(spread * points.next() - shift);
      for (const std::string& name : s_.parameters) {
        const auto found = values_.find(name);
        const double drawn = 0.1 + 0.8 * points.next();
        p.push_back(found == values_.end() ? drawn : found->second);
      }
      const double t = points.next();
      const double a = g_.evaluate(forth, x, t, p), b = g_.evaluate(back, x, t, p);
      if (!std::isfinite(a) || !std::isfinite(b)) continue;
      tried = true;
      if (std::abs(a - b) > 1e-9 * (std::abs(a) + std::abs(b))) return false;
    }
    return tried ? std::optional(true) : std::nullopt;
  }

  EquationSystem& s_;
  ExpressionGraph& g_;
  detail::NormalForms forms_;
  const std::map<std::string, double>& values_;
  NoiseStructure out_;
};

}  // namespace

NoiseStructure noise_structure(EquationSystem& system,
                               const std::map<std::string, double>& values) {
  return Classifier(system, values).classify();
}

}  // namespace fokker
