/// @file  score_kernels.cpp
/// @brief Compiled scores against the formulas in long double, on every instruction set.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "catch.hpp"

#include <fokker/diffusion/detail/kernels.hpp>
#include <fokker/solvers/support/instruction_set.hpp>

using namespace fokker::detail;

namespace {

using Real = long double;

class OnInstructionSet {
 public:
  explicit OnInstructionSet(const std::string& name) { limit_instruction_set(name); }
  ~OnInstructionSet() { limit_instruction_set("avx512"); }
};

template <class S>
constexpr Real eps = std::numeric_limits<S>::epsilon();

/// One test: K terms exp(log_weight - (x - a centre)^T P (x - a centre) / 2), n points x.
template <class S>
struct Case {
  std::size_t d, terms, n;
  std::vector<S> log_weight, centre, precision, x, half_square;
  S scale = 1;

  std::vector<S> out, log_sum;

  Case(std::size_t dimension, std::size_t count, std::size_t columns, double spread,
       std::uint64_t seed)
      : d(dimension), terms(count), n(columns), out(d * n), log_sum(n) {
    std::mt19937_64 engine(seed);
    std::uniform_real_distribution<double> u(-1, 1);
    for (std::size_t k = 0; k < terms; ++k) {
      log_weight.push_back(static_cast<S>(u(engine)));
      precision.push_back(static_cast<S>(2 + u(engine)));
      Real square = 0;
      for (std::size_t r = 0; r < d; ++r) {
        centre.push_back(static_cast<S>(u(engine)));
        square += Real(centre.back()) * Real(centre.back());
      }
      half_square.push_back(static_cast<S>(square / 2));
    }
    for (std::size_t i = 0; i < d * n; ++i) x.push_back(static_cast<S>(spread * u(engine)));
  }

  MixtureTable<S> isotropic() const {
    return {d, terms, log_weight.data(), centre.data(), precision.data()};
  }

  PointTable<S> point_table(S p, bool weighted = true) const {
    return {d,     terms, centre.data(), half_square.data(), weighted ? log_weight.data() : nullptr,
            scale, p};
  }
};

/// Softmax-weighted sum of one vector per term, the logarithm of the sum of terms, and how far
/// weights that are wrong by `delta` relatively can move the sum.
struct Reference {
  std::vector<Real> sum;     ///< d
  std::vector<Real> spread;  ///< d: sum of w |v - mean of v|
  std::vector<Real> size;    ///< d: sum of w |v|
  Real log_sum;
  Real logit;  ///< largest |logit| among the terms that weigh
};

Reference softmax(const std::vector<Real>& logit, const std::vector<std::vector<Real>>& v) {
  const Real top = *std::max_element(logit.begin(), logit.end());
  const std::size_t d = v.front().size();
  std::vector<Real> w(logit.size());
  Real total = 0;
  for (std::size_t k = 0; k < w.size(); ++k) total += w[k] = std::exp(logit[k] - top);
  Reference r{std::vector<Real>(d), std::vector<Real>(d), std::vector<Real>(d),
              top + std::log(total), 0};
  for (std::size_t k = 0; k < w.size(); ++k) {
    w[k] /= total;
    if (w[k] > 1e-30L) r.logit = std::max(r.logit, std::abs(logit[k]));
    for (std::size_t i = 0; i < d; ++i) {
      r.sum[i] += w[k] * v[k][i];
      r.size[i] += w[k] * std::abs(v[k][i]);
    }
  }
  for (std::size_t k = 0; k < w.size(); ++k)
    for (std::size_t i = 0; i < d; ++i) r.spread[i] += w[k] * std::abs(v[k][i] - r.sum[i]);
  return r;
}

/// Column j of a mixture with precision matrices given by `entry(k, r, c)`.
template <class S, class Entry>
Reference mixture_reference(const Case<S>& c, std::size_t j, Entry entry) {
  std::vector<Real> logit(c.terms);
  std::vector<std::vector<Real>> slope(c.terms, std::vector<Real>(c.d));
  for (std::size_t k = 0; k < c.terms; ++k) {
    Real form = 0;
    for (std::size_t r = 0; r < c.d; ++r) {
      for (std::size_t q = 0; q < c.d; ++q)
        slope[k][r] += entry(k, r, q) * (Real(c.centre[k * c.d + q]) - Real(c.x[q * c.n + j]));
      form += slope[k][r] * (Real(c.centre[k * c.d + r]) - Real(c.x[r * c.n + j]));
    }
    logit[k] = Real(c.log_weight[k]) - form / 2;
  }
  return softmax(logit, slope);
}

template <class S>
Reference isotropic_reference(const Case<S>& c, std::size_t j) {
  return mixture_reference(c, j, [&](std::size_t k, std::size_t r, std::size_t q) {
    return r == q ? Real(c.precision[k]) : Real(0);
  });
}

template <class S>
Reference point_reference(const Case<S>& c, std::size_t j, S p) {
  std::vector<Real> logit(c.terms);
  std::vector<std::vector<Real>> y(c.terms, std::vector<Real>(c.d));
  for (std::size_t k = 0; k < c.terms; ++k) {
    Real square = 0;
    for (std::size_t r = 0; r < c.d; ++r) {
      y[k][r] = Real(c.centre[k * c.d + r]);
      const Real difference = Real(c.x[r * c.n + j]) - Real(c.scale) * y[k][r];
      square += difference * difference;
    }
    logit[k] = Real(c.log_weight[k]) - Real(p) * square / 2;
  }
  return softmax(logit, y);
}

/// Largest error of column j in units of what rounding allows, `logit_error` of it in the logits.
template <class S>
Real excess(const Case<S>& c, std::size_t j, const Reference& wanted, Real logit_error) {
  Real worst = std::abs(Real(c.log_sum[j]) - wanted.log_sum) /
               (8 * eps<S> * (1 + std::abs(wanted.log_sum)) + logit_error);
  for (std::size_t r = 0; r < c.d; ++r) {
    const Real allowed = 16 * eps<S> * wanted.size[r] + 2 * logit_error * wanted.spread[r] +
                         Real(std::numeric_limits<S>::min());
    worst = std::max(worst, std::abs(Real(c.out[r * c.n + j]) - wanted.sum[r]) / allowed);
  }
  return worst;
}

template <class S>
Real worst_isotropic(Case<S>& c) {
  mixture_score(c.isotropic(), c.x.data(), c.n, c.n, c.out.data(), c.n, c.log_sum.data());
  Real worst = 0;
  for (std::size_t j = 0; j < c.n; ++j) {
    const Reference wanted = isotropic_reference(c, j);
    const Real logit_error = eps<S> * (4 + static_cast<Real>(c.d)) * (1 + wanted.logit);
    worst = std::max(worst, excess(c, j, wanted, logit_error));
  }
  return worst;
}

template <class S>
Real worst_points(Case<S>& c, S p) {
  point_mean(c.point_table(p), c.x.data(), c.n, c.n, c.out.data(), c.n, c.log_sum.data());
  Real worst = 0;
  for (std::size_t j = 0; j < c.n; ++j) {
    Real products = 0;  // what the scalar products are rounded against
    for (std::size_t r = 0; r < c.d; ++r) {
      const Real x = std::abs(Real(c.x[r * c.n + j]));
      products += (x + std::abs(Real(c.scale))) * (x + std::abs(Real(c.scale)));
    }
    const Real logit_error = 4 * eps<S> * (2 + Real(p) * products);
    worst = std::max(worst, excess(c, j, point_reference(c, j, p), logit_error));
  }
  return worst;
}

/// K symmetric positive definite matrices: strictly diagonally dominant.
template <class S>
std::vector<S> matrices(std::size_t d, std::size_t count) {
  std::mt19937_64 engine(3);
  std::uniform_real_distribution<double> u(-1, 1);
  std::vector<S> p(count * d * d);
  for (std::size_t k = 0; k < count; ++k)
    for (std::size_t r = 0; r < d; ++r)
      for (std::size_t q = 0; q <= r; ++q) {
        const S value = static_cast<S>(r == q ? double(d) + 1 + u(engine) : u(engine));
        p[(k * d + r) * d + q] = p[(k * d + q) * d + r] = value;
      }
  return p;
}

const std::vector<std::string> instruction_sets = {"baseline", "avx2", "avx512"};

}  // namespace

TEMPLATE_TEST_CASE("isotropic mixtures: score and log of the sum", "", double, float) {
  const OnInstructionSet guard(
      GENERATE(from_range(instruction_sets.begin(), instruction_sets.end())));
  const std::size_t d = GENERATE(1u, 2u, 3u, 17u);
  const std::size_t terms = GENERATE(1u, 2u, 8u, 32u, 33u, 100u);
  const std::size_t n = GENERATE(1u, 5u, 64u, 101u);
  Case<TestType> c(d, terms, n, 3, 1);

  CHECK(worst_isotropic(c) < 1);
}

TEMPLATE_TEST_CASE("full covariances: score and log of the sum", "", double, float) {
  using S = TestType;
  const OnInstructionSet guard(
      GENERATE(from_range(instruction_sets.begin(), instruction_sets.end())));
  const std::size_t d = GENERATE(1u, 2u, 3u, 17u);
  const std::size_t terms = GENERATE(1u, 2u, 8u, 33u);
  const std::size_t n = GENERATE(1u, 5u, 64u, 101u);
  Case<S> c(d, terms, n, 3, 2);
  const std::vector<S> p = matrices<S>(d, terms);
  const GeneralMixtureTable<S> table{d, terms, c.log_weight.data(), c.centre.data(), p.data()};
  Real worst = 0;

  mixture_score(table, c.x.data(), n, n, c.out.data(), n, c.log_sum.data());
  for (std::size_t j = 0; j < n; ++j) {
    const Reference wanted = mixture_reference(
        c, j,
        [&](std::size_t k, std::size_t r, std::size_t q) { return Real(p[(k * d + r) * d + q]); });
    Real far = 0;  // a row of the product is rounded against the largest difference
    for (std::size_t r = 0; r < d; ++r) far = std::max(far, 1 + std::abs(Real(c.x[r * n + j])));
    Reference widened = wanted;
    for (Real& size : widened.size) size += static_cast<Real>(2 * d + 2) * far;
    const Real form = static_cast<Real>(d * (2 * d + 2)) * far * far;
    worst = std::max(worst, excess(c, j, widened, 4 * eps<S> * (1 + form)));
  }

  CHECK(worst < 1);
}

TEMPLATE_TEST_CASE("means of mixtures: the average of offset + gain x", "", double, float) {
  using S = TestType;
  const OnInstructionSet guard(
      GENERATE(from_range(instruction_sets.begin(), instruction_sets.end())));
  const std::size_t d = GENERATE(1u, 2u, 5u);
  const std::size_t terms = GENERATE(1u, 8u, 33u);
  const std::size_t n = GENERATE(1u, 64u, 101u);
  Case<S> c(d, terms, n, 2, 12);
  const Case<S> other(d, terms, 1, 1, 13);
  const std::vector<S> full = matrices<S>(d, terms);
  std::vector<S> diagonal(terms * d * d, S(0)), gains(terms * d * d, S(0));
  for (std::size_t k = 0; k < terms; ++k)
    for (std::size_t r = 0; r < d; ++r) {
      diagonal[(k * d + r) * d + r] = c.precision[k];
      gains[(k * d + r) * d + r] = other.precision[k];
    }
  const auto worst = [&](const std::vector<S>& precision, const std::vector<S>& gain) {
    Real largest = 0;
    for (std::size_t j = 0; j < n; ++j) {
      std::vector<Real> logit(terms);
      std::vector<std::vector<Real>> value(terms, std::vector<Real>(d));
      for (std::size_t k = 0; k < terms; ++k) {
        logit[k] = Real(c.log_weight[k]);
        for (std::size_t r = 0; r < d; ++r) {
          value[k][r] = Real(other.centre[k * d + r]);
          for (std::size_t q = 0; q < d; ++q) {
            const Real left = Real(c.x[r * n + j]) - Real(c.centre[k * d + r]);
            const Real right = Real(c.x[q * n + j]) - Real(c.centre[k * d + q]);
            logit[k] -= left * Real(precision[(k * d + r) * d + q]) * right / 2;
            value[k][r] += Real(gain[(k * d + r) * d + q]) * Real(c.x[q * n + j]);
          }
        }
      }
      const Reference wanted = softmax(logit, value);
      const Real form = static_cast<Real>(d * (d + 2)) * 10;
      for (std::size_t r = 0; r < d; ++r)
        largest = std::max(largest, std::abs(Real(c.out[r * n + j]) - wanted.sum[r]) /
                                        (eps<S> * (16 * (1 + form) + 8 * form * wanted.spread[r])));
    }
    return largest;
  };

  mixture_mean(c.isotropic(), {other.centre.data(), other.precision.data()}, c.x.data(), n, n,
               c.out.data(), n);
  CHECK(worst(diagonal, gains) < 1);
  mixture_mean(GeneralMixtureTable<S>{d, terms, c.log_weight.data(), c.centre.data(), full.data()},
               {other.centre.data(), gains.data()}, c.x.data(), n, n, c.out.data(), n);
  CHECK(worst(full, gains) < 1);
}

TEMPLATE_TEST_CASE("data sets: mean and log of the sum", "", double, float) {
  using S = TestType;
  const OnInstructionSet guard(
      GENERATE(from_range(instruction_sets.begin(), instruction_sets.end())));
  const std::size_t d = GENERATE(1u, 2u, 7u, 64u);
  const std::size_t points = GENERATE(1u, 3u, 32u, 500u);
  const std::size_t n = GENERATE(1u, 5u, 64u, 101u);
  const S p = GENERATE(S(0.1), S(10), S(1000));
  Case<S> c(d, points, n, 1.5, 4);
  c.scale = S(0.7);

  CHECK(worst_points(c, p) < 1);
}

TEMPLATE_TEST_CASE("a log weight of minus infinity leaves a term out", "", double, float) {
  using S = TestType;
  const S none = -std::numeric_limits<S>::infinity();
  const std::size_t n = GENERATE(1u, 64u);
  Case<S> all(2, 40, n, 2, 5), fewer(2, 39, n, 2, 5);
  // The first term and a whole block of 32 weigh nothing; the others are moved to a case without.
  Case<S> blocked = all;
  for (std::size_t k = 0; k < 35; ++k) blocked.log_weight[k] = none;
  Case<S> rest(2, 5, n, 2, 5);
  rest.x = all.x;
  std::copy_n(all.log_weight.end() - 5, 5, rest.log_weight.begin());
  std::copy_n(all.centre.end() - 10, 10, rest.centre.begin());
  std::copy_n(all.precision.end() - 5, 5, rest.precision.begin());
  std::copy_n(all.half_square.end() - 5, 5, rest.half_square.begin());
  const std::vector<S> unit_b(40 * 4, S(0)), unit_r(5 * 4, S(0));
  std::vector<S> p_blocked = unit_b, p_rest = unit_r;
  for (std::size_t k = 0; k < 40; ++k) p_blocked[4 * k] = p_blocked[4 * k + 3] = S(2);
  for (std::size_t k = 0; k < 5; ++k) p_rest[4 * k] = p_rest[4 * k + 3] = S(2);
  const auto close = [&] {
    Real worst = 0;
    for (std::size_t i = 0; i < 2 * n; ++i)
      worst = std::max(worst, std::abs(Real(blocked.out[i]) - Real(rest.out[i])));
    for (std::size_t j = 0; j < n; ++j)
      worst = std::max(worst, std::abs(Real(blocked.log_sum[j]) - Real(rest.log_sum[j])));
    return worst < 1000 * eps<S>;
  };

  for (Case<S>* c : {&blocked, &rest})
    mixture_score(c->isotropic(), c->x.data(), n, n, c->out.data(), n, c->log_sum.data());
  CHECK(close());
  for (Case<S>* c : {&blocked, &rest})
    point_mean(c->point_table(S(3)), c->x.data(), n, n, c->out.data(), n, c->log_sum.data());
  CHECK(close());
  for (Case<S>* c : {&blocked, &rest}) {
    const GeneralMixtureTable<S> table{2, c->terms, c->log_weight.data(), c->centre.data(),
                                       c == &blocked ? p_blocked.data() : p_rest.data()};
    mixture_score(table, c->x.data(), n, n, c->out.data(), n, c->log_sum.data());
  }
  CHECK(close());
}

TEMPLATE_TEST_CASE("points far away give finite, accurate scores", "", double, float) {
  using S = TestType;
  const std::size_t n = GENERATE(1u, 64u);
  Case<S> c(2, 8, n, 1e6, 6);

  CHECK(worst_isotropic(c) < 1);

  Case<S> data(2, 8, n, 1e6, 6);
  point_mean(data.point_table(S(1)), data.x.data(), n, n, data.out.data(), n);
  for (const S y : data.out) CHECK(std::abs(y) <= 1);  // stays among the points
}

TEMPLATE_TEST_CASE("a tiny variance gives the nearest component, and no NaN", "", double, float) {
  using S = TestType;
  const std::size_t n = GENERATE(1u, 64u);
  Case<S> c(2, 40, n, 1, 7);
  std::fill(c.precision.begin(), c.precision.end(), S(1e8));
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t r = 0; r < 2; ++r)
      c.x[r * n + j] = c.centre[2 * (j % 40) + r] + S(1e-5);  // 0.14 standard deviations away

  CHECK(worst_isotropic(c) < 1);
}

TEMPLATE_TEST_CASE("with a huge precision the nearest data point comes out exactly", "", double,
                   float) {
  using S = TestType;
  const OnInstructionSet guard(
      GENERATE(from_range(instruction_sets.begin(), instruction_sets.end())));
  const std::size_t n = GENERATE(1u, 64u, 70u);
  const std::size_t d = 64, points = 300;
  Case<S> c(d, points, n, 1, 8);
  c.scale = S(0.98);
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t r = 0; r < d; ++r)
      c.x[r * n + j] = c.scale * c.centre[(7 * j % points) * d + r] + S(1e-4);
  int wrong = 0;

  point_mean(c.point_table(S(1e8)), c.x.data(), n, n, c.out.data(), n, c.log_sum.data());
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t r = 0; r < d; ++r)
      wrong += c.out[r * n + j] != c.centre[(7 * j % points) * d + r];
    wrong += !std::isfinite(c.log_sum[j]);
  }

  CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("the bits of a path do not depend on its place in a block", "", double, float) {
  using S = TestType;
  const std::size_t n = 64;
  const std::size_t d = GENERATE(2u, 5u);
  Case<S> c(d, 50, n, 2, 9);
  Case<S> turned = c;
  for (std::size_t r = 0; r < d; ++r)
    for (std::size_t j = 0; j < n; ++j) turned.x[r * n + (5 * j + 3) % n] = c.x[r * n + j];
  const std::vector<S> p = matrices<S>(d, 50);
  const auto same = [&] {
    int wrong = 0;
    for (std::size_t r = 0; r < d; ++r)
      for (std::size_t j = 0; j < n; ++j)
        wrong += turned.out[r * n + (5 * j + 3) % n] != c.out[r * n + j];
    for (std::size_t j = 0; j < n; ++j) wrong += turned.log_sum[(5 * j + 3) % n] != c.log_sum[j];
    return wrong == 0;
  };

  for (Case<S>* b : {&c, &turned})
    mixture_score(b->isotropic(), b->x.data(), n, n, b->out.data(), n, b->log_sum.data());
  CHECK(same());
  for (Case<S>* b : {&c, &turned}) {
    const GeneralMixtureTable<S> table{d, 50, b->log_weight.data(), b->centre.data(), p.data()};
    mixture_score(table, b->x.data(), n, n, b->out.data(), n, b->log_sum.data());
  }
  CHECK(same());
  for (Case<S>* b : {&c, &turned})
    point_mean(b->point_table(S(5)), b->x.data(), n, n, b->out.data(), n, b->log_sum.data());
  CHECK(same());
}

TEST_CASE("rows may lie apart, and the log of the sum may be left out") {
  const std::size_t n = 21;
  Case<double> c(3, 8, n, 2, 10);
  std::vector<double> x(3 * 50, 7.0), out(3 * 40, -1.0), mean(3 * 40, -1.0);
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t j = 0; j < n; ++j) x[50 * r + j] = c.x[r * n + j];
  std::vector<double> packed_mean(3 * n);

  mixture_score(c.isotropic(), c.x.data(), n, n, c.out.data(), n);
  mixture_score(c.isotropic(), x.data(), 50, n, out.data(), 40);
  point_mean(c.point_table(2, false), c.x.data(), n, n, packed_mean.data(), n);
  point_mean(c.point_table(2, false), x.data(), 50, n, mean.data(), 40);

  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t j = 0; j < 40; ++j) {
      CHECK(out[40 * r + j] == (j < n ? c.out[r * n + j] : -1.0));
      CHECK(mean[40 * r + j] == (j < n ? packed_mean[r * n + j] : -1.0));
    }
}

TEST_CASE("a NaN in one path stays in that path") {
  const std::size_t n = 64;
  Case<double> c(2, 8, n, 2, 11);
  Case<double> spoilt = c;
  spoilt.x[n + 9] = std::numeric_limits<double>::quiet_NaN();
  const auto only_path_9 = [&] {
    int wrong = 0;
    for (std::size_t j = 0; j < n; ++j)
      wrong += j == 9 ? !std::isnan(spoilt.out[j]) : spoilt.out[j] != c.out[j];
    return wrong == 0;
  };

  for (Case<double>* b : {&c, &spoilt})
    mixture_score(b->isotropic(), b->x.data(), n, n, b->out.data(), n);
  CHECK(only_path_9());
  for (Case<double>* b : {&c, &spoilt})
    point_mean(b->point_table(5), b->x.data(), n, n, b->out.data(), n);
  CHECK(only_path_9());
}
