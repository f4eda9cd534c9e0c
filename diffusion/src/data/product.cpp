/// @file  product.cpp
/// @brief Products of data distributions.

#include <fokker/diffusion/data/product.hpp>

#include <algorithm>

#include "data/data_model.hpp"
#include "data/product_model.hpp"

namespace fokker {

std::shared_ptr<const detail::DataModel> Product::model_of(const std::vector<AnyData>& factors) {
  std::vector<std::shared_ptr<const detail::DataModel>> models;
  for (const AnyData& factor : factors)
    if (const auto* product = dynamic_cast<const detail::ProductModel*>(factor.model_.get()))
      models.insert(models.end(), product->factors().begin(), product->factors().end());
    else
      models.push_back(factor.model_);
  return std::make_shared<detail::ProductModel>(std::move(models));
}

Product::Product(const std::vector<AnyData>& factors) : AnyData(model_of(factors)) {}

std::vector<AnyData> Product::factors() const {
  std::vector<AnyData> all;
  for (const auto& one : static_cast<const detail::ProductModel&>(model()).factors())
    all.push_back(AnyData(one));
  return all;
}

}  // namespace fokker
