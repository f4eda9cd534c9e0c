/// @file  kernels/score.cpp
/// @brief Softmax-weighted sums over components or data points, for tiles of paths. Compiled once
/// per
///        instruction set, with contraction to fma.
///
/// Every kernel streams over its components and keeps, per path, the largest logit so far (`top`)
/// and the sums of weights relative to it; a new top rescales the sums. So memory is bounded.

#include "score.hpp"

#include <simd/math.hpp>

namespace fokker::detail::FOKKER_ISA {
namespace {

/// Rows of T vectors: T * lanes<S> paths, at most 64. Four vectors hide the latency of fma, two
/// leave registers for the products with several points where there are only 16 registers.
constexpr std::size_t mixture_vectors = 4;
constexpr std::size_t point_vectors = FOKKER_VECTOR_BYTES == 64 ? 4 : 2;

/// Components between two updates of the top.
constexpr std::size_t component_block = 32;

template <class S>
constexpr S lowest = sizeof(S) == 8 ? S(-__DBL_MAX__) : S(-__FLT_MAX__);

template <class V>
FOKKER_INLINE V larger(V a, V b) {
  return a > b ? a : b;
}

/// Columns [0, count) of the block into rows of T vectors; the rest repeats column 0.
template <std::size_t T, class S>
FOKKER_INLINE void gather(const S* x, std::size_t stride, std::size_t count, std::size_t d,
                          Vec<S>* tile) {
  constexpr std::size_t width = T * lanes<S>;
  for (std::size_t r = 0; r < d; ++r) {
    if (count == width) {
      for (std::size_t t = 0; t < T; ++t) tile[r * T + t] = load(x + r * stride + t * lanes<S>);
    } else if (count == 1) {
      for (std::size_t t = 0; t < T; ++t) tile[r * T + t] = broadcast(x[r * stride]);
    } else {
      S row[width];
      for (std::size_t j = 0; j < width; ++j) row[j] = x[r * stride + (j < count ? j : 0)];
      for (std::size_t t = 0; t < T; ++t) tile[r * T + t] = load(row + t * lanes<S>);
    }
  }
}

/// The first `count` columns of rows of T vectors, to the block.
template <std::size_t T, class S>
FOKKER_INLINE void scatter(const Vec<S>* tile, std::size_t d, std::size_t count, S* out,
                           std::size_t stride) {
  constexpr std::size_t width = T * lanes<S>;
  for (std::size_t r = 0; r < d; ++r) {
    if (count == width) {
      for (std::size_t t = 0; t < T; ++t) store(out + r * stride + t * lanes<S>, tile[r * T + t]);
    } else {
      S row[width];
      for (std::size_t t = 0; t < T; ++t) store(row + t * lanes<S>, tile[r * T + t]);
      for (std::size_t j = 0; j < count; ++j) out[r * stride + j] = row[j];
    }
  }
}

/// Input and output rows of a tile, and two more: in registers or on the stack where d is known at
/// compile time (D > 0), else in the scratch memory.
template <class S, std::size_t T, std::size_t D>
struct Tile {
  Vec<S> x[D * T], out[D * T], a[D * T], b[D * T];
  static constexpr std::size_t dimension(std::size_t) { return D; }
  FOKKER_INLINE explicit Tile(S*, std::size_t) {}
};

template <class S, std::size_t T>
struct Tile<S, T, 0> {
  Vec<S>*x, *out, *a, *b;
  static constexpr std::size_t dimension(std::size_t d) { return d; }
  FOKKER_INLINE explicit Tile(S* scratch, std::size_t d) {
    x = reinterpret_cast<Vec<S>*>(scratch);
    out = x + d * T;
    a = out + d * T;
    b = a + d * T;
  }
};

/// What is averaged over the components: the gradient, precision_k (mean_k - x), or, for
/// ComponentMeans, the mean offset_k + gain_k x.
struct Gradient {};

template <class Average>
inline constexpr bool is_gradient = false;
template <>
inline constexpr bool is_gradient<Gradient> = true;

/// Isotropic components.
template <class S, std::size_t T, std::size_t D, class Average>
FOKKER_INLINE void mixture_tile(const MixtureTable<S>& m, const Average& average,
                                Tile<S, T, D>& tile, Vec<S> (&top)[T], Vec<S> (&sum)[T]) {
  using V = Vec<S>;
  const std::size_t d = tile.dimension(m.dimension);
  for (std::size_t t = 0; t < T; ++t) {
    top[t] = broadcast(lowest<S>);
    sum[t] = V{};
  }
  for (std::size_t i = 0; i < d * T; ++i) tile.out[i] = V{};

  V gain[T] = {};
  V weight[component_block][T];
  for (std::size_t first = 0; first < m.components; first += component_block) {
    const std::size_t left = m.components - first;
    const std::size_t count = left < component_block ? left : component_block;
    const S* const mean = m.mean + first * d;
    V high[T];
    for (std::size_t t = 0; t < T; ++t) high[t] = top[t];
    for (std::size_t k = 0; k < count; ++k) {
      const S half = S(-0.5) * m.precision[first + k];
      const S log_weight = m.log_weight[first + k];
      V square[T] = {};
      for (std::size_t r = 0; r < d; ++r)
        for (std::size_t t = 0; t < T; ++t) {
          const V difference = tile.x[r * T + t] - mean[k * d + r];
          square[t] = difference * difference + square[t];
        }
      for (std::size_t t = 0; t < T; ++t) {
        weight[k][t] = square[t] * half + log_weight;
        high[t] = larger(weight[k][t], high[t]);
      }
    }
    if (first > 0)
      for (std::size_t t = 0; t < T; ++t) {
        const V rescale = exp_weight(top[t] - high[t]);
        sum[t] *= rescale;
        gain[t] *= rescale;
        for (std::size_t r = 0; r < d; ++r) tile.out[r * T + t] *= rescale;
      }
    for (std::size_t t = 0; t < T; ++t) top[t] = high[t];
    for (std::size_t k = 0; k < count; ++k)
      for (std::size_t t = 0; t < T; ++t) {
        const V w = exp_weight(weight[k][t] - top[t]);
        sum[t] += w;
        if constexpr (is_gradient<Average>) {
          weight[k][t] = w * m.precision[first + k];
        } else {
          weight[k][t] = w;
          gain[t] = w * average.gain[first + k] + gain[t];
        }
      }
    for (std::size_t r = 0; r < d; ++r) {
      V total[T];
      for (std::size_t t = 0; t < T; ++t) total[t] = tile.out[r * T + t];
      for (std::size_t k = 0; k < count; ++k)
        for (std::size_t t = 0; t < T; ++t)
          if constexpr (is_gradient<Average>)
            total[t] = weight[k][t] * (mean[k * d + r] - tile.x[r * T + t]) + total[t];
          else
            total[t] = weight[k][t] * average.offset[(first + k) * d + r] + total[t];
      for (std::size_t t = 0; t < T; ++t) tile.out[r * T + t] = total[t];
    }
  }
  if constexpr (!is_gradient<Average>)
    for (std::size_t r = 0; r < d; ++r)
      for (std::size_t t = 0; t < T; ++t)
        tile.out[r * T + t] = gain[t] * tile.x[r * T + t] + tile.out[r * T + t];
}

/// Full covariances: the top is updated by every component, with one exponential, since either the
/// old sums or the new term keep their scale.
template <class S, std::size_t T, std::size_t D, class Average>
FOKKER_INLINE void mixture_tile(const GeneralMixtureTable<S>& m, const Average& average,
                                Tile<S, T, D>& tile, Vec<S> (&top)[T], Vec<S> (&sum)[T]) {
  using V = Vec<S>;
  const std::size_t d = tile.dimension(m.dimension);
  for (std::size_t t = 0; t < T; ++t) {
    top[t] = broadcast(lowest<S>);
    sum[t] = V{};
  }
  for (std::size_t i = 0; i < d * T; ++i) tile.out[i] = V{};

  for (std::size_t k = 0; k < m.components; ++k) {
    const S* const mean = m.mean + k * d;
    const S* const precision = m.precision + k * d * d;
    for (std::size_t r = 0; r < d; ++r)
      for (std::size_t t = 0; t < T; ++t) tile.a[r * T + t] = mean[r] - tile.x[r * T + t];
    V square[T] = {};
    for (std::size_t r = 0; r < d; ++r) {
      V slope[T] = {};
      for (std::size_t c = 0; c < d; ++c)
        for (std::size_t t = 0; t < T; ++t)
          slope[t] = tile.a[c * T + t] * precision[r * d + c] + slope[t];
      for (std::size_t t = 0; t < T; ++t) {
        tile.b[r * T + t] = slope[t];
        square[t] = tile.a[r * T + t] * slope[t] + square[t];
      }
    }
    if constexpr (!is_gradient<Average>)
      for (std::size_t r = 0; r < d; ++r) {
        V value[T];
        for (std::size_t t = 0; t < T; ++t) value[t] = broadcast(average.offset[k * d + r]);
        for (std::size_t c = 0; c < d; ++c)
          for (std::size_t t = 0; t < T; ++t)
            value[t] = tile.x[c * T + t] * average.gain[(k * d + r) * d + c] + value[t];
        for (std::size_t t = 0; t < T; ++t) tile.b[r * T + t] = value[t];
      }
    for (std::size_t t = 0; t < T; ++t) {
      const V one = broadcast(S(1));
      const V logit = square[t] * S(-0.5) + m.log_weight[k];
      const V rise = logit - top[t];
      const V e = exp_weight(rise > V{} ? -rise : rise);
      const V keep = rise > V{} ? e : one;
      const V w = rise > V{} ? one : e;
      top[t] = larger(logit, top[t]);
      sum[t] = sum[t] * keep + w;
      for (std::size_t r = 0; r < d; ++r) {
        const V kept = tile.out[r * T + t] * keep;
        tile.out[r * T + t] = w * tile.b[r * T + t] + kept;
      }
    }
  }
}

template <std::size_t D, std::size_t T, class Table, class Average, class S>
FOKKER_INLINE void mixture_columns(const Table& m, const Average& average, const S* x,
                                   std::size_t x_stride, std::size_t count, S* out,
                                   std::size_t out_stride, S* log_sum, S* scratch) {
  Tile<S, T, D> tile(scratch, m.dimension);
  const std::size_t d = tile.dimension(m.dimension);
  gather<T>(x, x_stride, count, d, tile.x);
  Vec<S> top[T], sum[T];
  mixture_tile(m, average, tile, top, sum);
  for (std::size_t t = 0; t < T; ++t) {
    const Vec<S> inverse = S(1) / sum[t];
    for (std::size_t r = 0; r < d; ++r) tile.out[r * T + t] *= inverse;
  }
  scatter<T>(tile.out, d, count, out, out_stride);
  if (log_sum == nullptr) return;
  for (std::size_t t = 0; t < T; ++t) top[t] += log(sum[t]);
  scatter<T>(top, 1, count, log_sum, 0);
}

template <std::size_t D, class Table, class Average, class S>
void mixture_block(const Table& m, const Average& average, const S* x, std::size_t x_stride,
                   std::size_t n, S* out, std::size_t out_stride, S* log_sum, S* scratch) {
  constexpr std::size_t wide = mixture_vectors * lanes<S>;
  std::size_t j = 0;
  for (; j + wide <= n; j += wide)
    mixture_columns<D, mixture_vectors>(m, average, x + j, x_stride, wide, out + j, out_stride,
                                        log_sum != nullptr ? log_sum + j : nullptr, scratch);
  for (; j < n; j += lanes<S>) {
    const std::size_t count = n - j < lanes<S> ? n - j : lanes<S>;
    mixture_columns<D, 1>(m, average, x + j, x_stride, count, out + j, out_stride,
                          log_sum != nullptr ? log_sum + j : nullptr, scratch);
  }
}

template <class Table, class Average, class S>
FOKKER_INLINE void mixture_average(const Table& m, const Average& average, const S* x,
                                   std::size_t x_stride, std::size_t n, S* out,
                                   std::size_t out_stride, S* log_sum, S* scratch) {
  if (m.dimension == 1)
    mixture_block<1>(m, average, x, x_stride, n, out, out_stride, log_sum, scratch);
  else if (m.dimension == 2)
    mixture_block<2>(m, average, x, x_stride, n, out, out_stride, log_sum, scratch);
  else
    mixture_block<0>(m, average, x, x_stride, n, out, out_stride, log_sum, scratch);
}

template <class Table, class S>
void mixture(const Table& m, const S* x, std::size_t x_stride, std::size_t n, S* score,
             std::size_t score_stride, S* log_sum, S* scratch) {
  mixture_average(m, Gradient{}, x, x_stride, n, score, score_stride, log_sum, scratch);
}

template <class Table, class S>
void mixture_mean(const Table& m, const ComponentMeans<S>& means, const S* x, std::size_t x_stride,
                  std::size_t n, S* mean, std::size_t mean_stride, S* scratch) {
  S* const no_log_sum = nullptr;
  mixture_average(m, means, x, x_stride, n, mean, mean_stride, no_log_sum, scratch);
}

// Data sets: two matrix products per block of points, in register tiles of R points (then R
// components) by T vectors of paths, with the softmax between them.

/// log_weight_i - precision/2 |scale y_i|^2, what a logit has beside its scalar product.
template <class S>
FOKKER_INLINE S bias(const PointTable<S>& t, std::size_t i) {
  const S square = t.precision * t.scale * t.scale * t.half_square[i];
  return t.log_weight != nullptr ? t.log_weight[i] - square : -square;
}

template <std::size_t R, std::size_t T, class S>
FOKKER_INLINE void point_logits(const PointTable<S>& table, std::size_t i, const Vec<S>* x,
                                Vec<S> (*logit)[T], Vec<S> (&high)[T]) {
  const std::size_t d = table.dimension;
  const S* const y = table.point + i * d;
  Vec<S> product[R][T] = {};
  for (std::size_t r = 0; r < d; ++r)
    for (std::size_t q = 0; q < R; ++q)
      for (std::size_t t = 0; t < T; ++t)
        product[q][t] = x[r * T + t] * y[q * d + r] + product[q][t];
  for (std::size_t q = 0; q < R; ++q) {
    const S slope = table.precision * table.scale;
    const S constant = bias(table, i + q);
    for (std::size_t t = 0; t < T; ++t) {
      logit[q][t] = product[q][t] * slope + constant;
      high[t] = larger(logit[q][t], high[t]);
    }
  }
}

/// out_r += sum of w_i y_ir over the listed points, for R components.
template <std::size_t R, std::size_t T, class S>
FOKKER_INLINE void point_sums(const S* y, std::size_t d, const std::size_t* listed,
                              std::size_t count, const Vec<S> (*weight)[T], Vec<S>* out) {
  Vec<S> total[R][T];
  for (std::size_t q = 0; q < R; ++q)
    for (std::size_t t = 0; t < T; ++t) total[q][t] = out[q * T + t];
  for (std::size_t l = 0; l < count; ++l) {
    const std::size_t i = listed[l];
    for (std::size_t q = 0; q < R; ++q)
      for (std::size_t t = 0; t < T; ++t) total[q][t] = weight[i][t] * y[i * d + q] + total[q][t];
  }
  for (std::size_t q = 0; q < R; ++q)
    for (std::size_t t = 0; t < T; ++t) out[q * T + t] = total[q][t];
}

template <class S>
void point_columns(const PointTable<S>& table, const S* x, std::size_t x_stride, std::size_t count,
                   S* mean, std::size_t mean_stride, S* log_sum, S* scratch) {
  using V = Vec<S>;
  constexpr std::size_t T = point_vectors, R = 4;
  const std::size_t d = table.dimension;
  Tile<S, T, 0> tile(scratch, d);
  gather<T>(x, x_stride, count, d, tile.x);
  V top[T], sum[T] = {};
  for (std::size_t t = 0; t < T; ++t) top[t] = broadcast(lowest<S>);
  for (std::size_t i = 0; i < d * T; ++i) tile.out[i] = V{};

  V weight[component_block][T];
  for (std::size_t first = 0; first < table.points; first += component_block) {
    const std::size_t left = table.points - first;
    const std::size_t size = left < component_block ? left : component_block;
    V high[T];
    for (std::size_t t = 0; t < T; ++t) high[t] = top[t];
    std::size_t i = 0;
    for (; i + R <= size; i += R) point_logits<R, T>(table, first + i, tile.x, weight + i, high);
    for (; i < size; ++i) point_logits<1, T>(table, first + i, tile.x, weight + i, high);

    V rescale[T], change = V{};
    for (std::size_t t = 0; t < T; ++t) {
      change += high[t] - top[t];
      rescale[t] = exp_weight(top[t] - high[t]);
      sum[t] *= rescale[t];
      top[t] = high[t];
    }
    if (any(change != V{}))
      for (std::size_t r = 0; r < d; ++r)
        for (std::size_t t = 0; t < T; ++t) tile.out[r * T + t] *= rescale[t];

    std::size_t listed[component_block];  // points with a weight on some path
    std::size_t active = 0;
    for (i = 0; i < size; ++i) {
      V largest = V{};
      for (std::size_t t = 0; t < T; ++t) {
        weight[i][t] = exp_weight(weight[i][t] - top[t]);
        sum[t] += weight[i][t];
        largest += weight[i][t];
      }
      listed[active] = i;
      active += any(largest != V{}) ? 1 : 0;
    }
    const S* const y = table.point + first * d;
    std::size_t r = 0;
    for (; r + R <= d; r += R) point_sums<R, T>(y + r, d, listed, active, weight, tile.out + r * T);
    for (; r < d; ++r) point_sums<1, T>(y + r, d, listed, active, weight, tile.out + r * T);
  }

  for (std::size_t t = 0; t < T; ++t) {
    const V inverse = S(1) / sum[t];
    for (std::size_t r = 0; r < d; ++r) tile.out[r * T + t] *= inverse;
  }
  scatter<T>(tile.out, d, count, mean, mean_stride);
  if (log_sum == nullptr) return;
  for (std::size_t t = 0; t < T; ++t) {
    V square = V{};
    for (std::size_t r = 0; r < d; ++r) square = tile.x[r * T + t] * tile.x[r * T + t] + square;
    top[t] = square * (S(-0.5) * table.precision) + top[t];
    top[t] += log(sum[t]);
  }
  scatter<T>(top, 1, count, log_sum, 0);
}

/// Sum over the lanes, by halves.
template <class S>
FOKKER_INLINE S lane_sum(Vec<S> v) {
  S part[lanes<S>];
  store(part, v);
  for (std::size_t half = lanes<S> / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) part[i] += part[i + half];
  return part[0];
}

/// The scalar products of a column with R points.
template <std::size_t R, class S>
FOKKER_INLINE void single_products(const S* column, const S* y, std::size_t d, S* product) {
  constexpr std::size_t L = lanes<S>;
  Vec<S> part[R] = {};
  std::size_t r = 0;
  for (; r + L <= d; r += L)
    for (std::size_t q = 0; q < R; ++q) part[q] = load(column + r) * load(y + q * d + r) + part[q];
  for (std::size_t q = 0; q < R; ++q) product[q] = lane_sum<S>(part[q]);
  for (; r < d; ++r)
    for (std::size_t q = 0; q < R; ++q) product[q] += column[r] * y[q * d + r];
}

/// One path alone: lanes run over components instead.
template <class S>
void point_single(const PointTable<S>& table, const S* x, std::size_t x_stride, S* mean,
                  std::size_t mean_stride, S* log_sum, S* scratch) {
  using V = Vec<S>;
  constexpr std::size_t L = lanes<S>, R = 4;
  const std::size_t d = table.dimension;
  const std::size_t whole = d / L * L;
  S* const column = scratch;
  S* const out = scratch + d;
  for (std::size_t r = 0; r < d; ++r) {
    column[r] = x[r * x_stride];
    out[r] = 0;
  }
  S top = lowest<S>, sum = 0;

  for (std::size_t first = 0; first < table.points; first += component_block) {
    const std::size_t left = table.points - first;
    const std::size_t size = left < component_block ? left : component_block;
    const S* const block = table.point + first * d;
    S weight[component_block];
    S high = top;
    std::size_t i = 0;
    for (; i + R <= size; i += R) single_products<R>(column, block + i * d, d, weight + i);
    for (; i < size; ++i) single_products<1>(column, block + i * d, d, weight + i);
    for (i = 0; i < size; ++i) {
      weight[i] = weight[i] * (table.precision * table.scale) + bias(table, first + i);
      if (weight[i] > high) high = weight[i];
    }
    for (; i < component_block; ++i) weight[i] = lowest<S>;
    if (high > top) {
      const S rescale = exp_weight(broadcast(top - high))[0];
      sum *= rescale;
      for (std::size_t r = 0; r < d; ++r) out[r] *= rescale;
      top = high;
    }
    for (i = 0; i < component_block; i += L) store(weight + i, exp_weight(load(weight + i) - top));

    std::size_t listed[component_block];
    std::size_t active = 0;
    for (i = 0; i < size; ++i) {
      sum += weight[i];
      listed[active] = i;
      active += weight[i] != 0 ? 1 : 0;
    }
    std::size_t l = 0;
    for (; l + R <= active; l += R) {
      const S* y[R];
      S w[R];
      for (std::size_t q = 0; q < R; ++q) {
        y[q] = block + listed[l + q] * d;
        w[q] = weight[listed[l + q]];
      }
      std::size_t r = 0;
      for (; r < whole; r += L) {
        V total = load(out + r);
        for (std::size_t q = 0; q < R; ++q) total = load(y[q] + r) * w[q] + total;
        store(out + r, total);
      }
      for (; r < d; ++r)
        for (std::size_t q = 0; q < R; ++q) out[r] += w[q] * y[q][r];
    }
    for (; l < active; ++l) {
      const S* const y = block + listed[l] * d;
      for (std::size_t r = 0; r < d; ++r) out[r] += weight[listed[l]] * y[r];
    }
  }

  for (std::size_t r = 0; r < d; ++r) mean[r * mean_stride] = out[r] / sum;
  if (log_sum == nullptr) return;
  S square = 0;
  for (std::size_t r = 0; r < d; ++r) square += column[r] * column[r];
  *log_sum = top - S(0.5) * table.precision * square + log(broadcast(sum))[0];
}

template <class S>
void points(const PointTable<S>& table, const S* x, std::size_t x_stride, std::size_t n, S* mean,
            std::size_t mean_stride, S* log_sum, S* scratch) {
  constexpr std::size_t width = point_vectors * lanes<S>;
  if (n == 1 && table.dimension >= lanes<S>) {
    point_single(table, x, x_stride, mean, mean_stride, log_sum, scratch);
    return;
  }
  for (std::size_t j = 0; j < n; j += width) {
    const std::size_t count = n - j < width ? n - j : width;
    point_columns(table, x + j, x_stride, count, mean + j, mean_stride,
                  log_sum != nullptr ? log_sum + j : nullptr, scratch);
  }
}

}  // namespace

extern const ScoreKernels score_kernels;
const ScoreKernels score_kernels = {
    {mixture<MixtureTable<double>>, mixture<GeneralMixtureTable<double>>,
     mixture_mean<MixtureTable<double>>, mixture_mean<GeneralMixtureTable<double>>, points<double>},
    {mixture<MixtureTable<float>>, mixture<GeneralMixtureTable<float>>,
     mixture_mean<MixtureTable<float>>, mixture_mean<GeneralMixtureTable<float>>, points<float>}};

}  // namespace fokker::detail::FOKKER_ISA
