#include <fokker/solvers/support/type_list.hpp>

#include <algorithm>

namespace fokker::detail {

std::vector<std::string_view> type_names(std::string_view list) {
  std::vector<std::string_view> names;
  std::size_t first = 0, depth = 0;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    if (i < list.size() && list[i] == '<') ++depth;
    if (i < list.size() && list[i] == '>') --depth;
    if (i < list.size() && (list[i] != ',' || depth > 0)) continue;
    names.push_back(list.substr(first, i - first));
    first = std::min(i + 2, list.size());
  }
  return names;
}

}  // namespace fokker::detail
