#include <fokker/solvers/support/bytes.hpp>

#include <cstring>
#include <stdexcept>

namespace fokker {

void ByteWriter::put(std::string_view text) {
  put(text.size());
  bytes_.append(text);
}

void ByteWriter::append(const void* values, std::size_t bytes) {
  bytes_.append(static_cast<const char*>(values), bytes);
}

void ByteReader::get(std::string& text) { text = next(get<std::size_t>()); }

void ByteReader::take(void* values, std::size_t bytes) {
  const std::string_view found = next(bytes);
  if (bytes > 0) std::memcpy(values, found.data(), bytes);
}

void ByteReader::end_too_early() { throw std::runtime_error("the bytes end too early"); }

std::string_view ByteReader::next(std::size_t count) {
  if (count > left_.size()) end_too_early();
  const std::string_view found = left_.substr(0, count);
  left_.remove_prefix(count);
  return found;
}

std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace fokker
