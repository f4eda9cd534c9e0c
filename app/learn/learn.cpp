/// @file  learn.cpp
/// @brief `fokker learn`: a score learned from samples, with the exact one beside it.

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fokker/analysis/distance/distances.hpp>
#include <fokker/analysis/figures/plot.hpp>
#include <fokker/analysis/figures/report.hpp>
#include <fokker/diffusion/data/finite_set.hpp>
#include <fokker/diffusion/model/probability_flow.hpp>
#include <fokker/diffusion/schedule/time_grids.hpp>
#include <fokker/diffusion/score/any_score.hpp>
#include <fokker/diffusion/train/train_score.hpp>
#include <fokker/solvers/ensemble/reductions.hpp>
#include <fokker/solvers/ensemble/simulate.hpp>
#include <fokker/solvers/ode/runge_kutta.hpp>

#include "command.hpp"
#include "support/data.hpp"
#include "support/estimate.hpp"
#include "support/interrupt.hpp"
#include "support/options.hpp"
#include "support/progress.hpp"

namespace fokker::app {
namespace {

constexpr const char* examples = R"(Examples:
  fokker learn                                     eight modes in the plane, about a minute
  fokker learn --loss velocity --process flow --out flow.json
  fokker learn --data points:digits.csv --drop-column 65 --scale 0:16 --process edm
  fokker learn --data mixture:mixture.json --steps 10000 --batch 512 --rate 1e-3 --json -
Losses: denoiser (EDM), noise (DDPM), velocity (flow matching), score (SMLD).
Without --json and --plot it writes learn.json, learn.svg and learn.png beside the model.)";

struct LearnOptions {
  CommonOptions common;
  DataOptions data;
  std::string process = "vp", loss = "denoiser", out = "model.json", samples = "2000";
  std::vector<std::string> parameters;
  std::string steps = std::to_string(TrainingSettings{}.steps);
  std::string batch = std::to_string(TrainingSettings{}.batch);
  std::string width = std::to_string(TrainingSettings{}.width);
  std::string layers = std::to_string(TrainingSettings{}.layers);
  bool undamped = false;
  std::string rate = fmt::format("{}", TrainingSettings{}.rate);
};

/// A loss of the learned and of the exact denoiser, on the same draws.
struct LossRow {
  std::string_view loss;
  double learned, exact;
};

/// How far the nearest point of a finite set is, as the root mean square of a coordinate: from
/// samples of the learned score, and from points of the set to its others. A score that is exact
/// gives 0 of the first, one that has learned what the points have in common about the second.
struct Nearest {
  double samples, data;
};

/// Samples of the learned score, and how far they are from the data.
struct Quality {
  Block<double> samples, data;
  double learned, exact;  ///< sliced W2 to the data of samples with either score
  Floor floor;
  std::optional<Nearest> nearest;  ///< of a finite set
};

constexpr Index sampling_steps = 32;

Block<double> draw(const AnyData& data, Index n, std::uint64_t seed) {
  Block<double> x(data.dimension(), n);
  PathRandom random(seed, 0, n);
  data.sample(random, x);
  return x;
}

std::vector<LossRow> measure_losses(const AffineProcess<AnySchedule>& process, const AnyData& data,
                                    const LearnedDenoiser& denoiser, std::uint64_t seed) {
  const LossContext context{process, denoiser.parts().data_std};
  const auto measure = [&](const ScoreLoss& loss, const auto& source) {
    return measure_loss(
        context, loss, training_data(data),
        [&](const Block<double>& x, double s, double std, Block<double>& out) {
          source.denoise(x, s, std, out);
        },
        seed);
  };
  std::vector<LossRow> rows;
  for (const ScoreLoss& loss : list_score_losses())
    rows.push_back({loss.name, measure(loss, denoiser), measure(loss, data)});
  return rows;
}

/// Root mean square of a coordinate of the way from columns of x to the nearest point of the set
/// that is another.
double distance_to_others(const FiniteSet& set, const Block<double>& x) {
  using Points = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const Points> points(set.points().data(), set.size(), set.dimension());
  constexpr Index work = 1'000'000'000;
  const Index columns = std::clamp<Index>(work / points.size(), 1, x.cols());
  double sum = 0;
  for (Index j = 0; j < columns; ++j) {
    const Eigen::ArrayXd squares =
        (points.rowwise() - x.col(j).transpose()).square().rowwise().sum();
    sum += (squares > 0).select(squares, std::numeric_limits<double>::infinity()).minCoeff();
  }
  return std::sqrt(sum / static_cast<double>(columns * x.rows()));
}

Quality measure_quality(const AffineProcess<AnySchedule>& process, const AnyData& data,
                        const LearnedDenoiser& denoiser, Index n, std::uint64_t seed, int threads) {
  const AnySchedule& schedule = process.schedule;
  const Time start = process.sde_start();
  const TimeGrid grid = make_grid("karras", schedule, start, process.t_min(), sampling_steps);
  const auto sample = [&](AnyScore<double> score) {
    const ProbabilityFlow flow{process, std::move(score)};
    const SimulateOptions options{.paths = n, .seed = seed, .threads = threads};
    return simulate(flow, Heun{}, OnGrid{grid}, process.prior_at(start, data.dimension()), options,
                    FinalState{})
        .value;
  };
  const auto seed_of = [&](int k) { return seed + 0x9E3779B97F4A7C15u * static_cast<unsigned>(k); };
  Quality q{.samples = sample(learned_score(process, denoiser)),
            .data = draw(data, n, seed_of(1)),
            .learned = 0,
            .exact = 0,
            .floor = {},
            .nearest = {}};
  const auto metric = make_metric("sliced-w2", q.data);
  q.learned = (*metric)(q.samples).value;
  const Block<double> exact = sample(exact_score(process, data));
  q.exact = (*metric)(exact).value;
  const auto copy = [&](int k) {
    const Block<double> x = draw(data, n, seed_of(k));
    Sample owned(x.rows(), x.cols());
    std::copy_n(x.data(), x.size(), owned.values.begin());
    return owned;
  };
  q.floor = floor_of(
      "sliced-w2",
      [&](int k) {
        return std::pair{copy(2 * k + 2), copy(2 * k + 3)};
      },
      4);
  if (const auto set = data.finite_set())
    q.nearest = {distance_to_others(*set, q.samples), distance_to_others(*set, q.data)};
  return q;
}

Panel curve_panel(const Training& training, const std::vector<LossRow>& rows,
                  std::string_view loss) {
  Panel panel{.title = "loss of the weights in training",
              .x = {.label = "step", .log = true},
              .y = {.label = fmt::format("loss '{}'", loss), .log = true}};
  Curve curve{.label = "learned", .mark = Mark::line, .colour = Colour::blue};
  for (const LossPoint& point : training.curve) {
    curve.x.push_back(static_cast<double>(point.step));
    curve.y.push_back(point.loss);
  }
  panel.layers.emplace_back(std::move(curve));
  for (const LossRow& row : rows)
    if (row.loss == loss) panel.layers.emplace_back(HorizontalLine{"exact score", row.exact});
  return panel;
}

/// The side of the images that samples are, if they may be square grey images.
std::optional<Index> image_side(const AnyData& data) {
  const auto side = static_cast<Index>(std::lround(std::sqrt(data.dimension())));
  if (data.kind() != DataKind::finite_set || side < 4 || side * side != data.dimension())
    return std::nullopt;
  return side;
}

Panel image_panel(const Quality& q, Index side) {
  constexpr Index across = 16, most = 160;
  const double low = q.data.minCoeff(), span = std::max(q.data.maxCoeff() - low, 1e-300);
  ImageGrid grid{.height = static_cast<std::size_t>(side),
                 .width = static_cast<std::size_t>(side),
                 .columns = static_cast<std::size_t>(across)};
  const Index shown = std::min(most, q.samples.cols() / across * across);
  for (Index j = 0; j < shown; ++j)
    for (Index i = 0; i < q.samples.rows(); ++i)
      grid.pixels.push_back((q.samples(i, j) - low) / span);
  Panel panel{.title = "samples with the learned score"};
  panel.layers.emplace_back(std::move(grid));
  return panel;
}

Panel plane_panel(const Quality& q) {
  Panel panel{.title = "samples with the learned score, and of the data", .equal_aspect = true};
  const auto add = [&](const char* label, const Block<double>& x, Colour colour) {
    Curve curve{.label = label, .mark = Mark::dots, .colour = colour};
    for (Index j = 0; j < std::min<Index>(x.cols(), 4000); ++j) {
      curve.x.push_back(x(0, j));
      curve.y.push_back(x(1, j));
    }
    panel.layers.emplace_back(std::move(curve));
  };
  add("data", q.data, Colour::grey);
  add("learned", q.samples, Colour::blue);
  return panel;
}

Figure figure_of(const LearnOptions& o, const AnyData& data, const Training& training,
                 const std::vector<LossRow>& rows, const std::optional<Quality>& quality) {
  Figure figure{.title = fmt::format("A score of {} learned under {}", o.data.data, o.process),
                .panels = {curve_panel(training, rows, o.loss)}};
  if (const auto side = image_side(data); quality && side && quality->samples.cols() >= 16)
    figure.panels.push_back(image_panel(*quality, *side));
  else if (quality && data.dimension() == 2)
    figure.panels.push_back(plane_panel(*quality));
  figure.columns = figure.panels.size();
  figure.width = static_cast<int>(800 * figure.columns);
  figure.height = 700;
  return figure;
}

void print(std::FILE* out, const LearnOptions& o, const AnyData& data,
           const TrainingSettings& settings, const Training& training,
           const std::vector<LossRow>& rows, const std::optional<Quality>& quality) {
  fmt::print(out,
             "{} (d = {}) under {}: {} steps of {} samples, loss {}, {} weights (width {}, {} "
             "layers), {:.1f} s, seed {}\n\n",
             o.data.data, data.dimension(), o.process, training.steps, settings.batch, o.loss,
             training.denoiser->parts().weights.size(), training.denoiser->parts().shape.width,
             settings.layers, training.seconds, settings.seed);
  if (const double reach = training.denoiser->parts().reach; std::isfinite(reach))
    fmt::print(out,
               "farther from the mean than the training inputs (RMS of a coordinate above {:.2g}) "
               "the score is blended into that of a normal law; --undamped leaves it\n\n",
               reach);
  using Align = TextTable::Align;
  TextTable table({{"loss", Align::left}, {"learned"}, {"exact score"}, {"excess"}});
  for (const LossRow& row : rows)
    table.add_row({std::string(row.loss), fmt::format("{:.4g}", row.learned),
                   fmt::format("{:.4g}", row.exact),
                   fmt::format("{:.2g}", row.learned - row.exact)});
  fmt::print(out, "{}", table.text());
  if (quality)
    fmt::print(out,
               "\nsliced-w2 of {} samples (heun, {} steps) to the data: {:.4f} learned, {:.4f} "
               "exact score, {:.4f} two exact samples\n",
               quality->samples.cols(), sampling_steps, quality->learned, quality->exact,
               quality->floor.mean);
  if (quality && quality->nearest)
    fmt::print(out,
               "nearest point of the data, RMS of a coordinate: {:.3g} from samples, {:.3g} from "
               "other points\n",
               quality->nearest->samples, quality->nearest->data);
}

nlohmann::ordered_json json_of(const LearnOptions& o, const TrainingSettings& settings,
                               const Training& training, const std::vector<LossRow>& rows,
                               const std::optional<Quality>& quality) {
  using Json = nlohmann::ordered_json;
  Json curve = Json::array(), losses = Json::array();
  for (const LossPoint& point : training.curve)
    curve.push_back({{"step", point.step}, {"loss", point.loss}});
  for (const LossRow& row : rows)
    losses.push_back({{"loss", row.loss}, {"learned", row.learned}, {"exact", row.exact}});
  Json json = {{"settings",
                {{"data", o.data.data},
                 {"process", o.process},
                 {"parameters", training.denoiser->parts().parameters},
                 {"loss", o.loss},
                 {"steps", settings.steps},
                 {"batch", settings.batch},
                 {"width", training.denoiser->parts().shape.width},
                 {"layers", settings.layers},
                 {"rate", settings.rate},
                 {"seed", settings.seed}}},
               {"model", o.out},
               {"status", to_string(training.status)},
               {"steps", training.steps},
               {"seconds", training.seconds},
               {"losses", losses},
               {"curve", curve}};
  if (quality)
    json["sliced-w2"] = {{"samples", quality->samples.cols()},
                         {"learned", quality->learned},
                         {"exact", quality->exact},
                         {"floor", quality->floor.mean},
                         {"floor_sd", quality->floor.sd}};
  if (quality && quality->nearest)
    json["nearest"] = {{"samples", quality->nearest->samples}, {"data", quality->nearest->data}};
  return json;
}

/// @throws std::invalid_argument  settings for which the memory is not enough
void require_memory_for(const TrainingSettings& settings, Index d, Index samples) {
  const auto size = [](Index n) { return static_cast<double>(n); };
  const NetworkShape shape{
      .dimension = d, .width = width_of(settings, d), .layers = settings.layers};
  shape.validate();
  // Each 128 samples of a batch have a gradient of their own, and the activations of every layer.
  const double chunks = std::ceil(size(settings.batch) / 128);
  require_memory(
      4 * (chunks * (size(shape.parameters()) +
                     128 * size(3 * d + 3 * shape.width * (shape.layers + 2))) +
           5 * size(shape.parameters())),
      fmt::format("training by batches of {} samples: lower --batch, --width or --layers",
                  settings.batch));
  constexpr double copies = 8;  // of the learned and the exact score, of the data, and of the floor
  require_memory(
      copies * 8 * size(samples) * size(d),
      fmt::format("{} samples with the learned score and the exact one: lower --samples", samples));
}

int learn_command(LearnOptions o) {
  o.process = list_schedules().canonical(o.process);
  const AnyData data = read_data(o.data);
  const auto parameters = assignments(o.parameters, "--set");
  const AffineProcess<AnySchedule> process(make_schedule(o.process, parameters));
  TrainingSettings settings{.loss = score_loss(o.loss).name,
                            .steps = whole_number(o.steps, "--steps", 1),
                            .batch = whole_number(o.batch, "--batch", 1),
                            .damped = !o.undamped,
                            .width = whole_number(o.width, "--width", 0),
                            .layers = whole_number(o.layers, "--layers", 0),
                            .rate = number(o.rate, "--rate"),
                            .seed = o.common.seed,
                            .threads = o.common.threads};
  const Index samples = whole_number(o.samples, "--samples", 0);
  if (samples == 1)
    throw std::invalid_argument("--samples needs 0, for none, or at least 2: got 1");
  require_memory_for(settings, data.dimension(), samples);
  if (o.common.json.empty() && o.common.plots.empty()) {
    o.common.json = "learn.json";
    o.common.plots = {"learn.svg", "learn.png"};
  }
  check_outputs(o.common,
                {.outputs = {{"--out", &o.out}}, .inputs = files_in("--data", o.data.data)});

  settings.cancel = &catch_interrupt();
  Training training;
  {
    Progress progress(o.common.quiet);
    settings.progress = [&](double fraction, double loss) {
      progress.update(fraction, fmt::format("loss {:.4g}", loss));
    };
    training = train_score(process, training_data(data), settings);
  }
  if (training.status == Status::non_finite) {
    fmt::print(stderr,
               "fokker: the loss was not finite in step {}: nothing is written; a lower --rate may "
               "help\n",
               training.steps);
    return failed;
  }
  if (!training.denoiser) {
    fmt::print(stderr, "fokker: interrupted before the first step\n");
    return interrupted;
  }
  keep_results();
  LearnedParts parts = training.denoiser->parts();
  parts.parameters = parameters;
  training.denoiser = LearnedDenoiser(std::move(parts));
  write_file_atomically(o.out, to_json(*training.denoiser));

  std::vector<LossRow> rows;
  std::optional<Quality> quality;
  if (training.status == Status::success) {
    rows = measure_losses(process, data, *training.denoiser, settings.seed);
    if (samples > 0)
      quality = measure_quality(process, data, *training.denoiser, samples, settings.seed,
                                settings.threads);
  }
  print(o.common.tables(), o, data, settings, training, rows, quality);
  write_json(o.common, json_of(o, settings, training, rows, quality));
  draw(o.common, [&] { return figure_of(o, data, training, rows, quality); });
  say_written(o.common.tables(), o.common, std::vector{o.out});
  if (training.status == Status::cancelled) {
    fmt::print(stderr, "fokker: interrupted; the model is that of {} of {} steps\n", training.steps,
               settings.steps);
    return interrupted;
  }
  return done;
}

}  // namespace

Command make_learn(CLI::App& app) {
  CLI::App* parser = app.add_subcommand(
      "learn", "Learn a score from samples by denoising score matching, and write it to a file");
  const auto o = std::make_shared<LearnOptions>();
  parser->add_option("--process", o->process, "Forward process (fokker list processes)")
      ->capture_default_str();
  add_list(*parser, "--set", o->parameters, "Parameters of the process: name=value,...");
  parser
      ->add_option("--data", o->data.data,
                   "ring8, gaussian, mixture:FILE.json, points:FILE.csv or spectrum:FILE.csv")
      ->capture_default_str();
  add_list(*parser, "--drop-column", o->data.drop_columns,
           "Leave column N (from 1) of a points file out; repeatable");
  parser->add_option("--scale", o->data.scale, "a:b maps [a, b] of a points file to [-1, 1]");
  parser->add_option("--loss", o->loss, "What is minimised")
      ->type_name("denoiser|noise|velocity|score")
      ->capture_default_str();
  parser->add_option("--out", o->out, "File of the model")
      ->type_name("FILE")
      ->capture_default_str();
  parser->add_option("--steps", o->steps, "Steps of Adam")->capture_default_str();
  parser->add_option("--batch", o->batch, "Samples of each step")->capture_default_str();
  parser
      ->add_option("--width", o->width,
                   "Width of the network; 0: four for each dimension, from 128 to 512")
      ->capture_default_str();
  parser->add_flag("--undamped", o->undamped,
                   "Leave the network as it is far outside its training inputs, where the score is "
                   "otherwise blended into that of a normal law");
  parser->add_option("--layers", o->layers, "Residual layers of the network")
      ->capture_default_str();
  parser->add_option("--rate,--lr", o->rate, "Learning rate, at its highest")
      ->capture_default_str();
  parser
      ->add_option("--samples", o->samples,
                   "Samples drawn with the learned score and compared with the data; 0: none")
      ->capture_default_str();
  add_common(*parser, o->common);
  add_plot(*parser, o->common);
  parser->footer(examples);
  return {parser, [o] { return learn_command(*o); }};
}

}  // namespace fokker::app
