#pragma once
/// @file  fokker/solvers/support/file_path.hpp
/// @brief The path of a file, without the headers of std::filesystem, which take long to compile.

#include <concepts>
#include <string>
#include <string_view>

namespace fokker {

/// The path of a file: a text or a std::filesystem::path.
class FilePath {
 public:
  /// From text.
  template <class T>
  requires std::convertible_to<const T&, std::string_view> FilePath(const T& text)
      : text_(std::string_view(text)) {}
  /// From a std::filesystem::path.
  template <class T>
  requires requires(const T& path) {
    { path.string() } -> std::same_as<std::string>;
  }
  FilePath(const T& path) : text_(path.string()) {}

  /// As text.
  const std::string& string() const { return text_; }

 private:
  std::string text_;
};

}  // namespace fokker
