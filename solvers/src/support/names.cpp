/// @file  names.cpp
/// @brief The answer to a misspelt name: the nearest known ones.

#include <algorithm>
#include <cctype>
#include <utility>

#include <fokker/solvers/support/names.hpp>

namespace fokker {

namespace {

/// Lower case, without the separators that people leave out.
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (c != '-' && c != '_' && c != ' ')
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// Edits that turn a into b: insert, delete, replace one character, swap two neighbours.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(last, row);
  }
  return last[b.size()];
}

}  // namespace

bool same_in_any_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

std::vector<std::string_view> nearest_names(std::string_view given,
                                            std::span<const std::string_view> candidates) {
  const std::string wanted = plain(given);
  std::vector<std::pair<std::size_t, std::string_view>> near;
  for (const std::string_view candidate : candidates) {
    const std::string name = plain(candidate);
    const bool continues = wanted.size() > 1 && name.starts_with(wanted);
    const std::size_t distance = continues ? 1 : edit_distance(wanted, name);
    if (distance <= 1 + std::max(wanted.size(), name.size()) / 3 &&
        distance < std::max(wanted.size(), name.size()))
      near.emplace_back(distance, candidate);
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string_view> names;
  for (const auto& [distance, name] : near)
    if (names.size() < 3) names.push_back(name);
  return names;
}

std::string unknown_name_message(std::string_view kind, std::string_view given,
                                 std::span<const std::string_view> candidates) {
  std::string message = "unknown " + std::string(kind) + " '" + std::string(given) + "'";
  const auto near = nearest_names(given, candidates);
  for (std::size_t i = 0; i < near.size(); ++i)
    message += (i == 0                ? ": did you mean '"
                : i + 1 < near.size() ? ", '"
                                      : " or '") +
               std::string(near[i]) + "'";
  if (candidates.empty()) return message + " (it has none)";
  message += near.empty() ? " (known: " : "? (known: ";
  for (std::size_t i = 0; i < candidates.size(); ++i)
    message += (i == 0 ? "" : ", ") + std::string(candidates[i]);
  return message + ")";
}

}  // namespace fokker
