# Debian packages by CPack, made by scripts/package: `fokker`, the command line, and `libfokker-dev`,
# the headers, static libraries and CMake package. A static library is bound to the ABI of the fmt and
# oneTBB that it was compiled with.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The fokker maintainers")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL cli dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)

set(CPACK_DEBIAN_CLI_PACKAGE_NAME fokker)
set(CPACK_DEBIAN_CLI_PACKAGE_SECTION math)
set(CPACK_DEBIAN_CLI_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_CLI_PACKAGE_RECOMMENDS "gnuplot-nox | gnuplot, fonts-dejavu-core")
set(CPACK_COMPONENT_CLI_DESCRIPTION
    "The command line.
Simulates SDEs and ODEs, samples diffusion models with exact scores, and measures
the order and the error of every solver and sampler.")

math(EXPR next_fmt "${fmt_VERSION_MAJOR} + 1")
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libfokker-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
string(JOIN ", " CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
       "libeigen3-dev (>= 3.4)" "libboost-dev (>= 1.74)" libpcg-cpp-dev
       "libtbb-dev (>= ${TBB_VERSION_MAJOR})"
       "libfmt-dev (>= ${fmt_VERSION_MAJOR})" "libfmt-dev (<< ${next_fmt})")
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "fokker, cmake")
set(CPACK_COMPONENT_DEV_DESCRIPTION
    "Headers and static libraries for C++20 programs, with a CMake package: find_package(fokker).")

include(CPack)
