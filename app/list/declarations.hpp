#pragma once
/// @file  declarations.hpp
/// @brief What the build reads from headers and documents for `fokker list` (declarations.cmake).

#include <string_view>

namespace fokker::app {

/// The header that declares a public type, "fokker/solvers/ito/sri.hpp"; empty for an unknown one.
std::string_view header_of(std::string_view type);

/// Headings and tables of docs/certificates.md and docs/sampler_certificates.md.
extern const std::string_view solver_certificates, sampler_certificates;

}  // namespace fokker::app
