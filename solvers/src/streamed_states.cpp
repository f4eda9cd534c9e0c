#include <fokker/solvers/streamed_states.hpp>

#include <bit>

#include <fmt/format.h>

namespace fokker::detail {

std::string npy_header(Index points, Index d, Index paths) {
  constexpr char order = std::endian::native == std::endian::little ? '<' : '>';
  const std::string text =
      fmt::format("{{'descr': '{}f8', 'fortran_order': False, 'shape': ({}, {}, {}), }}", order,
                  points, d, paths);
  std::string header("\x93NUMPY\x01\x00", 8);  // then the length of the rest, little endian
  const std::size_t all = (header.size() + 2 + text.size() + 1 + 63) / 64 * 64;
  const std::size_t rest = all - header.size() - 2;
  header += static_cast<char>(rest & 0xff);
  header += static_cast<char>(rest >> 8);
  header += text;
  header.resize(all - 1, ' ');
  return header + '\n';
}

}  // namespace fokker::detail
