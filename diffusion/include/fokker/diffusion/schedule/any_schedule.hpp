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
#include <fokker/solvers/support/catalogue.hpp>

namespace fokker {

/// Any schedule, with the type erased: one virtual call per step and time, never per path. Copies
/// share the schedule, which is constant. Members as in schedule.hpp.
class AnySchedule {
 public:
  /// @throws std::invalid_argument  for parameters of the schedule out of range
  template <class C>
  requires(!std::same_as<C, AnySchedule> && Schedule<C>) AnySchedule(C schedule)
      : self_(std::make_shared<Model<C>>(std::move(schedule))) {}

  std::string_view name() const { return self_->name; }
  AffineCoefficients at(Time t) const { return self_->at(t); }
  double frozen_score_weight(Time t, Time t_next) const {
    return self_->frozen_score_weight(t, t_next);
  }
  Time time_of_sigma(double sigma) const { return self_->time_of_sigma(sigma); }
  const ScheduleEnds& ends() const { return self_->ends; }

 private:
  struct Concept {
    virtual ~Concept() = default;
    virtual AffineCoefficients at(Time) const = 0;
    virtual double frozen_score_weight(Time, Time) const = 0;
    virtual Time time_of_sigma(double) const = 0;
    std::string_view name = "custom";
    ScheduleEnds ends{};
  };

  template <class C>
  struct Model final : Concept {
    explicit Model(C schedule) : process(std::move(schedule)) {
      if constexpr (requires { C::name; }) this->name = C::name;
      this->ends = process.schedule.ends();
    }
    AffineCoefficients at(Time t) const override { return process.at(t); }
    double frozen_score_weight(Time t, Time t_next) const override {
      return process.frozen_score_weight(t, t_next);
    }
    Time time_of_sigma(double sigma) const override { return process.time_of_sigma(sigma); }
    AffineProcess<C> process;
  };

  std::shared_ptr<const Concept> self_;
};

/// Parameters by name, as text: {{"beta_min", "0.1"}}.
using Parameters = std::map<std::string, std::string, std::less<>>;

/// A schedule of the catalogue. Its defaults are those of the struct in schedules.hpp.
struct ScheduleInfo {
  std::string name;
  std::string type;      ///< in C++
  std::string equation;  ///< of the forward process
  std::vector<Parameter> parameters;
  Time end_time = 1;         ///< with default parameters
  Time sde_start = 1;        ///< default start of a reverse SDE
  Time t_min = 0;            ///< default end of reverse time
  std::string default_grid;  ///< a name of make_grid
  std::string source;
};

/// All schedules by name: vp, vp-cosine, sub-vp, ve, edm, flow, polynomial, linear-vp, gvp,
/// interpolant. Each has the parameter `shift` too (see ShiftedSchedule). `table:FILE` is the
/// discrete schedule in a file (see read_discrete_schedule).
const Catalogue<ScheduleInfo>& list_schedules();

/// The entry of `list_schedules` with this name, or that of `table:FILE`.
/// @throws std::invalid_argument  with the nearest names
const ScheduleInfo& schedule_info(std::string_view name);

/// The schedule with this name; parameters not given keep their defaults.
/// @throws std::invalid_argument  for an unknown schedule or parameter, with the nearest names; for
///     a value that is not a number or out of range; see read_discrete_schedule for `table:FILE`
AnySchedule make_schedule(std::string_view name, const Parameters& parameters = {});

}  // namespace fokker
