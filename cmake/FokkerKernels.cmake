# fokker_add_kernels(<target> <file> [CONTRACT])
#
# Compiles a kernel file once per instruction set, each time in a namespace of that name (FOKKER_ISA),
# and adds the objects to the target, which chooses among them at run time (simd/dispatch.hpp). On
# x86-64: baseline, avx2, avx512; elsewhere baseline only. A kernel file includes simd/*.hpp and
# uses nothing inline from elsewhere: two builds of one inline function would be merged by the linker.
#   CONTRACT  lets a * b + c become one fma. Without it every instruction set gives the same bits.
function(fokker_add_kernels target file)
  cmake_parse_arguments(PARSE_ARGV 2 arg "CONTRACT" "" "")
  if(CMAKE_SIZEOF_VOID_P EQUAL 8 AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(instruction_sets baseline avx2 avx512)
  else()
    set(instruction_sets baseline)
  endif()
  set(flags_avx2 -mavx2 -mfma -mbmi2)
  set(flags_avx512 -mavx512f -mavx512dq -mavx512vl -mavx512bw -mfma -mbmi2)
  get_filename_component(name "${file}" NAME_WE)
  foreach(isa IN LISTS instruction_sets)
    set(objects ${target}_${name}_${isa})
    add_library(${objects} OBJECT "${file}")
    set_target_properties(${objects} PROPERTIES POSITION_INDEPENDENT_CODE ON
                                                CXX_CLANG_TIDY "")
    target_compile_features(${objects} PRIVATE cxx_std_20)
    target_include_directories(${objects} PRIVATE
                               $<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>
                               "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../solvers")
    target_compile_definitions(${objects} PRIVATE FOKKER_ISA=${isa})
    # -Wpsabi speaks of vectors passed between functions: all are inlined. g++ 12 finds false
    # -Wmaybe-uninitialized in its own AVX-512 headers. Of the sanitizers, that of undefined
    # behaviour is left out: on code inlined as deeply as this it takes minutes to compile.
    target_compile_options(
      ${objects}
      PRIVATE $<TARGET_PROPERTY:${target},COMPILE_OPTIONS>
              -ffp-contract=$<IF:$<BOOL:${arg_CONTRACT}>,fast,off>
              -Wno-psabi
              -fno-sanitize=undefined
              $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
              ${flags_${isa}})
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${objects}>)
  endforeach()
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../solvers")
endfunction()
