# Puts the rows that the certificates left in FOLDER together into the table FILE.
set(sections
    additive-strong additive-weak scalar-strong scalar-weak diagonal-strong diagonal-weak
    commutative-strong commutative-weak general-strong-linear general-strong-clark-cameron
    general-weak bound-strong)
set(text "# Certificates\n
The orders of every SDE solver on every kind of noise that it takes, measured by
`ctest -L certificate`, which fails where a claim does not hold from both sides, and writes this
page. What a method claims is what its source proves; `none` where it proves nothing. Behind each
measured order stands its 95 % interval (see `regression.hpp`).

Strong orders: root mean square over 4096 paths at 8 to 128 steps, against the same solver with 32
times more steps on the same Brownian paths. Weak orders: the first two moments of a linear SDE at
2 to 2048 steps, the noise enumerated, so that there is no Monte Carlo in them. Steps that are not
affine in x, of tamed schemes for instance, have no row there. Both forms of the problem are the
same SDE: Stratonovich solvers get its Stratonovich form.
")
foreach(section IN LISTS sections)
  if(NOT EXISTS "${FOLDER}/${section}.rows")
    message(FATAL_ERROR "no certificates of ${section}: run the tests with the label certificate")
  endif()
  file(READ "${FOLDER}/${section}.rows" rows)
  string(REGEX MATCH "^[a-z]+" noise "${section}")
  string(REGEX MATCH "strong|weak" kind "${section}")
  string(SUBSTRING "${noise}" 0 1 first)
  string(TOUPPER "${first}" first)
  string(SUBSTRING "${noise}" 1 -1 rest)
  if(noise STREQUAL "bound")
    set(title "Solvers made for one process, strong order")
  else()
    set(title "${first}${rest} noise, ${kind} order")
  endif()
  string(APPEND text "\n## ${title}\n
| solver | problem | claimed | measured |\n| --- | --- | --- | --- |\n${rows}")
endforeach()
file(WRITE "${FILE}" "${text}")
