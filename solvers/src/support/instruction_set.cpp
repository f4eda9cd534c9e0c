/// @file  instruction_set.cpp
/// @brief What the processor can do, lowered by FOKKER_ISA.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <fokker/solvers/support/instruction_set.hpp>

namespace fokker {
namespace {

using detail::InstructionLevel;

constexpr std::array<std::string_view, 3> names = {"baseline", "avx2", "avx512"};

InstructionLevel of_processor() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi2");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  if (avx2 && avx512) return InstructionLevel::avx512;
  if (avx2) return InstructionLevel::avx2;
#endif
  return InstructionLevel::baseline;
}

InstructionLevel lowered(std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw std::invalid_argument("FOKKER_ISA must be baseline, avx2 or avx512: got \"" +
                                std::string(name) + "\"");
  return std::min(of_processor(), static_cast<InstructionLevel>(found - names.begin()));
}

InstructionLevel at_start() {
  const char* name = std::getenv("FOKKER_ISA");
  return name == nullptr ? of_processor() : lowered(name);
}

std::atomic<InstructionLevel>& current() {
  static std::atomic<InstructionLevel> level{at_start()};
  return level;
}

}  // namespace

std::string_view instruction_set() {
  return names[static_cast<std::size_t>(detail::instruction_level())];
}

namespace detail {

InstructionLevel instruction_level() { return current().load(std::memory_order_relaxed); }

void limit_instruction_set(std::string_view name) { current().store(lowered(name)); }

void limit_instruction_set(InstructionLevel level) {
  current().store(std::min(of_processor(), level));
}

}  // namespace detail
}  // namespace fokker
