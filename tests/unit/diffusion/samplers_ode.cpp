/// @file  unit/diffusion/samplers_ode.cpp
/// @brief Single steps of the DPM-Solver, UniPC, DEIS and iPNDM samplers by hand, and their ends.

#include "no_allocation.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <fokker/diffusion/detail/exponential_moments.hpp>
#include <fokker/diffusion/detail/gauss_legendre.hpp>
#include <fokker/diffusion/samplers/deis.hpp>
#include <fokker/diffusion/samplers/dpm_solver.hpp>
#include <fokker/diffusion/samplers/dpm_solver_multistep.hpp>
#include <fokker/diffusion/samplers/ipndm.hpp>
#include <fokker/diffusion/samplers/unipc.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>

#include "catch.hpp"
#include "gaussian_model.hpp"

using namespace fokker;
using test::GaussianScore;

namespace {

using X = Block<double>;

/// The exact denoiser, which counts calls and must not be asked where there is no noise.
struct Guarded {
  GaussianScore score;
  std::shared_ptr<std::uint64_t> calls = std::make_shared<std::uint64_t>(0);

  template <State Y>
  void denoise(const Y& x, Time t, Y& out) const {
    if (t <= 0) throw std::logic_error("asked at t = 0");
    ++*calls;
    score.denoise(x, t, out);
  }
};

template <class S>
using FlowStepper = AnyStepper<ProbabilityFlow<test::Process, Guarded>, Block<S>, true>;

template <class S, class... Ms>
std::vector<FlowStepper<S>> erased(Ms... methods) {
  return {FlowStepper<S>{methods}...};
}

template <class S>
std::vector<FlowStepper<S>> multistep_samplers() {
  return erased<S>(DpmSolverPlusPlus2M{}, DpmSolverPlusPlus3M{}, UniPc2Bh1{}, UniPc2Bh2{},
                   UniPc3Bh1{}, UniPc3Bh2{}, DeisTab1{}, DeisTab2{}, DeisTab3{}, DeisRhoAb1{},
                   DeisRhoAb2{}, DeisRhoAb3{}, Ipndm{});
}

template <class S>
std::vector<FlowStepper<S>> all_samplers() {
  auto all = multistep_samplers<S>();
  for (const auto& sampler : erased<S>(DpmSolver2{}, DpmSolver3{}, DpmSolverPlusPlus2S{}))
    all.push_back(sampler);
  return all;
}

const test::Process vp{AnySchedule(VariancePreserving{})};
const test::Process edm{AnySchedule(Edm{})};
const test::Process flow_matching{AnySchedule(FlowMatching{})};

/// A run of a sampler from x on two paths.
template <class S>
struct Run {
  using Model = ProbabilityFlow<test::Process, Guarded>;

  Run(FlowStepper<S> method, const GaussianScore& score, double a, double b)
      : sampler(std::move(method)),
        model{score.process, {score}},
        x(1, 2),
        y(1, 2),
        workspace(1, 2) {
    dw.w.resize(0, 2);
    x << static_cast<S>(a), static_cast<S>(b);
  }

  const Block<S>& to(Time t, Time t_next) {
    sampler.step(model, x, t, t_next, dw, y, workspace);
    x.swap(y);
    return x;
  }
  const Block<S>& along(const TimeGrid& grid) {
    for (std::size_t k = 0; k + 1 < grid.size(); ++k) to(grid[k], grid[k + 1]);
    return x;
  }

  FlowStepper<S> sampler;
  Model model;
  Block<S> x, y;
  Increment<Model, Block<S>> dw;
  typename FlowStepper<S>::template Workspace<Block<S>> workspace;
};

X denoised(const GaussianScore& score, const X& x, Time t) {
  X out(1, 2);
  score.denoise(x, t, out);
  return out;
}

double difference(const X& a, const X& b) { return (a - b).abs().maxCoeff(); }

double lambda(const test::Process& process, Time t) { return -std::log(process.sigma(t)); }

}  // namespace

TEST_CASE("exponential moments are exact to rounding for small, large and negative h") {
  for (const double h : {1e-12, 1e-4, 0.03, 0.5, 0.999, 1.0, 3.0, 40.0, -1e-4, -0.5, -1.5, -7.0}) {
    const auto moments = detail::exponential_moments<4>(h);
    for (int k = 0; k < 4; ++k) {
      long double sum = 0,
                  term = 1;  // exp(-h) sum_n h^(n+k+1) / (n! (n+k+1)), without cancellation
      for (int n = 0; n < 200; ++n) {
        sum += term / (n + k + 1);
        term *= static_cast<long double>(h) / (n + 1);
      }
      const long double exact = std::exp(-static_cast<long double>(h)) *
                                std::pow(static_cast<long double>(h), k + 1) * sum;
      INFO("h = " << h << ", k = " << k);
      CHECK_THAT(moments[static_cast<std::size_t>(k)],
                 WithinRel(static_cast<double>(exact), 2e-14));
    }
  }
}

TEST_CASE("quadrature in panels is exact for polynomials, and to rounding down to sigma = 0") {
  const auto integral = [](double from, double to, const auto& g) {
    double sum = 0;
    detail::integrate_panels(from, to, [&](double v, double weight) { sum += weight * g(v); });
    return sum;
  };
  const auto power = [](double v) { return std::pow(v, 23); };
  const auto logarithm = [](double v) { return std::log1p(v * v / 1e-4); };
  const auto primitive = [](double v) {
    return v * std::log1p(v * v / 1e-4) - 2 * v + 0.02 * std::atan(v / 0.01);
  };

  CHECK_THAT(integral(1.0, 0.5, power), WithinRel(-(1 - std::pow(0.5, 24)) / 24, 1e-13));
  CHECK_THAT(integral(3.0, 0.0, logarithm), WithinRel(-primitive(3.0), 1e-13));
  CHECK_THAT(integral(50.0, 2.0, logarithm), WithinRel(primitive(2.0) - primitive(50.0), 1e-13));
}

TEST_CASE("dpm-solver-2 and dpm-solver-3 take the published steps") {
  const GaussianScore score{vp, 0.5, 2.0};
  const Time t = 0.7, t_next = 0.5;
  const double l = lambda(vp, t), h = lambda(vp, t_next) - l;
  const auto noise = [&](const X& x, Time at) {
    return X((x - vp.scale(at) * denoised(score, x, at)) / vp.std(at));
  };
  const auto time = [&](double c) { return vp.time_of_sigma(std::exp(-l - c * h)); };
  Run<double> second(FlowStepper<double>{DpmSolver2{}}, score, -1, 3);
  Run<double> third(FlowStepper<double>{DpmSolver3{}}, score, -1, 3);
  const X x = second.x, e = noise(x, t);

  const auto alpha = [&](Time at) { return vp.scale(at) / vp.scale(t); };
  const Time middle = time(0.5), s1 = time(1.0 / 3), s2 = time(2.0 / 3);
  const X u = alpha(middle) * x - vp.std(middle) * std::expm1(h / 2) * e;
  const X two = alpha(t_next) * x - vp.std(t_next) * std::expm1(h) * noise(u, middle);
  const X u1 = alpha(s1) * x - vp.std(s1) * std::expm1(h / 3) * e;
  const X u2 = alpha(s2) * x - vp.std(s2) * std::expm1(2 * h / 3) * e -
               2 * vp.std(s2) * (std::expm1(2 * h / 3) / (2 * h / 3) - 1) * (noise(u1, s1) - e);
  const X three = alpha(t_next) * x - vp.std(t_next) * std::expm1(h) * e -
                  1.5 * vp.std(t_next) * (std::expm1(h) / h - 1) * (noise(u2, s2) - e);
  CHECK(difference(second.to(t, t_next), two) < 1e-13);
  CHECK(difference(third.to(t, t_next), three) < 1e-13);
  CHECK(*second.model.score.calls == 2);
  CHECK(*third.model.score.calls == 3);
}

TEST_CASE("dpm++2s and dpm++2m take the published steps") {
  const GaussianScore score{vp, 0.5, 2.0};
  const Time t0 = 0.8, t1 = 0.7, t2 = 0.5;
  const double h0 = lambda(vp, t1) - lambda(vp, t0), h = lambda(vp, t2) - lambda(vp, t1);
  Run<double> one(FlowStepper<double>{DpmSolverPlusPlus2S{}}, score, -1, 3);
  Run<double> multi(FlowStepper<double>{DpmSolverPlusPlus2M{}}, score, -1, 3);
  const X x0 = one.x, d0 = denoised(score, x0, t0);

  const Time middle = vp.time_of_sigma(std::exp(-lambda(vp, t0) - h0 / 2));
  const X u = vp.std(middle) / vp.std(t0) * x0 - vp.scale(middle) * std::expm1(-h0 / 2) * d0;
  const X single =
      vp.std(t1) / vp.std(t0) * x0 - vp.scale(t1) * std::expm1(-h0) * denoised(score, u, middle);
  const X x1 = vp.std(t1) / vp.std(t0) * x0 - vp.scale(t1) * std::expm1(-h0) * d0;
  const X d1 = denoised(score, x1, t1);
  const double q = h0 / h;
  const X x2 = vp.std(t2) / vp.std(t1) * x1 -
               vp.scale(t2) * std::expm1(-h) * ((1 + 1 / (2 * q)) * d1 - 1 / (2 * q) * d0);
  CHECK(difference(one.to(t0, t1), single) < 1e-13);
  CHECK(difference(multi.to(t0, t1), x1) < 1e-13);
  CHECK(difference(multi.to(t1, t2), x2) < 1e-13);
}

TEST_CASE("dpm++3m takes the published third step with the whole second difference") {
  const GaussianScore score{edm, 0.5, 2.0};
  const std::vector<Time> t{5, 3, 2, 1.2};
  Run<double> run(FlowStepper<double>{DpmSolverPlusPlus3M{}}, score, -7, 9);
  const X d0 = denoised(score, run.x, t[0]);
  const X x1 = run.to(t[0], t[1]), d1 = denoised(score, x1, t[1]);
  const X x2 = run.to(t[1], t[2]), d2 = denoised(score, x2, t[2]);

  const X x3 = run.to(t[2], t[3]);

  const double h = std::log(t[2] / t[3]);
  const double r0 = std::log(t[1] / t[2]) / h, r1 = std::log(t[0] / t[1]) / h;
  const X d10 = (d2 - d1) / r0, d11 = (d1 - d0) / r1;
  const X first = d10 + (d10 - d11) * r0 / (r0 + r1), second = 2 * (d10 - d11) / (r0 + r1);
  const double phi_2 = std::expm1(-h) / h + 1, phi_3 = phi_2 / h - 0.5;
  const X expected = std::exp(-h) * x2 - std::expm1(-h) * d2 + phi_2 * first - phi_3 * second;
  CHECK(difference(x3, expected) < 1e-12);
}

TEST_CASE("the first step of dpm++3m is corrected at its end, as the docs say") {
  const GaussianScore score{edm, 0.5, 2.0};
  Run<double> run(FlowStepper<double>{DpmSolverPlusPlus3M{}}, score, -7, 9);
  const X x0 = run.x, d0 = denoised(score, x0, 5);
  const X x1 = run.to(5, 3), d1 = denoised(score, x1, 3);

  const X x2 = run.to(3, 2);

  const double h0 = std::log(5.0 / 3), h = std::log(1.5);
  const double m0 = h0 - 1 + std::exp(-h0), m = h - 1 + std::exp(-h);
  const X corrected = 0.6 * x0 + 0.4 * d0 + m0 / h0 * (d1 - d0);
  const X expected = corrected * (2.0 / 3) + d1 / 3 + m / h0 * (d1 - d0);
  CHECK(difference(x2, expected) < 1e-13);
}

TEST_CASE("unipc-2 takes the published predictor and corrector with both B(h)") {
  const GaussianScore score{vp, 0.5, 2.0};
  const Time t0 = 0.8, t1 = 0.7, t2 = 0.5, t3 = 0.45;
  const double h0 = lambda(vp, t1) - lambda(vp, t0), h1 = lambda(vp, t2) - lambda(vp, t1);
  const double h2 = lambda(vp, t3) - lambda(vp, t2);
  for (const bool bh1 : {true, false}) {
    INFO((bh1 ? "bh1" : "bh2"));
    const auto b = [&](double h) { return bh1 ? -h : std::expm1(-h); };
    Run<double> run(bh1 ? FlowStepper<double>{UniPc2Bh1{}} : FlowStepper<double>{UniPc2Bh2{}},
                    score, -1, 3);
    const X x0 = run.x, d0 = denoised(score, x0, t0);
    const auto ddim = [&](const X& x, const X& d, Time from, Time to) {
      const double h = lambda(vp, to) - lambda(vp, from);
      return X(vp.std(to) / vp.std(from) * x - vp.scale(to) * std::expm1(-h) * d);
    };

    const X x1 = run.to(t0, t1);
    const X x2 = run.to(t1, t2);
    const X x3 = run.to(t2, t3);

    const X d1 = denoised(score, x1, t1), d2 = denoised(score, x2, t2);
    const X x1c = ddim(x0, d0, t0, t1) - vp.scale(t1) * b(h0) * 0.5 * (d1 - d0);
    const double r1 = -h0 / h1, r2 = -h1 / h2;
    const X slope1 = (d0 - d1) / r1, slope2 = (d1 - d2) / r2;
    const X x2p = ddim(x1c, d1, t1, t2) - vp.scale(t2) * b(h1) * 0.5 * slope1;
    // corrector of order 2: R rho = b, R = [1 1; r1 1], b = (phi_2, 2 phi_3) / B
    const double phi_1 = std::expm1(-h1) / -h1 - 1, phi_2 = phi_1 / -h1 - 0.5;
    const double b1 = phi_1 / b(h1), b2 = 2 * phi_2 / b(h1);
    const double rho_old = (b1 - b2) / (1 - r1), rho_new = b1 - rho_old;
    const X x2c =
        ddim(x1c, d1, t1, t2) - vp.scale(t2) * b(h1) * (rho_old * slope1 + rho_new * (d2 - d1));
    const X x3p = ddim(x2c, d2, t2, t3) - vp.scale(t3) * b(h2) * 0.5 * slope2;
    CHECK(difference(x1, ddim(x0, d0, t0, t1)) < 1e-13);
    CHECK(difference(x2, x2p) < 1e-13);
    CHECK(difference(x3, x3p) < 1e-12);
  }
}

TEST_CASE("deis on equal steps in sigma is Adams-Bashforth with 55, -59, 37, -9, and so is ipndm") {
  const GaussianScore score{edm, 0.5, 2.0};
  for (const auto& sampler : erased<double>(DeisRhoAb3{}, DeisTab3{}, Ipndm{})) {
    INFO(name_of(sampler));
    Run<double> run(sampler, score, -7, 9);
    std::vector<X> noise;
    for (const double sigma : {5.0, 4.5, 4.0}) {
      noise.push_back((run.x - denoised(score, run.x, sigma)) / sigma);
      run.to(sigma, sigma - 0.5);
    }
    const X x = run.x;
    noise.push_back((x - denoised(score, x, 3.5)) / 3.5);

    const X y = run.to(3.5, 3);

    const X slope = (55 * noise[3] - 59 * noise[2] + 37 * noise[1] - 9 * noise[0]) / 24;
    CHECK(difference(y, x - 0.5 * slope) < 1e-12);
  }
}

TEST_CASE("ipndm keeps the coefficients of equal steps on any grid") {
  const GaussianScore score{edm, 0.5, 2.0};
  Run<double> run(FlowStepper<double>{Ipndm{}}, score, -7, 9);
  const X x0 = run.x, e0 = (x0 - denoised(score, x0, 5)) / 5;
  const X x1 = run.to(5, 2), e1 = (x1 - denoised(score, x1, 2)) / 2;

  CHECK(difference(run.to(2, 1.9), x1 - 0.1 * (3 * e1 - e0) / 2) < 1e-13);
}

TEST_CASE("with data at one point every sampler ends in it, in one step or in many") {
  for (const ScheduleInfo& info : list_schedules()) {
    const test::Process process{make_schedule(info.name)};
    const GaussianScore score{process, 0.37, 0.0};
    const Time start = process.sde_start();
    // a step from a large sigma multiplies the rounding of the noise by it and by the weights of
    // dpm-solver-3, which reach 200 there
    const double rounding = 1e-12 * (1 + process.std(start)) + 200 * 2.2e-16 * process.sigma(start);
    for (const auto& sampler : all_samplers<double>()) {
      INFO(info.name << " " << name_of(sampler));
      Run<double> one(sampler, score, -1, 3), many(sampler, score, -1, 3);
      const Time middle = 0.4 * start;
      const X noise = (one.x - process.scale(start) * 0.37) / process.std(start);

      const X half = one.to(start, middle);
      const X end = one.to(middle, 0);
      many.along(make_grid("quadratic", process.schedule, start, 0, 9));

      CHECK(difference(half, process.scale(middle) * 0.37 + process.std(middle) * noise) <
            rounding);
      CHECK(difference(end, X::Constant(1, 2, 0.37)) < rounding);
      CHECK(difference(many.x, X::Constant(1, 2, 0.37)) < rounding);
    }
  }
}

TEST_CASE("a run to t = 0 asks for nothing there; what interpolates in lambda ends in D exactly") {
  const GaussianScore score{vp, 0.5, 2.0};
  const TimeGrid grid{0.6, 0.4, 0.2, 0.1, 0.05, 0};
  for (const auto& sampler : all_samplers<double>()) {
    INFO(name_of(sampler));
    Run<double> run(sampler, score, -1, 3);

    run.along({grid.begin(), grid.end() - 1});
    const X last = denoised(score, run.x, 0.05);
    const X end = run.to(0.05, 0);

    CHECK(end.isFinite().all());
    const bool noise_multistep =
        name_of(sampler).starts_with("deis") || name_of(sampler).starts_with("ipndm");
    if (!noise_multistep) CHECK(difference(end, last) < 1e-15);
    CHECK(difference(end, last) < 0.1);
  }
}

TEST_CASE("deis reaches sigma = 0 through its polynomial: the noise is integrated to the end") {
  const GaussianScore score{edm, 0.5, 2.0};
  Run<double> run(FlowStepper<double>{DeisRhoAb1{}}, score, -7, 9);
  const X e0 = (run.x - denoised(score, run.x, 3)) / 3;
  const X x1 = run.to(3, 1), e1 = x1 - denoised(score, x1, 1);

  const X end = run.to(1, 0);

  // the line through (3, e0) and (1, e1) over [0, 1]: its value at 1/2
  CHECK(difference(end, x1 - (e1 + 0.25 * (e1 - e0))) < 1e-13);
}

TEST_CASE("every sampler starts at t = 1 of flow matching with the step of ddim, and goes on") {
  const GaussianScore score{flow_matching, 0.5, 2.0};
  for (const auto& sampler : all_samplers<double>()) {
    INFO(name_of(sampler));
    Run<double> run(sampler, score, -1, 3), fine(sampler, score, -1, 3);
    const X x = run.x;

    const X y = run.to(1, 0.75);
    run.along({0.75, 0.5, 0.25, 0});
    fine.along(uniform_grid(1, 0, 400));

    CHECK(difference(y, x - 0.25 * (x - 0.5)) < 1e-14);
    const X exact = 0.5 + std::sqrt(2.0) * x;  // the flow from N(0, 1) to N(0.5, 2)
    CHECK(run.x.isFinite().all());
    CHECK(difference(fine.x, exact) < 0.01);
  }
}

TEST_CASE("a multistep run of N steps takes N evaluations, and float agrees with double") {
  const GaussianScore score{vp, 0.5, 2.0};
  const TimeGrid grid = make_grid("logsnr", vp.schedule, 1, 1e-3, 20);
  const auto in_double = all_samplers<double>();
  const auto in_float = all_samplers<float>();
  for (std::size_t i = 0; i < in_double.size(); ++i) {
    INFO(name_of(in_double[i]));
    Run<double> run(in_double[i], score, -1, 2);
    Run<float> single(in_float[i], score, -1, 2);

    run.along(grid);
    single.along(grid);

    CHECK(difference(run.x, single.x.cast<double>()) < 1e-4);
    CHECK(*run.model.score.calls ==
          20u * static_cast<unsigned>(in_double[i].facts().evaluations(NoiseKind::none).drift));
  }
}

TEST_CASE("tiny steps keep their accuracy in float") {
  const GaussianScore score{vp, 0.5, 2.0};
  const TimeGrid grid = uniform_grid(0.5, 0.5 - 1e-6, 8);
  for (const auto& sampler : all_samplers<float>()) {
    INFO(name_of(sampler));
    Run<float> run(sampler, score, 1, -2);
    const Block<float> x = run.x;

    run.along(grid);

    CHECK((run.x - x).abs().maxCoeff() < 2e-5f);
  }
}

TEST_CASE("a step allocates nothing, and a copied workspace goes on by itself") {
  const GaussianScore score{vp, 0.5, 2.0};
  for (const auto& sampler : all_samplers<double>()) {
    INFO(name_of(sampler));
    Run<double> run(sampler, score, -1, 3);
    run.to(0.8, 0.7);  // makes the workspace of the erased sampler

    {
      const NoAllocation guard;
      run.along({0.7, 0.6, 0.5, 0.4, 0.3});
    }

    Run<double> copy = run;
    run.to(0.3, 0.2);
    copy.to(0.3, 0.2);
    CHECK(difference(run.x, copy.x) == 0);
  }
}

TEST_CASE("the memory of a multistep sampler holds its predictions, newest first") {
  const GaussianScore score{edm, 0.5, 2.0};
  const ProbabilityFlow flow{edm, score};
  Increment<std::remove_const_t<decltype(flow)>, X> dw;
  dw.w.resize(0, 2);
  X x(1, 2), y(1, 2);
  x << -7, 9;
  UniPc2Bh2::Workspace<X> workspace(1, 2);
  STATIC_REQUIRE(has_memory(UniPc2Bh2{}));
  REQUIRE(workspace.memory.size() == 3);

  UniPc2Bh2{}.step(flow, x, 5, 3, dw, y, workspace);
  const X first = denoised(score, x, 5), second = denoised(score, y, 3);
  UniPc2Bh2{}.step(flow, y, 3, 2, dw, x, workspace);

  CHECK(difference(workspace.memory[0], second) == 0);
  CHECK(difference(workspace.memory[1], first) == 0);
  CHECK((workspace.memory[2] == 0).all());
}
