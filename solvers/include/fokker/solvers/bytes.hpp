#pragma once
/// @file  fokker/solvers/bytes.hpp
/// @brief Values as bytes and back, bit by bit: what goes into checkpoints and between ranks.

#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace fokker {

/// Appends values to a string of bytes. A value is trivially copyable, a vector of values, or has
/// `save(ByteWriter&) const`, and `load(ByteReader&)` to come back.
class ByteWriter {
 public:
  template <class T>
  void put(const T& value) {
    if constexpr (requires { value.save(*this); })
      value.save(*this);
    else {
      static_assert(std::is_trivially_copyable_v<T>, "give the value save and load");
      bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put(values.size());
    if constexpr (std::is_trivially_copyable_v<T>)
      bytes_.append(reinterpret_cast<const char*>(values.data()), sizeof(T) * values.size());
    else
      for (const T& value : values) put(value);
  }
  void put(std::string_view text) {
    put(text.size());
    bytes_.append(text);
  }

  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Takes them out again, in the same order.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : left_(bytes) {}

  template <class T>
  T get() {
    T value{};
    get(value);
    return value;
  }
  /// @throws std::runtime_error  fewer bytes than the value has; so do the others
  template <class T>
  void get(T& value) {
    if constexpr (requires { value.load(*this); })
      value.load(*this);
    else {
      static_assert(std::is_trivially_copyable_v<T>, "give the value save and load");
      std::memcpy(&value, next(sizeof value).data(), sizeof value);
    }
  }
  template <class T>
  void get(std::vector<T>& values) {
    const auto size = get<std::size_t>();
    if (size > left_.size()) end_too_early();  // a value has at least one byte
    values.resize(size);
    if constexpr (std::is_trivially_copyable_v<T>) {
      const std::string_view bytes = next(sizeof(T) * size);
      if (size > 0) std::memcpy(values.data(), bytes.data(), bytes.size());
    } else {
      for (T& value : values) get(value);
    }
  }
  void get(std::string& text) { text = next(get<std::size_t>()); }

  bool empty() const { return left_.empty(); }

 private:
  [[noreturn]] static void end_too_early() { throw std::runtime_error("the bytes end too early"); }

  std::string_view next(std::size_t count) {
    if (count > left_.size()) end_too_early();
    const std::string_view found = left_.substr(0, count);
    left_.remove_prefix(count);
    return found;
  }

  std::string_view left_;
};

}  // namespace fokker
