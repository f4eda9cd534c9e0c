# Puts the rows that the tests left in FOLDER together as DOCS/limits.md.

set(text "# Limits\n
Behaviour of solvers, laws, samplers and commands at the ends of their parameters. The test that checks
a row also writes it (`scripts/test -L limits`).
")
foreach(part IN ITEMS "coefficients:User-defined coefficients" "ode:Ordinary differential equations"
                      "sde:Stochastic differential equations" "langevin:Langevin dynamics"
                      "laws:Exact laws of processes" "diffusion:Diffusion models"
                      "comparison:Comparison of samplers" "commands:Command line")
  string(REGEX MATCH "^([a-z]+):(.*)$" matched "${part}")
  set(title "${CMAKE_MATCH_2}")
  file(GLOB rows "${FOLDER}/${CMAKE_MATCH_1}-*.row")
  if(NOT rows)
    message(FATAL_ERROR "no rows of ${CMAKE_MATCH_1}: run the tests with the label limits")
  endif()
  list(SORT rows)
  string(APPEND text "\n## ${title}\n\n| subject | limit | behaviour |\n| --- | --- | --- |\n")
  foreach(row IN LISTS rows)
    file(READ "${row}" line)
    string(APPEND text "${line}")
  endforeach()
endforeach()
file(WRITE "${DOCS}/limits.md" "${text}")
