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
#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace detail {

void require_noise(Time end, Time t_min, Time start, double scale, double sigma,
                   bool finite_at_start) {
  constexpr double least = 1e-150, largest = 1e150;
  if (!(end > 0) || !std::isfinite(end))
    throw std::invalid_argument("the end time of a schedule must be positive and finite: got " +
                                text(end));
  if (!(start > 0 && start <= end) || !(t_min >= 0 && t_min <= start))
    throw std::invalid_argument("a schedule needs 0 <= t_min <= start <= end: got " +
                                text("t_min={}, start={}, end={}", {t_min, start, end}));
  const bool infinite = std::isinf(sigma) && sigma > 0 && !finite_at_start;
  if (!(sigma >= least && sigma <= largest) && !infinite)
    throw std::invalid_argument(
        text("a schedule needs a noise sigma from {} to {} where it starts: got sigma={} at t={}",
             {least, largest, sigma, start}));
  if (!(scale >= least && scale <= largest) && !(infinite && scale >= 0))
    throw std::invalid_argument(
        text("a schedule needs a scale s from {} to {} where it starts: got s={} at t={}",
             {least, largest, scale, start}));
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
  if (!(low >= 0) || !std::isfinite(low))
    throw std::invalid_argument("beta_min must be at least 0 and finite: got beta_min=" +
                                text(low));
  if (!(high > low) || !std::isfinite(high))
    throw std::invalid_argument("beta_max must exceed beta_min: got beta_max=" + text(high) +
                                ", beta_min=" + text(low));
  if (const double b = integral(1); !(b >= 1e-300 && b <= 700))
    throw std::invalid_argument(
        "(beta_min + beta_max) / 2 must lie in [1e-300, 700], where sigma is a number: got "
        "beta_min=" +
        text(low) + ", beta_max=" + text(high));
}

}  // namespace detail

// ---- variance preserving: s^2 + std^2 = 1

namespace detail {

double VariancePreservingForm::scale() const { return std::exp(-0.5 * integral); }

double VariancePreservingForm::sigma() const { return std::sqrt(std::expm1(integral)); }

double VariancePreservingForm::std() const { return std::sqrt(-std::expm1(-integral)); }

double VariancePreservingForm::log_sigma_rate() const {
  return -0.5 * beta / std::expm1(-integral);
}

double VariancePreservingForm::log_std_rate() const { return 0.5 * beta / std::expm1(integral); }

double VariancePreservingForm::diffusion() const { return std::sqrt(beta); }

double VariancePreservingForm::frozen_score_weight(const VariancePreservingForm& next) const {
  return 2 * std::expm1(0.5 * (integral - next.integral));
}

double VariancePreservingForm::integral_of_sigma(double sigma) { return std::log1p(sigma * sigma); }

}  // namespace detail

double VariancePreserving::scale(Time t) const { return at(t).scale(); }
double VariancePreserving::sigma(Time t) const { return at(t).sigma(); }
double VariancePreserving::std(Time t) const { return at(t).std(); }
double VariancePreserving::log_scale_rate(Time t) const { return at(t).log_scale_rate(); }
double VariancePreserving::log_sigma_rate(Time t) const { return at(t).log_sigma_rate(); }
double VariancePreserving::log_std_rate(Time t) const { return at(t).log_std_rate(); }
double VariancePreserving::diffusion(Time t) const { return at(t).diffusion(); }

double VariancePreserving::frozen_score_weight(Time t, Time t_next) const {
  return at(t).frozen_score_weight(at(t_next));
}

Time VariancePreserving::time_of_sigma(double sigma) const {
  return beta().time_of_integral(detail::VariancePreservingForm::integral_of_sigma(sigma));
}

void VariancePreserving::validate() const { beta().validate(); }

// ---- cosine: s = cos(angle) / cos(angle0), angle = angle0 + angular_speed t

namespace {

constexpr double cosine_offset = 0.008;
constexpr double angular_speed = 0.5 * std::numbers::pi / (1 + cosine_offset);
constexpr double angle0 = angular_speed * cosine_offset;

double angle(Time t) { return angle0 + angular_speed * t; }

/// sin(angle - angle0) sin(angle + angle0) = cos^2(angle0) - cos^2(angle), without cancellation.
double cosine_drop(Time t) { return std::sin(angular_speed * t) * std::sin(angle(t) + angle0); }

}  // namespace

double CosineVariancePreserving::scale(Time t) const {
  return std::cos(angle(t)) / std::cos(angle0);
}

double CosineVariancePreserving::sigma(Time t) const {
  return std::sqrt(cosine_drop(t)) / std::cos(angle(t));
}

double CosineVariancePreserving::std(Time t) const {
  return std::sqrt(cosine_drop(t)) / std::cos(angle0);
}

double CosineVariancePreserving::log_scale_rate(Time t) const {
  return -angular_speed * std::tan(angle(t));
}

double CosineVariancePreserving::log_sigma_rate(Time t) const {
  const double variance = cosine_drop(t) / (std::cos(angle0) * std::cos(angle0));
  return angular_speed * std::tan(angle(t)) / variance;
}

double CosineVariancePreserving::log_std_rate(Time t) const {
  const double c = std::cos(angle(t));
  return angular_speed * std::tan(angle(t)) * c * c / cosine_drop(t);
}

double CosineVariancePreserving::diffusion(Time t) const {
  return std::sqrt(2 * angular_speed * std::tan(angle(t)));
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
  if (!(end > 0) || !(end <= cap))
    throw std::invalid_argument("end must lie in (0, " + text(cap) +
                                "], where beta is below its cap: got end=" + text(end));
}

// ---- sub-variance preserving

double SubVariancePreserving::scale(Time t) const { return std::exp(-0.5 * beta().integral(t)); }

double SubVariancePreserving::sigma(Time t) const {
  return 2 * std::sinh(0.5 * beta().integral(t));
}

double SubVariancePreserving::std(Time t) const { return -std::expm1(-beta().integral(t)); }

double SubVariancePreserving::log_scale_rate(Time t) const { return -0.5 * beta().rate(t); }

double SubVariancePreserving::log_sigma_rate(Time t) const {
  return 0.5 * beta().rate(t) / std::tanh(0.5 * beta().integral(t));
}

double SubVariancePreserving::log_std_rate(Time t) const {
  return beta().rate(t) / std::expm1(beta().integral(t));
}

double SubVariancePreserving::diffusion(Time t) const {
  return std::sqrt(-beta().rate(t) * std::expm1(-2 * beta().integral(t)));
}

double SubVariancePreserving::frozen_score_weight(Time t, Time t_next) const {
  // s d(sigma^2) = (exp(B/2) - exp(-3B/2)) dB
  const double b_next = beta().integral(t_next), step = beta().integral(t) - b_next;
  return 2 * std::expm1(0.5 * step) + 2.0 / 3 * std::exp(-2 * b_next) * std::expm1(-1.5 * step);
}

Time SubVariancePreserving::time_of_sigma(double sigma) const {
  return beta().time_of_integral(2 * std::asinh(0.5 * sigma));
}

void SubVariancePreserving::validate() const { beta().validate(); }

// ---- variance exploding

double VarianceExploding::sigma(Time t) const {
  const double log_ratio = std::log(sigma_max / sigma_min);
  return variance == Variance::exact ? sigma_min * std::sqrt(std::expm1(2 * log_ratio * t))
                                     : sigma_min * std::exp(log_ratio * t);
}

double VarianceExploding::log_sigma_rate(Time t) const {
  const double log_ratio = std::log(sigma_max / sigma_min);
  return variance == Variance::exact ? -log_ratio / std::expm1(-2 * log_ratio * t) : log_ratio;
}

double VarianceExploding::diffusion(Time t) const {
  const double log_ratio = std::log(sigma_max / sigma_min);
  return sigma_min * std::exp(log_ratio * t) * std::sqrt(2 * log_ratio);
}

double VarianceExploding::frozen_score_weight(Time t, Time t_next) const {
  return (sigma(t) - sigma(t_next)) * (sigma(t) + sigma(t_next));
}

Time VarianceExploding::time_of_sigma(double sigma) const {
  const double log_ratio = std::log(sigma_max / sigma_min), r = sigma / sigma_min;
  return variance == Variance::exact ? std::log1p(r * r) / (2 * log_ratio)
                                     : std::log(r) / log_ratio;
}

void VarianceExploding::validate() const {
  if (!(sigma_min > 0) || !std::isfinite(sigma_min))
    throw std::invalid_argument("sigma_min must be positive and finite: got sigma_min=" +
                                text(sigma_min));
  if (sigma_min < 1e-150 || sigma_max > 1e150)
    throw std::invalid_argument("sigma_min and sigma_max must lie in [1e-150, 1e150]: got " +
                                text("sigma_min={}, sigma_max={}", {sigma_min, sigma_max}));
  if (!(sigma_max > sigma_min) || !std::isfinite(sigma_max))
    throw std::invalid_argument("sigma_max must exceed sigma_min: got sigma_max=" +
                                text(sigma_max) + ", sigma_min=" + text(sigma_min));
}

// ---- EDM

double Edm::diffusion(Time t) const { return std::sqrt(2 * t); }

void Edm::validate() const {
  if (!(sigma_min >= 0) || !std::isfinite(sigma_min))
    throw std::invalid_argument("sigma_min must be at least 0 and finite: got sigma_min=" +
                                text(sigma_min));
  if (!(sigma_max > sigma_min) || !std::isfinite(sigma_max))
    throw std::invalid_argument("sigma_max must exceed sigma_min: got sigma_max=" +
                                text(sigma_max) + ", sigma_min=" + text(sigma_min));
}

// ---- flow matching

double FlowMatching::diffusion(Time t) const { return std::sqrt(2 * t / (1 - t)); }

double FlowMatching::frozen_score_weight(Time t, Time t_next) const {
  // s = 1 / (1 + sigma); 1 + sigma = 1 / (1 - t)
  const double step = sigma(t) - sigma(t_next);
  return 2 * (1 - t_next) * (step - std::log1p((t - t_next) / (1 - t)));
}

Time FlowMatching::time_of_sigma(double sigma) const {
  return std::isinf(sigma) ? 1.0 : sigma / (1 + sigma);
}

// ---- polynomial flow: 1 + sigma = 1/s

double PolynomialFlow::scale(Time t) const { return std::pow(1 - t, n); }

double PolynomialFlow::sigma(Time t) const { return std::expm1(-n * std::log1p(-t)); }

double PolynomialFlow::std(Time t) const { return -std::expm1(n * std::log1p(-t)); }

double PolynomialFlow::log_sigma_rate(Time t) const { return n / ((1 - t) * std(t)); }

double PolynomialFlow::log_std_rate(Time t) const { return n * std::pow(1 - t, n - 1) / std(t); }

double PolynomialFlow::diffusion(Time t) const { return std::sqrt(2 * n * std(t) / (1 - t)); }

double PolynomialFlow::frozen_score_weight(Time t, Time t_next) const {
  const double step = sigma(t) - sigma(t_next);
  return 2 * scale(t_next) * (step - n * std::log1p((t - t_next) / (1 - t)));
}

Time PolynomialFlow::time_of_sigma(double sigma) const {
  return -std::expm1(-std::log1p(sigma) / n);
}

void PolynomialFlow::validate() const {
  if (!(n > 0) || !std::isfinite(n))
    throw std::invalid_argument("n must be positive and finite: got n=" + text(n));
}

// ---- linear variance preserving

double LinearVariancePreserving::std(Time t) const { return std::sqrt(t * (2 - t)); }

double LinearVariancePreserving::diffusion(Time t) const { return std::sqrt(2 / (1 - t)); }

Time LinearVariancePreserving::time_of_sigma(double sigma) const {
  if (std::isinf(sigma)) return 1;
  const double root = std::hypot(1.0, sigma);  // 1/s
  return sigma / root * (sigma / (root + 1));
}

// ---- trigonometric variance preserving

namespace {

constexpr double quarter = 0.5 * std::numbers::pi;

}  // namespace

double TrigonometricVariancePreserving::scale(Time t) const { return std::sin(quarter * (1 - t)); }

double TrigonometricVariancePreserving::sigma(Time t) const { return std(t) / scale(t); }

double TrigonometricVariancePreserving::std(Time t) const { return std::sin(quarter * t); }

double TrigonometricVariancePreserving::log_scale_rate(Time t) const { return -quarter * sigma(t); }

double TrigonometricVariancePreserving::log_sigma_rate(Time t) const {
  return quarter / (scale(t) * std(t));
}

double TrigonometricVariancePreserving::log_std_rate(Time t) const { return quarter / sigma(t); }

double TrigonometricVariancePreserving::denoiser_rate(Time t) const { return quarter / std(t); }

double TrigonometricVariancePreserving::diffusion(Time t) const {
  return std::sqrt(2 * quarter * sigma(t));
}

double TrigonometricVariancePreserving::frozen_score_weight(Time t, Time t_next) const {
  const double middle = 0.5 * (t + t_next);
  return 4 * std::sin(quarter * middle) * std::sin(0.5 * quarter * (t - t_next)) / scale(t);
}

Time TrigonometricVariancePreserving::time_of_sigma(double sigma) const {
  return std::atan(sigma) / quarter;
}

// ---- stochastic interpolant

namespace {

/// sin^2(pi t) / t, so that gamma = t times this.
double sine_bump(Time t) {
  const double sine = std::sin(std::numbers::pi * t);
  return t == 0 ? 0 : sine * sine / t;
}

/// (t^2 + gamma^2)' / (2t).
double sine_growth(Time t) {
  return 1 + std::numbers::pi * std::sin(2 * std::numbers::pi * t) * sine_bump(t);
}

}  // namespace

double StochasticInterpolant::std(Time t) const {
  return gamma == Gamma::root ? std::sqrt(t) : t * std::hypot(1.0, sine_bump(t));
}

double StochasticInterpolant::half_variance_rate(Time t) const {
  return gamma == Gamma::root ? 0.5 : t * sine_growth(t);
}

double StochasticInterpolant::log_std_rate(Time t) const {
  if (gamma == Gamma::root) return 0.5 / t;
  const double bump = sine_bump(t);
  return sine_growth(t) / (t * (1 + bump * bump));
}

double StochasticInterpolant::diffusion(Time t) const {
  const double s = std(t);
  return std::sqrt(2 * (half_variance_rate(t) + s * s / (1 - t)));
}

Time StochasticInterpolant::time_of_sigma(double sigma) const {
  if (gamma == Gamma::root) {
    const double root = 2 / (1 / sigma + std::hypot(1 / sigma, 2.0));  // sqrt t
    return root * root;
  }
  return detail::invert_increasing([this](Time t) { return this->sigma(t); }, sigma, 0, 1);
}

}  // namespace fokker
