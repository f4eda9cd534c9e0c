#pragma once
/// @file  fokker/solvers/support/type_list.hpp
/// @brief Types as values, with their names in C++: the tables behind the catalogues.

#include <string_view>
#include <vector>

namespace fokker::detail {

/// Types as values, to run through.
template <class... Ts>
struct TypeList {};

/// Defines the type `list` of a list of types, and a text with Names behind its name: the types as
/// they are written here.
#define FOKKER_TYPE_LIST(list, ...)                     \
  using list = ::fokker::detail::TypeList<__VA_ARGS__>; \
  inline constexpr std::string_view list##Names = #__VA_ARGS__

template <class... Lists>
struct Joined;
template <class... Ts>
struct Joined<TypeList<Ts...>> {
  using Type = TypeList<Ts...>;
};
template <class... As, class... Bs, class... Lists>
struct Joined<TypeList<As...>, TypeList<Bs...>, Lists...>
    : Joined<TypeList<As..., Bs...>, Lists...> {};

/// The elements of such a text.
std::vector<std::string_view> type_names(std::string_view list);

}  // namespace fokker::detail
