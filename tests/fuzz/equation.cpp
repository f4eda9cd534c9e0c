/// @file  equation.cpp
/// @brief libFuzzer target: any text is either refused with a place or read, classified, printed and
///        read again. Built with -DFOKKER_FUZZ=ON by clang; run `fuzz_equation -max_len=300`.

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fokker/processes/equation/equation.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fokker;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    EquationSystem system = read_equations(text, {}, Unknown::parameter);
    noise_structure(system, {});
    for (const Expr e : system.ito_drift) {
      const std::string printed = system.graph.text(e, system.states, system.parameters);
      std::string again;
      for (const std::string& state : system.states)
        if (state.find('\'') == state.npos) again += "d" + state + "/dt = " + printed + "\n";
      bool readable = printed.find("(...)") == printed.npos && printed.find('\'') == printed.npos &&
                      printed.find("inf") == printed.npos;
      if (readable) read_equations(again, {}, Unknown::parameter);
    }
  } catch (const EquationError& e) {
    if (e.column() > e.line().size()) std::abort();
  } catch (const std::length_error&) {
  }
  return 0;
}
