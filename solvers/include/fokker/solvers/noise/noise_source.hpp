#pragma once
/// @file  fokker/solvers/noise/noise_source.hpp
/// @brief Any Brownian source as an option of a run: `{.noise = source}`.

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <fokker/solvers/noise/brownian.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace detail {

/// Nothing but a noise kind: increments need no more of a process.
struct AnyNoise {
  static constexpr NoiseKind noise = NoiseKind::general;
};
template <class S>
using AnyIncrement = Increment<AnyNoise, Block<S>>;

template <class Source, class S>
concept GivesIncrements = requires(Source& source, AnyIncrement<S>& dw) {
  source.increment(Time{}, Time{}, dw);
};

/// A source with the type erased, in double.
class ErasedSource {
 public:
  virtual ~ErasedSource() = default;
  virtual std::unique_ptr<ErasedSource> clone() const = 0;
  virtual void increment(Time t0, Time t1, AnyIncrement<double>& dw) = 0;
};

/// Numbers in memory: row i and column j at first + i row_stride + j column_stride.
template <class S>
struct Numbers {
  S* first;
  Index rows, columns, row_stride, column_stride;
};
template <class A>
auto numbers(A& a) {
  return Numbers<std::remove_pointer_t<decltype(a.data())>>{a.data(), a.rows(), a.cols(),
                                                            a.rowStride(), a.colStride()};
}

/// to = the columns of `from` from `first` on, as many as there are; the rest is zero.
template <class S, class From>
void copy_columns(const Numbers<S>& to, const Numbers<const From>& from, Index first);

/// The same for each part of an increment.
template <class Dw, class From>
void copy_increment(Dw& dw, const From& from, Index first, Needs needs) {
  copy_columns(numbers(dw.w), numbers(from.w), first);
  if (needs.h) copy_columns(numbers(dw.h), numbers(from.h), first);
  if (needs.k) copy_columns(numbers(dw.k), numbers(from.k), first);
  if (needs.area) copy_columns(numbers(dw.area), numbers(from.area), first);
  if (needs.normals > 0) copy_columns(numbers(dw.normals), numbers(from.normals), first);
}

/// The columns [first, first + n) of a source of `all` paths.
template <class Source>
class SourceModel final : public ErasedSource {
  using S = std::conditional_t<GivesIncrements<Source, double>, double, float>;

 public:
  SourceModel(Source source, Index m, Index all, Index first, Needs needs)
      : source_(std::move(source)), first_(first), needs_(needs) {
    if constexpr (requires { source_.check(needs); }) source_.check(needs);
    all_.resize(m, all, needs);
  }
  std::unique_ptr<ErasedSource> clone() const override {
    return std::make_unique<SourceModel>(*this);
  }
  void increment(Time t0, Time t1, AnyIncrement<double>& dw) override {
    source_.increment(t0, t1, all_);
    copy_increment(dw, all_, first_, needs_);
  }

 private:
  Source source_;
  Index first_;
  Needs needs_;
  AnyIncrement<S> all_;
};

}  // namespace detail

/// A Brownian source: `source.increment(t0, t1, dw)` fills the increment over [t0, t1] of its paths,
/// one per column, on intervals that follow each other. With
/// `source.check(needs)` it may refuse what it does not have (see Needs).
template <class Source>
concept BrownianSource = std::copy_constructible<Source> &&
    (detail::GivesIncrements<Source, double> || detail::GivesIncrements<Source, float>);

/// Where the noise of a run comes from, for fixed steps:
///
///     {.noise = RecordedPath<double>(times, increments)}     // any BrownianSource of all the paths
///     {.noise = [](std::uint64_t first, Index n, Index m, Needs needs) {        // or one per block
///        return CoarsenedIncrements{BrownianIncrements<double>(7, first, n, m, needs), 4, needs};
///      }}
///
/// A source is copied for each run (in an ensemble for each block, which takes its columns), so
/// every run sees it from its start. Of a process that runs down in time the source is asked for
/// the increments of its reverse-time Wiener process over [t_next, t]. Left empty: BrownianIncrements
/// of the run's seed.
class NoiseSource {
  /// The source of the paths [first, first + n) of `all`, driven by m Wiener processes each.
  using Make = std::function<std::unique_ptr<detail::ErasedSource>(
      std::uint64_t first, Index n, Index m, Index all, Needs needs)>;

 public:
  NoiseSource() = default;

  /// From a Brownian source.
  template <class Source>
  requires(!std::same_as<Source, NoiseSource> && BrownianSource<Source>)
      NoiseSource(Source source)  // NOLINT: it is one
      : make_([source = std::move(source)](std::uint64_t first, Index /*n*/, Index m, Index all,
                                           Needs needs) {
          return std::make_unique<detail::SourceModel<Source>>(source, m, all,
                                                               static_cast<Index>(first), needs);
        }) {}

  /// From a function that makes the source of given paths.
  template <class Factory>
  requires(!std::same_as<Factory, NoiseSource> &&
           BrownianSource<std::invoke_result_t<const Factory&, std::uint64_t, Index, Index, Needs>>)
      NoiseSource(Factory factory)  // NOLINT: as above
      : make_([factory = std::move(factory)](std::uint64_t first, Index n, Index m, Index /*all*/,
                                             Needs needs) {
          auto source = factory(first, n, m, needs);
          return std::make_unique<detail::SourceModel<decltype(source)>>(std::move(source), m, n, 0,
                                                                         needs);
        }),
        by_block_(true) {}

  /// Whether there is a source.
  explicit operator bool() const { return static_cast<bool>(make_); }

  /// The source of n paths from number `first` on.
  std::unique_ptr<detail::ErasedSource> make(std::uint64_t first, std::uint64_t run_first, Index n,
                                             Index m, Index all, Needs needs) const {
    return make_(by_block_ ? first : first - run_first, n, m, all, needs);
  }

 private:
  Make make_;
  bool by_block_ = false;
};

namespace detail {

/// What the noise of a block of a run hangs on.
struct NoiseKey {
  Seed seed = 0;
  std::uint64_t path = 0;  ///< number of the path in column 0
  const NoiseSource* given = nullptr;
  std::uint64_t run_path = 0;  ///< number of the first path of the run
  Index run_paths = 1;         ///< paths of the run
  bool down = false;           ///< the run goes down in time: its clock is -t

  PathKey key() const { return {seed, path}; }
  bool has_source() const { return given && *given; }
};

/// The increments of a block by fixed steps: of its seed, or of the source that was given.
template <class S>
class RunNoise {
 public:
  /// @param n  columns, of the run's paths and of padding behind them
  /// @throws std::invalid_argument  for a source and a process without noise, and as the source
  RunNoise(const NoiseKey& key, Index n, Index m, Needs needs);
  RunNoise(const RunNoise& other);
  RunNoise(RunNoise&&) noexcept;
  RunNoise& operator=(RunNoise other) noexcept;
  ~RunNoise();

  template <class Dw>
  void increment(Time t0, Time t1, Dw& dw) {
    if (own_) return own_->increment(t0, t1, dw);
    if (down_)
      given_->increment(-t1, -t0, erased_);
    else
      given_->increment(t0, t1, erased_);
    copy_increment(dw, erased_, 0, needs_);
  }

 private:
  std::optional<BrownianIncrements<S>> own_;
  std::unique_ptr<ErasedSource> given_;
  AnyIncrement<double> erased_;
  Needs needs_;
  bool down_;
};

extern template class RunNoise<float>;
extern template class RunNoise<double>;

}  // namespace detail

}  // namespace fokker
