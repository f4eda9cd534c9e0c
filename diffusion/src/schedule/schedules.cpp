/// @file  schedules.cpp
/// @brief The closed forms of the noise schedules.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <stdexcept>
#include <string>

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/tools/toms748_solve.hpp>

#include <fokker/diffusion/schedule/schedules.hpp>
#include <fokker/solvers/support/checks.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace detail {

void require_noise(const ScheduleEnds& ends, const AffineCoefficients& start) {
  constexpr double least = 1e-150, largest = 1e150;
  check_positive("the end time of a schedule", ends.end);
  if (!(ends.sde_start > 0 && ends.sde_start <= ends.end) ||
      !(ends.t_min >= 0 && ends.t_min <= ends.sde_start))
    throw std::invalid_argument(
        "a schedule needs 0 <= t_min <= start <= end: got " +
        text("t_min={}, start={}, end={}", {ends.t_min, ends.sde_start, ends.end}));
  const bool infinite = start.sigma == HUGE_VAL && ends.sde_start == ends.end;
  const auto refuse = [&](const char* message, double value) {
    throw std::invalid_argument(text(message, {least, largest, value, ends.sde_start}));
  };
  if (!(start.sigma >= least && start.sigma <= largest) && !infinite)
    refuse("a schedule needs a noise sigma from {} to {} where it starts: got sigma={} at t={}",
           start.sigma);
  if (!(start.scale >= least && start.scale <= largest) && !(infinite && start.scale >= 0))
    refuse("a schedule needs a scale s from {} to {} where it starts: got s={} at t={}",
           start.scale);
}

double integral(const std::function<double(double)>& f, double a, double b) {
  if (a == b) return 0;
  constexpr unsigned max_depth = 10;
  return boost::math::quadrature::gauss_kronrod<double, 15>::integrate(f, a, b, max_depth, 1e-12);
}

double invert_increasing(const std::function<double(double)>& f, double value, double low,
                         double high) {
  if (std::isinf(value)) return value > 0 ? high : low;
  const auto excess = [&](double t) { return f(t) - value; };
  const double at_low = excess(low);
  double at_high = excess(high);
  if (at_low >= 0) return low;
  if (at_high <= 0) return high;
  for (double gap = 0.5 * (high - low); std::isinf(at_high); gap *= 0.5) {
    const double nearer = high - gap;
    if (nearer == high) return high;
    if (const double there = excess(nearer); there > 0) {
      high = nearer;
      at_high = there;
    }
  }
  std::uintmax_t iterations = 200;
  const auto [a, b] = boost::math::tools::toms748_solve(
      excess, low, high, at_low, at_high, boost::math::tools::eps_tolerance<double>(), iterations);
  return a + 0.5 * (b - a);
}

Time LinearBeta::time_of_integral(double b) const {
  if (b <= 0) return 0;
  return 2 * b / (low + std::sqrt(low * low + 2 * (high - low) * b));
}

void LinearBeta::validate() const {
  check_not_negative("beta_min", low);
  check_above("beta_max", high, "beta_min", low);
  if (const double b = integral(1); !(b >= 1e-300 && b <= 700))
    throw std::invalid_argument(
        "(beta_min + beta_max) / 2 must lie in [1e-300, 700], where sigma is finite: got "
        "beta_min=" +
        text(low) + ", beta_max=" + text(high));
}

// ---- variance preserving: s^2 + std^2 = 1

AffineCoefficients variance_preserving(double beta, double integral) {
  const double growth = std::expm1(integral), decay = std::expm1(-integral);
  return {.scale = std::exp(-0.5 * integral),
          .sigma = std::sqrt(growth),
          .log_scale_rate = -0.5 * beta,
          .diffusion = std::sqrt(beta),
          .std = std::sqrt(-decay),
          .log_sigma_rate = -0.5 * beta / decay,
          .log_std_rate = 0.5 * beta / growth};
}

double variance_preserving_weight(double integral, double integral_next) {
  return 2 * std::expm1(0.5 * (integral - integral_next));
}

double variance_preserving_integral(double sigma) { return std::log1p(sigma * sigma); }

}  // namespace detail

AffineCoefficients VariancePreserving::at(Time t) const {
  return detail::variance_preserving(beta().rate(t), beta().integral(t));
}

double VariancePreserving::frozen_score_weight(Time t, Time t_next) const {
  return detail::variance_preserving_weight(beta().integral(t), beta().integral(t_next));
}

Time VariancePreserving::time_of_sigma(double sigma) const {
  return beta().time_of_integral(detail::variance_preserving_integral(sigma));
}

// ---- cosine: s = cos(angle) / cos(angle0), angle = angle0 + angular_speed t

namespace {

constexpr double cosine_offset = 0.008;
constexpr double angular_speed = 0.5 * std::numbers::pi / (1 + cosine_offset);
constexpr double angle0 = angular_speed * cosine_offset;

double angle(Time t) { return angle0 + angular_speed * t; }

}  // namespace

AffineCoefficients CosineVariancePreserving::at(Time t) const {
  const double a = angle(t), c = std::cos(a), c0 = std::cos(angle0), tangent = std::tan(a);
  // sin(a - a0) sin(a + a0) = cos^2(a0) - cos^2(a), without cancellation
  const double drop = std::sin(angular_speed * t) * std::sin(a + angle0);
  return {.scale = c / c0,
          .sigma = std::sqrt(drop) / c,
          .log_scale_rate = -angular_speed * tangent,
          .diffusion = std::sqrt(2 * angular_speed * tangent),
          .std = std::sqrt(drop) / c0,
          .log_sigma_rate = angular_speed * tangent / (drop / (c0 * c0)),
          .log_std_rate = angular_speed * tangent * c * c / drop};
}

double CosineVariancePreserving::frozen_score_weight(Time t, Time t_next) const {
  return 4 * std::sin(0.5 * (angle(t) + angle(t_next))) *
         std::sin(0.5 * angular_speed * (t - t_next)) / std::cos(angle(t));
}

Time CosineVariancePreserving::time_of_sigma(double sigma) const {
  const double c0 = std::cos(angle0), tan0 = std::tan(angle0);
  const double drop = sigma * sigma / (c0 * c0);  // tan^2(angle) - tan^2(angle0)
  const double tan1 = std::sqrt(drop + tan0 * tan0);
  return std::atan(drop / (tan1 + tan0) / (1 + tan1 * tan0)) / angular_speed;
}

void CosineVariancePreserving::validate() const {
  constexpr double beta_cap = 999;
  const Time cap = (std::atan(0.5 * beta_cap / angular_speed) - angle0) / angular_speed;
  check_in("end", end, 0, cap, Ends::open_left, "beta is below its cap there");
}

// ---- sub-variance preserving

AffineCoefficients SubVariancePreserving::at(Time t) const {
  const double rate = beta().rate(t), b = beta().integral(t);
  return {.scale = std::exp(-0.5 * b),
          .sigma = 2 * std::sinh(0.5 * b),
          .log_scale_rate = -0.5 * rate,
          .diffusion = std::sqrt(-rate * std::expm1(-2 * b)),
          .std = -std::expm1(-b),
          .log_sigma_rate = 0.5 * rate / std::tanh(0.5 * b),
          .log_std_rate = rate / std::expm1(b)};
}

double SubVariancePreserving::frozen_score_weight(Time t, Time t_next) const {
  // s d(sigma^2) = (exp(B/2) - exp(-3B/2)) dB
  const double b_next = beta().integral(t_next), step = beta().integral(t) - b_next;
  return 2 * std::expm1(0.5 * step) + 2.0 / 3 * std::exp(-2 * b_next) * std::expm1(-1.5 * step);
}

Time SubVariancePreserving::time_of_sigma(double sigma) const {
  return beta().time_of_integral(2 * std::asinh(0.5 * sigma));
}

// ---- variance exploding

AffineCoefficients VarianceExploding::at(Time t) const {
  const bool exact = variance == Variance::exact;
  const double log_ratio = std::log(sigma_max / sigma_min), level = std::exp(log_ratio * t);
  return {.scale = 1,
          .sigma = sigma_min * (exact ? std::sqrt(std::expm1(2 * log_ratio * t)) : level),
          .log_scale_rate = 0,
          .diffusion = sigma_min * level * std::sqrt(2 * log_ratio),
          .log_sigma_rate = exact ? -log_ratio / std::expm1(-2 * log_ratio * t) : log_ratio};
}

double VarianceExploding::frozen_score_weight(Time t, Time t_next) const {
  const double sigma = at(t).sigma, next = at(t_next).sigma;
  return (sigma - next) * (sigma + next);
}

Time VarianceExploding::time_of_sigma(double sigma) const {
  const double log_ratio = std::log(sigma_max / sigma_min), r = sigma / sigma_min;
  return variance == Variance::exact ? std::log1p(r * r) / (2 * log_ratio)
                                     : std::log(r) / log_ratio;
}

void VarianceExploding::validate() const {
  check_positive("sigma_min", sigma_min);
  if (sigma_min < 1e-150 || sigma_max > 1e150)
    throw std::invalid_argument("sigma_min and sigma_max must lie in [1e-150, 1e150]: got " +
                                text("sigma_min={}, sigma_max={}", {sigma_min, sigma_max}));
  check_above("sigma_max", sigma_max, "sigma_min", sigma_min);
}

// ---- EDM

AffineCoefficients Edm::at(Time t) const {
  return {.scale = 1,
          .sigma = t,
          .log_scale_rate = 0,
          .diffusion = std::sqrt(2 * t),
          .log_sigma_rate = 1 / t};
}

void Edm::validate() const {
  check_not_negative("sigma_min", sigma_min);
  check_above("sigma_max", sigma_max, "sigma_min", sigma_min);
}

// ---- flow matching

AffineCoefficients FlowMatching::at(Time t) const {
  return {.scale = 1 - t,
          .sigma = t / (1 - t),
          .log_scale_rate = -1 / (1 - t),
          .diffusion = std::sqrt(2 * t / (1 - t)),
          .std = t,
          .log_sigma_rate = 1 / (t * (1 - t)),
          .log_std_rate = 1 / t,
          .denoiser_rate = 1 / t};
}

double FlowMatching::frozen_score_weight(Time t, Time t_next) const {
  // s = 1 / (1 + sigma); 1 + sigma = 1 / (1 - t)
  const double step = t / (1 - t) - t_next / (1 - t_next);
  return 2 * (1 - t_next) * (step - std::log1p((t - t_next) / (1 - t)));
}

Time FlowMatching::time_of_sigma(double sigma) const {
  return std::isinf(sigma) ? 1.0 : sigma / (1 + sigma);
}

// ---- polynomial flow: 1 + sigma = 1/s

AffineCoefficients PolynomialFlow::at(Time t) const {
  const double std = -std::expm1(n * std::log1p(-t));
  const double log_std_rate = n * std::pow(1 - t, n - 1) / std;
  return {.scale = std::pow(1 - t, n),
          .sigma = std::expm1(-n * std::log1p(-t)),
          .log_scale_rate = -n / (1 - t),
          .diffusion = std::sqrt(2 * n * std / (1 - t)),
          .std = std,
          .log_sigma_rate = n / ((1 - t) * std),
          .log_std_rate = log_std_rate,
          .denoiser_rate = log_std_rate};
}

double PolynomialFlow::frozen_score_weight(Time t, Time t_next) const {
  const AffineCoefficients next = at(t_next);
  const double step = at(t).sigma - next.sigma;
  return 2 * next.scale * (step - n * std::log1p((t - t_next) / (1 - t)));
}

Time PolynomialFlow::time_of_sigma(double sigma) const {
  return -std::expm1(-std::log1p(sigma) / n);
}

void PolynomialFlow::validate() const { check_positive("n", n); }

// ---- linear variance preserving

AffineCoefficients LinearVariancePreserving::at(Time t) const {
  const double std = std::sqrt(t * (2 - t));
  return {.scale = 1 - t,
          .sigma = std / (1 - t),
          .log_scale_rate = -1 / (1 - t),
          .diffusion = std::sqrt(2 / (1 - t)),
          .std = std,
          .log_sigma_rate = 1 / ((1 - t) * t * (2 - t)),
          .log_std_rate = (1 - t) / (t * (2 - t)),
          .denoiser_rate = 1 / (t * (2 - t))};
}

Time LinearVariancePreserving::time_of_sigma(double sigma) const {
  if (std::isinf(sigma)) return 1;
  const double root = std::hypot(1.0, sigma);  // 1/s
  return sigma / root * (sigma / (root + 1));
}

// ---- trigonometric variance preserving

namespace {

constexpr double quarter = 0.5 * std::numbers::pi;

}  // namespace

AffineCoefficients TrigonometricVariancePreserving::at(Time t) const {
  const double scale = std::sin(quarter * (1 - t)), std = std::sin(quarter * t);
  const double sigma = std / scale;
  return {.scale = scale,
          .sigma = sigma,
          .log_scale_rate = -quarter * sigma,
          .diffusion = std::sqrt(2 * quarter * sigma),
          .std = std,
          .log_sigma_rate = quarter / (scale * std),
          .log_std_rate = quarter / sigma,
          .denoiser_rate = quarter / std};
}

double TrigonometricVariancePreserving::frozen_score_weight(Time t, Time t_next) const {
  const double middle = 0.5 * (t + t_next);
  return 4 * std::sin(quarter * middle) * std::sin(0.5 * quarter * (t - t_next)) /
         std::sin(quarter * (1 - t));
}

Time TrigonometricVariancePreserving::time_of_sigma(double sigma) const {
  return std::atan(sigma) / quarter;
}

// ---- stochastic interpolant

AffineCoefficients StochasticInterpolant::at(Time t) const {
  using std::numbers::pi;
  double std, half_variance_rate, log_std_rate;  // the second is std std'
  if (gamma == Gamma::root) {
    std = std::sqrt(t);
    half_variance_rate = 0.5;
    log_std_rate = 0.5 / t;
  } else {
    const double sine = std::sin(pi * t);
    const double bump = t == 0 ? 0 : sine * sine / t;            // gamma / t
    const double growth = 1 + pi * std::sin(2 * pi * t) * bump;  // (t^2 + gamma^2)' / (2t)
    std = t * std::hypot(1.0, bump);
    half_variance_rate = t * growth;
    log_std_rate = growth / (t * (1 + bump * bump));
  }
  return {.scale = 1 - t,
          .sigma = std / (1 - t),
          .log_scale_rate = -1 / (1 - t),
          .diffusion = std::sqrt(2 * (half_variance_rate + std * std / (1 - t))),
          .std = std,
          .log_sigma_rate = log_std_rate + 1 / (1 - t),
          .log_std_rate = log_std_rate,
          .denoiser_rate = (1 - t) * log_std_rate + 1};
}

Time StochasticInterpolant::time_of_sigma(double sigma) const {
  if (gamma == Gamma::root) {
    const double root = 2 / (1 / sigma + std::hypot(1 / sigma, 2.0));  // sqrt t
    return root * root;
  }
  return detail::invert_increasing([this](Time t) { return at(t).sigma; }, sigma, 0, 1);
}

}  // namespace fokker
