/// @file  samplers_reverse.cpp
/// @brief The samplers of the reverse SDE, compiled on its type-erased model.

#include "catalogue/sampler_table.hpp"

namespace fokker {

template <class S>
ReverseSampler<S> make_reverse_sampler(std::string_view name) {
  return detail::find_sampler<ReverseSampler<S>, ModelEquation::sde>(name, detail::SamplerTable{});
}

template ReverseSampler<float> make_reverse_sampler<float>(std::string_view);
template ReverseSampler<double> make_reverse_sampler<double>(std::string_view);

}  // namespace fokker
