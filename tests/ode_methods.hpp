#pragma once
/// @file  ode_methods.hpp
/// @brief The adaptive methods for ODEs, as lists of types for tests over all of them.

#include <tuple>

#include <fokker/solvers/ode/embedded_runge_kutta.hpp>
#include <fokker/solvers/ode/ode.hpp>
#include <fokker/solvers/ode/radau.hpp>
#include <fokker/solvers/ode/rosenbrock.hpp>

using ExplicitMethods =
    std::tuple<fokker::Bs3, fokker::Dopri5, fokker::Tsit5, fokker::Vern7, fokker::Dop853,
               fokker::OdeintDopri5, fokker::Fehlberg78, fokker::BulirschStoer>;
using StiffMethods = std::tuple<fokker::Rodas4, fokker::Rodas5P, fokker::Radau5>;
using AllMethods =
    std::tuple<fokker::Bs3, fokker::Dopri5, fokker::Tsit5, fokker::Vern7, fokker::Dop853,
               fokker::OdeintDopri5, fokker::Fehlberg78, fokker::BulirschStoer, fokker::Rodas4,
               fokker::Rodas5P, fokker::Radau5>;
