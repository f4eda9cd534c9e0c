/// @file  samplers_sde.cpp
/// @brief Single steps of the stochastic samplers by hand, their ends, their memory, their limits.

#include "no_allocation.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <fokker/diffusion/samplers/ddpm.hpp>
#include <fokker/diffusion/samplers/er_sde.hpp>
#include <fokker/diffusion/samplers/reverse_diffusion.hpp>
#include <fokker/diffusion/samplers/sde_dpm_solver.hpp>
#include <fokker/diffusion/samplers/seeds.hpp>
#include <fokker/diffusion/samplers/sit.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>

#include "catch.hpp"
#include "gaussian_model.hpp"

using namespace fokker;
using test::GaussianScore;

namespace {

using X = Block<double>;
using Model = ReverseSde<test::Process, GaussianScore>;

const test::Process vp{AnySchedule(VariancePreserving{})};
const test::Process edm{AnySchedule(Edm{})};

X block(double a, double b) {
  X x(1, 2);
  x << a, b;
  return x;
}

double difference(const X& a, const X& b) { return (a - b).abs().maxCoeff(); }

X denoised(const GaussianScore& score, const X& x, Time t) {
  X out(1, 2);
  score.denoise(x, t, out);
  return out;
}

/// A run of two paths that can be stepped one by one; noise is that of step k, the same in every
/// run.
template <class Method, class S = double>
struct Run {
  using Y = Block<S>;

  Run(const Method& m, const Model& its_model) : method(m), model(its_model), workspace(1, 2) {
    dw.resize(1, 2, needs_of(m));
  }
  Y step(const Y& x, Time t, Time t_next, int k = 0) {
    xi = block(0.7 - 0.3 * k, -1.1 + 0.5 * k);
    dw.w = (std::sqrt(t - t_next) * xi).template cast<S>();
    for (Index i = 0; i < dw.normals.rows(); ++i)
      dw.normals.row(i) = block(0.4 - 0.2 * static_cast<double>(i), 0.9).row(0).template cast<S>();
    Y y(1, 2);
    method.step(model, x, t, t_next, dw, y, workspace);
    return y;
  }
  Y follow(Y x, const TimeGrid& grid) {
    for (std::size_t k = 0; k + 1 < grid.size(); ++k)
      x = step(x, grid[k], grid[k + 1], static_cast<int>(k % 5));
    return x;
  }

  Method method;
  Model model;
  typename Method::template Workspace<Y> workspace;
  Increment<Model, Y> dw;
  X xi;  // the standard normals of the last step
};

template <class Method>
Run<Method> run(const Method& method, const Model& model) {
  return {method, model};
}

/// Calls `f` with every sampler of the files under test.
template <class F>
void for_each_sampler(const F& f) {
  f(DpmSolverPlusPlus1Sde{});
  f(DpmSolverPlusPlus2MSde{});
  f(DpmSolverPlusPlus2MSdeHeun{});
  f(DpmSolverPlusPlus3MSde{});
  f(SaSolver<1>{});
  f(SaSolver<2>{});
  f(SaSolver<3>{});
  f(ErSde<1>{});
  f(ErSde<2>{});
  f(ErSde<3>{});
  f(Seeds1{});
  f(Seeds2{});
  f(DpmSolverPlusPlusSde{});
  SaSolver<2> interval;
  interval.sigma_low = 0.05;
  interval.sigma_high = 1;
  f(interval);
  f(ReverseDiffusion{});
  f(Sit{});
  f(SitHeun{});
}

}  // namespace

TEST_CASE("dpm++1-sde with eta = 1 is ddpm, with eta = 0 ddim, and er-sde-1 of a power is it") {
  const GaussianScore score{vp, 0.5, 2.0};
  const X x = block(-1, 3);
  ErSde<1> er;
  er.power = 1;

  const X one = run(DpmSolverPlusPlus1Sde{}, {vp, score, 1}).step(x, 0.7, 0.55);
  const X none = run(DpmSolverPlusPlus1Sde{}, {vp, score, 0}).step(x, 0.7, 0.55);
  const X some = run(DpmSolverPlusPlus1Sde{}, {vp, score, 1.3}).step(x, 0.7, 0.55);

  CHECK(difference(one, run(Ddpm{}, {vp, score, 1}).step(x, 0.7, 0.55)) < 1e-14);
  CHECK(difference(none, run(Ddim{}, {vp, score, 0}).step(x, 0.7, 0.55)) < 1e-14);
  CHECK(difference(some, run(er, {vp, score, 1.3}).step(x, 0.7, 0.55)) < 1e-14);
}

TEST_CASE("dpm++2m-sde takes the published steps, with eta = 0 those of dpm++2m") {
  for (const double eta : {0.0, 0.8, 1.0}) {
    INFO("eta=" << eta);
    const GaussianScore score{edm, 0.5, 2.0};
    const Model model{edm, score, eta};
    const Time t0 = 5, t1 = 3, t2 = 2.2;
    const X x0 = block(-7, 9);
    for (const bool midpoint : {true, false}) {
      const auto steps = [&](auto sampler) {
        const X x1 = sampler.step(x0, t0, t1);
        return sampler.step(x1, t1, t2, 1);
      };
      const X y = midpoint ? steps(run(DpmSolverPlusPlus2MSde{}, model))
                           : steps(run(DpmSolverPlusPlus2MSdeHeun{}, model));

      const double square = eta * eta;
      const X xi0 = block(0.7, -1.1), xi1 = block(0.4, -0.6);
      const double h0 = std::log(t0 / t1), h1 = std::log(t1 / t2);
      const X d0 = denoised(score, x0, t0);
      const X x1 = t1 / t0 * std::exp(-square * h0) * x0 - std::expm1(-(1 + square) * h0) * d0 +
                   t1 * std::sqrt(-std::expm1(-2 * square * h0)) * xi0;
      const X d1 = denoised(score, x1, t1);
      const double a = (1 + square) * h1;
      const double correction = midpoint ? -0.5 * std::expm1(-a) : std::expm1(-a) / a + 1;
      const X expected = t2 / t1 * std::exp(-square * h1) * x1 - std::expm1(-a) * d1 +
                         correction * h1 / h0 * (d1 - d0) +
                         t2 * std::sqrt(-std::expm1(-2 * square * h1)) * xi1;
      CHECK(difference(y, expected) < 1e-13);
    }
  }
}

namespace {

/// integral of a e^(-a (h - u)) q(u) du over [0, h] by Simpson's rule on 2000 pieces.
template <class F>
X weighted_integral(const F& q, double a, double h) {
  const int pieces = 2000;
  X sum = X::Zero(1, 2);
  for (int i = 0; i <= pieces; ++i) {
    const double u = h * i / pieces, weight = i == 0 || i == pieces ? 1 : i % 2 == 1 ? 4 : 2;
    sum += weight * h / pieces / 3 * a * std::exp(-a * (h - u)) * q(u);
  }
  return sum;
}

/// The polynomial through (u_i, d_i) at u.
X through(const std::vector<double>& u, const std::vector<X>& d, double at) {
  X sum = X::Zero(1, 2);
  for (std::size_t i = 0; i < u.size(); ++i) {
    double l = 1;
    for (std::size_t j = 0; j < u.size(); ++j)
      if (j != i) l *= (at - u[j]) / (u[i] - u[j]);
    sum += l * d[i];
  }
  return sum;
}

}  // namespace

TEST_CASE("dpm++3m-sde integrates the parabola through the last three denoisers exactly") {
  const GaussianScore score{edm, 0.5, 2.0};
  const double eta = 0.8, a = 1 + eta * eta;
  const Time t0 = 5, t1 = 3, t2 = 2.2, t3 = 1.5;
  auto sampler = run(DpmSolverPlusPlus3MSde{}, {edm, score, eta});

  const X x0 = block(-7, 9), x1 = sampler.step(x0, t0, t1), x2 = sampler.step(x1, t1, t2, 1);
  const X y = sampler.step(x2, t2, t3, 2);

  const double h = std::log(t2 / t3);
  const std::vector<double> at{0, -std::log(t1 / t2), -std::log(t0 / t2)};
  const std::vector<X> d{denoised(score, x2, t2), denoised(score, x1, t1), denoised(score, x0, t0)};
  const X expected = std::exp(-a * h) * x2 +
                     weighted_integral([&](double u) { return through(at, d, u); }, a, h) +
                     t3 * std::sqrt(-std::expm1(-2 * eta * eta * h)) * sampler.xi;
  CHECK(difference(y, expected) < 1e-10);
}

/// Two steps of SA-Solver with two points on `edm`: predicted through the last values, evaluated
/// and taken again through that value too. From sigma = 5 to 3 to 2.2.
/// @param step  step(x, t, t', xi, at, d): exact but for D, which goes through d at u = `at`
template <class Step>
void check_two_corrected_steps(const SaSolver<2>& method, const GaussianScore& score, double eta,
                               const Step& step) {
  const Time t0 = 5, t1 = 3, t2 = 2.2;
  auto sampler = run(method, {edm, score, eta});
  const X x0 = block(-7, 9), x1 = sampler.step(x0, t0, t1);
  const X xi0 = sampler.xi;
  const X x2 = sampler.step(x1, t1, t2, 1);

  const double h0 = std::log(t0 / t1), h1 = std::log(t1 / t2);
  const X d0 = denoised(score, x0, t0);
  const X d1 = denoised(score, step(x0, t0, t1, xi0, {0}, {d0}), t1);
  CHECK(difference(x1, step(x0, t0, t1, xi0, {0, h0}, {d0, d1})) < 1e-10);
  const X d2 = denoised(score, step(x1, t1, t2, sampler.xi, {0, -h0}, {d1, d0}), t2);
  CHECK(difference(x2, step(x1, t1, t2, sampler.xi, {0, -h0, h1}, {d1, d0, d2})) < 1e-10);
}

TEST_CASE("sa-solver predicts, evaluates and corrects with the same noise") {
  const GaussianScore score{edm, 0.5, 2.0};
  const double eta = 0.8, a = 1 + eta * eta;

  const auto step = [&](const X& x, Time t, Time to, const X& xi, const std::vector<double>& at,
                        const std::vector<X>& d) {
    const double h = std::log(t / to);
    return X(std::exp(-a * h) * x +
             weighted_integral([&](double u) { return through(at, d, u); }, a, h) +
             to * std::sqrt(-std::expm1(-2 * eta * eta * h)) * xi);
  };

  check_two_corrected_steps(SaSolver<2>{}, score, eta, step);
}

TEST_CASE("sa-solver with tau in an interval integrates over its ends exactly") {
  const GaussianScore score{edm, 0.5, 2.0};
  const double eta = 0.8, low = 2.5, high = 4;  // each step passes one end
  SaSolver<2> method;
  method.sigma_low = low;
  method.sigma_high = high;

  // z' = r z + int (1 + tau^2) e^(...) D + sigma' sqrt(1 - e^(-2 int tau^2)) xi, piece by piece
  const auto step = [&](const X& x, Time t, Time to, const X& xi, const std::vector<double>& at,
                        const std::vector<X>& d) {
    const double begin = std::max(std::min(t, high), to), end = std::min(std::max(to, low), t);
    const double damped = eta * eta * std::log(begin / end);
    X integral = X::Zero(1, 2);
    double rest = std::log(t / to) + damped;
    for (const auto& [from, until, a] :
         {std::array{t, begin, 1.0}, std::array{begin, end, 1 + eta * eta},
          std::array{end, to, 1.0}}) {
      const double u0 = std::log(t / from), h = std::log(from / until);
      rest -= a * h;
      integral += std::exp(-rest) *
                  weighted_integral([&](double u) { return through(at, d, u0 + u); }, a, h);
    }
    return X(to / t * std::exp(-damped) * x + integral +
             to * std::sqrt(-std::expm1(-2 * damped)) * xi);
  };

  check_two_corrected_steps(method, score, eta, step);
}

TEST_CASE("sa-solver outside its interval is the flow's, inside the one of eta everywhere") {
  const GaussianScore score{vp, 0.5, 2.0};
  const TimeGrid grid = make_grid("logsnr", vp.schedule, 1, 1e-3, 8);
  const auto end = [&](double low, double high, double eta) {
    SaSolver<3> method;
    method.sigma_low = low;
    method.sigma_high = high;
    return run(method, {vp, score, eta}).follow(block(-1, 3), grid);
  };
  const double infinity = std::numeric_limits<double>::infinity();

  CHECK(difference(end(1e-9, 1e9, 0.8), end(0, infinity, 0.8)) < 1e-12);
  CHECK(difference(end(1e6, 1e9, 0.8), end(0, infinity, 0)) < 1e-12);
  CHECK(difference(end(1e-9, 2e-9, 0.8), end(0, infinity, 0)) < 1e-12);
  CHECK(difference(end(0.1, 1, 0.8), end(0, infinity, 0)) > 0.1);
  CHECK(!SaSolver<3>{}.has_own_noise());
}

TEST_CASE("er-sde-2 takes the published step, its integral of 1/phi summed finely") {
  const GaussianScore score{edm, 0.5, 2.0};
  const Time t0 = 5, t1 = 3, t2 = 2.2;
  for (const int power : {0, 1}) {
    ErSde<2> method;
    method.power = power;
    auto sampler = run(method, {edm, score, 1});
    const auto phi = [&](double v) {
      return power == 1 ? v * v : v * (std::exp(std::pow(v, 0.3)) + 10);
    };

    const X x0 = block(-7, 9), x1 = sampler.step(x0, t0, t1);
    const X y = sampler.step(x1, t1, t2, 1);

    double inverse = 0;  // integral of 1/phi over [t2, t1]
    const int pieces = 20000;
    for (int i = 0; i < pieces; ++i)
      inverse += (t1 - t2) / pieces / phi(t2 + (t1 - t2) * (i + 0.5) / pieces);
    const double r = phi(t2) / phi(t1);
    const X d1 = denoised(score, x1, t1), slope = (d1 - denoised(score, x0, t0)) / (t1 - t0);
    const X expected = r * x1 + (1 - r) * d1 + (t2 - t1 + inverse * phi(t2)) * slope +
                       std::sqrt(t2 * t2 - t1 * t1 * r * r) * sampler.xi;
    CHECK(difference(y, expected) < 1e-8);
  }
}

TEST_CASE("er-sde's moments hold from tiny steps to steps over five decades") {
  const detail::NoiseScaleRule rule{NoiseScale::power};
  for (const double eta : {0.5, 1.0}) {
    const double a = 1 + eta * eta;  // E = (sigma'/u)^a
    for (const double ratio : {1 + 1e-9, 1.01, 3.0, 1e5}) {
      const double sigma = 2, next = sigma / ratio, width = sigma - next;
      const double first =
          (std::pow(next, a) * (std::pow(sigma, 1 - a) - std::pow(next, 1 - a)) / (1 - a)) /
          width;  // integral of E in (sigma - u) / width
      const auto m = rule.moments<2>(sigma, next, eta);
      INFO("ratio " << ratio << " eta " << eta);
      CHECK_THAT(m[0], WithinRel(-std::expm1(-a * std::log(ratio)), 1e-6));
      if (ratio > 1.001)
        CHECK_THAT(m[1], WithinAbs(1 - first, 1e-9));
      else
        CHECK_THAT(m[1], WithinRel(0.5 * m[0], 1e-6));
    }
  }
}

TEST_CASE("seeds-1 and seeds-2 take the published steps of the VP process, eta = 1") {
  const GaussianScore score{vp, 0.5, 2.0};
  const Time t = 0.7, t_next = 0.55;
  const X x = block(-1, 3);
  auto one = run(Seeds1{}, {vp, score, 1});
  auto two = run(Seeds2{}, {vp, score, 1});

  const X y1 = one.step(x, t, t_next), y2 = two.step(x, t, t_next);

  const auto noise = [&](const X& at, Time u) {
    return X((at - vp.scale(u) * denoised(score, at, u)) / vp.std(u));
  };
  const double h = std::log(vp.sigma(t) / vp.sigma(t_next));
  const Time middle = vp.time_of_sigma(std::sqrt(vp.sigma(t) * vp.sigma(t_next)));
  const X expected1 = vp.scale(t_next) / vp.scale(t) * x -
                      2 * vp.std(t_next) * std::expm1(h) * noise(x, t) +
                      vp.std(t_next) * std::sqrt(std::expm1(2 * h)) * one.xi;
  CHECK(difference(y1, expected1) < 1e-13);
  // z1 and z2 of the two halves, from the noise of the whole and the bridge
  const double whole = std::sqrt(std::expm1(2 * h));
  const double first = std::sqrt(std::exp(2 * h) - std::exp(h)), second = std::sqrt(std::expm1(h));
  const X n = two.dw.normals.row(0);
  const X z1 = (first * two.xi + second * n) / whole, z2 = (second * two.xi - first * n) / whole;
  const X u = vp.scale(middle) / vp.scale(t) * x -
              2 * vp.std(middle) * std::expm1(h / 2) * noise(x, t) +
              vp.std(middle) * std::sqrt(std::expm1(h)) * z1;
  const X expected2 = vp.scale(t_next) / vp.scale(t) * x -
                      2 * vp.std(t_next) * std::expm1(h) * noise(u, middle) +
                      vp.std(t_next) * (first * z1 + second * z2);
  CHECK(difference(y2, expected2) < 1e-12);
}

TEST_CASE("dpm++2s-sde takes k-diffusion's step at eta = 1") {
  const GaussianScore score{edm, 0.5, 2.0};
  const Time t = 5, t_next = 3;
  const X x = block(-7, 9);
  auto sampler = run(DpmSolverPlusPlusSde{}, {edm, score, 1});

  const X y = sampler.step(x, t, t_next);

  const double q = t_next / t, middle = std::sqrt(t * t_next);
  const X n = sampler.dw.normals.row(0);
  const X z1 = (std::sqrt(q) * sampler.xi + n) / std::sqrt(1 + q);
  const X z2 = (sampler.xi - std::sqrt(q) * n) / std::sqrt(1 + q);
  const X u = q * x + (1 - q) * denoised(score, x, t) + middle * std::sqrt(1 - q) * z1;
  const X noise = t_next * std::sqrt(1 - q) * (std::sqrt(q) * z1 + z2);
  const X expected = q * q * x + (1 - q * q) * denoised(score, u, middle) + noise;
  CHECK(difference(y, expected) < 1e-13);
}

TEST_CASE("reverse-diffusion takes Song's step of the VP process") {
  const GaussianScore score{vp, 0.5, 2.0};
  const Time t = 0.7, t_next = 0.55;
  const X x = block(-1, 3);
  X value(1, 2);
  score(x, t, value);
  auto sampler = run(ReverseDiffusion{}, {vp, score, 1});

  const X y = sampler.step(x, t, t_next);

  const double ratio = vp.scale(t) / vp.scale(t_next), beta = 1 - ratio * ratio;
  const X expected = (2 - std::sqrt(1 - beta)) * x + beta * value + std::sqrt(beta) * sampler.xi;
  CHECK(difference(y, expected) < 1e-13);
}

TEST_CASE("sit takes the Euler-Maruyama step of [v - w score] dt + sqrt(2 w) dw") {
  const test::Process flow{AnySchedule(FlowMatching{})};
  const GaussianScore score{flow, 0.5, 2.0};
  const Time t = 0.7, h = 0.1;
  const X x = block(-1, 3), d = denoised(score, x, t);
  X value(1, 2);
  score(x, t, value);
  const double pi = std::acos(-1.0), u = 0.5 * (1 - std::cos(pi * t));
  const std::vector<double> strengths{t / (1 - t), 1, t, t, u * u, std::pow(std::sin(pi * t), 2)};

  for (int i = 0; i < 6; ++i) {
    INFO("diffusion " << i);
    Sit method;
    method.diffusion = i;
    method.norm = 1.5;
    auto sampler = run(method, {flow, score, 0.8});
    const X y = sampler.step(x, t, t - h);

    const double w = 0.64 * 1.5 * strengths[static_cast<std::size_t>(i)];
    const X velocity = (x - d) / t;  // eps - x0
    CHECK(difference(y, x - h * (velocity - w * value) + std::sqrt(2 * w * h) * sampler.xi) <
          1e-13);
  }
}

TEST_CASE("sit-heun puts the noise in, goes down and averages the slopes at both ends") {
  const test::Process flow{AnySchedule(FlowMatching{})};
  const GaussianScore score{flow, 0.5, 2.0};
  const Time t = 0.7, h = 0.1, next = t - h;
  const X x = block(-1, 3);
  SitHeun method;
  method.diffusion = static_cast<int>(InterpolantDiffusion::linear);
  method.norm = 1.5;
  auto sampler = run(method, {flow, score, 0.8});
  const auto slope = [&](const X& at, Time u) {  // v - w score, v = (x - D) / t
    X value(1, 2);
    score(at, u, value);
    return X((at - denoised(score, at, u)) / u - 0.64 * 1.5 * u * value);
  };

  const X y = sampler.step(x, t, next), end = sampler.step(x, next, 0);

  const X hat = x + std::sqrt(2 * 0.64 * 1.5 * t * h) * sampler.xi, b = slope(hat, t);
  CHECK(difference(y, hat - 0.5 * h * (b + slope(X(hat - h * b), next))) < 1e-13);
  CHECK(difference(end, x - next * slope(x, next)) < 1e-13);  // Euler's, without noise
}

TEST_CASE("with data at one point, exponential samplers end in it exactly") {
  for (const ScheduleInfo& info : list_schedules()) {
    const test::Process process{make_schedule(info.name)};
    const GaussianScore score{process, 0.37, 0.0};
    const TimeGrid grid = make_grid("quadratic", process.schedule, process.sde_start(), 0, 5);
    for (const double eta : {0.0, 0.5, 1.0, 1.7})
      for_each_sampler([&](const auto& sampler) {
        using Method = std::remove_cvref_t<decltype(sampler)>;
        if (Method::facts.name == "reverse-diffusion" || Method::facts.name.starts_with("sit"))
          return;
        INFO(info.name << " " << Method::facts.name << " eta=" << eta);
        const X y = run(sampler, {process, score, eta}).follow(block(-1, 3), grid);
        CHECK((y == 0.37).all());
      });
  }
}

TEST_CASE("a stochastic step to t = 0, and one as short as can be, stay finite, in float too") {
  const GaussianScore score{vp, 0.5, 2.0};
  for (const double eta : {0.0, 0.5, 1.0})
    for_each_sampler([&](const auto& sampler) {
      using Method = std::remove_cvref_t<decltype(sampler)>;
      INFO(Method::facts.name << " eta=" << eta);
      Block<float> x(1, 2);
      x << 1.0f, -2.0f;
      for (const Time t : {1e-12, 1e-6, 0.5}) {
        Run<Method, float> one(sampler, {vp, score, eta});
        CHECK(one.step(x, t, 0).isFinite().all());
        Run<Method, float> two(sampler, {vp, score, eta});
        CHECK(two.step(two.step(x, 2 * t, t), t, 0).isFinite().all());
      }
      Run<Method, float> tiny(sampler, {vp, score, eta});
      const Time before = std::nextafter(0.5, 0.0);
      const Block<float> y = tiny.step(x, 0.5, before);
      CHECK((y - x).abs().maxCoeff() < 1e-6f);
      CHECK((tiny.step(y, before, 0.4)).isFinite().all());
    });
}

TEST_CASE("float and double runs of the stochastic samplers agree to float's precision") {
  const GaussianScore score{vp, 0.5, 2.0};
  const TimeGrid grid = make_grid("quadratic", vp.schedule, 1, 0, 20);
  for_each_sampler([&](const auto& sampler) {
    using Method = std::remove_cvref_t<decltype(sampler)>;
    INFO(Method::facts.name);
    Block<float> x(1, 2);
    x << 1.0f, -2.0f;
    Run<Method, float> single(sampler, {vp, score, 1});
    const X y = run(sampler, {vp, score, 1}).follow(x.cast<double>(), grid);
    CHECK(difference(single.follow(x, grid).template cast<double>(), y) < 1e-4);
  });
}

TEST_CASE("a new workspace starts a run anew and a copy of one goes on by itself") {
  const GaussianScore score{vp, 0.5, 2.0};
  const Model model{vp, score, 0.7};
  const X x = block(-1, 3);
  for_each_sampler([&](const auto& sampler) {
    using Method = std::remove_cvref_t<decltype(sampler)>;
    INFO(Method::facts.name);
    auto first = run(sampler, model), second = run(sampler, model);
    const X y = first.step(x, 0.7, 0.6);
    CHECK(difference(y, second.step(x, 0.7, 0.6)) == 0);

    auto copy = first;
    const X on = first.step(y, 0.6, 0.5, 1);
    copy.step(y + 1, 0.6, 0.5, 1);
    auto anew = run(sampler, model);

    CHECK(difference(second.step(y, 0.6, 0.5, 1), on) == 0);
    CHECK((difference(anew.step(y, 0.6, 0.5, 1), on) > 1e-6) == has_memory(sampler));
  });
}

TEST_CASE("the stochastic samplers refuse a negative eta") {
  const GaussianScore score{vp, 0.5, 2.0};
  for_each_sampler([&](const auto& sampler) {
    using Method = std::remove_cvref_t<decltype(sampler)>;
    CHECK_THROWS_WITH(sampler.check(Model{vp, score, -0.5}),
                      std::string(Method::facts.name) + " is defined for eta >= 0: got eta=-0.5");
  });
}

TEST_CASE("the stochastic samplers refuse parameters that make no sense") {
  Sit sit;
  sit.diffusion = 6;
  CHECK_THROWS_WITH(sit.validate(), "sit needs diffusion in 0, 1, ..., 5: got 6");
  sit = {};
  sit.norm = -1;
  CHECK_THROWS_WITH(sit.validate(), "sit needs norm >= 0 and finite: got -1");
  ErSde<2> er;
  er.power = 2;
  CHECK_THROWS_WITH(er.validate(), "er-sde-2 needs power 0 or 1: got 2");
}

TEST_CASE("sa-solver starts where sigma is infinite and forgets that point") {
  const test::Process flow{AnySchedule(FlowMatching{})};
  const GaussianScore score{flow, 0.5, 2.0};
  const Model model{flow, score, 0};
  for_each_sampler([&](const auto& sampler) {
    using Method = std::remove_cvref_t<decltype(sampler)>;
    if (!std::string_view(Method::facts.name).starts_with("dpm++2m") &&
        Method::facts.name != "sa-solver-3" && Method::facts.name != "er-sde-3")
      return;
    INFO(Method::facts.name);
    const X y = run(sampler, model).follow(block(-1, 3), {1, 0.8, 0.6, 0.5});
    CHECK(y.isFinite().all());
  });
}

TEST_CASE("a step of a stochastic sampler allocates nothing") {
  const AffineProcess process{VariancePreserving{}};
  const auto score = [](const auto& x, Time t) { return -x / (1 + t); };
  const ReverseSde reverse{process, score};
  for_each_sampler([&](const auto& sampler) {
    using Method = std::remove_cvref_t<decltype(sampler)>;
    INFO(Method::facts.name);
    X x = X::Constant(3, 64, 0.5), y(3, 64);
    Increment<std::remove_const_t<decltype(reverse)>, X> dw;
    dw.resize(3, 64, needs_of(sampler));
    typename Method::template Workspace<X> workspace(3, 64);

    {
      const NoAllocation guard;
      sampler.step(reverse, x, 0.5, 0.4, dw, y, workspace);
      sampler.step(reverse, y, 0.4, 0.3, dw, x, workspace);
    }

    CHECK(x.isFinite().all());
  });
}
