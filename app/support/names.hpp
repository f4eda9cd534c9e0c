#pragma once
/// @file  names.hpp
/// @brief Names as people write them: in any case, and by their usual short forms.

#include <string>
#include <string_view>
#include <vector>

namespace fokker::app {

/// The known name that a word means: itself, the same in another case, or the one that it is short
/// for (`em` is euler-maruyama). What follows a colon, as in edm-churn:gamma=0.3, stays. A word
/// that means none comes back as it is, to be refused with the nearest names.
std::string known_name(const std::string& word, const std::vector<std::string_view>& known);

/// In place, among the names of `fokker list`.
void resolve_process(std::string& word);
void resolve_solver(std::string& word);
void resolve_schedule(std::string& word);
void resolve_sampler(std::string& word);
void resolve_grid(std::string& word);

}  // namespace fokker::app
