/// @file  schedules.cpp
/// @brief Noise schedules: their coefficients, limits, inverses, conversions and messages.

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <fokker/diffusion/any_schedule.hpp>
#include <fokker/diffusion/tabulated_schedule.hpp>

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
  return all;
}

/// Times over the whole of the schedule, a singular end left out.
std::vector<Time> sample_times(const AnySchedule& schedule) {
  std::vector<Time> times;
  for (const double part : {0.01, 0.05, 0.3, 0.7, 0.95})
    times.push_back(part * schedule.sde_start());
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

/// A schedule with the required members only.
struct Bare {
  AnySchedule full;
  double scale(Time t) const { return full.scale(t); }
  double sigma(Time t) const { return full.sigma(t); }
  double log_scale_rate(Time t) const { return full.log_scale_rate(t); }
  double diffusion(Time t) const { return full.diffusion(t); }
  Time end_time() const { return full.sde_start(); }
};

}  // namespace

TEST_CASE("the rates of every schedule are the derivatives of its s, sigma and std") {
  for (const Named& named : all_schedules()) {
    const std::string& name = named.name;
    const AnySchedule& c = named.schedule;
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
    const AnySchedule& c = named.schedule;
    const AffineProcess<Bare> derived{Bare{c}};
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
    const AnySchedule& c = named.schedule;
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
    const AnySchedule& c = named.schedule;
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

  CHECK_THAT(make_schedule("vp").std(t), WithinRel(std::sqrt(0.1 * t), 1e-9));
  CHECK_THAT(make_schedule("sub-vp").std(t), WithinRel(0.1 * t, 1e-9));
  CHECK_THAT(make_schedule("ve").std(t),
             WithinRel(0.01 * std::sqrt(2 * std::log(5000.0) * t), 1e-9));
  CHECK_THAT(make_schedule("vp-cosine").std(t),
             WithinRel(make_schedule("vp-cosine").diffusion(0) * std::sqrt(t), 1e-9));
}

TEST_CASE("schedules have the published values") {
  const VariancePreserving vp;
  const SubVariancePreserving sub;
  const VarianceExploding ve, song{.variance = VarianceExploding::Variance::song};
  const CosineVariancePreserving cosine;

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

TEST_CASE("flow matching keeps finite at t = 1 what the flow needs") {
  const AffineProcess flow{FlowMatching{}};

  CHECK(flow.scale(1) == 0);
  CHECK(flow.sigma(1) == infinity);
  CHECK(flow.std(1) == 1);
  CHECK(flow.log_std_rate(1) == 1);
  CHECK(flow.denoiser_rate(1) == 1);
  CHECK(flow.time_of_sigma(infinity) == 1);
  CHECK(flow.end_time() == 1);
  CHECK(flow.sde_start() == 0.999);
  CHECK(flow.prior_at(0.999).std == 0.999);
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
    const AnySchedule c = named.schedule;

    const AnySchedule back =
        schedule_from_coefficients([c](Time t) { return c.log_scale_rate(t); },
                                   [c](Time t) { return c.diffusion(t); }, c.sde_start());

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
  CHECK(vp.sigma(0.7) == VariancePreserving{.beta_max = 15}.sigma(0.7));
  CHECK(make_schedule("edm", {{"sigma_max", "10"}}).end_time() == 10);
  CHECK(make_schedule("ve", {{"variance", "song"}}).sigma(0) == 0.01);
  CHECK(make_schedule("ve", {{"variance", "true"}}).sigma(0) == 0);
  CHECK(list_schedules().size() == 6);
  CHECK(schedule_info("flow").sde_start == 0.999);
  CHECK(schedule_info("edm").default_grid == "karras");
  CHECK(schedule_info("vp").parameters.at(1).default_value == "20");
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
