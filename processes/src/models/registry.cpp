/// @file  registry.cpp
/// @brief The table of processes by name.

#include <stdexcept>
#include <utility>

#include <fokker/processes/models/brownian_motion.hpp>
#include <fokker/processes/models/cox_ingersoll_ross.hpp>
#include <fokker/processes/models/double_well.hpp>
#include <fokker/processes/models/geometric_brownian_motion.hpp>
#include <fokker/processes/models/heston.hpp>
#include <fokker/processes/models/inhomogeneous_gbm.hpp>
#include <fokker/processes/models/kubo.hpp>
#include <fokker/processes/models/langevin.hpp>
#include <fokker/processes/models/linear.hpp>
#include <fokker/processes/models/lorenz.hpp>
#include <fokker/processes/models/lotka_volterra.hpp>
#include <fokker/processes/models/ornstein_uhlenbeck.hpp>
#include <fokker/processes/models/registry.hpp>
#include <fokker/processes/models/van_der_pol.hpp>
#include <fokker/solvers/support/names.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace {

/// A parameter of P: the member that holds it, its meaning and range.
template <class P>
struct Field {
  std::string_view name;
  std::function<double&(P&)> in;
  std::string_view meaning, range = {};
};

/// The words of an entry; the rest of its `ProcessInfo` is read from the process.
struct Words {
  std::string_view name, type, description, equation, source;
  std::vector<std::string_view> components = {};
};

struct Entry {
  ProcessInfo info;
  std::function<RegisteredProcess(const std::map<std::string, double>&)> make;
};

Eigen::ArrayXd array_of(std::span<const double> x) {
  return Eigen::Map<const Eigen::ArrayXd>(x.data(), static_cast<Index>(x.size()));
}

template <class P>
bool knows_exact(const P& p) {
  using B = Block<double>;
  if constexpr (requires { p.has_exact(); })
    return p.has_exact();
  else
    return requires(const B& b) { p.exact(b, Time{}, b); };
}

template <class P>
bool knows_moments(const P& p) {
  if constexpr (requires { p.has_moments(); })
    return p.has_moments();
  else
    return requires(const Eigen::ArrayXd& x0) { p.mean(x0, Time{}); };
}

template <class P>
RegisteredProcess erase(const P& p, std::string_view name, std::vector<double> x0) {
  RegisteredProcess made{
      nullptr, AnyProcess<noise_kind<P>>(p, std::string(name)), std::move(x0), p, {}, {}, {}, {}};
  if constexpr (requires(Index i) { p.domain(i).low; })
    for (std::size_t i = 0; i < made.x0.size(); ++i) {
      const auto interval = p.domain(static_cast<Index>(i));
      made.domain.emplace_back(interval.low, interval.high);
    }
  using B = Block<double>;
  if constexpr (requires(const B& b) { p.exact(b, Time{}, b); }) {
    if (knows_exact(p))
      made.exact = [p](const B& start, Time t, const B& w, B& out) { out = p.exact(start, t, w); };
  }
  if constexpr (requires(const Eigen::ArrayXd& start) { p.mean(start, Time{}); }) {
    if (knows_moments(p)) {
      made.mean = [p](std::span<const double> start, Time t) {
        const Eigen::ArrayXd m = p.mean(array_of(start), t);
        return std::vector<double>(m.begin(), m.end());
      };
      made.covariance = [p](std::span<const double> start, Time t) {
        const Eigen::MatrixXd c = covariance(p, array_of(start), t);  // symmetric
        return std::vector<double>(c.data(), c.data() + c.size());
      };
    }
  }
  return made;
}

/// The entry of a process: its defaults are the members of `base`.
template <class P>
Entry entry(const Words& words, P base, std::vector<double> x0, std::vector<Field<P>> fields = {}) {
  ProcessInfo info{words.name,
                   words.type,
                   words.description,
                   words.equation,
                   words.source,
                   static_cast<Index>(x0.size()),
                   noise_kind<P>,
                   calculus_of<P>,
                   {},
                   x0,
                   knows_exact(base),
                   knows_moments(base),
                   words.components};
  for (const auto& field : fields)
    info.parameters.push_back({std::string(field.name), text(field.in(base)),
                               std::string(field.meaning), std::string(field.range)});
  auto make = [name = words.name, base, x0, fields](const std::map<std::string, double>& given) {
    P p = base;
    for (const auto& [key, value] : given) {
      bool found = false;
      for (const auto& field : fields)
        if (field.name == key) {
          field.in(p) = value;
          found = true;
        }
      if (found) continue;
      std::vector<std::string_view> known;
      for (const auto& field : fields) known.push_back(field.name);
      throw std::invalid_argument(
          unknown_name_message("parameter of " + std::string(name), key, known));
    }
    p.validate();
    return erase(p, name, x0);
  };
  return {std::move(info), std::move(make)};
}

Eigen::MatrixXd two_by_two(double a, double b, double c, double d) {
  return (Eigen::MatrixXd(2, 2) << a, b, c, d).finished();
}

std::vector<Entry> make_entries() {
  std::vector<Entry> all;
  all.push_back(entry<BrownianMotion>(
      {"bm", "BrownianMotion", "Brownian motion with drift", "dX = mu dt + sigma dW",
       "Kloeden & Platen (1992), 2.4"},
      {}, {0.0},
      {{"mu", &BrownianMotion::mu, "drift"}, {"sigma", &BrownianMotion::sigma, "noise", "> 0"}}));
  using Gbm = GeometricBrownianMotion;
  all.push_back(entry<Gbm>(
      {"gbm", "GeometricBrownianMotion", "geometric Brownian motion", "dX = mu X dt + sigma X dW",
       "Kloeden & Platen (1992), 4.4"},
      {}, {1.0}, {{"mu", &Gbm::mu, "growth rate"}, {"sigma", &Gbm::sigma, "volatility", "> 0"}}));
  using Ou = OrnsteinUhlenbeck;
  all.push_back(entry<Ou>({"ou", "OrnsteinUhlenbeck", "Ornstein-Uhlenbeck",
                           "dX = theta (mu - X) dt + sigma dW", "Uhlenbeck & Ornstein (1930)"},
                          {}, {1.0},
                          {{"theta", &Ou::theta, "rate of return", "> 0"},
                           {"mu", &Ou::mu, "level"},
                           {"sigma", &Ou::sigma, "noise", "> 0"}}));
  using Cir = CoxIngersollRoss;
  all.push_back(
      entry<Cir>({"cir", "CoxIngersollRoss", "Cox-Ingersoll-Ross, by full truncation",
                  "dX = kappa (theta - X) dt + sigma sqrt(X) dW", "Cox, Ingersoll & Ross (1985)"},
                 {}, {1.0},
                 {{"kappa", &Cir::kappa, "rate of return", "> 0"},
                  {"theta", &Cir::theta, "level", "> 0"},
                  {"sigma", &Cir::sigma, "volatility", "> 0"}}));
  using Igbm = InhomogeneousGbm;
  all.push_back(
      entry<Igbm>({"igbm", "InhomogeneousGbm", "inhomogeneous geometric Brownian motion",
                   "dX = kappa (theta - X) dt + sigma X dW", "Foster, Lyons & Oberhauser (2020)"},
                  {}, {0.06},
                  {{"kappa", &Igbm::kappa, "rate of return", "> 0"},
                   {"theta", &Igbm::theta, "level", "> 0"},
                   {"sigma", &Igbm::sigma, "volatility", "> 0"}}));
  all.push_back(entry<Heston>(
      {"heston",
       "Heston",
       "Heston's stochastic volatility, (log S, v), by full truncation",
       "d log S = (mu - v/2) dt + sqrt(v) dW1, dv = kappa (theta - v) dt + xi sqrt(v) (rho dW1 + "
       "sqrt(1 - rho^2) dW2)",
       "Heston (1993)",
       {"log-price", "variance"}},
      {}, {0.0, 0.04},
      {{"mu", &Heston::mu, "growth rate of the price"},
       {"kappa", &Heston::kappa, "rate of return of the variance", "> 0"},
       {"theta", &Heston::theta, "level of the variance", "> 0"},
       {"xi", &Heston::xi, "volatility of the variance", "> 0"},
       {"rho", &Heston::rho, "correlation", "-1 to 1"}}));
  all.push_back(
      entry<DoubleWell>({"double-well", "DoubleWell", "overdamped motion in a double well",
                         "dX = (X - X^3) dt + sigma dW", "Gardiner (2009), 5.5"},
                        {}, {1.0}, {{"sigma", &DoubleWell::sigma, "noise", "> 0"}}));
  all.push_back(entry<Langevin>(
      {"langevin", "Langevin", "underdamped Langevin dynamics, (q, v)",
       "dq = v dt, dv = (-(stiffness q + quartic q^3)/mass - gamma v) dt + sqrt(2 gamma kT/mass) "
       "dW",
       "Pavliotis (2014), 6.1"},
      {}, {1.0, 0.0},
      {{"gamma", &Langevin::gamma, "friction rate", "> 0"},
       {"kT", &Langevin::kT, "temperature", "> 0"},
       {"mass", &Langevin::mass, "mass of the particle", "> 0"},
       {"stiffness", &Langevin::stiffness, "of the spring; may be < 0 where quartic ", "> 0"},
       {"quartic", &Langevin::quartic, "of the quartic potential; the moments are known at 0",
        ">= 0"}}));
  using Lv = StochasticLotkaVolterra;
  all.push_back(entry<Lv>(
      {"lotka-volterra", "StochasticLotkaVolterra", "stochastic Lotka-Volterra, (prey, predators)",
       "dX1 = X1 (alpha - beta X2) dt + sigma1 X1 dW1, dX2 = X2 (delta X1 - gamma) dt + sigma2 X2 "
       "dW2",
       "Arnold, Horsthemke & Stucki (1979)"},
      {}, {1.0, 1.0},
      {{"alpha", &Lv::alpha, "growth of the prey", "> 0"},
       {"beta", &Lv::beta, "loss of prey per predator", ">= 0"},
       {"delta", &Lv::delta, "growth of the predators per prey", ">= 0"},
       {"gamma", &Lv::gamma, "death of the predators", "> 0"},
       {"sigma1", [](Lv& p) -> double& { return p.sigma[0]; }, "noise of the prey", ">= 0"},
       {"sigma2", [](Lv& p) -> double& { return p.sigma[1]; }, "noise of the predators", ">= 0"}}));
  all.push_back(entry<KuboOscillator>(
      {"kubo", "KuboOscillator", "Kubo oscillator, a rotation with noisy frequency",
       "dX1 = (-sigma^2/2 X1 - omega X2) dt - sigma X2 dW, dX2 = (-sigma^2/2 X2 + omega X1) dt + "
       "sigma X1 dW",
       "Kubo (1954)"},
      {}, {1.0, 0.0},
      {{"omega", &KuboOscillator::omega, "mean frequency"},
       {"sigma", &KuboOscillator::sigma, "noise of the frequency", "> 0"}}));
  all.push_back(entry<LinearSde>(
      {"linear", "LinearSde", "linear, two sources that do not commute",
       "dX = A X dt + B1 X dW1 + B2 X dW2", "Arnold (1974), 8.5"},
      LinearSde::homogeneous(two_by_two(-0.4, 0.3, 0.1, -0.2),
                             {two_by_two(0.2, 0.4, 0, 0.1), two_by_two(0.1, 0, 0.5, -0.2)}),
      {1.0, 1.0}));
  all.push_back(entry<CommutingLinearSde>(
      {"linear-commuting", "CommutingLinearSde", "linear, two sources that commute",
       "dX = A X dt + B X dW1 + B X dW2", "Kloeden & Platen (1992), 4.8"},
      CommutingLinearSde(LinearSde::homogeneous(
          two_by_two(-1.5, 0.05, 0.05, -1.5),
          {two_by_two(0.2, 0.01, 0.01, 0.2), two_by_two(0.2, 0.01, 0.01, 0.2)})),
      {1.0, 1.0}));
  all.push_back(entry<Lorenz>(
      {"lorenz", "Lorenz", "Lorenz system",
       "x' = sigma (y - x), y' = x (rho - z) - y, z' = x y - beta z", "Lorenz (1963)"},
      {}, {1.0, 1.0, 1.0},
      {{"sigma", &Lorenz::sigma, "Prandtl number", "> 0"},
       {"rho", &Lorenz::rho, "reduced Rayleigh number"},
       {"beta", &Lorenz::beta, "aspect of the convection cells", "> 0"}}));
  all.push_back(entry<VanDerPol>({"van-der-pol", "VanDerPol", "Van der Pol oscillator",
                                  "x' = y, y' = mu (1 - x^2) y - x", "Van der Pol (1926)"},
                                 {}, {2.0, 0.0}, {{"mu", &VanDerPol::mu, "damping", ">= 0"}}));
  return all;
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = make_entries();
  return all;
}

}  // namespace

const Catalogue<ProcessInfo>& list_processes() {
  static const Catalogue<ProcessInfo> processes = [] {
    std::vector<ProcessInfo> all;
    for (const Entry& e : entries()) all.push_back(e.info);
    return Catalogue<ProcessInfo>(
        "process", std::move(all),
        {{"brownian", "bm"}, {"ornstein-uhlenbeck", "ou"}, {"geometric-brownian-motion", "gbm"}});
  }();
  return processes;
}

RegisteredProcess make_process(std::string_view name,
                               const std::map<std::string, double>& parameters) {
  const ProcessInfo& info = list_processes().at(name);
  RegisteredProcess made =
      entries()[static_cast<std::size_t>(&info - &list_processes()[0])].make(parameters);
  made.info = &info;
  return made;
}

}  // namespace fokker
