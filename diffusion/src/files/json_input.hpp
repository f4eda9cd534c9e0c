#pragma once
/// @file  json_input.hpp
/// @brief Reading JSON strictly: every key known and given once, every number a double.

#include <algorithm>
#include <initializer_list>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace fokker::detail {

/// A document of JSON. @param name  what it is called in messages
/// @throws std::invalid_argument  what is no JSON, a number beyond double, a key given twice
template <class Json>
Json parse_json(const std::string& text, const std::string& name) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto once = [&](int, nlohmann::json::parse_event_t event, Json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(value.template get<std::string>()).second)
      throw std::invalid_argument(
          fmt::format("{}: the key '{}' is given twice", name, value.template get<std::string>()));
    return true;
  };
  try {
    return Json::parse(text, once);
  } catch (const nlohmann::json::parse_error& error) {
    throw std::invalid_argument(fmt::format("{} is not valid JSON: {}", name, error.what()));
  } catch (const nlohmann::json::out_of_range& error) {
    throw std::invalid_argument(
        fmt::format("{} has a number beyond the range of double: {}", name, error.what()));
  }
}

/// @throws std::invalid_argument  unless it is an object with none but these keys
template <class Json>
void require_keys(const Json& json, std::initializer_list<std::string_view> known) {
  if (!json.is_object()) throw std::invalid_argument("it must be an object");
  for (const auto& [key, value] : json.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string names;
    for (const std::string_view name : known)
      names += (names.empty() ? "" : ", ") + std::string(name);
    throw std::invalid_argument(fmt::format("unknown key '{}': choose from {}", key, names));
  }
}

/// A member that must be there and of type T; a whole number where T is one.
/// @throws std::invalid_argument  "'key' must be `what`"
template <class T, class Json>
T json_member(const Json& json, const char* key, const char* what) {
  try {
    const Json& value = json.at(key);
    if (!std::is_integral_v<T> || value.is_number_integer()) return value.template get<T>();
  } catch (const nlohmann::json::exception&) {
  }
  throw std::invalid_argument(fmt::format("'{}' must be {}", key, what));
}

}  // namespace fokker::detail
