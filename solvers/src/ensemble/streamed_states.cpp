#include <fokker/solvers/ensemble/streamed_states.hpp>

#include <bit>
#include <stdexcept>

#include <fmt/format.h>

#include <fokker/solvers/support/memory.hpp>

namespace fokker {

namespace {

/// The head of an .npy file of doubles in C order, version 1.0, a multiple of 64 bytes long.
/// Source: NEP 1, the documentation of numpy.lib.format.
/// @param shape  as in Python, "3, 2, 70" or "3,"
std::string npy_header(std::string_view shape) {
  constexpr char order = std::endian::native == std::endian::little ? '<' : '>';
  const std::string text =
      fmt::format("{{'descr': '{}f8', 'fortran_order': False, 'shape': ({}), }}", order, shape);
  std::string header("\x93NUMPY\x01\x00", 8);  // then the length of the rest, little endian
  const std::size_t all = (header.size() + 2 + text.size() + 1 + 63) / 64 * 64;
  const std::size_t rest = all - header.size() - 2;
  header += static_cast<char>(rest & 0xff);
  header += static_cast<char>(rest >> 8);
  header += text;
  header.resize(all - 1, ' ');
  return header + '\n';
}

}  // namespace

void write_npy(const FilePath& path, std::span<const double> values) {
  AtomicFile file(path);
  file.write(npy_header(fmt::format("{},", values.size())));
  file.write({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  file.commit();
}

void StreamedStates::prepare(Index paths, Index d, std::span<const Time> times) {
  paths_ = paths;
  const auto points = static_cast<Index>(times.size());
  const double bytes =
      8.0 * static_cast<double>(points) * static_cast<double>(d) * static_cast<double>(paths);
  if (bytes > 0x1p62)
    throw std::invalid_argument(fmt::format(
        "{} would take {}, more than a file can hold: got {} paths of {} numbers; lower "
        "the number of paths or of saved times",
        path_.string(), bytes_text(bytes), paths, points * d));
  const std::string header = npy_header(fmt::format("{}, {}, {}", points, d, paths));
  start_ = header.size();
  file_ = std::make_unique<AtomicFile>(path_);
  file_->reserve(start_ + sizeof(double) * static_cast<std::uint64_t>(points * d * paths));
  file_->write_at(0, header);
}

StreamedStates::Value StreamedStates::result(Partial written) {
  if (written == paths_) file_->commit();
  file_.reset();
  return written == paths_;
}

}  // namespace fokker
