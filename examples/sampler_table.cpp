/// @file  sampler_table.cpp
/// @brief All samplers at small budgets on three processes and three data sets, and where the
///        reverse SDE overtakes the flow as the score gets worse: the tables of docs/samplers.md.
///
///     sampler_table [PATHS [PROCESS...] [FILE.png|FILE.svg...]]
///     sampler_table wrong-score           the table with a wrong score alone, in seconds
///
/// Markdown on stdout, and a picture of both on Gaussian data under the first process in each FILE.
/// Each figure is the least over three grids, and u, k or l says which: uniform, karras or logsnr.
/// Gaussian data: exact laws. Others: PATHS samples (5000 by default), and the distance that two
/// exact samples of that size have.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <fokker/analysis/compare/comparison.hpp>
#include <fokker/analysis/figures/plot.hpp>
#include <fokker/analysis/law/gaussian.hpp>
#include <fokker/diffusion/catalogue/registry.hpp>
#include <fokker/diffusion/data/gaussian.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/model/sampled_law.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/diffusion/score/score_error.hpp>
#include <fokker/solvers/ode/embedded_runge_kutta.hpp>

namespace {

using namespace fokker;

const std::vector<Index> budgets = {5, 10, 20, 50, 100};

struct Data {
  std::string name;
  AnyData data;
  bool exact;
};

/// Sixteen eigenvalues that fall as 1/k^2, as those of images do; eight modes in the plane; a
/// spiral.
std::vector<Data> all_data() {
  Eigen::VectorXd spectrum(16);
  for (Index k = 0; k < spectrum.size(); ++k) spectrum[k] = 1 / std::pow(double(k + 1), 2);
  return {{"spectrum 1/k^2, d = 16", GaussianSpectrum(Eigen::VectorXd::Zero(16), spectrum), true},
          {"ring of eight modes, d = 2", GaussianMixture::ring(8, 4.0, 0.3), false},
          {"swiss roll, d = 2", GaussianMixture::swiss_roll(), false}};
}

ComparisonSettings settings(const std::string& process, const Data& data, Index paths) {
  ComparisonSettings s;
  s.process = process;
  s.data = data.data;
  s.data_name = data.name;
  s.exact = data.exact;
  s.paths = paths;
  s.pathwise = false;
  return s;
}

/// The least error over the grids, and on which.
struct Best {
  double error = std::numeric_limits<double>::infinity();
  char grid = ' ';
  double floor = 0;
};
/// By sampler and budget; a sampler that refuses the setting is not there.
using Errors = std::map<std::string, std::map<Index, Best>>;

void take(const ComparisonRow& row, Index nfe, char grid, Errors& errors) {
  if (!row.problem.empty()) return;
  Best& best = errors[row.sampler][nfe];
  if (std::isfinite(row.error) && row.error < best.error) best = {row.error, grid, row.floor};
}

Errors measure(const std::string& process, const Data& data, Index paths) {
  Errors errors;
  for (const std::string grid : {"uniform", "karras", "logsnr"})
    for (const Index nfe : budgets) {
      ComparisonSettings all = settings(process, data, paths);
      all.grid = grid;
      all.nfe = {nfe};
      for (const SamplerInfo& info : list_samplers()) {
        ComparisonSettings one = all;
        one.samplers = {info.name};
        if (info.adaptive) continue;
        try {
          check_settings(one);
          if (data.exact)
            take(compare(one).rows.front(), nfe, grid.front(), errors);
          else
            all.samplers.push_back(info.name);
        } catch (const std::invalid_argument&) {
          // not with this budget or, without samples, not linear
        }
      }
      if (all.samplers.empty()) continue;
      for (const ComparisonRow& row : compare(all).rows) take(row, nfe, grid.front(), errors);
    }
  return errors;
}

void print_table(const std::string& process, const Data& data, const Errors& errors) {
  std::map<Index, double> least;
  double floor = 0;
  for (const auto& [sampler, row] : errors)
    for (const auto& [nfe, best] : row) {
      double& at = least.emplace(nfe, best.error).first->second;
      at = std::min(at, best.error);
      floor = std::max(floor, best.floor);
    }
  fmt::print("\n### {}, {}\n\n", process, data.name);
  if (floor > 0) fmt::print("Noise floor: {:.3g}.\n\n", floor);
  fmt::print("| sampler |");
  for (const Index nfe : budgets) fmt::print(" {} |", nfe);
  fmt::print("\n|---|");
  for (std::size_t i = 0; i < budgets.size(); ++i) fmt::print("---:|");
  fmt::print("\n");
  for (const auto& [sampler, row] : errors) {
    fmt::print("| `{}` |", sampler);
    for (const Index nfe : budgets) {
      const auto at = row.find(nfe);
      if (at == row.end() || at->second.grid == ' ')
        fmt::print(" - |");
      else if (at->second.error == least[nfe])
        fmt::print(" **{:.3g}** {} |", at->second.error, at->second.grid);
      else
        fmt::print(" {:.3g} {} |", at->second.error, at->second.grid);
    }
    fmt::print("\n");
  }
}

const std::vector<double> etas = {0, 0.5, 1, 2};
const std::vector<std::string> eta_names = {"flow", "eta = 0.5", "reverse SDE", "eta = 2"};

/// W2 between the data and the law of the continuous reverse equation with each eta, from the prior
/// to the t_min of VP: its moments by an adaptive solver to 1e-10, in pieces where the error of the
/// score is of one form.
std::vector<double> errors_with(const Data& data, const LinearScoreError& error) {
  const AffineProcess<VariancePreserving> process{VariancePreserving{}};
  const Index d = data.data.dimension();
  std::vector<Time> stops{process.end_time()};
  for (const Time stop : {error.to, error.from})
    if (stop < stops.back() && stop > process.t_min()) stops.push_back(stop);
  stops.push_back(process.t_min());
  std::vector<double> errors;
  for (const double eta : etas) {
    GaussianLaw law{Eigen::VectorXd::Zero(d), Eigen::MatrixXd::Identity(d, d)};
    for (std::size_t k = 1; k < stops.size(); ++k) {
      LinearScoreError piece = error;  // the same within the piece, whatever its ends round to
      const Time middle = 0.5 * (stops[k - 1] + stops[k]);
      piece.from = 0;
      if (!(error.from <= middle && middle < error.to)) piece.scale = piece.bias = 0;
      piece.to = std::numeric_limits<double>::infinity();
      const ReverseSde reverse{process, with_error(process, exact_score(process, data.data), piece),
                               eta};
      const SampledLaw sampled = sampled_law(
          reverse, Dopri5{}, Adaptive{.rtol = 1e-10, .atol = 1e-13}, law, {stops[k - 1], stops[k]});
      if (sampled.status != Status::success) throw std::runtime_error(sampled.message);
      law = sampled.law;
    }
    const auto span = [](const Eigen::VectorXd& v) {
      return std::span<const double>(v.data(), static_cast<std::size_t>(v.size()));
    };
    const Eigen::VectorXd sampled_mean = law.mean, mean = data.data.mean(),
                          variance = data.data.variance(), got = law.covariance.diagonal();
    errors.push_back(
        bures_wasserstein_diagonal(span(sampled_mean), span(got), span(mean), span(variance)));
  }
  return errors;
}

/// As the score gets worse by a factor 1 + a, and with a bias early (much noise) or late (little).
void print_crossover(const Data& data) {
  struct Fault {
    std::string name;
    LinearScoreError error;
  };
  std::vector<Fault> faults;
  for (const double a : {0.0, 1e-4, 3e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3})
    faults.push_back({fmt::format("score x {}", 1 + a), {.scale = a}});
  for (const double b : {0.1, 0.3}) {
    faults.push_back({fmt::format("bias {} at t > 0.3", b), {.bias = b, .from = 0.3}});
    faults.push_back({fmt::format("bias {} at t < 0.1", b), {.bias = b, .to = 0.1}});
  }
  fmt::print("\n| error of the score | flow | eta = 0.5 | reverse SDE | eta = 2 | least |\n");
  fmt::print("|---|---:|---:|---:|---:|---|\n");
  for (const Fault& fault : faults) {
    const std::vector<double> errors = errors_with(data, fault.error);
    const auto least = std::min_element(errors.begin(), errors.end()) - errors.begin();
    fmt::print("| {} | {:.3g} | {:.3g} | {:.3g} | {:.3g} | {} |\n", fault.name, errors[0],
               errors[1], errors[2], errors[3], eta_names[static_cast<std::size_t>(least)]);
  }
}

/// Error against evaluations for some samplers, and against the error of the score for each eta.
Figure picture(const std::string& process, const Data& data, const Errors& measured) {
  Panel budget{.title = fmt::format("{}, {}: least over three grids", process, data.name),
               .x = {.label = "score evaluations", .log = true},
               .y = {.label = "W2", .log = true}};
  for (const char* sampler :
       {"ddim", "edm-heun", "dpm++2m", "deis-tab3", "unipc-3-bh2", "ddpm", "er-sde-3"}) {
    Curve curve{.label = sampler};
    for (const auto& [nfe, best] : measured.at(sampler)) {
      curve.x.push_back(static_cast<double>(nfe));
      curve.y.push_back(best.error);
    }
    budget.layers.push_back(std::move(curve));
  }
  Panel wrong{.title = fmt::format("vp, {}: score times 1 + a, exact laws", data.name),
              .x = {.label = "a", .log = true},
              .y = {.label = "W2", .log = true}};
  std::vector<Curve> curves;
  for (const std::string& name : eta_names) curves.push_back({.label = name});
  for (const double a : {3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1}) {
    const std::vector<double> errors = errors_with(data, {.scale = a});
    for (std::size_t i = 0; i < curves.size(); ++i) {
      curves[i].x.push_back(a);
      curves[i].y.push_back(errors[i]);
    }
  }
  for (Curve& curve : curves) wrong.layers.push_back(std::move(curve));
  return {.title = "Samplers with the right score, and equations with a wrong one",
          .panels = {std::move(budget), std::move(wrong)}};
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<Data> data = all_data();
    if (argc == 2 && std::string(argv[1]) == "wrong-score") {
      print_crossover(data.front());
      return 0;
    }
    const Index paths = argc > 1 ? std::atoll(argv[1]) : 5000;
    if (paths < 2)
      throw std::invalid_argument(
          "usage: sampler_table [PATHS [PROCESS...] [FILE.png|FILE.svg...]], at least 2 paths, or "
          "sampler_table wrong-score");
    fmt::print("## Error at a budget of score evaluations\n");
    std::vector<std::string> processes, files;
    for (int i = 2; i < argc; ++i) {
      const std::string word = argv[i];
      (word.ends_with(".png") || word.ends_with(".svg") ? files : processes).push_back(word);
    }
    for (const std::string& file : files) check_figure(file);
    if (processes.empty()) processes = {"vp", "edm", "flow"};
    Errors first;
    for (const std::string& process : processes)
      for (const Data& d : data) {
        const Errors errors = measure(process, d, paths);
        print_table(process, d, errors);
        if (first.empty()) first = errors;
      }
    fmt::print("\n## With a wrong score\n");
    print_crossover(data.front());
    if (!files.empty()) {
      const Figure figure = picture(processes.front(), data.front(), first);
      for (const std::string& file : files) write_figure(figure, file);
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "sampler_table: {}\n", error.what());
    return 2;
  }
}
