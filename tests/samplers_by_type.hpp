#pragma once
/// @file  samplers_by_type.hpp
/// @brief Runs of samplers by type beside the runs of the same samplers by name.

#include <set>
#include <string>

#include <fokker/diffusion/catalogue/registry.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/schedule/schedules.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>

#include "catch.hpp"

namespace fokker::test {

inline const AffineProcess vp{VariancePreserving{}};
inline const AffineProcess<AnySchedule> any_vp{AnySchedule(VariancePreserving{})};
inline const auto ring = exact_score(vp, GaussianMixture::ring(8, 4.0, 0.3));
inline const auto any_ring = exact_score(any_vp, AnyData(GaussianMixture::ring(8, 4.0, 0.3)));

/// A user's score, without a denoiser or a dimension: that of normal data.
inline constexpr auto user_score = [](const auto& x, Time t, auto& out) {
  const double s = vp.scale(t), std = vp.std(t);
  out = -x / (0.25 * s * s + std * std);
};

/// The end states of a few paths on a coarse grid.
template <class Model, class Method>
auto end_states(const Model& model, const Method& method) {
  static const TimeGrid grid{1, 0.7, 0.4, 0.2, 0.1, 0.03, 0.01};
  return simulate(model, method, OnGrid{grid}, vp.prior(2), {.paths = 3, .seed = 7}, FinalState{})
      .value;
}

/// The names of the fixed-step samplers of an equation, with its default eta.
inline std::set<std::string> names_of(ModelEquation equation) {
  std::set<std::string> names;
  for (const SamplerInfo& info : list_samplers())
    if (!info.adaptive && info.equation == equation) names.insert(info.name);
  return names;
}

/// Runs each of Ms on the model that `make(process, score, eta)` makes and compares it with the one
/// that `by_name(name)` gives, on the erased model.
/// @return  their names
template <class... Ms, class Make, class ByName>
std::set<std::string> agree_with_names(const Make& make, const ByName& by_name) {
  std::set<std::string> names;
  const auto agrees = [&]<class M>(const M& method) {
    const std::string name(name_of(method));
    INFO(name);
    const double eta = list_samplers().at(name).default_eta;
    const auto erased = by_name(name);
    CHECK((end_states(make(vp, ring, eta), method) ==
           end_states(make(any_vp, AnyScore<double>(any_ring), eta), erased))
              .all());
    CHECK((end_states(make(vp, user_score, eta), method) ==
           end_states(make(any_vp, AnyScore<double>(user_score), eta), erased))
              .all());
    names.insert(name);
  };
  (agrees(Ms{}), ...);
  return names;
}

}  // namespace fokker::test
