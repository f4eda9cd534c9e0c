/// @file  kernels/byte_code.cpp
/// @brief The operations of equations on rows of paths. Compiled once per instruction set, without
///        contraction to fma, so that all of them give the same bits.

#include "byte_code.hpp"

#include <simd/math.hpp>

namespace fokker::detail::FOKKER_ISA {
namespace {

constexpr std::size_t width = lanes<double>;

template <class F>
FOKKER_INLINE void unary(double* out, const double* a, std::size_t n, const F& f) {
  for (std::size_t i = 0; i < n; i += width) store(out + i, f(load(a + i)));
}

template <class F>
FOKKER_INLINE void binary(const Instruction& in, double* const* slots, std::size_t n, const F& f) {
  double* out = slots[in.out];
  const double *a = slots[in.a], *b = slots[in.b];
  if (in.numbers[0]) {
    const F64 number = broadcast(*a);
    for (std::size_t i = 0; i < n; i += width) store(out + i, f(number, load(b + i)));
  } else if (in.numbers[1]) {
    const F64 number = broadcast(*b);
    for (std::size_t i = 0; i < n; i += width) store(out + i, f(load(a + i), number));
  } else {
    for (std::size_t i = 0; i < n; i += width) store(out + i, f(load(a + i), load(b + i)));
  }
}

FOKKER_INLINE void select(const Instruction& in, double* const* slots, std::size_t n) {
  double* out = slots[in.out];
  const auto value = [&](int k, const double* p, std::size_t i) {
    return in.numbers[k] ? broadcast(*p) : load(p + i);
  };
  for (std::size_t i = 0; i < n; i += width) {
    const F64 c = value(0, slots[in.a], i), yes = value(1, slots[in.b], i),
              no = value(2, slots[in.c], i);
    store(out + i, c != 0.0 ? yes : no);
  }
}

/// Beyond what sin_cos_below_million takes, lane by lane.
template <bool sine>
FOKKER_INLINE F64 sine_or_cosine(F64 x) {
  F64 s, c;
  sin_cos_below_million(x, s, c);
  F64 out = sine ? s : c;
  if (any(I64(!(magnitude(x) < 1e6))))
    for (std::size_t i = 0; i < width; ++i)
      if (!(__builtin_fabs(x[i]) < 1e6)) out[i] = sine ? __builtin_sin(x[i]) : __builtin_cos(x[i]);
  return out;
}

void run(const Instruction* first, std::size_t count, double* const* slots, std::size_t n,
         RunOther other) {
  const F64 zero = F64{}, one = broadcast(1.0);
  for (const Instruction* in = first; in != first + count; ++in) {
    double* out = slots[in->out];
    const double* a = slots[in->a];
    switch (in->op) {
      case Op::constant:
        if (in->numbers[0]) {
          const F64 number = broadcast(*a);
          for (std::size_t i = 0; i < n; i += width) store(out + i, number);
        } else {
          unary(out, a, n, [](F64 x) { return x; });
        }
        break;
      case Op::add:
        binary(*in, slots, n, [](F64 x, F64 y) { return x + y; });
        break;
      case Op::subtract:
        binary(*in, slots, n, [](F64 x, F64 y) { return x - y; });
        break;
      case Op::multiply:
        binary(*in, slots, n, [](F64 x, F64 y) { return x * y; });
        break;
      case Op::divide:
        binary(*in, slots, n, [](F64 x, F64 y) { return x / y; });
        break;
      case Op::min:
        binary(*in, slots, n, [](F64 x, F64 y) { return y < x ? y : x; });
        break;
      case Op::max:
        binary(*in, slots, n, [](F64 x, F64 y) { return x < y ? y : x; });
        break;
      case Op::less:
        binary(*in, slots, n, [=](F64 x, F64 y) { return x < y ? one : zero; });
        break;
      case Op::less_equal:
        binary(*in, slots, n, [=](F64 x, F64 y) { return x <= y ? one : zero; });
        break;
      case Op::select:
        select(*in, slots, n);
        break;
      case Op::negate:
        unary(out, a, n, [](F64 x) { return -x; });
        break;
      case Op::sqrt:
        unary(out, a, n, [](F64 x) { return sqrt(x); });
        break;
      case Op::exp:
        unary(out, a, n, [](F64 x) { return exp(x); });
        break;
      case Op::log:
        unary(out, a, n, [](F64 x) { return log_everywhere(x); });
        break;
      case Op::sin:
        unary(out, a, n, [](F64 x) { return sine_or_cosine<true>(x); });
        break;
      case Op::cos:
        unary(out, a, n, [](F64 x) { return sine_or_cosine<false>(x); });
        break;
      case Op::tanh:
        unary(out, a, n, [](F64 x) { return tanh(x); });
        break;
      case Op::sinh:
        unary(out, a, n, [](F64 x) { return sinh(x); });
        break;
      case Op::cosh:
        unary(out, a, n, [](F64 x) { return cosh(x); });
        break;
      case Op::expm1:
        unary(out, a, n, [](F64 x) { return expm1(x); });
        break;
      case Op::log1p:
        unary(out, a, n, [](F64 x) { return log1p(x); });
        break;
      case Op::abs:
        unary(out, a, n, [](F64 x) { return magnitude(x); });
        break;
      case Op::sign:
        unary(out, a, n, [=](F64 x) { return x > zero ? one : (x < zero ? -one : x); });
        break;
      case Op::step:
        unary(out, a, n, [=](F64 x) { return x >= zero ? one : zero; });
        break;
      default:
        other(*in, slots, n);
    }
  }
}

}  // namespace

const RunInstructions run_instructions = run;

}  // namespace fokker::detail::FOKKER_ISA
