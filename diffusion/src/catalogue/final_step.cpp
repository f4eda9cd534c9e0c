#include <fokker/diffusion/catalogue/final_step.hpp>

#include <stdexcept>
#include <string>

#include <fokker/solvers/support/text.hpp>

namespace fokker {

TimeGrid with_last_step(TimeGrid grid, FinalStep last) {
  if (last == FinalStep::zero) grid.push_back(0);
  return grid;
}

void check_last_step(const SamplerInfo& sampler, const AnySchedule& schedule, double eta,
                     Time t_min, FinalStep last) {
  check_sampler(sampler, schedule, eta, t_min);
  if (last != FinalStep::zero) return;
  if (t_min == 0)
    throw std::invalid_argument(
        "last=zero goes from t_min to sigma=0, and t_min=0 is there already: choose t_min > 0 "
        "(default " +
        text(schedule.ends().t_min) + ") or last=none");
  if (schedule.at(0).std > 0)
    throw std::invalid_argument("last=zero ends at sigma=0, and " + std::string(schedule.name()) +
                                " has std=" + text(schedule.at(0).std) +
                                " at t=0: choose last=denoise");
  if (!sampler.ends_at_zero)
    throw std::invalid_argument(
        "last=zero takes a sampler that can end at sigma=0, and " + sampler.name +
        " asks for the score there: choose last=denoise, or for instance ddim, ddpm or edm-heun");
}

}  // namespace fokker
