/// @file  samplers_flow.cpp
/// @brief The samplers of the probability flow, compiled on its type-erased model.

#include "catalogue/sampler_table.hpp"

namespace fokker {

template <class S>
FlowSampler<S> make_flow_sampler(std::string_view name) {
  return detail::find_sampler<FlowSampler<S>, ModelEquation::ode>(name, detail::SamplerTable{});
}

template FlowSampler<float> make_flow_sampler<float>(std::string_view);
template FlowSampler<double> make_flow_sampler<double>(std::string_view);

}  // namespace fokker
