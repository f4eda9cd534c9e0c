# cmake -DCOMPILER=... -DSOURCE=... -DINCLUDES=<file with a list of folders> -P expect.cmake
file(READ "${INCLUDES}" includes)
list(TRANSFORM includes PREPEND -I)
file(STRINGS "${SOURCE}" first LIMIT_COUNT 1)

# -fsyntax-only may leave templates uninstantiated, so this compiles, at the lowest level.
execute_process(COMMAND "${COMPILER}" -std=c++20 -O0 -S -o /dev/null ${includes} "${SOURCE}"
                RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)

if(first MATCHES "^// expect-ok *$")
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "must compile, but was refused:\n${output}")
  endif()
elseif(first MATCHES "^// expect-error: (.+)$")
  set(expected "${CMAKE_MATCH_1}")
  if(result EQUAL 0)
    message(FATAL_ERROR "must be refused (${expected}), but compiles")
  elseif(NOT output MATCHES "${expected}")
    message(FATAL_ERROR "is refused, but not with '${expected}':\n${output}")
  endif()
else()
  message(FATAL_ERROR "the first line must be '// expect-error: <regex>' or '// expect-ok'")
endif()
