#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include <pcg_random.hpp>

#include <fokker/analysis/convergence/regression.hpp>

#include "catch.hpp"

using fokker::fit_order;
using fokker::fit_order_bootstrap;
using fokker::judge;
using fokker::OrderFit;
using fokker::OrderStatus;
using fokker::OrderVerdict;
using fokker::verdict;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// 2^-first, ..., 2^-last.
std::vector<double> halvings(int first, int last) {
  std::vector<double> h;
  for (int k = first; k <= last; ++k) h.push_back(std::ldexp(1.0, -k));
  return h;
}

std::vector<double> map(const std::vector<double>& h, const std::function<double(double)>& f) {
  std::vector<double> error;
  for (const double step : h) error.push_back(f(step));
  return error;
}

bool covers(const OrderFit& fit, double order) { return fit.low <= order && order <= fit.high; }

/// The share of 1000 noisy repetitions of error(h), known to `noise(error)`, that cover `order`.
double coverage(const std::vector<double>& h, double order,
                const std::function<double(double)>& exact,
                const std::function<double(double)>& noise) {
  pcg64 rng(99);
  std::normal_distribution<double> normal;
  int covered = 0;
  for (int k = 0; k < 1000; ++k) {
    std::vector<double> error, standard_error;
    for (const double step : h) {
      standard_error.push_back(noise(exact(step)));
      error.push_back(exact(step) + standard_error.back() * normal(rng));
    }
    covered += covers(fit_order(h, error, standard_error), order);
  }
  return covered / 1000.0;
}

}  // namespace

TEST_CASE("An exact power law is recovered to rounding") {
  const auto h = halvings(3, 8);

  for (const double order : {0.5, 1.0, 1.5, 4.0}) {
    const OrderFit fit =
        fit_order(h, map(h, [&](double s) { return 3.0 * std::pow(s, order); }), {});

    CHECK(fit.status == OrderStatus::measured);
    CHECK(fit.slope == Approx(order).epsilon(1e-12));
    CHECK(std::exp(fit.log_constant) == Approx(3.0));
    CHECK(fit.points == 6);
    CHECK(fit.high - fit.low < 1e-10);
  }
}

TEST_CASE("Three points extrapolate the slope by the three corrections") {
  // Local slopes 0.8 and 0.9 of halved steps: with the next term h^q the rest is 0.1 r / (1 - r),
  // r = 2^-q, so p = 0.9 + 0.1 (2.414, 1, 1/3).
  const std::vector<double> h{0.5, 0.25, 0.125};
  const std::vector<double> error{std::pow(2.0, 1.7), std::pow(2.0, 0.9), 1.0};

  const OrderFit fit = fit_order(h, error, {});

  CHECK(fit.slope == Approx(1.0));
  CHECK(fit.low == Approx(0.9 + 0.1 / 3.0));
  CHECK(fit.high == Approx(0.9 + 0.1 * (1.0 + std::sqrt(2.0))));
}

TEST_CASE("Standard errors make the interval, and scatter beyond them widens it") {
  const auto h = halvings(3, 7);
  const auto exact = map(h, [](double s) { return s; });
  auto scattered = exact;
  for (std::size_t i = 0; i < h.size(); ++i) scattered[i] *= i % 2 == 0 ? 1.05 : 0.95;
  const auto relative = [&](double share) { return map(h, [=](double s) { return share * s; }); };

  const OrderFit one = fit_order(h, exact, relative(0.01));
  const OrderFit two = fit_order(h, exact, relative(0.02));
  const OrderFit doubtful = fit_order(h, scattered, relative(0.01));

  CHECK(one.low < 1.0);
  CHECK(two.high - two.low == Approx(2.0 * (one.high - one.low)));
  CHECK(doubtful.high - doubtful.low > 5.0 * (one.high - one.low));
}

TEST_CASE("The interval covers the order as often as it says") {
  const auto h = halvings(3, 8);
  const auto law = [](double s) { return 0.7 * std::pow(s, 0.5); };

  // 1000 repetitions: 0.95 is met to +- 0.014 (two standard errors); spanning three models adds.
  const double relative = coverage(h, 0.5, law, [](double e) { return 0.02 * e; });
  const double absolute = coverage(h, 0.5, law, [](double) { return 0.002; });

  CHECK(relative > 0.93);
  CHECK(relative < 0.985);
  CHECK(absolute > 0.93);
  CHECK(absolute < 0.985);
}

TEST_CASE("The interval covers the order of a law that is still bending") {
  const auto h = halvings(2, 8);
  const auto two_percent = [](double e) { return 0.02 * e; };
  const auto exact_to = [](double e) { return 0.002 * e; };

  for (const double next : {1.0, 2.0}) {
    for (const double size : {1.0, -0.5}) {
      const auto law = [=](double s) { return s * (1.0 + size * std::pow(s, next)); };
      INFO("h (1 + " << size << " h^" << next << ")");
      CHECK(coverage(h, 1.0, law, two_percent) > 0.93);
      CHECK(coverage(h, 1.0, law, exact_to) > 0.93);
    }
  }
  CHECK(coverage(
            h, 1.0, [](double s) { return s * (1.0 - 0.5 * std::sqrt(s)); }, two_percent) > 0.93);
}

TEST_CASE("Coarse steps before the settled range are left out") {
  const auto h = halvings(0, 10);
  const auto bending = map(h, [](double s) { return s * (1.0 + 4.0 * s); });

  const OrderFit fit = fit_order(h, bending, {});

  CHECK(fit.points < 7);
  CHECK(fit.h_fine == Approx(h.back()));
  CHECK(covers(fit, 1.0));
  CHECK(fit.slope == Approx(1.0).margin(0.01));
}

TEST_CASE("Deterministic errors that bend are covered") {
  const auto h = halvings(3, 9);

  for (const double order : {0.5, 1.0, 2.0}) {
    for (const double next : {0.5, 1.0}) {
      const auto error =
          map(h, [&](double s) { return std::pow(s, order) * (1 + std::pow(s, next)); });
      const OrderFit fit = fit_order(h, error, {});

      INFO(order << " then " << next << ": " << fokker::describe(fit));
      CHECK((covers(fit, order) || next < 1.0));
      CHECK(fit.slope == Approx(order).margin(next < 1.0 ? 0.05 : 0.005));
    }
  }
}

TEST_CASE("Errors that grow as h falls are a negative order, and hold no claim") {
  const auto h = halvings(3, 8);

  const OrderFit fit = fit_order(h, map(h, [](double s) { return 1 / s; }), {});

  CHECK(fit.slope == Approx(-1.0));
  CHECK(judge(fit, 1.0) == OrderVerdict::lower);
}

TEST_CASE("The points between the first and the last count") {
  // From the first error to the last it falls like h; on the way it stands still, then drops.
  const auto h = halvings(3, 8);
  const std::vector<double> error{h[0], h[0], h[0], h[0], h[0], h[5]};

  const OrderFit fit = fit_order(h, error, {});

  CHECK(judge(fit, 1.0) != OrderVerdict::holds);
}

TEST_CASE("Errors at the floor are left out and named") {
  const auto h = halvings(3, 12);
  const double floor = std::ldexp(1.0, -9);
  const auto error = map(h, [&](double s) { return std::max(std::sqrt(2.0) * s, floor); });

  const OrderFit fit = fit_order(h, error, {}, {.floor = floor});

  // 2^-7.5 is 2.8 floors: the first at the floor; without the rule the slope would be far off.
  CHECK(fit.slope == Approx(1.0));
  CHECK(fit.points == 5);
  REQUIRE(fit.floor_h);
  CHECK(*fit.floor_h == std::ldexp(1.0, -8));
  CHECK(verdict(fit, 1.0) ==
        "order 1.00 [1.00, 1.00], claimed 1: holds; noise floor reached at h = 2^-8");
  CHECK(std::abs(fit_order(h, error, {}).slope) < 0.1);
}

TEST_CASE("Errors within three of their own standard errors are noise") {
  const auto h = halvings(3, 8);
  const std::vector<double> standard_error(h.size(), std::ldexp(1.0, -6));

  const OrderFit fit = fit_order(h, h, standard_error);

  CHECK(fit.status == OrderStatus::floor_reached);
  CHECK(verdict(fit, 1.0) == "noise floor reached at h = 2^-5");
}

TEST_CASE("Errors that are no numbers are left out") {
  const auto h = halvings(1, 7);
  auto error = h;
  error[0] = inf;
  error[1] = std::nan("");
  error[6] = 0.0;

  const OrderFit fit = fit_order(h, error, {});

  CHECK(fit.slope == Approx(1.0));
  CHECK(fit.points == 4);
  CHECK(verdict(fit_order(h, std::vector<double>(7, inf), {}), 1.0) == "too few points");
}

TEST_CASE("The order of the points does not matter") {
  const std::vector<double> h{0.25, 0.03125, 0.125, 0.0625};

  const OrderFit fit = fit_order(h, map(h, [](double s) { return s * s; }), {});

  CHECK(fit.slope == Approx(2.0));
  CHECK(fit.h_coarse == Approx(0.25));
}

TEST_CASE("Verdicts tell holding, lower, higher and undecided apart") {
  const auto with = [](double slope, double low, double high) {
    OrderFit fit;
    fit.status = OrderStatus::measured;
    fit.slope = slope;
    fit.low = low;
    fit.high = high;
    return fit;
  };

  CHECK(verdict(with(1.5, 1.46, 1.54), 1.5) == "order 1.50 [1.46, 1.54], claimed 1.5: holds");
  CHECK(verdict(with(0.51, 0.47, 0.55), 1.0) ==
        "order 0.51 [0.47, 0.55], claimed 1: does not hold (lower)");
  CHECK(verdict(with(2.0, 1.9, 2.1), 1.5) ==
        "order 2.00 [1.90, 2.10], claimed 1.5: does not hold (higher)");
  CHECK(verdict(with(0.8, 0.4, 1.2), 1.0) ==
        "order 0.80 [0.40, 1.20], claimed 1: undecided (interval wider than 0.5)");
  CHECK(judge(with(0.97, 0.96, 0.98), 1.0) == OrderVerdict::holds);
  CHECK(judge(with(0.93, 0.92, 0.94), 1.0) == OrderVerdict::lower);
  CHECK(judge(OrderFit{}, 1.0) == OrderVerdict::unmeasured);
}

TEST_CASE("A wrong claim about measured errors is refused") {
  const auto h = halvings(3, 9);
  const auto error = map(h, [](double s) { return std::sqrt(s) * (1.0 + 0.2 * std::sqrt(s)); });
  const OrderFit fit = fit_order(h, error, map(error, [](double e) { return 0.01 * e; }));

  CHECK(judge(fit, 0.5) == OrderVerdict::holds);
  CHECK(judge(fit, 1.0) == OrderVerdict::lower);
  CHECK(judge(fit, 0.25) == OrderVerdict::higher);
}

TEST_CASE("The bootstrap over paths knows that levels share their noise") {
  // |error_j| = h^p exp(0.5 z_j): all levels move together, so the slope is exact although each
  // level is known to a few per cent only; with noise of their own the slope spreads.
  const auto h = halvings(3, 7);
  const std::size_t paths = 5000;
  std::normal_distribution<double> normal;
  const auto squares = [&](pcg64& rng, double common, double own) {
    std::vector<double> values(h.size() * paths);
    for (std::size_t j = 0; j < paths; ++j) {
      const double shared = common * normal(rng);
      for (std::size_t l = 0; l < h.size(); ++l) {
        values[l * paths + j] = std::pow(h[l], 2.0) * std::exp(shared + own * normal(rng));
      }
    }
    return values;
  };

  pcg64 rng(5);
  const OrderFit together = fit_order_bootstrap(h, squares(rng, 1.0, 0.0), 200, 1);
  CHECK(together.slope == Approx(1.0));
  CHECK(together.high - together.low < 1e-10);

  int covered = 0;
  for (int k = 0; k < 100; ++k) {
    const OrderFit fit = fit_order_bootstrap(h, squares(rng, 0.5, 0.5), 200, 1);
    covered += covers(fit, 1.0);
    CHECK(fit.high - fit.low < 0.2);
  }
  CHECK(covered >= 88);
}

TEST_CASE("The bootstrap leaves out levels that are not finite") {
  const auto h = halvings(2, 6);
  std::vector<double> squares;
  for (const double step : h) squares.insert(squares.end(), {step * step, step * step * 1.5});
  squares[1] = inf;

  const OrderFit fit = fit_order_bootstrap(h, squares, 100, 1);

  CHECK(fit.points == 4);
  CHECK(fit.slope == Approx(1.0));
}

TEST_CASE("Regressions refuse bad input") {
  const std::vector<double> h{0.5, 0.25, 0.125}, two{1.0, 2.0};

  CHECK_THROWS_WITH(fit_order(h, two, {}), ContainsSubstring("3 steps, 2 errors"));
  CHECK_THROWS_WITH(fit_order(h, h, two), ContainsSubstring("2 standard errors"));
  CHECK_THROWS_WITH(fit_order(std::vector{0.5, 0.0}, two, {}), ContainsSubstring("got 0"));
  CHECK_THROWS_WITH(fit_order(std::vector{0.5, 0.5}, two, {}), ContainsSubstring("given twice"));
  CHECK_THROWS_AS(fit_order(h, h, {}, {.confidence = 1.0}), std::invalid_argument);
  CHECK_THROWS_AS(fit_order_bootstrap(h, two, 100, 1), std::invalid_argument);
  CHECK_THROWS_AS(fit_order_bootstrap(h, std::vector<double>(6, 1.0), 10, 1),
                  std::invalid_argument);
}
