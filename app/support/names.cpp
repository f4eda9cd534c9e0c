#include "support/names.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <fokker/analysis/catalogue/solver_registry.hpp>
#include <fokker/diffusion/catalogue/registry.hpp>
#include <fokker/diffusion/schedule/any_schedule.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>
#include <fokker/processes/models/registry.hpp>

namespace fokker::app {
namespace {

/// Short forms and other spellings. The samplers' names in other programs are in the registry
/// (other_sampler_names).
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> synonyms{{
    {"em", "euler-maruyama"},
    {"eulermaruyama", "euler-maruyama"},
    {"rk45", "dopri5"},
    {"ode45", "dopri5"},
    {"dop54", "dopri5"},
    {"dormand-prince", "dopri5"},
    {"radau", "radau5"},
    {"brownian", "bm"},
    {"ornstein-uhlenbeck", "ou"},
    {"geometric-brownian-motion", "gbm"},
    {"log-snr", "logsnr"},
}};

std::string lower(std::string_view word) {
  std::string out;
  for (const char c : word) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

template <class List>
std::vector<std::string_view> names_of(const List& list) {
  std::vector<std::string_view> names;
  for (const auto& entry : list) names.push_back(entry.name);
  return names;
}

}  // namespace

std::string known_name(const std::string& word, const std::vector<std::string_view>& known) {
  const std::size_t colon = std::min(word.find(':'), word.size());
  const std::string name = word.substr(0, colon), wanted = lower(name);
  const auto listed = [&](std::string_view candidate) {
    return std::find(known.begin(), known.end(), candidate) != known.end();
  };
  if (listed(name)) return word;
  for (const std::string_view candidate : known)
    if (lower(candidate) == wanted) return std::string(candidate) + word.substr(colon);
  for (const auto& [other, meant] : synonyms)
    if (other == wanted && listed(meant)) return std::string(meant) + word.substr(colon);
  return word;
}

void resolve_process(std::string& word) { word = known_name(word, names_of(list_processes())); }
void resolve_solver(std::string& word) { word = known_name(word, names_of(list_solvers())); }
void resolve_schedule(std::string& word) { word = known_name(word, names_of(list_schedules())); }
void resolve_grid(std::string& word) { word = known_name(word, names_of(list_grids())); }

void resolve_sampler(std::string& word) {
  auto names = names_of(list_samplers());
  for (const OtherName& other : other_sampler_names()) names.push_back(other.other);
  word = known_name(word, names);
}

}  // namespace fokker::app
