/// @file  schedules.cpp
/// @brief Noise schedules: their coefficients, limits, inverses, conversions and messages.

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <fokker/diffusion/schedule/any_schedule.hpp>
#include <fokker/diffusion/schedule/marginal_schedule.hpp>
#include <fokker/diffusion/schedule/shifted_schedule.hpp>
#include <fokker/diffusion/schedule/tabulated_schedule.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Named {
  std::string name;
  AnySchedule schedule;
};

std::vector<Named> all_schedules() {
  std::vector<Named> all;
  for (const ScheduleInfo& info : list_schedules())
    all.push_back({info.name, make_schedule(info.name)});
  all.push_back({"ve song", make_schedule("ve", {{"variance", "song"}})});
  all.push_back({"interpolant sine", make_schedule("interpolant", {{"gamma", "sine"}})});
  all.push_back({"polynomial 0.5", make_schedule("polynomial", {{"n", "0.5"}})});
  for (const char* name : {"vp", "ve", "edm", "flow", "polynomial", "gvp"})
    for (const char* shift : {"0.5", "3"})
      all.push_back(
          {name + std::string(" shift ") + shift, make_schedule(name, {{"shift", shift}})});
  all.push_back({"marginals", schedule_from_marginals(
                                  [](auto t) {
                                    using std::exp;
                                    return exp(-t);
                                  },
                                  [](auto t) { return t * (2.0 + t); }, 2)});
  return all;
}

/// Times over the whole of the schedule, a singular end left out.
std::vector<Time> sample_times(const AffineProcess<AnySchedule>& process) {
  std::vector<Time> times;
  for (const double part : {0.01, 0.05, 0.3, 0.7, 0.95})
    times.push_back(part * process.sde_start());
  return times;
}

/// f'(t) by Richardson's extrapolation of central differences, to about 1e-10.
double slope(const std::function<double(double)>& f, double t) {
  const double h = 1e-2 * t * (1 + 1e-3) * 0.1;
  const auto central = [&](double step) { return (f(t + step) - f(t - step)) / (2 * step); };
  const double d1 = central(h), d2 = central(h / 2), d4 = central(h / 4);
  const double e1 = (4 * d2 - d1) / 3, e2 = (4 * d4 - d2) / 3;
  return (16 * e2 - e1) / 15;
}

/// A schedule with the required members and coefficients only.
struct Bare {
  AnySchedule full;
  AffineCoefficients at(Time t) const {
    const AffineCoefficients c = full.at(t);
    return {.scale = c.scale,
            .sigma = c.sigma,
            .log_scale_rate = c.log_scale_rate,
            .diffusion = c.diffusion};
  }
  ScheduleEnds ends() const { return {.end = full.ends().sde_start}; }
};

}  // namespace

TEST_CASE("the rates of every schedule are the derivatives of its s, sigma and std") {
  for (const Named& named : all_schedules()) {
    const std::string& name = named.name;
    const AffineProcess c{named.schedule};
    for (const Time t : sample_times(c)) {
      INFO(name << " at t = " << t);
      const double s = c.scale(t), sigma = c.sigma(t);

      const double log_s = slope([&](Time u) { return std::log(c.scale(u)); }, t);
      const double log_sigma = slope([&](Time u) { return std::log(c.sigma(u)); }, t);
      const double log_std = slope([&](Time u) { return std::log(c.std(u)); }, t);

      CHECK_THAT(c.std(t), WithinRel(s * sigma, 1e-13));
      CHECK(c.log_scale_rate(t) == Approx(log_s).epsilon(1e-7).margin(1e-9));
      CHECK(c.log_sigma_rate(t) == Approx(log_sigma).epsilon(1e-7));
      CHECK(c.log_std_rate(t) == Approx(log_std).epsilon(1e-7).margin(1e-7));
      CHECK(c.denoiser_rate(t) == Approx(s * log_sigma).epsilon(1e-7));
      CHECK(c.diffusion(t) * c.diffusion(t) ==
            Approx(2 * s * s * sigma * sigma * log_sigma).epsilon(1e-7));
    }
  }
}

TEST_CASE("what AffineProcess derives agrees with the closed forms of every schedule") {
  for (const Named& named : all_schedules()) {
    const std::string& name = named.name;
    const AffineProcess c{named.schedule};
    const AffineProcess<Bare> derived{Bare{named.schedule}};
    for (const Time t : sample_times(c)) {
      INFO(name << " at t = " << t);
      const Time earlier = 0.6 * t;

      const double weight = derived.frozen_score_weight(t, earlier);

      CHECK_THAT(derived.std(t), WithinRel(c.std(t), 1e-13));
      CHECK_THAT(derived.log_sigma_rate(t), WithinRel(c.log_sigma_rate(t), 1e-11));
      CHECK(derived.log_std_rate(t) ==
            Approx(c.log_std_rate(t)).epsilon(1e-11).margin(1e-11 * c.log_sigma_rate(t)));
      CHECK_THAT(derived.denoiser_rate(t), WithinRel(c.denoiser_rate(t), 1e-11));
      CHECK_THAT(weight, WithinRel(c.frozen_score_weight(t, earlier), 1e-10));
      CHECK_THAT(derived.time_of_sigma(c.sigma(t)), WithinRel(t, 1e-12));
    }
  }
}

TEST_CASE("time_of_sigma inverts sigma over the whole of every schedule") {
  for (const Named& named : all_schedules()) {
    const std::string& name = named.name;
    const AffineProcess c{named.schedule};
    for (const double part : {1e-9, 1e-6, 1e-3, 0.2, 0.5, 0.9, 1.0}) {
      const Time t = part * c.sde_start();
      INFO(name << " at t = " << t);

      const Time back = c.time_of_sigma(c.sigma(t));

      if (name == "ve song")
        CHECK_THAT(back, WithinAbs(t, 1e-15));
      else
        CHECK_THAT(back, WithinRel(t, 1e-12));
    }
  }
}

TEST_CASE("every schedule starts at the data: s = 1 and sigma = 0 at t = 0") {
  for (const Named& named : all_schedules()) {
    const std::string& name = named.name;
    const AffineProcess c{named.schedule};
    INFO(name);
    const bool song = name == "ve song";

    CHECK(c.scale(0) == 1);
    CHECK(c.sigma(0) == (song ? 0.01 : 0.0));
    CHECK(c.std(0) == (song ? 0.01 : 0.0));
    CHECK(std::isfinite(c.log_scale_rate(0)));
    CHECK(std::isfinite(c.diffusion(0)));
    if (!song) {
      CHECK(c.time_of_sigma(0) == 0);
      CHECK(c.log_sigma_rate(0) == infinity);
    }
  }
}

TEST_CASE("std keeps its relative precision as t -> 0") {
  const Time t = 1e-12;

  CHECK_THAT(make_schedule("vp").at(t).std, WithinRel(std::sqrt(0.1 * t), 1e-9));
  CHECK_THAT(make_schedule("sub-vp").at(t).std, WithinRel(0.1 * t, 1e-9));
  CHECK_THAT(make_schedule("ve").at(t).std,
             WithinRel(0.01 * std::sqrt(2 * std::log(5000.0) * t), 1e-9));
  CHECK_THAT(make_schedule("vp-cosine").at(t).std,
             WithinRel(make_schedule("vp-cosine").at(0).diffusion * std::sqrt(t), 1e-9));
}

TEST_CASE("schedules have the published values") {
  const AffineProcess vp{VariancePreserving{}};
  const AffineProcess sub{SubVariancePreserving{}};
  const AffineProcess ve{VarianceExploding{}};
  const AffineProcess song{VarianceExploding{.variance = VarianceExploding::Variance::song}};
  const AffineProcess cosine{CosineVariancePreserving{}};

  CHECK_THAT(vp.sigma(1), WithinRel(std::sqrt(std::exp(10.05) - 1), 1e-14));
  CHECK_THAT(sub.std(1), WithinRel(1 - std::exp(-10.05), 1e-14));
  CHECK_THAT(sub.sigma(0.5), WithinRel(2 * std::sinh(0.5 * (0.05 + 9.95 * 0.25)), 1e-14));
  CHECK_THAT(ve.sigma(1), WithinRel(0.01 * std::sqrt(25e6 - 1), 1e-14));
  CHECK_THAT(song.sigma(1), WithinRel(50.0, 1e-14));
  CHECK_THAT(song.sigma(0.5), WithinRel(0.01 * std::sqrt(5000.0), 1e-14));
  const double c = std::cos(M_PI / 2 * (0.5 + 0.008) / 1.008) / std::cos(M_PI / 2 * 0.008 / 1.008);
  CHECK_THAT(cosine.scale(0.5), WithinRel(c, 1e-14));
  CHECK(cosine.end_time() == 0.9946);
  CHECK_THAT(vp.frozen_score_weight(0.5, 0.4),
             WithinRel(2 * (vp.scale(0.4) / vp.scale(0.5) - 1), 1e-13));
}

TEST_CASE("what the flow needs stays finite at t = 1 where the data are gone") {
  struct Case {
    AnySchedule schedule;
    double log_std_rate, denoiser_rate;
  };
  const std::vector<Case> cases{
      {make_schedule("flow"), 1, 1},
      {make_schedule("polynomial"), 0, 0},
      {make_schedule("linear-vp"), 0, 1},
      {make_schedule("gvp"), 0, M_PI / 2},
      {make_schedule("interpolant"), 0.5, 1},
      {make_schedule("interpolant", {{"gamma", "sine"}}), 1, 1},
      {make_schedule("flow", {{"shift", "4"}}), 0.25, 0.25},
      {make_schedule("polynomial", {{"shift", "4"}}), 0, 0},
      {make_schedule("gvp", {{"shift", "4"}}), 0, M_PI / 8},
  };
  for (const auto& [schedule, log_std_rate, denoiser_rate] : cases) {
    INFO(schedule.name());
    const AffineProcess c{schedule};
    CHECK(c.end_time() == 1);
    CHECK(c.scale(1) == 0);
    CHECK(c.sigma(1) == infinity);
    CHECK_THAT(c.std(1), WithinAbs(1, 1e-15));
    CHECK_THAT(c.log_std_rate(1), WithinAbs(log_std_rate, 1e-14));
    CHECK_THAT(c.denoiser_rate(1), WithinAbs(denoiser_rate, 1e-14));
    CHECK(c.time_of_sigma(infinity) == 1);
    CHECK(!std::isfinite(c.diffusion(1)));
    CHECK(c.sde_start() < 1);
    CHECK(c.sde_start() >= 0.99);
    CHECK(std::isfinite(c.diffusion(c.sde_start())));
  }
  const AffineProcess flow{FlowMatching{}};
  CHECK(flow.sde_start() == 0.999);
  CHECK(flow.prior_at(0.999).std == 0.999);
}

TEST_CASE("the paths of flow matching have their published scale and noise") {
  const double t = 0.3, r = 0.7;
  const AffineProcess cubic{PolynomialFlow{.n = 3}};
  const AffineProcess linear{LinearVariancePreserving{}};
  const AffineProcess gvp{TrigonometricVariancePreserving{}};
  const AffineProcess root{StochasticInterpolant{}};
  const AffineProcess sine{StochasticInterpolant{.gamma = StochasticInterpolant::Gamma::sine}};
  const double gamma = std::pow(std::sin(M_PI * t), 2);

  CHECK_THAT(cubic.scale(t), WithinRel(r * r * r, 1e-15));
  CHECK_THAT(cubic.std(t), WithinRel(1 - r * r * r, 1e-15));
  CHECK_THAT(PolynomialFlow{.n = 1}.frozen_score_weight(0.6, 0.2),
             WithinRel(FlowMatching{}.frozen_score_weight(0.6, 0.2), 1e-13));
  CHECK_THAT(linear.std(t), WithinRel(std::sqrt(1 - r * r), 1e-15));
  CHECK_THAT(gvp.scale(t), WithinRel(std::cos(M_PI * t / 2), 1e-15));
  CHECK_THAT(gvp.std(t), WithinRel(std::sin(M_PI * t / 2), 1e-15));
  CHECK_THAT(root.std(t), WithinRel(std::sqrt(t * t + t * (1 - t)), 1e-15));
  CHECK_THAT(sine.std(t), WithinRel(std::sqrt(t * t + gamma * gamma), 1e-15));
}

TEST_CASE("the three shifts in use are a shift of the log-SNR") {
  const double k = 3, mu = 0.7, power = 1.3;
  const AffineProcess shifted{ShiftedSchedule<FlowMatching>{FlowMatching{}, k}};
  const AffineProcess dynamic{dynamically_shifted_flow(mu, power)};
  const AffineProcess large{shifted_for_resolution(TrigonometricVariancePreserving{}, 256)};
  const AffineProcess cosine{TrigonometricVariancePreserving{}};

  for (const Time t : {1e-6, 0.1, 0.5, 0.9, 0.999}) {
    INFO("t = " << t);
    const double u = k * t / (1 + (k - 1) * t);
    const double v = std::exp(mu) / (std::exp(mu) + std::pow(1 / t - 1, power));
    CHECK_THAT(shifted.std(t), WithinRel(u, 1e-14));
    CHECK_THAT(shifted.scale(t), WithinRel(1 - u, 1e-12));
    CHECK_THAT(dynamic.std(t), WithinRel(v, 1e-14));
    CHECK_THAT(dynamic.time_of_sigma(dynamic.sigma(t)), WithinRel(t, 1e-13));
    CHECK_THAT(large.log_snr(t), WithinAbs(cosine.log_snr(t) + 2 * std::log(64.0 / 256), 1e-12));
    CHECK_THAT(large.scale(t) * large.scale(t) + large.std(t) * large.std(t), WithinRel(1, 1e-13));
  }
}

TEST_CASE("a shifted schedule ends where its noise is the largest of its own schedule") {
  const AffineProcess up{make_schedule("vp", {{"shift", "3"}})};
  const AffineProcess down{make_schedule("vp", {{"shift", "0.5"}})};
  const AffineProcess vp{make_schedule("vp")};

  CHECK(up.end_time() < 1);
  CHECK_THAT(up.sigma(up.end_time()), WithinRel(vp.sigma(1), 1e-13));
  CHECK_THAT(up.sigma(up.t_min()), WithinRel(vp.sigma(vp.t_min()), 1e-13));
  CHECK(down.end_time() == 1);
  CHECK_THAT(down.sigma(1), WithinRel(0.5 * vp.sigma(1), 1e-13));
}

TEST_CASE("a schedule of user-defined s and sigma has the coefficients of their derivatives") {
  const AffineProcess vp{VariancePreserving{}};
  const auto integral = [](auto t) { return t * (0.1 + 9.95 * t); };
  const AffineProcess complex{schedule_from_marginals(
      [=](auto t) {
        using std::exp;
        return exp(-0.5 * integral(t));
      },
      [=](auto t) {
        using std::exp;
        using std::sqrt;
        return sqrt(exp(integral(t)) - 1.0);
      })};
  const AffineProcess given{
      schedule_from_marginals([&](Time t) { return vp.scale(t); },
                              [&](Time t) { return vp.scale(t) * vp.log_scale_rate(t); },
                              [&](Time t) { return vp.sigma(t); },
                              [&](Time t) { return vp.sigma(t) * vp.log_sigma_rate(t); })};

  for (const Time t : {1e-3, 0.2, 0.7, 1.0}) {
    CHECK_THAT(complex.log_scale_rate(t), WithinRel(vp.log_scale_rate(t), 1e-14));
    CHECK_THAT(complex.diffusion(t), WithinRel(vp.diffusion(t), 1e-13));
    CHECK_THAT(complex.log_sigma_rate(t), WithinRel(vp.log_sigma_rate(t), 1e-11));
    CHECK_THAT(given.log_scale_rate(t), WithinRel(vp.log_scale_rate(t), 1e-14));
    CHECK_THAT(given.diffusion(t), WithinRel(vp.diffusion(t), 1e-14));
    CHECK_THAT(given.time_of_sigma(vp.sigma(t)), WithinRel(t, 1e-13));
  }
  CHECK_THAT(complex.diffusion(0), WithinRel(std::sqrt(0.1), 1e-14));
  CHECK(given.sde_start() == 1);

  const AffineProcess flow{schedule_from_marginals([](auto t) { return 1.0 - t; },
                                                   [](auto t) { return t / (1.0 - t); })};
  CHECK(flow.sde_start() == 0.999);
  CHECK(flow.time_of_sigma(infinity) == 1);
  CHECK_THAT(flow.time_of_sigma(1e9), WithinRel(1, 1e-8));
  CHECK_THAT(flow.diffusion(0.4), WithinRel(std::sqrt(2 * 0.4 / 0.6), 1e-14));
}

TEST_CASE("the prior is the law that x at the start is taken to have") {
  const AffineProcess vp{VariancePreserving{.beta_min = 0.1, .beta_max = 20}};
  const AffineProcess ve{VarianceExploding{}};

  CHECK(vp.prior().std == 1);
  CHECK(vp.prior().dimension() == -1);
  CHECK(vp.prior(3).dimension() == 3);
  CHECK(ve.prior().std == ve.std(1));
  CHECK(AffineProcess{Edm{}}.prior().std == 80);
}

TEST_CASE("AffineProcess is its own forward SDE and one-step noising") {
  const AffineProcess vp{VariancePreserving{}};
  Block<double> x0(2, 3), eps(2, 3), out(2, 3);
  x0 << 1, 2, 3, 4, 5, 6;
  eps << -1, 0, 1, 0.5, 0.25, 2;

  const Block<double> noised = vp.noised(x0, 0.3, eps);
  evaluate_drift(vp, x0, 0.3, out);

  CHECK((noised - (vp.scale(0.3) * x0 + vp.std(0.3) * eps)).abs().maxCoeff() == 0);
  CHECK((out + 0.5 * (0.1 + 19.9 * 0.3) * x0).abs().maxCoeff() < 1e-14);
  CHECK_THAT(vp.diffusion(0.3), WithinRel(std::sqrt(0.1 + 19.9 * 0.3), 1e-15));
  CHECK_THAT(vp.log_snr(0.3), WithinRel(-2 * std::log(vp.sigma(0.3)), 1e-15));
  STATIC_REQUIRE(fokker::Process<AffineProcess<VariancePreserving>, Block<double>>);
  STATIC_REQUIRE(clock_of<AffineProcess<VariancePreserving>> == Clock::up);
}

TEST_CASE("(f, g) -> (s, sigma) by quadrature is the schedule that they came from") {
  for (const Named& named : all_schedules()) {
    if (named.name == "ve song") continue;  // its sigma(0) is no integral of g
    INFO(named.name);
    const AffineProcess c{named.schedule};

    const AffineProcess back{schedule_from_coefficients([c](Time t) { return c.log_scale_rate(t); },
                                                        [c](Time t) { return c.diffusion(t); },
                                                        c.sde_start())};

    CHECK(back.end_time() == c.sde_start());
    for (const double part : {1e-6, 1e-3, 0.123, 0.5, 0.77, 1.0}) {
      const Time t = part * c.sde_start();
      INFO("t = " << t);
      CHECK_THAT(back.scale(t), WithinRel(c.scale(t), 1e-11));
      CHECK_THAT(back.sigma(t), WithinRel(c.sigma(t), 1e-11));
      CHECK_THAT(back.time_of_sigma(c.sigma(t)), WithinRel(t, 1e-10));
    }
  }
}

TEST_CASE("schedules are made by name, with the defaults of their structs") {
  const AnySchedule vp = make_schedule("vp", {{"beta_max", "15"}});

  CHECK(vp.name() == "vp");
  CHECK(vp.at(0.7).sigma == VariancePreserving{.beta_max = 15}.at(0.7).sigma);
  CHECK(make_schedule("edm", {{"sigma_max", "10"}}).ends().end == 10);
  CHECK(make_schedule("ve", {{"variance", "song"}}).at(0).sigma == 0.01);
  CHECK(make_schedule("ve", {{"variance", "true"}}).at(0).sigma == 0);
  CHECK(list_schedules().size() == 10);
  CHECK(schedule_info("flow").sde_start == 0.999);
  CHECK(schedule_info("edm").default_grid == "karras");
  CHECK(schedule_info("vp").parameters.at(1).default_value == "20");
  CHECK(schedule_info("gvp").parameters.back().name == "shift");
  CHECK(make_schedule("flow", {{"shift", "3"}}).name() == "flow");
  CHECK_THAT(make_schedule("flow", {{"shift", "3"}}).at(0.5).std, WithinRel(0.75, 1e-15));
  CHECK(make_schedule("polynomial", {{"n", "3"}}).at(0.5).scale == 0.125);
  CHECK(make_schedule("interpolant", {{"gamma", "root"}}).at(0.25).std == 0.5);
}

TEST_CASE("senseless schedules are refused in one line") {
  CHECK_THROWS_WITH((AffineProcess{VariancePreserving{.beta_min = 20, .beta_max = 0.1}}),
                    "beta_max must exceed beta_min: got beta_max=0.1, beta_min=20");
  CHECK_THROWS_WITH((AffineProcess{SubVariancePreserving{.beta_min = -1, .beta_max = 2}}),
                    "beta_min must be at least 0 and finite: got beta_min=-1");
  CHECK_THROWS_WITH(make_schedule("ve", {{"sigma_min", "3"}, {"sigma_max", "2"}}),
                    "sigma_max must exceed sigma_min: got sigma_max=2, sigma_min=3");
  CHECK_THROWS_WITH(make_schedule("edm", {{"sigma_min", "-1"}}),
                    "sigma_min must be at least 0 and finite: got sigma_min=-1");
  CHECK_THROWS_WITH(make_schedule("vp-cosine", {{"end", "1"}}),
                    StartsWith("end must lie in (0, 0.99"));
  CHECK_THROWS_WITH(make_schedule("vp", {{"beta_max", "ten"}}),
                    "beta_max must be a number: got 'ten'");
  CHECK_THROWS_WITH(make_schedule("ve", {{"variance", "big"}}),
                    "variance must be exact or song: got 'big'");
  CHECK_THROWS_WITH(make_schedule("polynomial", {{"n", "-1"}}),
                    "n must be positive and finite: got n=-1");
  CHECK_THROWS_WITH(make_schedule("interpolant", {{"gamma", "cosine"}}),
                    "gamma must be root or sine: got 'cosine'");
  CHECK_THROWS_WITH(make_schedule("flow", {{"shift", "0"}}),
                    "shift must be positive and finite: got shift=0");
  CHECK_THROWS_WITH(make_schedule("ve", {{"variance", "song"}, {"shift", "2"}}),
                    "a shift needs a schedule with sigma=0 at t=0: ve has sigma=0.01");
  CHECK_THROWS_WITH(make_schedule("flow", {{"shfit", "2"}}), ContainsSubstring("shift"));
  CHECK_THROWS_WITH(dynamically_shifted_flow(0.5, -1),
                    "the power of a shift must be positive and finite: got power=-1");
  CHECK_THROWS_WITH(
      schedule_from_marginals([](auto t) { return 1.0 - t; }, [](auto t) { return t * (1.0 - t); }),
      StartsWith("sigma must be at least 0 and never fall: got sigma(0.515625)="));
  CHECK_THROWS_WITH(
      schedule_from_marginals([](auto t) { return 2.0 - t; }, [](auto t) { return t; }),
      "s must be 1 at t=0, the data: got s(0)=2");
  CHECK_THROWS_WITH(make_schedule("vp", {{"beta_mx", "10"}}), ContainsSubstring("beta_max"));
  CHECK_THROWS_WITH(make_schedule("vp-cosin"), ContainsSubstring("vp-cosine"));
  CHECK_THROWS_WITH(
      schedule_from_coefficients([](Time) { return 0.0; }, [](Time t) { return 1 / (1 - t); }, 1.0),
      ContainsSubstring("must be finite"));
  CHECK_THROWS_AS(
      schedule_from_coefficients([](Time) { return 0.0; }, [](Time) { return 1.0; }, -1),
      std::invalid_argument);
}

TEST_CASE("beta_min = 0 is a schedule too") {
  const AffineProcess vp{VariancePreserving{.beta_min = 0, .beta_max = 20}};

  CHECK(vp.time_of_sigma(0) == 0);
  CHECK_THAT(vp.time_of_sigma(vp.sigma(0.2)), WithinRel(0.2, 1e-13));
}
