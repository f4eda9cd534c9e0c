# Writes OUT, the source of declarations.hpp: where each public type is declared in the HEADERS, and the
# tables of the certificates in DOCS. Run with -D for each.
set(rows)
foreach(header IN LISTS HEADERS)
  string(REGEX REPLACE "^.*/include/" "" path "${header}")
  file(STRINGS "${header}" lines REGEX "^(struct|class|using) [A-Z][A-Za-z0-9]*")
  foreach(line IN LISTS lines)
    if(line MATCHES "^(struct|class)[^{]*;$") # declared only
      continue()
    endif()
    if(line MATCHES "^(struct|class|using) ([A-Za-z0-9]+)")
      string(APPEND rows "    {\"${CMAKE_MATCH_2}\", \"${path}\"},\n")
    endif()
  endforeach()
endforeach()

function(tables_of document result)
  file(STRINGS "${DOCS}/${document}" lines REGEX "^(## |\\|)" ENCODING UTF-8)
  list(JOIN lines "\n" text)
  set(${result} "${text}" PARENT_SCOPE)
endfunction()
tables_of(certificates.md solvers)
tables_of(sampler_certificates.md samplers)

file(WRITE "${OUT}" "#include \"list/declarations.hpp\"

#include <array>
#include <utility>

namespace fokker::app {

std::string_view header_of(std::string_view type) {
  static constexpr std::pair<std::string_view, std::string_view> all[] = {
${rows}  };
  for (const auto& [name, header] : all)
    if (name == type) return header;
  return {};
}

const std::string_view solver_certificates = R\"~(${solvers})~\";
const std::string_view sampler_certificates = R\"~(${samplers})~\";

}  // namespace fokker::app
")
