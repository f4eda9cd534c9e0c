#pragma once
/// @file  columns.hpp
/// @brief Linear problems whose noise is given by columns.

#include "certify.hpp"

namespace certificate {

/// A LinearSde that names its noise kind and calculus.
template <NoiseKind kind, Calculus c>
struct LinearColumns : LinearSde {
  static constexpr NoiseKind noise = kind;
  static constexpr Calculus calculus = c;
  explicit LinearColumns(LinearSde linear) : LinearSde(std::move(linear)) {}
};

template <NoiseKind kind>
Problem<kind> linear_problem(std::string_view name, const LinearSde& ito) {
  return {name, AnySde<kind>{LinearColumns<kind, Calculus::ito>{ito}},
          AnySde<kind, Calculus::stratonovich>{
              LinearColumns<kind, Calculus::stratonovich>{in_stratonovich_form(ito)}}};
}

}  // namespace certificate
