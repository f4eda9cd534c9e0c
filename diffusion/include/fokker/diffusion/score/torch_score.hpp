#pragma once
/// @file  fokker/diffusion/score/torch_score.hpp
/// @brief A network from outside, a TorchScript module, as the model of a score. Needs libtorch.
///
/// Not part of fokker.hpp. With -DFOKKER_TORCH=ON there is a target fokker::torch to link.

#if !__has_include(<torch/script.h>)
#error \
    "fokker/diffusion/score/torch_score.hpp needs libtorch: configure fokker with -DFOKKER_TORCH=ON"
#endif

#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <fmt/core.h>
#include <torch/script.h>

#include <fokker/diffusion/data/data.hpp>
#include <fokker/diffusion/score/parametrisation.hpp>

namespace fokker {

/// A TorchScript module `forward(x, c)` as a callable model(x, t, out): x is an n x d tensor of
/// float, c = clock(t) as a tensor of n equal numbers, the result n x d. `score_from` makes a score
/// of it: score_from(Prediction::noise, process, TorchModel("model.pt", d)).
/// Copies share the module, which is put into evaluation mode; calls are safe from any thread if
/// its forward changes nothing in it. torch allocates in every call.
class TorchModel {
 public:
  /// @param path       as torch.jit.save or torch::jit::Module::save writes it
  /// @param dimension  d
  /// @param clock      what the module is told of the time t; t itself if empty. Where the noise is
  ///                   meant, [process](Time t) { return process.sigma(t); }
  /// @throws std::runtime_error  a file that torch cannot read
  TorchModel(const std::filesystem::path& path, Index dimension,
             std::function<double(Time)> clock = {})
      : self_(std::make_shared<Self>()) {
    self_->name = path.string();
    self_->dimension = dimension;
    self_->clock = std::move(clock);
    try {
      self_->module = torch::jit::load(path.string(), torch::kCPU);
      self_->module.eval();
    } catch (const c10::Error& error) {
      throw std::runtime_error(fmt::format("cannot read {} as a TorchScript module: {}",
                                           self_->name, first_line(error)));
    }
  }

  Index dimension() const { return self_->dimension; }

  /// out = forward(x, clock(t)). @param x,out  d x n, float or double; must not overlap
  /// @throws std::runtime_error  what torch says; a result of another shape
  template <State X>
  void operator()(const X& x, Time t, X& out) const {
    detail::with_input(x, [&](auto in) {
      detail::with_output(out, [&](auto result) { evaluate(in, t, result); });
    });
  }

 private:
  struct Self {
    std::string name;
    Index dimension = 0;
    std::function<double(Time)> clock;
    torch::jit::Module module;
  };

  static std::string first_line(const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    return text.substr(0, text.find('\n'));
  }

  template <class S>
  void evaluate(detail::BlockView<const S> x, Time t, detail::BlockView<S> out) const {
    const torch::NoGradGuard no_grad;
    constexpr auto type = std::is_same_v<S, double> ? torch::kFloat64 : torch::kFloat32;
    const torch::Tensor in =
        torch::from_blob(const_cast<S*>(x.data), {x.rows, x.columns}, {x.stride, 1}, type)
            .t()
            .to(torch::kFloat32)
            .contiguous();
    const double c = self_->clock ? self_->clock(t) : t;
    torch::Tensor result;
    try {
      result = self_->module.forward({in, torch::full({x.columns}, c, torch::kFloat32)}).toTensor();
    } catch (const c10::Error& error) {
      throw std::runtime_error(
          fmt::format("{}: forward failed: {}", self_->name, first_line(error)));
    }
    if (result.sizes() != in.sizes())
      throw std::runtime_error(fmt::format(
          "{}: forward of {} points in dimension {} must give as many: got a tensor of {} numbers",
          self_->name, x.columns, x.rows, result.numel()));
    torch::from_blob(out.data, {out.rows, out.columns}, {out.stride, 1}, type).copy_(result.t());
  }

  std::shared_ptr<Self> self_;
};

}  // namespace fokker
