# Finds the headers of pcg-cpp (https://www.pcg-random.org), which come without a CMake package.
# Gives the target pcg::pcg.
find_path(pcg_INCLUDE_DIR pcg_random.hpp DOC "Folder of pcg_random.hpp")
mark_as_advanced(pcg_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  pcg REQUIRED_VARS pcg_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install libpcg-cpp-dev or set pcg_INCLUDE_DIR")

if(pcg_FOUND AND NOT TARGET pcg::pcg)
  add_library(pcg::pcg INTERFACE IMPORTED)
  set_target_properties(pcg::pcg PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${pcg_INCLUDE_DIR}")
endif()
