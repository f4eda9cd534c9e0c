#include <fokker/solvers/ensemble/checkpoint.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

#include <fokker/solvers/support/atomic_file.hpp>
#include <fokker/solvers/support/bytes.hpp>

namespace fokker {
namespace {

constexpr std::string_view magic = "fokker checkpoint 1\n";

/// "seed is 2, there 1": the first setting that differs.
std::string difference(const Settings& here, const Settings& there) {
  for (std::size_t i = 0; i < here.size() && i < there.size(); ++i) {
    if (here[i].first != there[i].first) break;
    if (here[i].second != there[i].second)
      return fmt::format("{} is {}, there {}", here[i].first, here[i].second, there[i].second);
  }
  return "it has other settings";
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Checkpoint::Checkpoint(FilePath file, Settings settings, double every)
    : file_(std::move(file)), settings_(std::move(settings)), every_(every), last_(seconds_now()) {}

bool Checkpoint::due() const { return seconds_now() - last_ >= every_; }

std::optional<std::string> Checkpoint::load() const {
  if (!std::filesystem::exists(file_.string())) return {};
  std::ifstream stream(file_.string(), std::ios::binary);
  std::string all(std::filesystem::file_size(file_.string()), '\0');
  stream.read(all.data(), static_cast<std::streamsize>(all.size()));
  const auto refuse = [&](std::string_view why) {
    throw std::runtime_error(
        fmt::format("checkpoint {} {}: remove it or give another file", file_.string(), why));
  };
  if (!stream || !all.starts_with(magic)) refuse("is no checkpoint of this fokker");
  const std::string_view body(all.data() + magic.size(), all.size() - magic.size());
  if (body.size() < sizeof(std::uint64_t) ||
      ByteReader(body.substr(body.size() - sizeof(std::uint64_t))).get<std::uint64_t>() !=
          checksum(body.substr(0, body.size() - sizeof(std::uint64_t))))
    refuse("is damaged");
  ByteReader reader(body);
  Settings there(reader.get<std::size_t>());
  for (auto& [name, value] : there) {
    reader.get(name);
    reader.get(value);
  }
  if (there != settings_)
    refuse(fmt::format("belongs to another run ({})", difference(settings_, there)));
  return reader.get<std::string>();
}

void Checkpoint::save(std::string_view state) {
  ByteWriter writer;
  writer.put(settings_.size());
  for (const auto& [name, value] : settings_) {
    writer.put(std::string_view(name));
    writer.put(std::string_view(value));
  }
  writer.put(state);
  const std::string body = writer.take();
  ByteWriter sum;
  sum.put(checksum(body));
  AtomicFile file(file_);
  file.write(magic);
  file.write(body);
  file.write(sum.take());
  file.commit(true);
  last_ = seconds_now();
}

void Checkpoint::remove() const {
  std::error_code ignored;
  std::filesystem::remove(file_.string(), ignored);
}

}  // namespace fokker
