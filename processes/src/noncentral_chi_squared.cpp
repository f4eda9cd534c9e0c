/// @file  noncentral_chi_squared.cpp
/// @brief The noncentral chi-square law behind the Cox-Ingersoll-Ross process.

#include <cmath>

#include <boost/math/distributions/non_central_chi_squared.hpp>
#include <boost/math/distributions/poisson.hpp>
#include <boost/math/special_functions/gamma.hpp>

#include <fokker/processes/cox_ingersoll_ross.hpp>

namespace fokker::detail {

namespace {

using RoundUp = boost::math::policies::policy<
    boost::math::policies::discrete_quantile<boost::math::policies::integer_round_up>>;

}  // namespace

double noncentral_chi_squared_log_density(double degrees, double lambda, double x) {
  return std::log(
      boost::math::pdf(boost::math::non_central_chi_squared_distribution<>(degrees, lambda), x));
}

double noncentral_chi_squared_value(double degrees, double lambda, double u, double v) {
  const double n =
      lambda > 0
          ? boost::math::quantile(boost::math::poisson_distribution<double, RoundUp>(lambda / 2), u)
          : 0.0;
  return 2 * boost::math::gamma_p_inv(degrees / 2 + n, v);
}

}  // namespace fokker::detail
