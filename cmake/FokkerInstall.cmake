# Install rules and the CMake package that find_package(fokker) reads; the build folder holds the same
# package, usable without installing. Components: `cli` is the command line, `dev` what programs are
# built with, `optional` the parts that need SUNDIALS, MPI or libtorch.
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/fokker")

install(TARGETS fokker_solvers fokker_processes fokker_diffusion fokker_analysis fokker_umbrella
        EXPORT fokkerTargets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT dev)
install(EXPORT fokkerTargets NAMESPACE fokker:: DESTINATION "${package_dir}" COMPONENT dev)
export(EXPORT fokkerTargets NAMESPACE fokker:: FILE "${PROJECT_BINARY_DIR}/fokkerTargets.cmake")

# The components cvode, torch and mpi have exports of their own: only who asks for one needs
# SUNDIALS, libtorch or MPI.
foreach(component cvode torch mpi)
  if(TARGET fokker_${component})
    install(TARGETS fokker_${component} EXPORT fokker_${component}
            FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT optional)
    install(EXPORT fokker_${component} NAMESPACE fokker:: DESTINATION "${package_dir}"
            COMPONENT optional)
    export(EXPORT fokker_${component} NAMESPACE fokker::
           FILE "${PROJECT_BINARY_DIR}/fokker_${component}.cmake")
  endif()
endforeach()

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/fokkerConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/fokkerConfig.cmake"
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/fokkerConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
configure_file("${CMAKE_CURRENT_LIST_DIR}/Findpcg.cmake" "${PROJECT_BINARY_DIR}/Findpcg.cmake"
               COPYONLY)
install(FILES "${PROJECT_BINARY_DIR}/fokkerConfig.cmake"
              "${PROJECT_BINARY_DIR}/fokkerConfigVersion.cmake"
              "${PROJECT_BINARY_DIR}/Findpcg.cmake"
        DESTINATION "${package_dir}" COMPONENT dev)
install(FILES LICENSE RENAME copyright
        DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/doc/libfokker-dev" COMPONENT dev)

if(TARGET fokker)
  install(TARGETS fokker RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT cli)
  install(FILES LICENSE RENAME copyright
          DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/doc/fokker" COMPONENT cli)
endif()
