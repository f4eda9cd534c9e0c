/// @file  samplers.cpp
/// @brief The reverse SDE, the probability flow, and single steps of the samplers by hand.

#include "no_allocation.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <fokker/diffusion/samplers/ddim.hpp>
#include <fokker/diffusion/samplers/ddpm.hpp>
#include <fokker/diffusion/samplers/edm.hpp>
#include <fokker/diffusion/samplers/exponential_euler_maruyama.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>

#include "catch.hpp"
#include "gaussian_model.hpp"

using namespace fokker;
using test::GaussianScore;

namespace {

using X = Block<double>;

X block(double a, double b) {
  X x(1, 2);
  x << a, b;
  return x;
}

/// One step from t to t_next with the increment dw of the two paths.
template <class Method, class Model>
X step(const Method& method, const Model& model, const X& x, Time t, Time t_next,
       const X& dw = block(0, 0)) {
  using P = TimeReversed<Model>;
  const P reversed{model};
  Increment<P, X> increment;
  if constexpr (noise_kind<P> == NoiseKind::none)
    increment.w.resize(0, 2);
  else
    increment.w = dw;
  typename Method::template Workspace<X> workspace(1, 2);
  X y(1, 2);
  detail::take_step(method, reversed, x, -t, -t_next, increment, y, workspace);
  return y;
}

/// Follows the grid to its end without noise.
template <class Method, class Model>
X follow(const Method& method, const Model& model, X x, const TimeGrid& grid) {
  for (std::size_t k = 0; k + 1 < grid.size(); ++k)
    x = step(method, model, x, grid[k], grid[k + 1]);
  return x;
}

double difference(const X& a, const X& b) { return (a - b).abs().maxCoeff(); }

const test::Process vp{AnySchedule(VariancePreserving{})};
const test::Process edm{AnySchedule(Edm{})};
const test::Process flow_matching{AnySchedule(FlowMatching{})};

}  // namespace

TEST_CASE("ReverseSde has the drift f - (1 + eta^2)/2 g^2 score and the diffusion eta g") {
  const GaussianScore score{vp, 0.5, 2.0};
  const ReverseSde reverse{vp, score, 0.7};
  const X x = block(-1, 3);
  X value(1, 2), out(1, 2);

  score(x, 0.4, value);
  reverse.drift(x, 0.4, out);

  const double beta = 0.1 + 19.9 * 0.4;
  CHECK(difference(out, -0.5 * beta * x - 0.5 * 1.49 * beta * value) < 1e-14);
  CHECK_THAT(reverse.diffusion(0.4), WithinRel(0.7 * std::sqrt(beta), 1e-15));
  CHECK(reverse.dimension() == 1);
  STATIC_REQUIRE(clock_of<decltype(reverse)> == Clock::down);
  CHECK(ReverseSde{vp, score}.eta == 1);
}

TEST_CASE("a score may be a lambda that returns an expression") {
  const AffineProcess process{VariancePreserving{}};
  const auto score = [](const auto& x, Time t) { return -x / (1 + t); };
  const X x = block(2, -1);
  X out(1, 2);

  ReverseSde{process, score}.drift(x, 0.5, out);

  const double beta = 0.1 + 19.9 * 0.5;
  CHECK(difference(out, -0.5 * beta * x + beta * x / 1.5) < 1e-13);
}

TEST_CASE("a score that does not know its denoiser gives it by conversion") {
  const GaussianScore known{vp, 0.5, 2.0};
  const auto bare = [&](const X& x, Time t, X& out) { known(x, t, out); };
  const X x = block(2, -1);

  const X with = step(Ddim{}, ProbabilityFlow{vp, known}, x, 0.6, 0.5);
  const X without = step(Ddim{}, ProbabilityFlow{vp, bare}, x, 0.6, 0.5);

  CHECK(difference(with, without) < 1e-13);
}

TEST_CASE("the probability flow is the reverse SDE with eta = 0, in both of its forms") {
  for (const ScheduleInfo& info : list_schedules()) {
    INFO(info.name);
    const test::Process process{make_schedule(info.name)};
    const GaussianScore score{process, 0.5, 2.0};
    const Time t = 0.6 * process.end_time();
    const X x = block(-1, 3);
    X sde(1, 2), ode(1, 2), denoised(1, 2);

    ReverseSde{process, score, 0.0}.drift(x, t, sde);
    ProbabilityFlow{process, score}.drift(x, t, ode);
    score.denoise(x, t, denoised);

    CHECK(difference(sde, ode) == 0);
    const X through_denoiser = process.log_std_rate(t) * x - process.denoiser_rate(t) * denoised;
    CHECK(difference(ode, through_denoiser) < 1e-12 * (1 + ode.abs().maxCoeff()));
  }
}

TEST_CASE("the flow of flow matching starts at t = 1 with the velocity x - D") {
  const GaussianScore score{flow_matching, 0.5, 2.0};
  const ProbabilityFlow flow{flow_matching, score};
  const X x = block(-1, 3);
  X out(1, 2);

  flow.drift(x, 1, out);

  CHECK(difference(out, x - 0.5) < 1e-15);
  CHECK(difference(step(Ddim{}, flow, x, 1, 0.75), x - 0.25 * (x - 0.5)) < 1e-15);
  CHECK(difference(step(EdmEuler{}, flow, x, 1, 0.75), x - 0.25 * (x - 0.5)) < 1e-15);
  CHECK(step(EdmHeun{}, flow, x, 1, 0.75).isFinite().all());
}

TEST_CASE("ddim takes the step of Song, Meng & Ermon (2021), (12)") {
  const GaussianScore score{vp, 0.5, 2.0};
  const double eta = 0.6;
  const Time t = 0.7, t_next = 0.55;
  const X x = block(-1, 3), dw = block(0.3, -0.2);
  X denoised(1, 2);
  score.denoise(x, t, denoised);

  const X y = step(Ddim{}, ReverseSde{vp, score, eta}, x, t, t_next, dw);

  const double a = vp.scale(t) * vp.scale(t), a_next = vp.scale(t_next) * vp.scale(t_next);
  const double noise = eta * std::sqrt((1 - a_next) / (1 - a)) * std::sqrt(1 - a / a_next);
  const X eps = (x - std::sqrt(a) * denoised) / std::sqrt(1 - a);
  const X expected = std::sqrt(a_next) * denoised + std::sqrt(1 - a_next - noise * noise) * eps +
                     noise * dw / std::sqrt(t - t_next);
  CHECK(difference(y, expected) < 1e-13);
}

TEST_CASE("ddpm draws from the exact posterior q(x' | x, x0 = D) of Ho et al. (2020), (7)") {
  const GaussianScore score{vp, 0.5, 2.0};
  const Time t = 0.7, t_next = 0.55;
  const X x = block(-1, 3), dw = block(0.3, -0.2);
  X denoised(1, 2);
  score.denoise(x, t, denoised);

  const X y = step(Ddpm{}, ReverseSde{vp, score}, x, t, t_next, dw);

  const double a = vp.scale(t) * vp.scale(t), a_next = vp.scale(t_next) * vp.scale(t_next);
  const double beta = 1 - a / a_next;
  const X mean = std::sqrt(a_next) * beta / (1 - a) * denoised +
                 std::sqrt(1 - beta) * (1 - a_next) / (1 - a) * x;
  const double std = std::sqrt((1 - a_next) / (1 - a) * beta);
  CHECK(difference(y, mean + std * dw / std::sqrt(t - t_next)) < 1e-13);
}

TEST_CASE("exponential Euler-Maruyama takes the published step of the VP process") {
  const GaussianScore score{vp, 0.5, 2.0};
  const Time t = 0.7, t_next = 0.55;
  const X x = block(-1, 3), dw = block(0.3, -0.2);
  X value(1, 2);
  score(x, t, value);

  const X y = step(ExponentialEulerMaruyama{}, ReverseSde{vp, score}, x, t, t_next, dw);

  const double growth = vp.scale(t_next) / vp.scale(t);  // exp of half the integral of beta
  const X expected = growth * x + 2 * (growth - 1) * value +
                     std::sqrt(growth * growth - 1) * dw / std::sqrt(t - t_next);
  CHECK(difference(y, expected) < 1e-13);
}

TEST_CASE("edm-heun takes the step of EDM's algorithm 1, and Euler's to sigma = 0") {
  const GaussianScore score{edm, 0.5, 2.0};
  const ProbabilityFlow flow{edm, score};
  const X x = block(-7, 9);
  const auto slope = [&](const X& at, Time t) {
    X d(1, 2);
    score.denoise(at, t, d);
    return X((at - d) / t);
  };

  const X y = step(EdmHeun{}, flow, x, 5, 3);
  const X end = step(EdmHeun{}, flow, x, 5, 0);

  const X euler = x - 2 * slope(x, 5);
  CHECK(difference(y, x - (slope(x, 5) + slope(euler, 3))) < 1e-14);
  CHECK(difference(end, x - 5 * slope(x, 5)) < 1e-14);
  CHECK(difference(step(EdmEuler{}, flow, x, 5, 3), euler) < 1e-14);
}

TEST_CASE("edm-euler-maruyama takes the step of EDM's (6)") {
  const GaussianScore score{edm, 0.5, 2.0};
  const X x = block(-7, 9), dw = block(0.5, -1);
  const double eta = 0.8, t = 5;
  X value(1, 2);
  score(x, t, value);

  const X y = step(EdmEulerMaruyama{}, ReverseSde{edm, score, eta}, x, t, 3, dw);

  const double beta = eta * eta / t;  // eta^2 sigma'/sigma
  const X expected = x + 2 * (t * value + beta * t * t * value) + std::sqrt(2 * beta) * t * dw;
  CHECK(difference(y, expected) < 1e-13);
}

TEST_CASE("EDM's form takes the plain steps, to rounding") {
  for (const ScheduleInfo& info : list_schedules()) {
    INFO(info.name);
    const GaussianScore score{test::Process{make_schedule(info.name)}, 0.5, 2.0};
    const auto reverse = test::reverse_model(score, 0.8);
    const auto flow = test::flow_model(score);
    const Time t = 0.6 * score.process.end_time(), h = 0.1 * t;

    for (const auto& [edm_name, plain_name] :
         {std::pair{"edm-euler", "euler"}, std::pair{"edm-heun", "heun"}}) {
      const auto a = test::probe_down(make_flow_sampler<double>(edm_name), flow, t, t - h);
      const auto b = test::probe_down(make_flow_sampler<double>(plain_name), flow, t, t - h);
      CHECK(a.a == Approx(b.a).epsilon(1e-12));
      CHECK(a.c == Approx(b.c).epsilon(1e-12).margin(1e-12));
    }
    const auto a =
        test::probe_down(make_reverse_sampler<double>("edm-euler-maruyama"), reverse, t, t - h);
    const auto b =
        test::probe_down(make_reverse_sampler<double>("euler-maruyama"), reverse, t, t - h);
    CHECK(a.a == Approx(b.a).epsilon(1e-12));
    CHECK(a.b == Approx(b.b).epsilon(1e-12));
    CHECK(a.c == Approx(b.c).epsilon(1e-12).margin(1e-12));
  }
}

TEST_CASE("ddim with eta = 0 is edm-euler where s = 1 and sigma = t, and with eta = 1 it is ddpm") {
  const GaussianScore score{edm, 0.5, 2.0};
  const X x = block(-7, 9), dw = block(0.5, -1);
  const ProbabilityFlow flow{edm, score};
  const ReverseSde reverse{edm, score};

  CHECK(difference(step(Ddim{}, flow, x, 5, 3), step(EdmEuler{}, flow, x, 5, 3)) < 1e-14);
  CHECK(difference(step(Ddim{}, flow, x, 5, 3),
                   step(Ddim{}, ReverseSde{edm, score, 0.0}, x, 5, 3, dw)) == 0);
  CHECK(difference(step(Ddim{}, reverse, x, 5, 3, dw), step(Ddpm{}, reverse, x, 5, 3, dw)) == 0);
}

TEST_CASE("with data at one point, the samplers that freeze the denoiser end in it exactly") {
  for (const ScheduleInfo& info : list_schedules()) {
    INFO(info.name);
    const test::Process process{make_schedule(info.name)};
    const GaussianScore score{process, 0.37, 0.0};
    const X x = block(-1, 3);
    const TimeGrid grid = make_grid("quadratic", process.schedule, process.sde_start(), 0, 5);

    const X ddim = follow(Ddim{}, ProbabilityFlow{process, score}, x, grid);
    const X noisy = follow(Ddim{}, ReverseSde{process, score, 0.5}, x, grid);
    const X ddpm = follow(Ddpm{}, ReverseSde{process, score}, x, grid);

    CHECK((ddim == 0.37).all());
    CHECK((noisy == 0.37).all());
    CHECK((ddpm == 0.37).all());
  }
}

TEST_CASE("with data at one point, EDM's steps end in it where the path is a straight line") {
  for (const auto& process : {edm, flow_matching}) {
    const GaussianScore score{process, 0.37, 0.0};
    const ProbabilityFlow flow{process, score};
    const TimeGrid grid = make_grid("quadratic", process.schedule, process.end_time(), 0, 5);

    const X euler = follow(EdmEuler{}, flow, block(-1, 3), grid);
    const X heun = follow(EdmHeun{}, flow, block(-1, 3), grid);

    CHECK(difference(euler, block(0.37, 0.37)) < 1e-12);
    CHECK(difference(heun, block(0.37, 0.37)) < 1e-12);
  }
}

TEST_CASE("a step to t = 0 stays finite, in float too") {
  const GaussianScore score{vp, 0.5, 2.0};
  for (const Time t : {1e-12, 1e-6, 0.5}) {
    for (const char* name : {"ddpm", "ddim", "exponential-euler-maruyama", "edm-euler-maruyama"}) {
      INFO(name << " from t = " << t);
      const ReverseModel<float> model{vp, AnyScore<float>(score)};
      const auto sampler = make_reverse_sampler<float>(name);
      Block<float> x(1, 2), y(1, 2);
      x << 1.0f, -2.0f;
      Increment<ReverseModel<float>, Block<float>> dw;
      dw.w = Block<float>::Constant(1, 2, static_cast<float>(std::sqrt(t)));
      ReverseSampler<float>::Workspace<Block<float>> workspace(1, 2);

      sampler.step(model, x, t, 0, dw, y, workspace);

      CHECK(y.isFinite().all());
    }
  }
}

TEST_CASE("a tiny step never takes the root of a negative number, in float too") {
  const GaussianScore score{vp, 0.5, 2.0};
  const ReverseModel<float> model{vp, AnyScore<float>(score)};
  const Time t = 0.5;
  Block<float> x(1, 2), y(1, 2);
  x << 1.0f, -2.0f;
  Increment<ReverseModel<float>, Block<float>> dw;
  dw.w = Block<float>::Zero(1, 2);
  ReverseSampler<float>::Workspace<Block<float>> workspace(1, 2);

  make_reverse_sampler<float>("ddpm").step(model, x, t, std::nextafter(t, 0.0), dw, y, workspace);

  CHECK((y - x).abs().maxCoeff() < 1e-6f);
}

TEST_CASE("a sampler refuses an eta that it is not defined for") {
  const GaussianScore score{vp, 0.5, 2.0};

  CHECK_THROWS_WITH(Ddpm{}.check(ReverseSde{vp, score, 0.5}),
                    "ddpm is defined for eta=1: got eta=0.5");
  CHECK_THROWS_WITH(Ddim{}.check(ReverseSde{vp, score, 1.5}),
                    "ddim is defined for eta in [0, 1]: got eta=1.5");
  CHECK_THROWS_WITH(ExponentialEulerMaruyama{}.check(ReverseSde{vp, score, -0.5}),
                    "exponential-euler-maruyama is defined for eta >= 0: got eta=-0.5");
}

TEST_CASE("a step of a sampler allocates nothing") {
  const AffineProcess process{VariancePreserving{}};
  const auto score = [](const auto& x, Time t) { return -x / (1 + t); };
  const ReverseSde reverse{process, score};
  const ProbabilityFlow flow{process, score};
  const auto frugal = [](const auto& method, const auto& model) {
    using Method = std::remove_cvref_t<decltype(method)>;
    using P = std::remove_cvref_t<decltype(model)>;
    const X x = X::Constant(3, 64, 0.5);
    X y(3, 64);
    Increment<P, X> dw;
    dw.w.setZero(noise_kind<P> == NoiseKind::none ? 0 : 3, 64);
    typename Method::template Workspace<X> workspace(3, 64);

    {
      const NoAllocation guard;
      method.step(model, x, 0.5, 0.4, dw, y, workspace);
    }

    return y.isFinite().all();
  };

  CHECK(frugal(Ddim{}, reverse));
  CHECK(frugal(Ddim{}, flow));
  CHECK(frugal(Ddpm{}, reverse));
  CHECK(frugal(ExponentialEulerMaruyama{}, reverse));
  CHECK(frugal(EdmEuler{}, flow));
  CHECK(frugal(EdmHeun{}, flow));
  CHECK(frugal(EdmEulerMaruyama{}, reverse));
}
