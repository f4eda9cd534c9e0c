# cmake -DWAY=installed|build-tree|subdirectory ... -P consume.cmake
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE "${WORK}")
if(WAY STREQUAL "installed")
  set(prefix "${WORK}/prefix")
  run("${CMAKE_COMMAND}" --install "${FOKKER_BUILD}" --prefix "${prefix}" --config "${BUILD_TYPE}")
  # Nothing installed may point back to where it was built.
  file(GLOB_RECURSE files "${prefix}/*.cmake" "${prefix}/*.hpp")
  foreach(file IN LISTS files)
    file(READ "${file}" text)
    foreach(folder IN ITEMS "${FOKKER_SOURCE}" "${FOKKER_BUILD}")
      string(FIND "${text}" "${folder}/" found)
      if(NOT found EQUAL -1)
        message(FATAL_ERROR "${file} names ${folder}")
      endif()
    endforeach()
  endforeach()
  set(where "-DCMAKE_PREFIX_PATH=${prefix}" "-DFOKKER_VERSION=${VERSION}")
elseif(WAY STREQUAL "build-tree")
  set(where "-Dfokker_DIR=${FOKKER_BUILD}" "-DFOKKER_VERSION=${VERSION}")
else()
  set(where "-DFOKKER_SOURCE=${FOKKER_SOURCE}")
endif()

run("${CMAKE_COMMAND}" -S "${SOURCE}" -B "${WORK}/build" -G "${GENERATOR}" ${where}
    "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
    "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}" "-DCMAKE_CXX_FLAGS=${FLAGS}")
run("${CMAKE_COMMAND}" --build "${WORK}/build" --config "${BUILD_TYPE}")
run("${WORK}/build/consumer")
