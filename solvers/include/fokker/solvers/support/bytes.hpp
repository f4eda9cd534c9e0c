#pragma once
/// @file  fokker/solvers/support/bytes.hpp
/// @brief Values as bytes and back, bit by bit: what goes into checkpoints and between ranks.

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace fokker {

/// Appends values to a string of bytes. A value is trivially copyable, a vector of values, an Eigen
/// array, or has `save(ByteWriter&) const`, and `load(ByteReader&)` to come back.
class ByteWriter {
 public:
  template <class T>
  void put(const T& value) {
    if constexpr (requires { value.save(*this); })
      value.save(*this);
    else if constexpr (requires { value.outerStride(); }) {
      put(value.rows());
      put(value.cols());
      append(value.data(), sizeof(*value.data()) * static_cast<std::size_t>(value.size()));
    } else {
      static_assert(std::is_trivially_copyable_v<T>, "give the value save and load");
      append(&value, sizeof(T));
    }
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put(values.size());
    if constexpr (std::is_trivially_copyable_v<T>)
      append(values.data(), sizeof(T) * values.size());
    else
      for (const T& value : values) put(value);
  }
  void put(std::string_view text);

  std::string take() { return std::move(bytes_); }

 private:
  void append(const void* values, std::size_t bytes);

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
    else if constexpr (requires { value.outerStride(); }) {
      const auto rows = get<decltype(value.rows())>(), cols = get<decltype(value.cols())>();
      const auto size = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
      if (rows < 0 || cols < 0 || size > left_.size()) end_too_early();
      value.resize(rows, cols);
      take(value.data(), sizeof(*value.data()) * size);
    } else {
      static_assert(std::is_trivially_copyable_v<T>, "give the value save and load");
      take(&value, sizeof(T));
    }
  }
  template <class T>
  void get(std::vector<T>& values) {
    const auto size = get<std::size_t>();
    if (size > left_.size()) end_too_early();  // a value has at least one byte
    values.resize(size);
    if constexpr (std::is_trivially_copyable_v<T>)
      take(values.data(), sizeof(T) * size);
    else
      for (T& value : values) get(value);
  }
  void get(std::string& text);

  bool empty() const { return left_.empty(); }

 private:
  void take(void* values, std::size_t bytes);
  [[noreturn]] static void end_too_early();
  std::string_view next(std::size_t count);

  std::string_view left_;
};

/// One value as bytes.
template <class T>
std::string to_bytes(const T& value) {
  ByteWriter out;
  out.put(value);
  return out.take();
}

/// The value that to_bytes was given. @throws std::runtime_error  fewer bytes than it has
template <class T>
T from_bytes(std::string_view bytes) {
  return ByteReader(bytes).get<T>();
}

/// FNV-1a, 64 bits. Source: Fowler, Noll & Vo (1991).
std::uint64_t checksum(std::string_view bytes);

}  // namespace fokker
