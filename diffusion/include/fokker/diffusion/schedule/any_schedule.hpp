#pragma once
/// @file  fokker/diffusion/schedule/any_schedule.hpp
/// @brief A noise schedule chosen at run time, and the list of those there are.

#include <concepts>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fokker/diffusion/schedule/affine_process.hpp>

namespace fokker {

/// Any schedule, with the type erased: one virtual call per coefficient and step, never per path.
/// Copies share the schedule, which is constant. Members as in schedules.hpp.
class AnySchedule {
 public:
  /// @throws std::invalid_argument  if the parameters of the schedule make no sense
  template <class C>
  requires(!std::same_as<C, AnySchedule> && Schedule<C>) AnySchedule(C schedule)
      : self_(std::make_shared<Model<C>>(std::move(schedule))) {}

  std::string_view name() const { return self_->name(); }
  double scale(Time t) const { return self_->scale(t); }
  double sigma(Time t) const { return self_->sigma(t); }
  double std(Time t) const { return self_->std(t); }
  double log_scale_rate(Time t) const { return self_->log_scale_rate(t); }
  double log_sigma_rate(Time t) const { return self_->log_sigma_rate(t); }
  double log_std_rate(Time t) const { return self_->log_std_rate(t); }
  double denoiser_rate(Time t) const { return self_->denoiser_rate(t); }
  double diffusion(Time t) const { return self_->diffusion(t); }
  double frozen_score_weight(Time t, Time t_next) const {
    return self_->frozen_score_weight(t, t_next);
  }
  Time time_of_sigma(double sigma) const { return self_->time_of_sigma(sigma); }
  Time end_time() const { return self_->end_time(); }
  Time sde_start() const { return self_->sde_start(); }
  Time t_min() const { return self_->t_min(); }
  double prior_std(Time start) const { return self_->prior_std(start); }

 private:
  struct Concept {
    virtual ~Concept() = default;
    virtual std::string_view name() const = 0;
    virtual double scale(Time) const = 0;
    virtual double sigma(Time) const = 0;
    virtual double std(Time) const = 0;
    virtual double log_scale_rate(Time) const = 0;
    virtual double log_sigma_rate(Time) const = 0;
    virtual double log_std_rate(Time) const = 0;
    virtual double denoiser_rate(Time) const = 0;
    virtual double diffusion(Time) const = 0;
    virtual double frozen_score_weight(Time, Time) const = 0;
    virtual Time time_of_sigma(double) const = 0;
    virtual Time end_time() const = 0;
    virtual Time sde_start() const = 0;
    virtual Time t_min() const = 0;
    virtual double prior_std(Time) const = 0;
  };

  template <class C>
  struct Model final : Concept {
    explicit Model(C schedule) : process(std::move(schedule)) {}
    std::string_view name() const override {
      if constexpr (requires { C::name; })
        return C::name;
      else
        return "custom";
    }
    double scale(Time t) const override { return process.scale(t); }
    double sigma(Time t) const override { return process.sigma(t); }
    double std(Time t) const override { return process.std(t); }
    double log_scale_rate(Time t) const override { return process.log_scale_rate(t); }
    double log_sigma_rate(Time t) const override { return process.log_sigma_rate(t); }
    double log_std_rate(Time t) const override { return process.log_std_rate(t); }
    double denoiser_rate(Time t) const override { return process.denoiser_rate(t); }
    double diffusion(Time t) const override { return process.diffusion(t); }
    double frozen_score_weight(Time t, Time t_next) const override {
      return process.frozen_score_weight(t, t_next);
    }
    Time time_of_sigma(double sigma) const override { return process.time_of_sigma(sigma); }
    Time end_time() const override { return process.end_time(); }
    Time sde_start() const override { return process.sde_start(); }
    Time t_min() const override { return process.t_min(); }
    double prior_std(Time start) const override { return process.prior_std(start); }
    AffineProcess<C> process;
  };

  std::shared_ptr<const Concept> self_;
};

/// Parameters by name, as text: {{"beta_min", "0.1"}}.
using Parameters = std::map<std::string, std::string, std::less<>>;

/// A parameter of a schedule in the list.
struct ScheduleParameter {
  std::string name;
  std::string default_value;
  std::string meaning;
};

/// A schedule in the list. Its defaults are those of the struct in schedules.hpp.
struct ScheduleInfo {
  std::string name;
  std::string equation;  ///< of the forward process
  std::vector<ScheduleParameter> parameters;
  Time end_time = 1;         ///< with default parameters
  Time sde_start = 1;        ///< where a reverse SDE starts by default
  Time t_min = 0;            ///< where the way back stops by default
  std::string default_grid;  ///< a name of make_grid
  std::string source;
};

/// All schedules by name: vp, vp-cosine, sub-vp, ve, edm, flow, polynomial, linear-vp, gvp,
/// interpolant. Each has the parameter `shift` beside its own (see ShiftedSchedule). Beside them,
/// `table:FILE` is the discrete schedule in a file (see read_discrete_schedule).
const std::vector<ScheduleInfo>& list_schedules();

/// The entry of `list_schedules` with this name.
/// @throws std::invalid_argument  with the nearest names
const ScheduleInfo& schedule_info(std::string_view name);

/// The schedule with this name; parameters not given keep their defaults.
/// @throws std::invalid_argument  for an unknown schedule or parameter, with the nearest names; for
///     a value that is no number or makes no sense; see read_discrete_schedule for `table:FILE`
AnySchedule make_schedule(std::string_view name, const Parameters& parameters = {});

}  // namespace fokker
