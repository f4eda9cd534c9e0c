/// @file  input_file.cpp
/// @brief Reading a file, and who is to know of it.

#include <fokker/diffusion/files/input_file.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fokker/solvers/support/bytes.hpp>

namespace fokker {
namespace {

thread_local InputRecord* newest = nullptr;

/// The name goes into results, which are JSON.
void require_utf8(const std::string& name) {
  try {
    static_cast<void>(nlohmann::json(name).dump());
  } catch (const nlohmann::json::type_error&) {
    const std::string shown =
        nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    throw std::runtime_error(
        fmt::format("{}: cannot be read: the name of a file must be UTF-8, as JSON is", shown));
  }
}

}  // namespace

InputRecord::InputRecord() : outer_(newest) { newest = this; }

InputRecord::~InputRecord() { newest = outer_; }

std::string read_input(const FilePath& path) {
  require_utf8(path.string());
  std::ifstream file(path.string(), std::ios::binary);
  const auto refuse = [&](const std::string& cause) {
    throw std::runtime_error(fmt::format("{}: cannot be read: {}", path.string(), cause));
  };
  if (!file) refuse(std::strerror(errno));
  if (std::filesystem::is_directory(path.string())) refuse("it is a directory");
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) refuse(std::strerror(errno));
  const InputFile read{path.string(), checksum(text)};
  for (InputRecord* record = newest; record != nullptr; record = record->outer_)
    if (std::find(record->files_.begin(), record->files_.end(), read) == record->files_.end())
      record->files_.push_back(read);
  return text;
}

}  // namespace fokker
