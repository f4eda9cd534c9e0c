#pragma once
/// @file  mixture_tables.hpp
/// @brief A Gaussian mixture at one (s, std), as the score kernels take it.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <fokker/diffusion/detail/kernels.hpp>

#include "data/mixture_law.hpp"

namespace fokker::detail {

/// With V_k = s^2 C_k + std^2 I, component k has the centre s m_k, the log weight ln w_k - 1/2 ln
/// det V_k - constant, and the precision V_k^-1; its denoiser is offset_k + gain_k x, gain_k = s C_k
/// V_k^-1. Precision and gain are one number per component if all are isotropic, else d x d.
template <class S>
struct MixtureTables {
  double constant;  ///< the largest ln w_k - 1/2 ln det V_k
  std::vector<S> centre, log_weight, precision, offset, gain;

  /// The tables of this thread, which hold until it asks for others.
  static const MixtureTables& of(const MixtureLaw& law, double s, double std) {
    static thread_local MixtureTables tables;
    tables.make(law, s, std);
    return tables;
  }

  /// The gradient and, unless it is null, the log of the sum of the components.
  void score(BlockView<const S> x, BlockView<S> out, S* log_sum = nullptr) const {
    with_table([&](const auto& table) {
      mixture_score(table, x.data, static_cast<std::size_t>(x.stride),
                    static_cast<std::size_t>(x.columns), out.data,
                    static_cast<std::size_t>(out.stride), log_sum);
    });
  }

  /// out = sum_k w_k(x) (offset_k + gain_k x).
  void mean(BlockView<const S> x, BlockView<S> out) const {
    with_table([&](const auto& table) {
      mixture_mean(table, ComponentMeans<S>{offset.data(), gain.data()}, x.data,
                   static_cast<std::size_t>(x.stride), static_cast<std::size_t>(x.columns),
                   out.data, static_cast<std::size_t>(out.stride));
    });
  }

 private:
  template <class F>
  void with_table(F&& f) const {
    const std::size_t components = log_weight.size(), d = centre.size() / components;
    if (precision.size() == components)
      f(MixtureTable<S>{d, components, log_weight.data(), centre.data(), precision.data()});
    else
      f(GeneralMixtureTable<S>{d, components, log_weight.data(), centre.data(), precision.data()});
  }

  void make(const MixtureLaw& law, double s, double std) {
    const auto all = law.components();
    const auto d = static_cast<std::size_t>(law.dimension());
    const std::size_t matrix = law.matrix_size();
    centre.resize(all.size() * d);
    offset.resize(all.size() * d);
    log_weight.resize(all.size());
    precision.resize(all.size() * matrix);
    gain.resize(all.size() * matrix);
    const auto noised = [=](double v) { return s * s * v + std * std; };

    double* const weight = scratch<double, Slot<MixtureTables, 0>>(static_cast<Index>(all.size()));
    for (std::size_t k = 0; k < all.size(); ++k) {
      const auto v = law.eigenvalues(k);
      double log_det = 0;
      for (const double value : v) log_det += std::log(noised(value));
      weight[k] = law.log_weight(k) - 0.5 * log_det * static_cast<double>(d / v.size());
    }
    constant = *std::max_element(weight, weight + all.size());

    for (std::size_t k = 0; k < all.size(); ++k) {
      const double* const mean = all[k].mean.data();
      const auto v = law.eigenvalues(k);
      log_weight[k] = static_cast<S>(weight[k] - constant);
      for (std::size_t r = 0; r < d; ++r) centre[k * d + r] = static_cast<S>(s * mean[r]);
      if (law.isotropic()) {
        precision[k] = static_cast<S>(1 / noised(v[0]));
        gain[k] = static_cast<S>(s * v[0] / noised(v[0]));
        for (std::size_t r = 0; r < d; ++r)
          offset[k * d + r] = static_cast<S>(std * std / noised(v[0]) * mean[r]);
        continue;
      }
      const auto u = law.basis(k);
      for (std::size_t r = 0; r < d; ++r) {
        double at_zero = 0;
        for (std::size_t c = 0; c < d; ++c) {
          double inverse = 0, slope = 0;
          for (std::size_t i = 0; i < d; ++i) {
            const double projection = u[r * d + i] * u[c * d + i] / noised(v[i]);
            inverse += projection;
            slope += s * v[i] * projection;
          }
          at_zero += std * std * inverse * mean[c];
          precision[k * matrix + r * d + c] = static_cast<S>(inverse);
          gain[k * matrix + r * d + c] = static_cast<S>(slope);
        }
        offset[k * d + r] = static_cast<S>(at_zero);
      }
    }
  }
};

}  // namespace fokker::detail
