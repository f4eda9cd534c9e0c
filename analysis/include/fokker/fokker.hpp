#pragma once
/// @file  fokker/fokker.hpp
/// @brief Everything, except the adaptive ODE methods (fokker/solvers/ode.hpp), which ride on
///        Boost.Odeint and double the time to compile.

#include <fokker/analysis/convergence.hpp>
#include <fokker/analysis/csv.hpp>
#include <fokker/analysis/distances.hpp>
#include <fokker/analysis/gaussian.hpp>
#include <fokker/analysis/linear_law.hpp>
#include <fokker/analysis/regression.hpp>
#include <fokker/diffusion/affine_process.hpp>
#include <fokker/diffusion/counted_score.hpp>
#include <fokker/diffusion/exact_score.hpp>
#include <fokker/diffusion/finite_set.hpp>
#include <fokker/diffusion/gaussian.hpp>
#include <fokker/diffusion/mixture.hpp>
#include <fokker/diffusion/parametrisation.hpp>
#include <fokker/diffusion/probability_flow.hpp>
#include <fokker/diffusion/reverse_sde.hpp>
#include <fokker/diffusion/samplers/ancestral.hpp>
#include <fokker/diffusion/samplers/ddim.hpp>
#include <fokker/diffusion/samplers/edm.hpp>
#include <fokker/diffusion/samplers/exponential_euler_maruyama.hpp>
#include <fokker/diffusion/schedules.hpp>
#include <fokker/diffusion/time_grids.hpp>
#include <fokker/processes/brownian_motion.hpp>
#include <fokker/processes/cox_ingersoll_ross.hpp>
#include <fokker/processes/double_well.hpp>
#include <fokker/processes/geometric_brownian_motion.hpp>
#include <fokker/processes/heston.hpp>
#include <fokker/processes/kubo.hpp>
#include <fokker/processes/langevin.hpp>
#include <fokker/processes/linear.hpp>
#include <fokker/processes/lorenz.hpp>
#include <fokker/processes/lotka_volterra.hpp>
#include <fokker/processes/ornstein_uhlenbeck.hpp>
#include <fokker/processes/van_der_pol.hpp>
#include <fokker/solvers/calculus.hpp>
#include <fokker/solvers/euler_maruyama.hpp>
#include <fokker/solvers/integrate.hpp>
#include <fokker/solvers/milstein.hpp>
#include <fokker/solvers/runge_kutta.hpp>
#include <fokker/solvers/simulate.hpp>
#include <fokker/solvers/stochastic_heun.hpp>
