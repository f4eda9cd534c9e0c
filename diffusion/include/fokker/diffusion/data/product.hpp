#pragma once
/// @file  fokker/diffusion/data/product.hpp
/// @brief Independent distributions side by side: the coordinates of one after those of another.

#include <vector>

#include <fokker/diffusion/data/any_data.hpp>

namespace fokker {

/// x0 = (x0^1, x0^2, ...) with independent parts of their own laws, so that log densities add, and
/// scores and denoisers stand one above the other. Cost: the sum of the parts.
class Product : public AnyData {
 public:
  /// @param factors  the laws, first coordinates first; factors that are products are taken apart
  /// @throws std::invalid_argument  no factor
  explicit Product(const std::vector<AnyData>& factors);

  /// The laws, none of them a product.
  std::vector<AnyData> factors() const;

 private:
  static std::shared_ptr<const detail::DataModel> model_of(const std::vector<AnyData>& factors);
};

}  // namespace fokker
