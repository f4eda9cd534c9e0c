#include <fokker/solvers/support/catalogue.hpp>

#include <algorithm>
#include <stdexcept>

#include <fokker/solvers/support/names.hpp>

namespace fokker::detail {

CatalogueNames::CatalogueNames(std::string kind, std::vector<std::string> names,
                               std::vector<Synonym> synonyms)
    : kind_(std::move(kind)), names_(std::move(names)), synonyms_(std::move(synonyms)) {}

std::optional<std::size_t> CatalogueNames::position(std::string_view word) const {
  word = word.substr(0, word.find(':'));
  const auto named = [&](std::string_view name) {
    return std::find_if(names_.begin(), names_.end(),
                        [&](const std::string& other) { return same_in_any_case(other, name); });
  };
  auto found = named(word);
  for (const Synonym& synonym : synonyms_)
    if (found == names_.end() && same_in_any_case(synonym.other, word)) found = named(synonym.name);
  if (found == names_.end()) return {};
  return static_cast<std::size_t>(found - names_.begin());
}

std::size_t CatalogueNames::required_position(std::string_view word) const {
  if (const auto found = position(word)) return *found;
  const std::vector<std::string_view> known(names_.begin(), names_.end());
  throw std::invalid_argument(unknown_name_message(kind_, word.substr(0, word.find(':')), known));
}

}  // namespace fokker::detail
