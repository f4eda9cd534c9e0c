#pragma once
/// @file  data.hpp
/// @brief The data distributions that --data names.

#include <string>
#include <vector>

#include <fokker/diffusion/data/any_data.hpp>

namespace fokker::app {

/// A form of --data as `fokker list data` prints it.
struct DataForm {
  std::string form, meaning;
};
const std::vector<DataForm>& data_forms();

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
