/// @file  schedules_any.cpp
/// @brief The list of schedules and `make_schedule`.

#include <cmath>
#include <functional>
#include <stdexcept>

#include <fokker/diffusion/schedule/any_schedule.hpp>
#include <fokker/diffusion/schedule/discrete_schedule.hpp>
#include <fokker/diffusion/schedule/shifted_schedule.hpp>
#include <fokker/solvers/support/names.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace {

double number(std::string_view name, std::string_view value) {
  const auto found = number_of(value);
  if (!found || !std::isfinite(*found))
    throw std::invalid_argument(std::string(name) + " must be a number: got '" +
                                std::string(value) + "'");
  return *found;
}

/// A parameter of the schedule C: its entry in the list, and how text sets it.
template <class C>
struct Setting {
  Parameter info;
  std::function<void(C&, std::string_view)> set;
};

template <class C>
Setting<C> setting(std::string name, double C::*member, std::string meaning, std::string range) {
  return {{name, text(C{}.*member), std::move(meaning), std::move(range)},
          [name, member](C& c, std::string_view value) { c.*member = number(name, value); }};
}

/// The parameter that every schedule of the list has beside its own.
const Parameter shift_parameter{
    "shift", "1", "sigma is multiplied by it: k of a flow, size/64 for images, see ShiftedSchedule",
    "> 0"};

/// An entry of the list with how the schedule is made.
struct Entry {
  ScheduleInfo info;
  std::function<AnySchedule(const Parameters&)> make;
};

template <class C>
Entry entry(std::string type, std::string equation, std::string grid, std::string source,
            std::vector<Setting<C>> settings) {
  const AffineProcess<C> process{C{}};
  ScheduleInfo info{std::string(C::name), std::move(type),     std::move(equation), {},
                    process.end_time(),   process.sde_start(), process.t_min(),     std::move(grid),
                    std::move(source)};
  for (const auto& s : settings) info.parameters.push_back(s.info);
  info.parameters.push_back(shift_parameter);
  const auto make = [settings = std::move(settings)](const Parameters& parameters) -> AnySchedule {
    C schedule;
    double shift = 1;
    for (const auto& [name, value] : parameters) {
      if (name == shift_parameter.name) {
        shift = number(name, value);
        continue;
      }
      std::vector<std::string_view> known;
      const Setting<C>* found = nullptr;
      for (const auto& s : settings) {
        known.push_back(s.info.name);
        if (s.info.name == name) found = &s;
      }
      known.push_back(shift_parameter.name);
      if (found == nullptr)
        throw std::invalid_argument(
            unknown_name_message("parameter of " + std::string(C::name), name, known));
      found->set(schedule, value);
    }
    if (shift == 1) return schedule;
    return ShiftedSchedule<C>{schedule, shift};
  };
  return {std::move(info), make};
}

Setting<StochasticInterpolant> gamma_setting() {
  using Gamma = StochasticInterpolant::Gamma;
  return {{"gamma", "root", "root: gamma^2 = t (1 - t); sine: gamma = sin^2(pi t)"},
          [](StochasticInterpolant& c, std::string_view value) {
            if (value != "root" && value != "sine")
              throw std::invalid_argument("gamma must be root or sine: got '" + std::string(value) +
                                          "'");
            c.gamma = value == "root" ? Gamma::root : Gamma::sine;
          }};
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
        entry<Vp>("VariancePreserving",
                  "dx = -1/2 beta x dt + sqrt(beta) dw, beta = beta_min + (beta_max - beta_min) t",
                  "uniform", "Song et al. (2021), arXiv 2011.13456, 3.4",
                  {setting("beta_min", &Vp::beta_min, "beta at t = 0", ">= 0"),
                   setting("beta_max", &Vp::beta_max, "beta at t = 1", "> beta_min")}));
    list.push_back(entry<CosineVariancePreserving>(
        "CosineVariancePreserving",
        "dx = -1/2 beta x dt + sqrt(beta) dw, s = cos(a(t)) / cos(a(0)), "
        "a = pi/2 (t + 0.008) / 1.008",
        "uniform", "Nichol & Dhariwal (2021), arXiv 2102.09672, 3.2",
        {setting("end", &CosineVariancePreserving::end, "end time", "> 0")}));
    list.push_back(
        entry<Sub>("SubVariancePreserving",
                   "dx = -1/2 beta x dt + sqrt(beta (1 - exp(-2B))) dw, B the integral of beta",
                   "uniform", "Song et al. (2021), arXiv 2011.13456, 3.4",
                   {setting("beta_min", &Sub::beta_min, "beta at t = 0", ">= 0"),
                    setting("beta_max", &Sub::beta_max, "beta at t = 1", "> beta_min")}));
    list.push_back(entry<Ve>(
        "VarianceExploding", "dx = sigma_min r^t sqrt(2 ln r) dw, r = sigma_max / sigma_min",
        "uniform", "Song et al. (2021), arXiv 2011.13456, 3.4",
        {setting("sigma_min", &Ve::sigma_min, "scale of the noise at t = 0", "> 0"),
         setting("sigma_max", &Ve::sigma_max, "scale of the noise at t = 1", "> sigma_min"),
         variance_setting()}));
    list.push_back(entry<Edm>("Edm", "dx = sqrt(2t) dw", "karras",
                              "Karras et al. (2022), arXiv 2206.00364, table 1",
                              {setting("sigma_min", &Edm::sigma_min, "default t_min", "> 0"),
                               setting("sigma_max", &Edm::sigma_max, "end time", "> 0")}));
    list.push_back(entry<FlowMatching>("FlowMatching", "dx = -x/(1 - t) dt + sqrt(2t/(1 - t)) dw",
                                       "uniform", "Lipman et al. (2023), arXiv 2210.02747", {}));
    list.push_back(entry<PolynomialFlow>(
        "PolynomialFlow", "dx = -n x/(1 - t) dt + sqrt(2n (1 - (1 - t)^n)/(1 - t)) dw", "uniform",
        "Lipman et al. (2024), arXiv 2412.06264",
        {setting("n", &PolynomialFlow::n, "power", "> 0")}));
    list.push_back(entry<LinearVariancePreserving>(
        "LinearVariancePreserving", "dx = -x/(1 - t) dt + sqrt(2/(1 - t)) dw", "uniform",
        "Lipman et al. (2024), arXiv 2412.06264", {}));
    list.push_back(entry<TrigonometricVariancePreserving>(
        "TrigonometricVariancePreserving", "dx = -pi/2 tan(pi t/2) x dt + sqrt(pi tan(pi t/2)) dw",
        "uniform", "Ma et al. (2024), arXiv 2401.08740", {}));
    list.push_back(entry<StochasticInterpolant>(
        "StochasticInterpolant",
        "x = (1 - t) x0 + t x1 + gamma z, x1 and z normal: dx = -x/(1 - t) dt + g dw", "uniform",
        "Albergo, Boffi & Vanden-Eijnden (2023), arXiv 2303.08797", {gamma_setting()}));
    return list;
  }();
  return all;
}

constexpr std::string_view table_prefix = "table:";

/// The entry of a table read from a file, which is not in the list.
const Entry& table_entry() {
  static const Entry entry{
      {"table:FILE",
       "DiscreteVariancePreserving",
       "dx = -1/2 beta x dt + sqrt(beta) dw, beta from a table of betas or alpha-bars",
       {shift_parameter},
       1,
       1,
       0.001,
       "uniform",
       "Ho, Jain & Abbeel (2020), arXiv 2006.11239"},
      nullptr};
  return entry;
}

AnySchedule read_schedule(std::string_view file, const Parameters& parameters) {
  double shift = 1;
  for (const auto& [name, value] : parameters) {
    if (name != shift_parameter.name)
      throw std::invalid_argument(unknown_name_message(
          "parameter of table", name, std::vector<std::string_view>{shift_parameter.name}));
    shift = number(name, value);
  }
  const DiscreteVariancePreserving schedule = read_discrete_schedule(std::string(file));
  if (shift == 1) return schedule;
  return ShiftedSchedule<DiscreteVariancePreserving>{schedule, shift};
}

const Entry& find(std::string_view name) {
  if (name.starts_with(table_prefix)) return table_entry();
  return entries()[static_cast<std::size_t>(&list_schedules().at(name) - &list_schedules()[0])];
}

}  // namespace

const Catalogue<ScheduleInfo>& list_schedules() {
  static const Catalogue<ScheduleInfo> schedules = [] {
    std::vector<ScheduleInfo> infos;
    for (const Entry& e : entries()) infos.push_back(e.info);
    return Catalogue<ScheduleInfo>("process", std::move(infos));
  }();
  return schedules;
}

const ScheduleInfo& schedule_info(std::string_view name) { return find(name).info; }

AnySchedule make_schedule(std::string_view name, const Parameters& parameters) {
  if (name.starts_with(table_prefix))
    return read_schedule(name.substr(table_prefix.size()), parameters);
  return find(name).make(parameters);
}

}  // namespace fokker
