/// @file  likelihood.cpp
/// @brief The probes of Hutchinson's estimator.

#include <fokker/diffusion/model/likelihood.hpp>

#include <fmt/format.h>

namespace fokker {

Probes HutchinsonDivergence::probes(Index d, std::uint64_t path) const {
  if (count < 1)
    throw std::invalid_argument(
        fmt::format("Hutchinson's estimator needs at least one probe: got {}", count));
  StreamLanes lanes(seed, path, 1, Purpose::analysis);
  Probes drawn{Eigen::MatrixXd(d, count)};
  auto entries = drawn.vectors.reshaped();
  for (Index i = 0; i < entries.size(); ++i) {
    if (kind == Kind::rademacher) {
      std::uint32_t bits;
      lanes.bits(&bits);
      entries(i) = (bits >> 31) != 0 ? 1 : -1;
    } else if (i % 2 == 0) {
      double first, second;
      lanes.normal_pair(&first, &second, 1, 1);
      entries(i) = first;
      if (i + 1 < entries.size()) entries(i + 1) = second;
    }
  }
  return drawn;
}

Probes GivenProbes::probes(Index d, std::uint64_t /*path*/) const {
  if (vectors.rows() != d || vectors.cols() < 1)
    throw std::invalid_argument(
        fmt::format("probes must be d x k with d = {} and k >= 1: got {} x {}", d, vectors.rows(),
                    vectors.cols()));
  return {vectors};
}

}  // namespace fokker
