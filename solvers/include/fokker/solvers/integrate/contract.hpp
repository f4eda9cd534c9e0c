#pragma once
/// @file  fokker/solvers/integrate/contract.hpp
/// @brief The contract of coefficients (process.hpp), checked once per run on a few columns.
///
/// `integrate`, `simulate`, `measure_convergence`, `propagate` and `OdeintStepper`
/// evaluate the coefficients of the process near the start before they step, and throw
/// std::invalid_argument with the cause and the cure where
///
///   - an entry of the result is not written, or more rows are read or written than the start has;
///   - two evaluations at one state differ, as do those of an expression over a local variable when
///     its memory is written over in between;
///   - a column of the result depends on another column of the state, or on its place;
///   - the diffusion coefficient couples components and its noise is declared diagonal, or its
///     columns do not commute and its noise is declared commutative;
///   - `diffusion_slope` is not the derivative of the diffusion coefficient.
///
/// The numbers of a run and its counts do not depend on it. Cost: two evaluations of each
/// coefficient (three of one that returns an expression), three more on a block, 2 log2(d) more
/// for diagonal noise, and 8 to 16 more where there is a slope or noise that is declared
/// commutative; on three columns or, where the run has one, on one. A trivially copyable process is
/// copied first, so that what it counts in its own members stays as it was. A process whose
/// coefficients are random, or that couples the columns of its state on purpose, is run with
/// `.check = false`.

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/noise/initial.hpp>

namespace fokker {

namespace detail {

/// The functions of a process that are evaluated.
enum class Coefficient { drift, diffusion, slope, score };

/// What the memory around the arguments holds during an evaluation.
struct Filling {
  bool number = false;  ///< entries of `out` before the call: `filler`, else nan
  bool beyond = false;  ///< rows behind those of x: other numbers than otherwise
};

/// Written into `out` before an evaluation; a number that no coefficient gives.
inline constexpr double filler = -1.2341234e30;

/// What an evaluation did; its values are in `Probe::values`.
struct Outcome {
  enum class Fault { none, shape, local, sizes, beyond } fault = Fault::none;
  Index rows = 0, columns = 0;  ///< of what was returned or left in `out`
  bool expression = false;      ///< an expression was returned
};

/// The coefficients of a process, evaluated column by column of states d x n.
class Probe {
 public:
  Probe() = default;
  Probe(const Probe&) = delete;
  virtual ~Probe() = default;

  /// values = the coefficient at (x, t), d x n row by row; one column for additive noise.
  /// @param k     column of noise given by columns
  /// @param word  memory that the coefficient leaves behind is filled with it before an expression
  ///              is evaluated; 0: nothing is filled
  virtual Outcome evaluate(Coefficient what, Index k, const std::vector<double>& x, Index n, Time t,
                           Filling filling, std::uint64_t word) = 0;

  /// Moves a value of component i into the domain of the process.
  virtual double inside(Index i, double x) const = 0;

  std::vector<double> values;
  NoiseKind noise = NoiseKind::none;
  Index d = 1;
  Index sources = 0;
  Index fixed_columns = 0;  ///< of the states, where the type fixes them; else 0
  bool has_slope = false;
  bool has_score = false;
  double epsilon = 0;  ///< of the scalar
};

/// @param start    d x columns, row by row: where the run starts
/// @param block    the run has several columns
/// @throws std::invalid_argument  naming what is wrong and what to write
void check_coefficients(Probe& probe, const std::vector<double>& start, Index columns, bool block,
                        Time t0, Time t1);

/// The lower end of the stack frame of who calls it.
std::uintptr_t end_of_frame();

/// Whether p lies in the part of the stack, below `end`, that functions which have returned left.
bool on_dead_stack(const void* p, std::uintptr_t end);

/// call(context), behind a call, so that what it leaves on the stack is below the caller's frame.
void behind_a_call(void (*call)(void*), void* context);

/// The same below a stretch of stack filled with `word`, and with freed memory filled too.
void below_filled_memory(std::uint64_t word, void (*call)(void*), void* context);

/// Looks through an expression for arrays of functions that have returned, and for parts whose
/// sizes do not fit. No array is read before its address is known to be alive.
struct LookThrough {
  std::uintptr_t end;  ///< of the frame in which the expression lives
  bool local = false, sizes = false;

  template <class E>
  void operator()(const E& e) {
    if constexpr (requires { e.lhs().rows(), e.rhs().rows(); }) {
      (*this)(e.lhs());
      (*this)(e.rhs());
      if (local) return;
      if constexpr (
          requires { typename Eigen::internal::traits<E>::BinaryOp; } || requires { e.functor(); })
        sizes = sizes || e.lhs().rows() != e.rhs().rows() || e.lhs().cols() != e.rhs().cols();
      else
        sizes = sizes || e.lhs().cols() != e.rhs().rows();
    } else if constexpr (requires { e.conditionMatrix(), e.thenMatrix(), e.elseMatrix(); }) {
      (*this)(e.conditionMatrix());
      (*this)(e.thenMatrix());
      (*this)(e.elseMatrix());
    } else if constexpr (requires { e.nestedExpression(); }) {
      (*this)(e.nestedExpression());
    } else if constexpr (std::derived_from<E, Eigen::PlainObjectBase<E>>) {
      local = local || on_dead_stack(&e, end);
    } else if constexpr (requires { e.data(); }) {
      local = local || on_dead_stack(e.data(), end);
    }
  }
};

/// A state d x n with room behind it, so that rows that it does not have can be seen to be touched.
template <State X>
class Roomy {
  using S = typename X::Scalar;
  static constexpr Index extra_ = 64;  // rows

  struct Dynamic : X {
    Dynamic(Index d, Index n) { this->m_storage.resize((d + extra_) * n, d, n); }
  };
  struct Fixed {
    Fixed(Index, Index) {}
    X x;
    std::array<S, static_cast<std::size_t>(extra_)> room;
  };
  static constexpr bool fixed_ = X::SizeAtCompileTime != Eigen::Dynamic;

 public:
  Roomy(Index d, Index n) : held_(d, n), d_(d), n_(n), data_(state().data()) {}

  X& state() {
    if constexpr (fixed_)
      return held_.x;
    else
      return held_;
  }
  void fill_room(S value) { std::fill(room(), room() + room_size(), value); }

  /// Whether the state is where it was, in its shape.
  bool same_shape() { return state().rows() == d_ && state().cols() == n_; }
  bool room_is(S value) {
    if (state().data() != data_) return true;
    return std::all_of(room(), room() + room_size(), [&](S s) { return s == value; });
  }

 private:
  S* room() {
    if constexpr (fixed_)
      return held_.room.data();
    else
      return data_ + d_ * n_;
  }
  Index room_size() const { return fixed_ ? extra_ : extra_ * n_; }

  std::conditional_t<fixed_, Fixed, Dynamic> held_;
  Index d_, n_;
  S* data_;
};

/// A process on states X as the check sees it.
template <class P, State X>
class ProbedProcess final : public Probe {
  using S = typename X::Scalar;
  static constexpr NoiseKind kind_ = noise_kind<P>;

 public:
  ProbedProcess(const P& process, Index rows) : process_(process) {
    noise = kind_;
    d = rows;
    sources = wiener_dimension(process, rows);
    if constexpr (X::ColsAtCompileTime != Eigen::Dynamic) fixed_columns = X::ColsAtCompileTime;
    if constexpr (kind_ == NoiseKind::scalar || kind_ == NoiseKind::diagonal)
      has_slope = fokker::has_diffusion_slope<X>(process);
    has_score = gives_score_;
    epsilon = static_cast<double>(std::numeric_limits<S>::epsilon());
  }

  Outcome evaluate(Coefficient what, Index k, const std::vector<double>& columns, Index n, Time t,
                   Filling filling, std::uint64_t word) override {
    if (!x_ || x_->state().cols() != n) x_.emplace(d, n);
    if (!out_ || out_->state().cols() != n || !out_->same_shape()) out_.emplace(d, n);
    X& x = x_->state();
    for (Index i = 0; i < d; ++i)
      for (Index j = 0; j < n; ++j)
        x(i, j) = static_cast<S>(columns[static_cast<std::size_t>(i * n + j)]);
    x_->fill_room(filling.beyond ? S(2.75) : S(1.25));
    const S before = filling.number ? static_cast<S>(filler) : std::numeric_limits<S>::quiet_NaN();
    X& out = out_->state();
    out.setConstant(before);
    out_->fill_room(static_cast<S>(filler));
    word_ = word;
    columns_ = what == Coefficient::diffusion && kind_ == NoiseKind::additive ? 1 : n;
    switch (what) {
      case Coefficient::drift:
        return called([&]() -> decltype(auto) {
          if constexpr (requires { process_.drift(std::as_const(x), t, out); })
            process_.drift(std::as_const(x), t, out);
          else
            return process_.drift(std::as_const(x), t);
        });
      case Coefficient::diffusion:
        return diffusion(k, x, t, out);
      case Coefficient::slope:
        if constexpr ((kind_ == NoiseKind::scalar || kind_ == NoiseKind::diagonal) &&
                      HasDiffusionSlope<P, X>)
          return called([&]() -> decltype(auto) {
            if constexpr (requires { process_.diffusion_slope(std::as_const(x), t, out); })
              process_.diffusion_slope(std::as_const(x), t, out);
            else
              return process_.diffusion_slope(std::as_const(x), t);
          });
        break;
      case Coefficient::score:
        if constexpr (gives_score_)
          return called([&]() -> decltype(auto) {
            if constexpr (requires { process_.score(std::as_const(x), t, out); })
              process_.score(std::as_const(x), t, out);
            else
              return process_.score(std::as_const(x), t);
          });
        break;
    }
    return {};
  }

  double inside(Index i, double x) const override {
    if constexpr (requires { double{process_.domain(i).low}; }) {
      const auto domain = process_.domain(i);
      return std::clamp(x, static_cast<double>(domain.low), static_cast<double>(domain.high));
    } else {
      static_cast<void>(i);
      return x;
    }
  }

 private:
  /// A score of the process's own is looked at by itself: the drift would hide what it returns.
  static constexpr bool gives_score_ = [] {
    constexpr bool returns = requires(const P& p, const X& x, Time t) { p.score(x, t); };
    constexpr bool writes = requires(const P& p, const X& x, Time t, X& out) {
      p.score(x, t, out);
    };
    return returns || writes;
  }();

  Outcome diffusion([[maybe_unused]] Index k, [[maybe_unused]] X& state, [[maybe_unused]] Time t,
                    [[maybe_unused]] X& out) {
    [[maybe_unused]] const X& x = state;
    if constexpr (kind_ == NoiseKind::additive) {
      return called([&]() -> decltype(auto) {
        if constexpr (requires { process_.diffusion(t, out.col(0)); })
          process_.diffusion(t, out.col(0));
        else
          return process_.diffusion(t);
      });
    } else if constexpr (by_columns(kind_)) {
      return called([&]() -> decltype(auto) {
        if constexpr (requires { process_.diffusion(x, t, k, out); })
          process_.diffusion(x, t, k, out);
        else
          return process_.diffusion(x, t, k);
      });
    } else if constexpr (kind_ == NoiseKind::scalar || kind_ == NoiseKind::diagonal) {
      return called([&]() -> decltype(auto) {
        if constexpr (requires { process_.diffusion(x, t, out); })
          process_.diffusion(x, t, out);
        else
          return process_.diffusion(x, t);
      });
    } else {
      return {};
    }
  }

  template <class Call>
  Outcome called(const Call& call) {
    using R = decltype(call());
    if constexpr (std::is_void_v<R>) {
      call();
      Outcome result{.rows = out_->state().rows(), .columns = out_->state().cols()};
      if (!out_->same_shape())
        result.fault = Outcome::Fault::shape;
      else if (!out_->room_is(static_cast<S>(filler)))
        result.fault = Outcome::Fault::beyond;
      else
        keep(out_->state(), columns_);
      return result;
    } else if constexpr (Number<R>) {
      const double value = static_cast<double>(call());
      values.assign(static_cast<std::size_t>(d * columns_), value);
      return {.rows = d, .columns = columns_};
    } else if constexpr (std::same_as<std::remove_cvref_t<R>,
                                      typename std::remove_cvref_t<R>::PlainObject> &&
                         !std::is_reference_v<R>) {
      return returned(call());
    } else {
      return expression<R>(call);
    }
  }

  /// Makes the expression, lets go of what made it, and evaluates it by a call of its own.
  template <class R, class Call>
  Outcome expression(const Call& call) {
    using E = std::remove_cvref_t<R>;
    struct Step {
      explicit Step(const Call& c) : call(c) {}
      const Call& call;
      const E* value = nullptr;
      Plain<E>* to = nullptr;
      alignas(E) std::array<std::byte, sizeof(E)> room;  // of one that is returned by value
    } step(call);
    behind_a_call(
        [](void* context) {
          auto& s = *static_cast<Step*>(context);
          if constexpr (std::is_reference_v<R>)
            s.value = &s.call();
          else
            s.value = ::new (static_cast<void*>(s.room.data())) E(s.call());
        },
        &step);
    LookThrough look{.end = end_of_frame()};
    look(*step.value);
    Outcome result{.expression = true};
    if (look.local) {
      result.fault = Outcome::Fault::local;
    } else if (look.sizes) {
      result.fault = Outcome::Fault::sizes;
    } else if (!fits_run(step.value->rows(), step.value->cols())) {
      result.fault = Outcome::Fault::shape;
      result.rows = step.value->rows();
      result.columns = step.value->cols();
    } else {
      Plain<E> evaluated(step.value->rows(), step.value->cols());
      step.to = &evaluated;
      const auto evaluate = [](void* context) {
        auto& s = *static_cast<Step*>(context);
        *s.to = *s.value;
      };
      if (word_ == 0)
        behind_a_call(evaluate, &step);
      else
        below_filled_memory(word_, evaluate, &step);
      keep(evaluated, evaluated.cols());
    }
    if constexpr (!std::is_reference_v<R>) {
      if (!look.local) std::destroy_at(step.value);
    }
    return result;
  }

  bool fits_run(Index rows, Index columns) const { return rows == d && columns == columns_; }

  template <class V>
  Outcome returned(const V& value) {
    Outcome result{.rows = value.rows(), .columns = value.cols()};
    if (fits_run(value.rows(), value.cols()))
      keep(value, value.cols());
    else
      result.fault = Outcome::Fault::shape;
    return result;
  }

  template <class V>
  void keep(const V& value, Index n) {
    values.resize(static_cast<std::size_t>(value.rows() * n));
    for (Index i = 0; i < value.rows(); ++i)
      for (Index j = 0; j < n; ++j)
        values[static_cast<std::size_t>(i * n + j)] = static_cast<double>(value(i, j));
  }

  // A copy where that is cheap and complete, so that counters among its members stay as they were.
  static constexpr bool copied_ = std::is_trivially_copyable_v<P> && sizeof(P) <= 4096;
  std::conditional_t<copied_, const P, const P&> process_;
  std::optional<Roomy<X>> x_, out_;
  Index columns_ = 1;  // of what is expected
  std::uint64_t word_ = 0;
};

/// The check of a process on states X of d rows.
/// @param start  d x n, where the run starts
/// @param block  the states of the run have more than one column
template <State X, class P, class Start>
void check_contract(const P& process, const Start& start, bool block, Time t0, Time t1) {
  const Index d = start.rows(), n = std::min<Index>(start.cols(), 3);
  ProbedProcess<P, X> probe(process, d);
  std::vector<double> columns(static_cast<std::size_t>(d * n));
  for (Index i = 0; i < d; ++i)
    for (Index j = 0; j < n; ++j)
      columns[static_cast<std::size_t>(i * n + j)] = static_cast<double>(start(i, j));
  check_coefficients(probe, columns, n, block, t0, t1);
}

/// The same for an ensemble from x0: a number, an array or a law, which is sampled for one block.
/// @tparam X       the states that are evaluated
/// @tparam Blocks  the blocks of the ensemble
template <State X, State Blocks, class P, class X0>
void check_ensemble(const P& process, const X0& x0, Seed seed, bool block, Time t0, Time t1) {
  const Index d = state_dimension(process, x0);
  check_domain(process, x0);
  // a law gets the block that the run gives it: it may know how wide that is
  const Index n =
      InitialLaw<X0, Blocks> ? block_width(d, sizeof(typename Blocks::Scalar)) : Index{2};
  Blocks start(d, n);
  PathRandom random(seed, 0, n);
  set_initial(x0, random, start);
  check_contract<X>(process, start, block, t0, t1);
}

}  // namespace detail

}  // namespace fokker
