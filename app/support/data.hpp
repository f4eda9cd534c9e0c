#pragma once
/// @file  data.hpp
/// @brief The data distributions that --data names.

#include <string>
#include <vector>

#include <fokker/diffusion/data/any_data.hpp>
#include <fokker/solvers/support/catalogue.hpp>

namespace fokker::app {

/// A data distribution of the catalogue.
struct DataInfo {
  std::string name;     ///< "two-moons"
  std::string type;     ///< that makes it in C++
  std::string form;     ///< of --data: "two-moons[:SD]"
  std::string meaning;  ///< with the default numbers
};
const Catalogue<DataInfo>& list_data();

/// --data with the options that shape it.
struct DataOptions {
  std::string data = "ring8";
  std::vector<std::string> drop_columns;
  std::string scale;
};

/// Makes the distribution.
/// @throws std::invalid_argument, std::runtime_error  an unknown name, a file that cannot be read
/// or
///         holds no such data, options that do not go with the kind of data
AnyData read_data(const DataOptions& options);

}  // namespace fokker::app
