#pragma once
/// @file  fokker/processes/models/registry.hpp
/// @brief Processes by name, for programs that choose one at run time.

#include <any>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fokker/solvers/core/any_process.hpp>
#include <fokker/solvers/support/catalogue.hpp>

namespace fokker {

/// A process of the catalogue.
struct ProcessInfo {
  std::string_view name;         ///< "gbm"
  std::string_view type;         ///< in C++, "GeometricBrownianMotion"
  std::string_view description;  ///< "geometric Brownian motion"
  std::string_view equation;     ///< "dX = mu X dt + sigma X dW"
  std::string_view source;       ///< paper or book
  Index dimension;
  NoiseKind noise;
  Calculus calculus;
  std::vector<Parameter> parameters;
  std::vector<double> x0;  ///< where it is not given
  bool has_exact;          ///< X_t is a known function of W_t; this and the next at the defaults
  bool has_moments;        ///< mean and covariance are known
  std::vector<std::string_view> components = {};  ///< what each one is, where it has a name
};

/// A process of any noise kind, Ito where it matters, on states Block<double>.
using AnyRegistered = std::variant<AnyOde, AnySde<NoiseKind::additive>, AnySde<NoiseKind::scalar>,
                                   AnySde<NoiseKind::diagonal>, AnySde<NoiseKind::commutative>,
                                   AnySde<NoiseKind::general>>;

/// A process made by `make_process`; copies share it.
struct RegisteredProcess {
  const ProcessInfo* info;  ///< lives as long as the program
  AnyRegistered process;
  std::vector<double> x0;  ///< d, the default start
  std::any typed;          ///< the process with its own type, for solvers made for it
  /// Between which values each component lives; empty: anywhere.
  std::vector<std::pair<double, double>> domain;

  /// out = X_t on the paths with X_0 = x0 and W_t = w (d x n, m x n, out d x n); empty where X_t is
  /// not a known function of W_t.
  std::function<void(const Block<double>& x0, Time t, const Block<double>& w, Block<double>& out)>
      exact;
  /// E X_t given X_0 = x0, d; empty where it is not known.
  std::function<std::vector<double>(std::span<const double> x0, Time t)> mean;
  /// Cov X_t given X_0 = x0, d x d row by row; empty where it is not known.
  std::function<std::vector<double>(std::span<const double> x0, Time t)> covariance;
};

/// Every registered process.
const Catalogue<ProcessInfo>& list_processes();

/// The process of that name, with the parameters given and the others at their defaults.
/// @throws std::invalid_argument  for an unknown process or parameter, with the nearest names, and
///                                for a value out of range
RegisteredProcess make_process(std::string_view name,
                               const std::map<std::string, double>& parameters = {});

}  // namespace fokker
