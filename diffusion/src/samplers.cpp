/// @file  samplers.cpp
/// @brief The one place where the samplers are compiled on the type-erased models.

#include <optional>
#include <stdexcept>

#include <fokker/diffusion/registry.hpp>
#include <fokker/diffusion/samplers/ancestral.hpp>
#include <fokker/diffusion/samplers/ddim.hpp>
#include <fokker/diffusion/samplers/edm.hpp>
#include <fokker/diffusion/samplers/exponential_euler_maruyama.hpp>
#include <fokker/solvers/euler_maruyama.hpp>
#include <fokker/solvers/runge_kutta.hpp>
#include <fokker/solvers/stochastic_heun.hpp>

namespace fokker {

namespace {

/// The one among `Methods` with this name.
/// @throws std::invalid_argument
template <class Sampler, class... Methods>
Sampler make(std::string_view name, std::string_view equation) {
  std::optional<Sampler> found;
  const auto consider = [&]<class M>(M method) {
    if (M::name == name) found.emplace(method);
  };
  (consider(Methods{}), ...);
  if (found) return *found;
  const SamplerInfo& info = sampler_info(name);
  if (info.adaptive)
    throw std::invalid_argument(info.name + " is adaptive: run it as a solver of solvers/ode.hpp");
  throw std::invalid_argument(info.name + " does not solve the " + std::string(equation));
}

}  // namespace

template <class S>
ReverseSampler<S> make_reverse_sampler(std::string_view name) {
  return make<ReverseSampler<S>, EulerMaruyama, StochasticHeun, Ancestral, ExponentialEulerMaruyama,
              EdmEulerMaruyama, Ddim>(name, "reverse SDE but the probability flow");
}

template <class S>
FlowSampler<S> make_flow_sampler(std::string_view name) {
  return make<FlowSampler<S>, Euler, Heun, RungeKutta4, Ddim, EdmEuler, EdmHeun>(
      name, "probability flow but the reverse SDE");
}

template ReverseSampler<float> make_reverse_sampler<float>(std::string_view);
template ReverseSampler<double> make_reverse_sampler<double>(std::string_view);
template FlowSampler<float> make_flow_sampler<float>(std::string_view);
template FlowSampler<double> make_flow_sampler<double>(std::string_view);

}  // namespace fokker
