/// @file  learned_score.cpp
/// @brief A learned denoiser as a function, and its file.

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <Eigen/Core>
#include <nlohmann/json.hpp>

#include <fokker/diffusion/schedule/affine_process.hpp>
#include <fokker/diffusion/score/any_score.hpp>
#include <fokker/diffusion/score/learned_score.hpp>
#include <fokker/diffusion/score/score_jacobian.hpp>
#include <fokker/diffusion/train/preconditioning.hpp>

#include "catch.hpp"

using fokker::AffineProcess;
using fokker::AnyScore;
using fokker::Block;
using fokker::denoiser_from_json;
using fokker::Index;
using fokker::LearnedDenoiser;
using fokker::LearnedParts;
using fokker::PathState;
using fokker::to_json;

namespace {

LearnedParts some_parts() {
  LearnedParts parts{.shape = {.dimension = 2, .width = 6, .layers = 1, .frequencies = 3},
                     .weights = {},
                     .mean = {0.5, -1.25},
                     .data_std = 1.7,
                     .sigma_min = 0.01,
                     .sigma_max = 50,
                     .process = "vp",
                     .parameters = {{"beta_max", "20"}},
                     .loss = "denoiser"};
  parts.weights.resize(parts.shape.parameters());
  for (Index i = 0; i < parts.weights.size(); ++i)
    parts.weights(i) = 0.7f * std::sin(1.0f + 1.7f * static_cast<float>(i));
  return parts;
}

Block<double> some_points() { return Block<double>{{0.4, -1.0, 3.0}, {1.0, 0.1, -2.0}}; }

/// F((x - m) c_in, ln sigma) of the parts, for states with s = 1.
Block<double> network_output(const LearnedParts& parts, const Block<double>& input,
                             double log_sigma) {
  fokker::Network<float> network(parts.shape);
  network.parameters() = parts.weights;
  fokker::Network<float>::Workspace w;
  network.input(input.cols(), w) = input.cast<float>().matrix();
  network.set_features(Eigen::VectorXf::Constant(1, static_cast<float>(log_sigma)), w);
  network.forward(w, false);
  return w.output.array().cast<double>();
}

std::string refusal(const std::string& text) {
  try {
    denoiser_from_json(text, "model.json");
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a learned denoiser is EDM's preconditioning of its network about the mean") {
  const LearnedParts parts = some_parts();
  const LearnedDenoiser denoiser(parts);
  const fokker::EdmPreconditioning edm{.sigma_data = parts.data_std};
  const double sigma = 0.6, scale = 0.35;
  const Eigen::Array2d mean(0.5, -1.25);
  const Block<double> x = some_points();

  Block<double> out(2, 3);
  denoiser.denoise(Block<double>(scale * x), scale, scale * sigma, out);

  const Block<double> z = x.colwise() - mean;
  const Block<double> f = network_output(parts, edm.c_in(sigma) * z, std::log(sigma));
  const Block<double> expected = (edm.c_skip(sigma) * z + edm.c_out(sigma) * f).colwise() + mean;
  CHECK((out - expected).abs().maxCoeff() < 1e-5);
}

TEST_CASE("the score of a learned denoiser is (s D - x) / std^2") {
  const LearnedDenoiser denoiser(some_parts());
  const double s = 0.8, std = 0.4;
  const Block<double> x = some_points();
  Block<double> denoised(2, 3), score(2, 3);

  denoiser.denoise(x, s, std, denoised);
  denoiser.score(x, s, std, score);

  CHECK((score - (s * denoised - x) / (std * std)).abs().maxCoeff() < 1e-10);
}

TEST_CASE("a learned denoiser has its limits without noise and without data") {
  const LearnedDenoiser denoiser(some_parts());
  const Block<double> x = some_points();
  Block<double> clean(2, 3), blind(2, 3), score(2, 3);

  denoiser.denoise(x, 0.5, 0.0, clean);
  denoiser.denoise(x, 0.0, 1.0, blind);

  CHECK((clean - 2 * x).abs().maxCoeff() < 1e-14);
  CHECK(blind.isFinite().all());
  CHECK_THROWS_AS(denoiser.score(x, 1.0, 0.0, score), std::invalid_argument);
}

TEST_CASE("a learned denoiser refuses negative scale and noise") {
  const LearnedDenoiser denoiser(some_parts());
  Block<double> out(2, 3);

  CHECK_THROWS_WITH(denoiser.score(some_points(), -1, 0.5, out), ContainsSubstring("negative"));
  CHECK_THROWS_WITH(denoiser.denoise(some_points(), 1, -0.5, out), ContainsSubstring("negative"));
}

TEST_CASE("a learned score is an AnyScore, of blocks, paths and both scalars") {
  const AffineProcess process{fokker::VariancePreserving{}};
  const auto learned = learned_score(process, LearnedDenoiser(some_parts()));
  const AnyScore<double> score = learned;
  const AnyScore<float> single = learned;
  const Block<double> x = some_points();

  Block<double> block(2, 3);
  score(x, 0.4, block);
  PathState<double> path(2), in = x.col(1);
  score(in, 0.4, path);
  const Block<float> x_single = x.cast<float>();
  Block<float> block_single(2, 3);
  single.denoise(x_single, 0.4, block_single);
  Block<double> denoised(2, 3);
  score.denoise(x, 0.4, denoised);

  CHECK(score.dimension() == 2);
  CHECK((path - block.col(1)).abs().maxCoeff() < 1e-5);
  CHECK((block_single.cast<double>() - denoised).abs().maxCoeff() < 1e-5);
  Block<double> wrong(3, 1), out(3, 1);
  wrong.setZero();
  CHECK_THROWS_AS(score(wrong, 0.4, out), std::invalid_argument);
}

TEST_CASE("the Jacobian of a learned score is that of differences, through AnyScore too") {
  const AffineProcess process{fokker::VariancePreserving{}};
  const auto learned = learned_score(process, LearnedDenoiser(some_parts()));
  const AnyScore<double> any = learned;
  const Block<double> x = some_points();
  const Block<double> v{{1.0, -0.5, 0.2}, {0.3, 2.0, -1.0}};
  Block<double> out(2, 3), erased(2, 3), above(2, 3), below(2, 3);

  for (const double t : {0.05, 0.4, 1.0}) {
    CAPTURE(t);
    CHECK(score_jacobian_times(process, learned, x, t, v, out) == 1);
    CHECK(score_jacobian_times(process, any, x, t, v, erased) == 1);

    const double h = 0.02 * process.std(t);  // the network computes in float
    learned(Block<double>(x + h * v), t, above);
    learned(Block<double>(x - h * v), t, below);
    const double size = 1 / (process.std(t) * process.std(t));
    CHECK((out - (above - below) / (2 * h)).abs().maxCoeff() < 2e-3 * size);
    CHECK((erased == out).all());
  }
  CHECK(any.has_jacobian());
  CHECK(!any.has_posterior_covariance());
  Block<double> wrong(2, 2);
  wrong.setZero();
  CHECK_THROWS_WITH(learned.jacobian_times(x, 0.4, wrong, out),
                    ContainsSubstring("each path needs a direction"));
}

TEST_CASE("the transposed Jacobian of a learned score is the transpose, through AnyScore too") {
  const AffineProcess process{fokker::VariancePreserving{}};
  const auto learned = learned_score(process, LearnedDenoiser(some_parts()));
  const AnyScore<double> any = learned;
  const Block<double> x = some_points();
  const Block<double> v{{1.0, -0.5, 0.2}, {0.3, 2.0, -1.0}}, u{{-0.4, 1.0, 0.7}, {1.1, 0.6, -2.0}};
  Block<double> forth(2, 3), back(2, 3), erased(2, 3), same_side(2, 3);

  for (const double t : {0.05, 0.4, 1.0}) {
    CAPTURE(t);
    learned.jacobian_times(x, t, v, forth);
    learned.jacobian_transposed_times(x, t, u, back);
    any.jacobian_transposed_times(x, t, u, erased);
    learned.jacobian_times(x, t, u, same_side);

    const double size = 1 / (process.std(t) * process.std(t));
    CHECK(((u * forth).colwise().sum() - (back * v).colwise().sum()).abs().maxCoeff() <
          1e-5 * size);
    CHECK((back - same_side).abs().maxCoeff() > 1e-3);  // it is not symmetric
    CHECK((erased == back).all());
  }
  CHECK(any.has_transposed_jacobian());
}

TEST_CASE("a file gives back every bit") {
  LearnedParts parts = some_parts();
  parts.weights(0) = std::numeric_limits<float>::denorm_min();
  parts.weights(1) = std::numeric_limits<float>::max();
  parts.weights(2) = 0.1f;

  const LearnedDenoiser back = denoiser_from_json(to_json(LearnedDenoiser(parts)), "model.json");

  CHECK(back.parts().weights == parts.weights);
  CHECK(back.parts().shape == parts.shape);
  CHECK(back.parts().mean == parts.mean);
  CHECK(back.parts().data_std == parts.data_std);
  CHECK(back.parts().sigma_min == parts.sigma_min);
  CHECK(back.parts().sigma_max == parts.sigma_max);
  CHECK(back.parts().process == parts.process);
  CHECK(back.parts().parameters == parts.parameters);
  CHECK(back.parts().loss == parts.loss);
}

TEST_CASE("a denoiser is read from the file it was written to") {
  const auto path = std::filesystem::temp_directory_path() / "fokker-learned-score-test.json";
  std::ofstream(path) << to_json(LearnedDenoiser(some_parts()));

  const LearnedDenoiser back = fokker::read_denoiser(path);
  std::filesystem::remove(path);

  CHECK(back.parts().weights == some_parts().weights);
  CHECK_THROWS_AS(fokker::read_denoiser(path), std::runtime_error);
}

TEST_CASE("files that hold no learned score are refused by name and reason") {
  const nlohmann::json good = nlohmann::json::parse(to_json(LearnedDenoiser(some_parts())));
  const auto with = [&](const char* key, const nlohmann::json& value) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(key)] = value;
    return refusal(bad.dump());
  };

  CHECK(refusal(good.dump()) == "accepted");
  CHECK_THAT(refusal("{\"format\": "), ContainsSubstring("model.json is not valid JSON"));
  CHECK_THAT(refusal("[1, 2]"), ContainsSubstring("model.json: not a learned score"));
  CHECK_THAT(with("/format", "other"), ContainsSubstring("not a learned score"));
  CHECK_THAT(with("/version", 2), ContainsSubstring("version 2"));
  CHECK_THAT(with("/network/width", "wide"), ContainsSubstring("'width' must be a whole number"));
  CHECK_THAT(with("/network/width", 7), ContainsSubstring("weights: got"));
  CHECK_THAT(with("/network/width", -1), ContainsSubstring("width from 1"));
  CHECK_THAT(with("/weights", "many"), ContainsSubstring("'weights' must be a list of numbers"));
  CHECK_THAT(with("/weights/3", 1e300), ContainsSubstring("must be finite"));
  CHECK_THAT(with("/weights/3", nullptr), ContainsSubstring("'weights' must be a list of numbers"));
  CHECK_THAT(with("/mean", {1.0}), ContainsSubstring("mean must have 2 numbers"));
  CHECK_THAT(with("/data_std", 0), ContainsSubstring("must be positive"));
  CHECK_THAT(with("/sigma_min", 100), ContainsSubstring("sigma_min < sigma_max"));
  CHECK_THAT(with("/process", 5), ContainsSubstring("'process' must be a name"));
  CHECK_THAT(with("/parameters", 5), ContainsSubstring("'parameters' must be"));
  CHECK_THAT(with("/version", 1.5), ContainsSubstring("'version' must be a whole number"));
  CHECK_THAT(with("/version", true), ContainsSubstring("'version' must be a whole number"));
  CHECK_THAT(with("/network/layers", 1.5), ContainsSubstring("'layers' must be a whole number"));
  CHECK_THAT(with("/colour", 1), ContainsSubstring("unknown key 'colour'"));
  CHECK_THAT(with("/network/colour", 1), ContainsSubstring("unknown key 'colour'"));
  const std::string text = good.dump();
  CHECK_THAT(refusal(R"({"version": 1, )" + text.substr(1)),
             ContainsSubstring("'version' is given twice"));
  CHECK_THAT(refusal(R"({"format": 1e400})"), ContainsSubstring("beyond the range of double"));
  nlohmann::json without = good;
  without.erase("data_std");
  CHECK_THAT(refusal(without.dump()), ContainsSubstring("'data_std' must be a number"));
}

TEST_CASE("far outside its training inputs a learned score is that of a normal law") {
  LearnedParts parts = some_parts();
  const LearnedDenoiser free(parts);
  parts.reach = 2;
  const LearnedDenoiser damped(parts);
  const double s = 0.7, std = 0.4, v = std::hypot(std, s * parts.data_std);
  // Inputs (x - s m) / v with a root mean square of 1, 3 (between reach and twice it) and 1000.
  Block<double> x{{1.0, 3.0, 1000.0}, {-1.0, 3.0, 1000.0}};
  x *= v;
  for (Index r = 0; r < 2; ++r) x.row(r) += s * parts.mean[static_cast<std::size_t>(r)];
  Block<double> before(2, 3), after(2, 3);

  free.score(x, s, std, before);
  damped.score(x, s, std, after);

  CHECK((after.col(0) == before.col(0)).all());
  for (Index r = 0; r < 2; ++r) {
    const double normal = -(x(r, 1) - s * parts.mean[static_cast<std::size_t>(r)]) / (v * v);
    CHECK_THAT(after(r, 1), WithinRel(0.5 * (before(r, 1) + normal), 1e-5));
    CHECK_THAT(after(r, 2), WithinRel(-1000 / v, 1e-12));
    CHECK(std::abs(before(r, 2) + 1000 / v) > 10);
  }
}

TEST_CASE("the Jacobian of a damped score is that of differences, and its transpose fits") {
  LearnedParts parts = some_parts();
  parts.reach = 1;
  const LearnedDenoiser damped(parts);
  const Block<double> x{{3.0}, {-1.5}};
  Block<double> up(2, 1), down(2, 1), jacobian(2, 2), transposed(2, 2);
  constexpr double step = 0.02;  // the network computes in float
  for (Index c = 0; c < 2; ++c) {
    Block<double> unit = Block<double>::Zero(2, 1);
    unit(c) = 1;
    Block<double> product(2, 1);
    damped.score_jacobian_times(x, 1, 0.8, unit, product);
    jacobian.col(c) = product;
    damped.score_jacobian_transposed_times(x, 1, 0.8, unit, product);
    transposed.row(c) = product.col(0).transpose();
    damped.score(Block<double>(x + step * unit), 1, 0.8, up);
    damped.score(Block<double>(x - step * unit), 1, 0.8, down);
    for (Index r = 0; r < 2; ++r)
      CHECK_THAT(jacobian(r, c), WithinAbs((up(r) - down(r)) / (2 * step), 2e-3));
  }
  CHECK((jacobian - transposed).abs().maxCoeff() < 1e-5);
}

TEST_CASE("the reach of a learned score is written, read and may be left out") {
  LearnedParts parts = some_parts();
  CHECK(to_json(LearnedDenoiser(parts)).find("reach") == std::string::npos);
  parts.reach = 3.25;

  const LearnedDenoiser read = denoiser_from_json(to_json(LearnedDenoiser(parts)), "model.json");

  CHECK(read.parts().reach == 3.25);
  parts.reach = -1;
  CHECK_THROWS_WITH(LearnedDenoiser(parts), ContainsSubstring("reach must be positive"));
}
