/// @file  contract.cpp
/// @brief What is asked of coefficients, and the sentences for those that do not answer.

#include <fokker/solvers/integrate/contract.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <typeinfo>

#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

namespace {

/// What pointers in memory that was left behind lead to, so that reading through them is seen.
const std::array<double, 4096>& landing() {
  static const auto numbers = [] {
    std::array<double, 4096> all{};
    all.fill(7.654e201);
    return all;
  }();
  return numbers;
}

const std::uint64_t number_word = std::bit_cast<std::uint64_t>(1.2345e200);

struct Broken : std::invalid_argument {
  explicit Broken(const std::string& what)
      : std::invalid_argument(what + " (.check = false leaves this check out)") {}
};

/// In (1/4, 1), from the golden ratio.
double spread(Index i) {
  const double z = static_cast<double>(i + 1) * 0.6180339887498949;
  return 0.25 + 0.75 * (z - std::floor(z));
}

bool is_nan(double x) { return x != x; }

bool is_filler(double x) { return std::abs(x - filler) <= 1e-6 * std::abs(filler); }

/// Derivatives by differences of two increments, and what they leave open.
struct Difference {
  std::vector<double> value, coarse, noise;
};

class Check {
 public:
  Check(Probe& probe, const std::vector<double>& start, Index columns, bool block, Time t0, Time t1)
      : probe_(probe),
        start_(start),
        start_columns_(columns),
        d_(probe.d),
        all_columns_(probe.fixed_columns > 0 ? probe.fixed_columns
                     : block                 ? 3
                                             : 1),
        tolerance_(probe.epsilon > 1e-10 ? 1e-3 : 1e-6),
        t0_(t0),
        t1_(t1) {
    for (const double x : start_) largest_ = std::max(largest_, std::abs(x));
    if (!(largest_ > 0)) largest_ = 1;
  }

  void run() {
    struct Where {
      double shift;
      bool inside;
    };
    for (const Where where : {Where{0.03, false}, Where{-0.03, false}, Where{0.03, true},
                              Where{1e-6, false}, Where{0, false}}) {
      shift_ = where.shift;
      t_ = where.inside ? t0_ + 0.5 * (t1_ - t0_) : t0_;
      try {
        if (all_hold()) return;
      } catch (const Broken&) {
        throw;
      } catch (const std::logic_error& e) {
        // what Eigen's assertions throw where they are made to
        if (shift_ == 0 && typeid(e) == typeid(std::logic_error))
          throw Broken(text("a coefficient fails at a start of {} components: {}",
                            {d_, std::string_view(e.what())}));
      } catch (...) {  // beside the start a coefficient may refuse; at the start the run sees it
      }
    }
  }

 private:
  /// @return whether the values were finite, so that there was something to compare
  bool all_hold() {
    if (all_columns_ > 1 && probe_.fixed_columns == 0) rows_fit();
    n_ = all_columns_;
    x_ = points(0);
    bool finite = true;
    if (probe_.has_score) finite = holds(Coefficient::score, 0);
    finite = holds(Coefficient::drift, 0) && finite;
    if (probe_.noise != NoiseKind::none) {
      const Index columns = by_columns(probe_.noise) ? probe_.sources : 1;
      for (Index k = 0; k < columns; ++k)
        if (k < 8 || k + 1 == columns) finite = holds(Coefficient::diffusion, k) && finite;
    }
    if (probe_.has_slope) finite = holds(Coefficient::slope, 0) && finite;
    if (!finite) return false;
    if (std::abs(shift_) < 0.01) return true;  // too near to each other for what follows
    if (probe_.noise == NoiseKind::diagonal) uncoupled();
    if (probe_.has_slope) slope_is_derivative();
    if (probe_.noise == NoiseKind::commutative && probe_.sources > 1) commuting();
    return true;
  }

  /// The rows of the first coefficients, on one column: a coefficient that writes more rows than it
  /// should into an array of its own does little harm there.
  void rows_fit() {
    n_ = 1;
    x_ = points(0);
    if (probe_.has_score) rows_fit(Coefficient::score);
    rows_fit(Coefficient::drift);
    if (by_columns(probe_.noise) ? probe_.sources > 0 : probe_.noise != NoiseKind::none)
      rows_fit(Coefficient::diffusion);
  }
  void rows_fit(Coefficient what) {
    const std::vector<double> first = values(what, 0, x_, {.number = true});
    if (!equal(first, values(what, 0, x_, {.number = true, .beyond = true})) &&
        equal(first, values(what, 0, x_, {.number = true})))
      refuse_rows(what, 0);
  }

  std::string name(Coefficient what, Index k) const {
    switch (what) {
      case Coefficient::drift:
        return "drift";
      case Coefficient::score:
        return "score";
      case Coefficient::slope:
        return "diffusion_slope";
      case Coefficient::diffusion:
        break;
    }
    return by_columns(probe_.noise) ? text("diffusion coefficient's column g_{}", {k})
                                    : "diffusion coefficient";
  }

  double scale(Index i, Index j) const {
    const double x = std::abs(start_at(i, j));
    return x > 0 ? x : largest_;
  }
  double start_at(Index i, Index j) const {
    return start_[static_cast<std::size_t>(i * start_columns_ + j % start_columns_)];
  }
  double point(Index i, Index j, Index salt) const {
    const double from = start_at(i, j);
    const double by = shift_ * scale(i, j) * spread(i + 7 * j + 31 * salt);
    const double up = from + by;
    return probe_.inside(i, up) == up ? up : probe_.inside(i, from - by);
  }
  std::vector<double> points(Index salt) const {
    std::vector<double> x(static_cast<std::size_t>(d_ * n_));
    for (Index i = 0; i < d_; ++i)
      for (Index j = 0; j < n_; ++j) x[at(i, j)] = point(i, j, salt);
    return x;
  }
  std::size_t at(Index i, Index j) const { return static_cast<std::size_t>(i * n_ + j); }

  /// values of the coefficient at x. @throws Broken  for what is wrong with their shape
  std::vector<double> values(Coefficient what, Index k, const std::vector<double>& x,
                             Filling filling = {}, std::uint64_t word = 0,
                             bool* expression = nullptr) {
    const Outcome outcome = probe_.evaluate(what, k, x, n_, t_, filling, word);
    refuse_fault(what, k, outcome);
    if (expression) *expression = outcome.expression;
    return probe_.values;
  }

  void refuse_fault(Coefficient what, Index k, const Outcome& outcome) const {
    using Fault = Outcome::Fault;
    switch (outcome.fault) {
      case Fault::none:
        return;
      case Fault::shape:
        if (outcome.rows != d_)
          throw Broken(
              text("the {} has {} rows and the start has {} components: give a start of {} numbers",
                   {name(what, k), outcome.rows, d_, outcome.rows}));
        throw Broken(
            text("the {} has {} columns for a state of {}: each column is a path, and "
                 "needs a column of its own",
                 {name(what, k), outcome.columns, n_}));
      case Fault::local:
        refuse_local(what, k);
      case Fault::sizes:
        throw Broken(
            text("the {} combines arrays of different sizes where the start has {} components: "
                 "give a start of as many numbers as its arrays have rows",
                 {name(what, k), d_}));
      case Fault::beyond:
        refuse_rows(what, k);
    }
  }

  [[noreturn]] void refuse_local(Coefficient what, Index k) const {
    throw Broken(text(
        "the {} returns an expression that refers to a local variable, which is gone when the "
        "expression is evaluated: return the array itself, with -> Plain<decltype(x)> behind the "
        "parameters, or capture the variable",
        {name(what, k)}));
  }

  [[noreturn]] void refuse_rows(Coefficient what, Index k) const {
    throw Broken(
        text("the {} reads or writes rows beyond the {} of the start: give a start of as many "
             "numbers as the process has components",
             {name(what, k), d_}));
  }

  /// Every entry written, the same twice, column by column. @return whether all values are finite
  bool holds(Coefficient what, Index k) {
    bool expression = false;
    const std::vector<double> first = values(what, k, x_, {}, 0, &expression);
    const auto pointer = std::bit_cast<std::uint64_t>(landing().data());
    const std::vector<double> second =
        values(what, k, x_, {.number = true, .beyond = true}, expression ? pointer : 0);
    written(what, k, first, second);
    same(what, k, first, second, expression);
    if (expression)
      same(what, k, first, values(what, k, x_, {.number = true, .beyond = true}, number_word),
           expression);
    const bool finite =
        std::all_of(first.begin(), first.end(), [](double v) { return std::isfinite(v); });
    const bool by_path = !(what == Coefficient::diffusion && probe_.noise == NoiseKind::additive);
    if (finite && n_ > 1 && by_path) columns_apart(what, k, first);
    return finite;
  }

  void written(Coefficient what, Index k, const std::vector<double>& first,
               const std::vector<double>& second) {
    const auto count = static_cast<Index>(first.size());
    const Index columns = count / d_;
    Index missing = 0, leading = 0, in_first_column = 0;
    std::optional<Index> one;
    for (Index i = 0; i < count; ++i) {
      const auto e = static_cast<std::size_t>(i);
      if (is_nan(first[e]) && is_filler(second[e])) {
        ++missing;
        if (!one) one = i;
      } else {
        if (leading == i) ++leading;
        if (i % columns == 0) ++in_first_column;
      }
    }
    if (!one) return;
    const Index done = count - missing;
    const bool path_zero = in_first_column == d_ && done == d_;
    if (columns > 1 && done > 0 && (path_zero || (leading == done && done <= d_)))
      throw Broken(
          text("the {} writes only path 0 of a block: out(i) is a linear index there; write "
               "out.row(i), and x.row(i) for x(i)",
               {name(what, k)}));
    throw Broken(
        text("the {} does not write row {} of its result{}: every entry of out must be "
             "written",
             {name(what, k), *one / columns, std::string_view(done > 0 ? "" : ", nor any other")}));
  }

  static bool equal(const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](double u, double v) { return u == v || (is_nan(u) && is_nan(v)); });
  }

  void same(Coefficient what, Index k, const std::vector<double>& first,
            const std::vector<double>& second, bool expression) {
    if (equal(first, second)) return;
    if (equal(first, values(what, k, x_, {.number = true, .beyond = false})) &&
        !equal(first, values(what, k, x_, {.number = true, .beyond = true})))
      refuse_rows(what, k);
    if (expression && equal(first, values(what, k, x_))) refuse_local(what, k);
    throw Broken(
        text("the {} gave two different results at one state: it is random, keeps something from "
             "call to call, or uses memory that it has not written (a local variable in an "
             "expression that it returns, an entry of out)",
             {name(what, k)}));
  }

  /// A column of the result is a function of that column of the state, whatever the others are and
  /// wherever it is.
  void columns_apart(Coefficient what, Index k, const std::vector<double>& first) {
    std::vector<double> moved = points(1);
    for (Index i = 0; i < d_; ++i) moved[at(i, 1)] = x_[at(i, 0)];
    const std::vector<double> second = values(what, k, moved);
    for (Index i = 0; i < d_; ++i) {
      double size = 0;
      for (Index j = 0; j < n_; ++j) size = std::max(size, std::abs(first[at(i, j)]));
      const double change = std::abs(second[at(i, 1)] - first[at(i, 0)]);
      if (change > tolerance_ * size)
        throw Broken(
            text("row {} of the {} at one path depends on other paths or on the place of the path: "
                 "the columns of a block are paths, x(i) is a linear index into all of them, and "
                 "sums and products over columns mix them; write x.row(i)",
                 {i, name(what, k)}));
    }
  }

  /// g_i depends on x_i alone: each pair (i, j) has a turn in which i stays and j changes, since
  /// their numbers differ in a bit.
  void uncoupled() {
    const std::vector<double> base = values(Coefficient::diffusion, 0, x_), other = points(2);
    for (Index bit = 1; bit < d_; bit *= 2)
      for (const Index stay : {Index{0}, bit}) {
        std::vector<double> changed = x_;
        for (Index i = 0; i < d_; ++i)
          if ((i & bit) != stay) changed[at(i, 0)] = other[at(i, 0)];
        const std::vector<double> g = values(Coefficient::diffusion, 0, changed);
        for (Index i = 0; i < d_; ++i)
          if ((i & bit) == stay &&
              std::abs(g[at(i, 0)] - base[at(i, 0)]) > tolerance_ * std::abs(base[at(i, 0)]))
            throw Broken(
                text("the noise is declared diagonal, and component {} of the diffusion "
                     "coefficient depends on other components of the state than x_{}: declare it "
                     "noise::general({}) and give its columns, diffusion(x, t, k)",
                     {i, i, d_}));
      }
  }

  /// (u . grad) of `what` at x by central differences of two increments; every component moves by
  /// at most a small part of its size.
  template <class Values>
  Difference along(const std::vector<double>& x, const std::vector<double>& u,
                   const Values& evaluate) {
    Difference result;
    const double largest_step = probe_.epsilon > 1e-10 ? 5e-3 : 1e-3;
    for (const double step : {largest_step, largest_step / 4}) {
      std::vector<double> above = x, below = x, increment(static_cast<std::size_t>(n_));
      for (Index j = 0; j < n_; ++j) {
        double most = 0;
        for (Index i = 0; i < d_; ++i) most = std::max(most, std::abs(u[at(i, j)]) / scale(i, j));
        const double by = most > 0 ? step / most : 0;
        increment[static_cast<std::size_t>(j)] = by;
        for (Index i = 0; i < d_; ++i) {
          above[at(i, j)] += by * u[at(i, j)];
          below[at(i, j)] -= by * u[at(i, j)];
        }
      }
      const std::vector<double> high = evaluate(above), low = evaluate(below);
      result.coarse = std::move(result.value);
      result.value.assign(high.size(), 0);
      result.noise.assign(high.size(), 0);
      for (Index i = 0; i < d_; ++i)
        for (Index j = 0; j < n_; ++j) {
          const double by = increment[static_cast<std::size_t>(j)];
          if (!(by > 0)) continue;
          const auto e = at(i, j);
          result.value[e] = (high[e] - low[e]) / (2 * by);
          result.noise[e] = 100 * probe_.epsilon * (std::abs(high[e]) + std::abs(low[e])) / by;
        }
    }
    return result;
  }

  /// Whether `wrong(e)` is true of some component at two of the points.
  template <class Wrong>
  std::optional<Index> at_two_points(const Wrong& wrong, Index& found) const {
    for (Index j = 0; j < n_; ++j)
      for (Index i = 0; i < d_; ++i)
        if (wrong(at(i, j))) {
          if (++found == 2) return i;
          break;
        }
    return {};
  }

  void slope_is_derivative() {
    const bool diagonal = probe_.noise == NoiseKind::diagonal;
    Index found = 0;
    for (Index salt = 0; salt < (n_ > 1 ? 1 : 2); ++salt) {
      const std::vector<double> x = points(salt);
      const std::vector<double> slope = values(Coefficient::slope, 0, x);
      std::vector<double> u = values(Coefficient::diffusion, 0, x);
      if (diagonal)
        for (Index i = 0; i < d_; ++i)
          for (Index j = 0; j < n_; ++j) u[at(i, j)] = scale(i, j);
      Difference g = along(
          x, u, [&](const std::vector<double>& z) { return values(Coefficient::diffusion, 0, z); });
      if (diagonal)
        for (std::size_t e = 0; e < u.size(); ++e)
          for (std::vector<double>* part : {&g.value, &g.coarse, &g.noise}) (*part)[e] /= u[e];
      const auto row = at_two_points(
          [&](std::size_t e) {
            const double off = std::abs(g.value[e] - slope[e]);
            return off > 0.02 * std::max(std::abs(g.value[e]), std::abs(slope[e])) + g.noise[e] &&
                   std::abs(g.value[e] - g.coarse[e]) < 0.1 * off;
          },
          found);
      if (row)
        throw Broken(
            text("diffusion_slope is not the derivative of the diffusion coefficient in "
                 "component {}: it must be {}",
                 {*row, std::string_view(diagonal ? "dg_i/dx_i" : "(g . grad) g")}));
    }
  }

  /// The Lie bracket of two random combinations of the columns is 0.
  void commuting() {
    const Index m = std::min<Index>(probe_.sources, 32);
    const auto combination = [&](Index salt) {
      return [this, m, salt](const std::vector<double>& x) {
        std::vector<double> sum(x.size(), 0);
        for (Index k = 0; k < m; ++k) {
          const std::vector<double> g = values(Coefficient::diffusion, k, x);
          const double weight = (k + salt) % 2 == 0 ? spread(k + 11 * salt) : -spread(3 * k + salt);
          for (std::size_t e = 0; e < sum.size(); ++e) sum[e] += weight * g[e];
        }
        return sum;
      };
    };
    Index found = 0;
    for (Index salt = 0; salt < (n_ > 1 ? 1 : 2); ++salt) {
      const std::vector<double> x = points(salt);
      const auto u = combination(1), v = combination(2);
      const Difference along_u = along(x, u(x), v), along_v = along(x, v(x), u);
      const auto row = at_two_points(
          [&](std::size_t e) {
            const double off = std::abs(along_u.value[e] - along_v.value[e]);
            const double size = std::abs(along_u.value[e]) + std::abs(along_v.value[e]);
            const double open = std::abs(along_u.value[e] - along_u.coarse[e]) +
                                std::abs(along_v.value[e] - along_v.coarse[e]);
            return off > 1e-3 * size + along_u.noise[e] + along_v.noise[e] && open < 0.1 * off;
          },
          found);
      if (row)
        throw Broken(
            text("the noise is declared commutative, and its columns do not commute: "
                 "(g_k . grad) g_l differs from (g_l . grad) g_k in component {}; declare "
                 "it noise::general({})",
                 {*row, probe_.sources}));
    }
  }

  Probe& probe_;
  const std::vector<double>& start_;
  Index start_columns_, d_, all_columns_, n_ = 1;
  double tolerance_, largest_ = 0, shift_ = 0;
  Time t0_, t1_, t_ = 0;
  std::vector<double> x_;
};

/// Blocks of every small size, filled: what was freed is among them.
class FilledHeap {
 public:
  explicit FilledHeap(std::uint64_t word) {
    std::size_t size = 24;  // as malloc rounds them
    for (void*& block : blocks_) {
      block = std::malloc(size);
      if (block) std::fill_n(static_cast<std::uint64_t*>(block), size / sizeof word, word);
      size += 16;
    }
  }
  FilledHeap(const FilledHeap&) = delete;
  ~FilledHeap() {
    for (void* block : blocks_) std::free(block);
  }

 private:
  std::array<void*, 32> blocks_;
};

}  // namespace

void check_coefficients(Probe& probe, const std::vector<double>& start, Index columns, bool block,
                        Time t0, Time t1) {
  Check(probe, start, columns, block, t0, t1).run();
}

[[gnu::noinline]] std::uintptr_t end_of_frame() {
  return std::bit_cast<std::uintptr_t>(__builtin_frame_address(0));
}

bool on_dead_stack(const void* p, std::uintptr_t end) {
  constexpr std::uintptr_t depth = 32768;
  const auto there = std::bit_cast<std::uintptr_t>(p);
  return there == 0 || (there < end && end - there < depth);
}

[[gnu::noinline]] void behind_a_call(void (*call)(void*), void* context) {
  // What `call` leaves on the stack lies this much deeper: past the saved registers and variables of
  // below_filled_memory, in the stretch that is filled there.
  std::array<std::uint64_t, 128> room;
  asm volatile("" : : "r"(room.data()) : "memory");
  call(context);
  asm volatile("" : : "r"(room.data()) : "memory");
}

[[gnu::noinline]] void below_filled_memory(std::uint64_t word, void (*call)(void*), void* context) {
  std::array<std::uint64_t, 512> stretch;
  stretch.fill(word);
  asm volatile("" : : "r"(stretch.data()) : "memory");
  const FilledHeap heap(word);
  call(context);
  asm volatile("" : : "r"(stretch.data()) : "memory");
}

}  // namespace fokker::detail
