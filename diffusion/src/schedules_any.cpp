/// @file  schedules_any.cpp
/// @brief The list of schedules and `make_schedule`.

#include <charconv>
#include <functional>
#include <stdexcept>

#include <fokker/diffusion/any_schedule.hpp>
#include <fokker/solvers/names.hpp>
#include <fokker/solvers/text.hpp>

namespace fokker {

namespace {

double number(std::string_view name, std::string_view value) {
  double result = 0;
  const char* end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, result);
  if (error != std::errc() || rest != end)
    throw std::invalid_argument(std::string(name) + " must be a number: got '" +
                                std::string(value) + "'");
  return result;
}

/// A parameter of the schedule C: its entry in the list, and how text sets it.
template <class C>
struct Setting {
  ScheduleParameter info;
  std::function<void(C&, std::string_view)> set;
};

template <class C>
Setting<C> setting(std::string name, double C::*member, std::string meaning) {
  return {{name, text(C{}.*member), std::move(meaning)},
          [name, member](C& c, std::string_view value) { c.*member = number(name, value); }};
}

/// An entry of the list with how the schedule is made.
struct Entry {
  ScheduleInfo info;
  std::function<AnySchedule(const Parameters&)> make;
};

template <class C>
Entry entry(std::string equation, std::string grid, std::string source,
            std::vector<Setting<C>> settings) {
  const AffineProcess<C> process{C{}};
  ScheduleInfo info{std::string(C::name), std::move(equation), {},
                    process.end_time(),   process.sde_start(), process.t_min(),
                    std::move(grid),      std::move(source)};
  for (const auto& s : settings) info.parameters.push_back(s.info);
  const auto make = [settings = std::move(settings)](const Parameters& parameters) -> AnySchedule {
    C schedule;
    for (const auto& [name, value] : parameters) {
      std::vector<std::string_view> known;
      const Setting<C>* found = nullptr;
      for (const auto& s : settings) {
        known.push_back(s.info.name);
        if (s.info.name == name) found = &s;
      }
      if (found == nullptr)
        throw std::invalid_argument(
            unknown_name_message("parameter of " + std::string(C::name), name, known));
      found->set(schedule, value);
    }
    return schedule;
  };
  return {std::move(info), make};
}

Setting<VarianceExploding> variance_setting() {
  return {{"variance", "exact", "exact: sigma(0) = 0; song: sigma(0) = sigma_min"},
          [](VarianceExploding& c, std::string_view value) {
            if (value == "exact" || value == "true")
              c.variance = VarianceExploding::Variance::exact;
            else if (value == "song")
              c.variance = VarianceExploding::Variance::song;
            else
              throw std::invalid_argument("variance must be exact or song: got '" +
                                          std::string(value) + "'");
          }};
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = [] {
    using Vp = VariancePreserving;
    using Sub = SubVariancePreserving;
    using Ve = VarianceExploding;
    std::vector<Entry> list;
    list.push_back(
        entry<Vp>("dx = -1/2 beta x dt + sqrt(beta) dw, beta = beta_min + (beta_max - beta_min) t",
                  "uniform", "Song et al. (2021), arXiv 2011.13456, 3.4",
                  {setting("beta_min", &Vp::beta_min, "beta at t = 0"),
                   setting("beta_max", &Vp::beta_max, "beta at t = 1")}));
    list.push_back(entry<CosineVariancePreserving>(
        "dx = -1/2 beta x dt + sqrt(beta) dw, s = cos(a(t)) / cos(a(0)), "
        "a = pi/2 (t + 0.008) / 1.008",
        "uniform", "Nichol & Dhariwal (2021), arXiv 2102.09672, 3.2",
        {setting("end", &CosineVariancePreserving::end, "end time")}));
    list.push_back(
        entry<Sub>("dx = -1/2 beta x dt + sqrt(beta (1 - exp(-2B))) dw, B the integral of beta",
                   "uniform", "Song et al. (2021), arXiv 2011.13456, 3.4",
                   {setting("beta_min", &Sub::beta_min, "beta at t = 0"),
                    setting("beta_max", &Sub::beta_max, "beta at t = 1")}));
    list.push_back(entry<Ve>(
        "dx = sigma_min r^t sqrt(2 ln r) dw, r = sigma_max / sigma_min", "uniform",
        "Song et al. (2021), arXiv 2011.13456, 3.4",
        {setting("sigma_min", &Ve::sigma_min, "scale of the noise at t = 0"),
         setting("sigma_max", &Ve::sigma_max, "scale of the noise at t = 1"), variance_setting()}));
    list.push_back(entry<Edm>("dx = sqrt(2t) dw", "karras",
                              "Karras et al. (2022), arXiv 2206.00364, table 1",
                              {setting("sigma_min", &Edm::sigma_min, "default t_min"),
                               setting("sigma_max", &Edm::sigma_max, "end time")}));
    list.push_back(entry<FlowMatching>("dx = -x/(1 - t) dt + sqrt(2t/(1 - t)) dw", "uniform",
                                       "Lipman et al. (2023), arXiv 2210.02747", {}));
    return list;
  }();
  return all;
}

const Entry& find(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Entry& e : entries()) {
    if (e.info.name == name) return e;
    known.push_back(e.info.name);
  }
  throw std::invalid_argument(unknown_name_message("process", name, known));
}

}  // namespace

const std::vector<ScheduleInfo>& list_schedules() {
  static const std::vector<ScheduleInfo> list = [] {
    std::vector<ScheduleInfo> infos;
    for (const Entry& e : entries()) infos.push_back(e.info);
    return infos;
  }();
  return list;
}

const ScheduleInfo& schedule_info(std::string_view name) { return find(name).info; }

AnySchedule make_schedule(std::string_view name, const Parameters& parameters) {
  return find(name).make(parameters);
}

}  // namespace fokker
