/// @file  torch_score.cpp
/// @brief A network trained and saved by torch, loaded and sampled with here.

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include <torch/script.h>
#include <torch/torch.h>

#include <fokker/analysis/distance/distances.hpp>
#include <fokker/diffusion/data/mixture.hpp>
#include <fokker/diffusion/model/probability_flow.hpp>
#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/any_score.hpp>
#include <fokker/diffusion/score/exact_score.hpp>
#include <fokker/diffusion/score/torch_score.hpp>
#include <fokker/solvers/core/grid.hpp>
#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

// torch and Catch2 both define CHECK.
#undef CHECK
#include "catch.hpp"

using fokker::AffineProcess;
using fokker::AnyScore;
using fokker::Block;
using fokker::FlowMatching;
using fokker::GaussianMixture;
using fokker::Index;
using fokker::PathRandom;
using fokker::Prediction;
using fokker::TorchModel;

namespace {

constexpr int width = 96;

/// An untrained network for the velocity, as a TorchScript module.
torch::jit::Module network() {
  torch::manual_seed(1);
  torch::jit::Module m("velocity");
  const auto parameter = [&](const char* name, int rows, int columns) {
    m.register_parameter(name, torch::randn({rows, columns}) / std::sqrt(double(rows)), false);
  };
  parameter("w1", 2 + 17, width);
  parameter("w2", width + 17, width);
  parameter("w3", width + 17, width);
  parameter("w4", width + 17, 2);
  m.register_buffer("f", torch::tensor({1.f, 2.f, 3.f, 4.f, 6.f, 8.f, 12.f, 16.f}).unsqueeze(0));
  m.define(R"(
def forward(self, x, t):
    a = t.unsqueeze(1) * self.f
    e = torch.cat([torch.cos(a), torch.sin(a), torch.ones_like(a[:, :1])], 1)
    h = torch.matmul(torch.cat([x / 3.0, e], 1), self.w1)
    h = h + torch.matmul(torch.cat([torch.silu(h), e], 1), self.w2)
    h = h + torch.matmul(torch.cat([torch.silu(h), e], 1), self.w3)
    return 3.0 * torch.matmul(torch.cat([torch.silu(h), e], 1), self.w4)
)");
  return m;
}

/// n x d tensor of the d x n block.
torch::Tensor tensor(Block<float>& x) {
  return torch::from_blob(x.data(), {x.rows(), x.cols()}, torch::kFloat32).t().clone();
}

/// Flow matching: the mean of |v - (eps - x0)|^2 is made small.
void train(torch::jit::Module& m, const GaussianMixture& data, int steps) {
  constexpr Index batch = 256;
  std::vector<torch::Tensor> parameters;
  for (const torch::Tensor& p : m.parameters()) parameters.push_back(p.requires_grad_(true));
  torch::optim::Adam adam(parameters, torch::optim::AdamOptions(4e-3));
  Block<float> x0(2, batch), eps(2, batch);
  for (int k = 0; k < steps; ++k) {
    PathRandom random(5, static_cast<std::uint64_t>(k) * batch, batch);
    data.sample(random, x0);
    random.normal(eps);
    const torch::Tensor t = (torch::arange(batch) + torch::rand({batch})) / double(batch);
    const torch::Tensor a = tensor(x0), b = tensor(eps), s = t.unsqueeze(1);
    const torch::Tensor v = m.forward({(1 - s) * a + s * b, t}).toTensor();
    const torch::Tensor loss = (v - (b - a)).square().mean();
    adam.zero_grad();
    loss.backward();
    static_cast<torch::optim::AdamOptions&>(adam.param_groups()[0].options())
        .lr(4e-3 * 0.5 * (1 + std::cos(3.14159265 * k / steps)));
    adam.step();
  }
}

/// The mean over t in (0.05, 0.95) of |std (score - exact)|^2 / d on the noised data: the excess of
/// the noise loss.
template <class Score>
double score_error(const Score& score, const GaussianMixture& data) {
  const AffineProcess process{FlowMatching{}};
  const auto exact = exact_score(process, data);
  constexpr Index n = 400, levels = 19;
  double sum = 0;
  for (Index i = 1; i <= levels; ++i) {
    const double t = 0.05 * static_cast<double>(i);
    PathRandom random(6, static_cast<std::uint64_t>(i * n), n);
    Block<double> x0(2, n), eps(2, n), a(2, n), b(2, n);
    data.sample(random, x0);
    random.normal(eps);
    const Block<double> x = process.noised(x0, t, eps);
    score(x, t, a);
    exact(x, t, b);
    sum += (process.std(t) * (a - b)).square().mean();
  }
  return sum / levels;
}

struct TemporaryFile {
  explicit TemporaryFile(const char* name) : path(std::filesystem::temp_directory_path() / name) {}
  ~TemporaryFile() { std::filesystem::remove(path); }
  std::filesystem::path path;
};

}  // namespace

TEST_CASE("a network trained by torch on eight modes is loaded, exact to its loss, and samples") {
  at::set_num_threads(1);
  const GaussianMixture data = GaussianMixture::ring(8, 4.0, 0.3);
  const AffineProcess process{FlowMatching{}};
  torch::jit::Module m = network();
  const TemporaryFile fresh("fokker-torch-fresh.pt"), trained("fokker-torch-trained.pt");
  m.save(fresh.path.string());
  train(m, data, 1500);
  m.save(trained.path.string());

  const auto score_of = [&](const TemporaryFile& file) {
    return score_from_velocity(process, TorchModel(file.path, 2));
  };
  const double before = score_error(score_of(fresh), data);
  const double after = score_error(score_of(trained), data);
  const fokker::TimeGrid grid = fokker::uniform_grid(0.999, 0.001, 40);
  const Index n = 4000;
  const auto samples = [&](const AnyScore<double>& score) {
    const fokker::ProbabilityFlow flow{process, score};
    return simulate(flow, fokker::Heun{}, fokker::OnGrid{grid}, process.prior_at(0.999, 2),
                    {.paths = n, .seed = 3, .threads = 1}, fokker::FinalState{})
        .value;
  };
  Block<double> truth(2, n);
  PathRandom random(9, 0, n);
  data.sample(random, truth);
  const auto distance = [](const Block<double>& a, const Block<double>& b) {
    return (*fokker::make_metric("sliced-w2", a))(b).value;
  };
  // The ledger: all of the error, what the exact score leaves of it on the same starts and steps,
  // and what the error of the score adds.
  const Block<double> exact = samples(exact_score(process, data));
  const Block<double> learned = samples(score_of(trained)), untrained = samples(score_of(fresh));
  const double whole = distance(truth, learned), rest = distance(truth, exact);
  const double part = distance(exact, learned), untrained_part = distance(exact, untrained);
  std::printf(
      "error of the score %.4f, untrained %.3f\n"
      "sliced-w2 of samples %.3f: with the exact score %.3f, score error %.3f (untrained %.3f)\n",
      after, before, whole, rest, part, untrained_part);

  REQUIRE(before > 1);
  REQUIRE(after < 0.05);
  REQUIRE(whole <= rest + part + 1e-12);  // the distance is one
  REQUIRE(part > 0);
  REQUIRE(part < 0.5);  // the prior is 2 away
  REQUIRE(untrained_part > 1);
}

TEST_CASE("a torch model is its module, in blocks and paths of both scalars") {
  const TemporaryFile file("fokker-torch-linear.pt");
  torch::jit::Module m("linear");
  m.define("def forward(self, x, t):\n    return x * 2.0 + t.unsqueeze(1)\n");
  m.save(file.path.string());
  const TorchModel model(file.path, 2, [](double t) { return 10 * t; });
  const Block<double> x{{1.0, 2.0, 3.0}, {-4.0, 5.0, 0.5}};
  const Block<float> x_single = x.cast<float>();
  const fokker::PathState<double> path = x.col(1);

  Block<double> out(2, 3);
  model(x, 0.25, out);
  Block<float> single(2, 3);
  model(x_single, 0.25, single);
  fokker::PathState<double> one(2);
  model(path, 0.25, one);

  REQUIRE((out - (2 * x + 2.5)).abs().maxCoeff() == 0);
  REQUIRE((single - (2 * x_single + 2.5f)).abs().maxCoeff() == 0);
  REQUIRE((one - out.col(1)).abs().maxCoeff() == 0);
}

TEST_CASE("files and results that are no model are refused") {
  const TemporaryFile file("fokker-torch-bad.pt");
  REQUIRE_THROWS_AS(TorchModel(file.path, 2), std::runtime_error);
  std::ofstream(file.path) << "not a module";
  REQUIRE_THROWS_AS(TorchModel(file.path, 2), std::runtime_error);
  torch::jit::Module m("sum");
  m.define("def forward(self, x, t):\n    return x.sum(1)\n");
  m.save(file.path.string());
  Block<double> x(2, 3), out(2, 3);
  x.setOnes();
  REQUIRE_THROWS_AS(TorchModel(file.path, 2)(x, 0.5, out), std::runtime_error);
}
