#pragma once
/// @file  text_process.hpp
/// @brief An equation given as text, in the form of a process of the catalogue.

#include <map>
#include <string>

#include <fokker/processes/models/registry.hpp>

namespace fokker::app {

/// The process of an equation: its states are components, it has no default start.
/// @throws EquationError, std::invalid_argument  as Equation
RegisteredProcess text_process(const std::string& equation,
                               const std::map<std::string, double>& parameters);

}  // namespace fokker::app
