/// @file  recommendation.cpp
/// @brief The solver for an equation when none is asked for.

#include "support/recommendation.hpp"

namespace fokker::app {

Recommendation recommended_solver(NoiseKind kind) {
  switch (kind) {
    case NoiseKind::none:
      return {"dopri5", "an ODE: order 5 with adaptive steps; radau5 where the equation is stiff"};
    case NoiseKind::additive:
      return {"sosra",
              "additive noise: strong order 3/2 with adaptive steps and a large region of "
              "stability"};
    case NoiseKind::scalar:
    case NoiseKind::diagonal:
      return {"sosri",
              "scalar or diagonal noise: strong order 3/2 with adaptive steps and a large "
              "region of stability"};
    case NoiseKind::commutative:
      return {"milstein",
              "commutative noise: strong order 1 with adaptive steps, without Levy "
              "areas"};
    case NoiseKind::general:
      break;
  }
  return {"heun-sde",
          "noise that does not commute: adaptive steps have strong order 1/2; milstein-levy has "
          "strong order 1 with fixed steps, ri6 weak order 2"};
}

}  // namespace fokker::app
