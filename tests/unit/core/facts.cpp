/// @file  unit/core/facts.cpp
/// @brief The record of a method, by type and behind a type-erased solver.

#include "catch.hpp"

#include <fokker/solvers/core/any_process.hpp>
#include <fokker/solvers/core/any_stepper.hpp>
#include <fokker/solvers/ito/milstein.hpp>

using namespace fokker;

namespace {

constexpr Facts half{.name = "half",
                     .noise = {NoiseKind::additive, NoiseKind::general},
                     .order = {.strong = {0.5, {.additive = 1}}, .deterministic = 2},
                     .cost = {.drift = 1, .diffusion = {3, {.general = 5}}}};

}  // namespace

TEST_CASE("a figure holds for every kind of noise but the exceptions") {
  CHECK(half.orders(NoiseKind::additive).strong == 1.0);
  CHECK(half.orders(NoiseKind::general).strong == 0.5);
  CHECK(half.orders(NoiseKind::general).deterministic == 2.0);
  CHECK_FALSE(half.orders(NoiseKind::general).weak);
  CHECK(half.evaluations(NoiseKind::additive).diffusion == 3);
  CHECK(half.evaluations(NoiseKind::general).diffusion == 5);
  CHECK(half.evaluations(NoiseKind::general).drift == 1);
}

TEST_CASE("a method has no order for noise that it does not take") {
  CHECK_FALSE(half.supports(NoiseKind::scalar));
  CHECK_FALSE(half.orders(NoiseKind::scalar).strong);
  CHECK_FALSE(Facts{}.supports(NoiseKind::none));
  CHECK(Facts{}.supports(NoiseKind::commutative));
}

TEST_CASE("a type-erased solver has the facts of the solver inside") {
  const AnyStepper<AnySde<NoiseKind::diagonal>, Block<double>> any(Milstein{});
  CHECK(name_of(any) == "milstein");
  CHECK(any.facts().order.strong(NoiseKind::diagonal) == 1.0);
  CHECK_FALSE(facts_of(any).supports(NoiseKind::general));
}
