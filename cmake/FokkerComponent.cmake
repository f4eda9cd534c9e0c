# fokker_warnings(<target>): the warnings that fokker's own code is held to. Never exported.
function(fokker_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                           $<$<BOOL:${FOKKER_WERROR}>:-Werror>)
endfunction()

# fokker_cold(<source>...): code that runs once a command or once a block is compiled at -O1, a third
# faster. At -O1 g++ 12 sees uninitialized storage in Eigen's dynamic arrays where there is none.
function(fokker_cold)
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS
               $<$<CONFIG:Release>:-O1> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endfunction()

# fokker_component(<name> [DEPENDS <target>...] [PRIVATE_DEPENDS <target>...]
#                  [HEADER_ONLY_DEPENDS <target>...] [EXCLUDE_HEADERS <room>/<name>...])
#
# One folder, one target: fokker_<name>, known as fokker::<name> inside, in the build tree's export
# and after install. Headers come from include/fokker/, sources from src/<room>/*.cpp, but for those
# of src/kernels/, which fokker_add_kernels compiles; without a source the target is an INTERFACE
# library.
#   DEPENDS              appear in the public headers
#   PRIVATE_DEPENDS      are linked, but used by the sources only
#   HEADER_ONLY_DEPENDS  are included by the sources only; who links fokker never needs them
#   EXCLUDE_HEADERS      are not the component's but of a target of their own
function(fokker_component name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" ""
                        "DEPENDS;PRIVATE_DEPENDS;HEADER_ONLY_DEPENDS;EXCLUDE_HEADERS")
  set(target fokker_${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/src/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/src/kernels/[^/]*$")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/include/fokker/*.hpp")
  foreach(header IN LISTS arg_EXCLUDE_HEADERS)
    list(REMOVE_ITEM headers "${CMAKE_CURRENT_SOURCE_DIR}/include/fokker/${name}/${header}")
  endforeach()

  if(sources)
    set(scope PUBLIC)
    add_library(${target} STATIC ${sources})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    fokker_warnings(${target})
    target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/src")
    target_link_libraries(${target} PRIVATE ${arg_PRIVATE_DEPENDS})
    foreach(dependency IN LISTS arg_HEADER_ONLY_DEPENDS)
      target_include_directories(${target} SYSTEM PRIVATE
                                 $<TARGET_PROPERTY:${dependency},INTERFACE_INCLUDE_DIRECTORIES>)
    endforeach()
  else()
    set(scope INTERFACE)
    add_library(${target} INTERFACE)
  endif()

  add_library(fokker::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(${target} ${scope} cxx_std_20)
  target_sources(${target} ${scope}
                 FILE_SET HEADERS BASE_DIRS "${CMAKE_CURRENT_SOURCE_DIR}/include" FILES ${headers})
  target_link_libraries(${target} ${scope} ${arg_DEPENDS})
endfunction()
