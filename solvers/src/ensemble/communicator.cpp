#include <fokker/solvers/ensemble/communicator.hpp>

#include <algorithm>

#include <fokker/solvers/support/instruction_set.hpp>

namespace fokker {

void agree_on_instruction_set(Communicator& ranks) {
  const auto level = static_cast<char>(detail::instruction_level());
  std::string lowest(1, level);
  for (const std::string& other : ranks.gather(lowest)) lowest = std::min(lowest, other);
  lowest = ranks.broadcast(lowest);
  detail::limit_instruction_set(static_cast<detail::InstructionLevel>(lowest.at(0)));
}

}  // namespace fokker
