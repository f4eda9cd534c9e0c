#pragma once
/// @file  fokker/solvers/support/catalogue.hpp
/// @brief The form of every list that is searched by name: processes, schedules, data, solvers,
///        samplers, grids, metrics.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fokker {

/// A parameter of an entry.
struct Parameter {
  std::string name;
  std::string default_value;
  std::string meaning;
  std::string range = {};  ///< "> 0"; empty: any number, or the values that `meaning` names
};

/// Another name of an entry, in papers or other programs.
struct Synonym {
  std::string_view other, name;
};

namespace detail {

/// The names of a catalogue and their synonyms.
class CatalogueNames {
 public:
  /// @param kind  of the entries: "solver"
  CatalogueNames(std::string kind, std::vector<std::string> names, std::vector<Synonym> synonyms);

  /// The position of the entry that a word names, see Catalogue::find.
  std::optional<std::size_t> position(std::string_view word) const;
  /// @throws std::invalid_argument  with the nearest names
  std::size_t required_position(std::string_view word) const;

  const std::vector<std::string>& names() const { return names_; }
  const std::vector<Synonym>& synonyms() const { return synonyms_; }

 private:
  std::string kind_;
  std::vector<std::string> names_;
  std::vector<Synonym> synonyms_;
};

}  // namespace detail

/// Entries with a member `name`, in the order in which they are listed.
template <class Info>
class Catalogue {
 public:
  /// @param kind  of the entries, for messages: "solver"
  Catalogue(std::string kind, std::vector<Info> entries, std::vector<Synonym> synonyms = {})
      : entries_(std::move(entries)),
        names_(std::move(kind), names_of(entries_), std::move(synonyms)) {}

  /// First entry.
  auto begin() const { return entries_.begin(); }
  /// End of the entries.
  auto end() const { return entries_.end(); }
  /// Number of entries.
  std::size_t size() const { return entries_.size(); }
  const Info& operator[](std::size_t i) const { return entries_[i]; }

  /// All names.
  const std::vector<std::string>& names() const { return names_.names(); }
  /// All synonyms.
  const std::vector<Synonym>& synonyms() const { return names_.synonyms(); }

  /// The entry that a word names, by its name or a synonym, in any case; text behind a colon, as in
  /// "edm-churn:gamma=0.3", is ignored. Null for an unknown word.
  const Info* find(std::string_view word) const {
    const auto i = names_.position(word);
    return i ? &entries_[*i] : nullptr;
  }
  /// The same. @throws std::invalid_argument  for an unknown word, with the nearest names
  const Info& at(std::string_view word) const { return entries_[names_.required_position(word)]; }

  /// The word with the name of its entry in place of a synonym or another case; an unknown word is
  /// returned as it is.
  std::string canonical(std::string_view word) const {
    const auto i = names_.position(word);
    if (!i) return std::string(word);
    return names()[*i] + std::string(word.substr(std::min(word.find(':'), word.size())));
  }

 private:
  static std::vector<std::string> names_of(const std::vector<Info>& entries) {
    std::vector<std::string> names;
    for (const Info& entry : entries) names.emplace_back(entry.name);
    return names;
  }

  std::vector<Info> entries_;
  detail::CatalogueNames names_;
};

}  // namespace fokker
