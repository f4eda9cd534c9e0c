#pragma once
/// @file  fokker/solvers/ode/radau.hpp
/// @brief Adaptive Radau IIA method of order 5 for stiff ODEs.

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>

#include <Eigen/LU>

#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/ode/jacobian.hpp>
#include <fokker/solvers/support/checks.hpp>

namespace fokker {

namespace detail {

using Row3 = std::array<long double, 3>;
using Square3 = std::array<Row3, 3>;

constexpr Square3 inverse(const Square3& m) {
  Square3 adjugate{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      const std::size_t r = (j + 1) % 3, s = (j + 2) % 3, u = (i + 1) % 3, v = (i + 2) % 3;
      adjugate[i][j] = m[r][u] * m[s][v] - m[r][v] * m[s][u];
    }
  }
  const long double det =
      m[0][0] * adjugate[0][0] + m[0][1] * adjugate[1][0] + m[0][2] * adjugate[2][0];
  for (Row3& row : adjugate)
    for (long double& entry : row) entry /= det;
  return adjugate;
}

/// T with T^-1 m T = (real, and below it the block re, -im; im, re), for m with the eigenvalues
/// `real` and re +- i im.
constexpr Square3 block_basis(const Square3& m, long double real, long double re, long double im) {
  // an eigenvector for z is u + v z + w z^2
  const Row3 u{m[0][1] * m[1][2] - m[0][2] * m[1][1], m[0][2] * m[1][0] - m[1][2] * m[0][0],
               m[0][0] * m[1][1] - m[0][1] * m[1][0]};
  const Row3 v{m[0][2], m[1][2], -m[0][0] - m[1][1]};
  const Row3 w{0, 0, 1};
  Square3 basis{};
  for (std::size_t i = 0; i < 3; ++i)
    basis[i] = {u[i] + v[i] * real + w[i] * real * real,
                u[i] + v[i] * re + w[i] * (re * re - im * im), -v[i] * im - w[i] * 2 * re * im};
  return basis;
}

}  // namespace detail

namespace tableaus {

/// Radau IIA with three stages, the collocation method
///
///     Z_i = h sum_j a_ij f(x + Z_j, t + c_j h),   y = x + Z_3
///
/// of order 5, L-stable and stiffly accurate (b is the last row of a).
/// Source: Hairer & Wanner (1996), IV.5, table 5.6, and for what solves it IV.8.
struct RadauIIA5 {
  static constexpr std::string_view name = "radau5";
  static constexpr std::string_view source = "Hairer & Wanner (1996), IV.5 and IV.8";
  static constexpr int order = 5, error_order = 3, dense_order = 3;

  using Real = long double;
  using Row = fokker::detail::Row3;
  using Square = fokker::detail::Square3;

  static constexpr Real sqrt6 = 2.44948974278317809819728407470589139L;
  static constexpr Real cbrt9 = 2.08008382305190411453005682435788539L;
  static constexpr Real sqrt3 = 1.73205080756887729352744634150587237L;

  static constexpr Row c{(4 - sqrt6) / 10, (4 + sqrt6) / 10, 1};
  static constexpr Square a{
      {{(88 - 7 * sqrt6) / 360, (296 - 169 * sqrt6) / 1800, (-2 + 3 * sqrt6) / 225},
       {(296 + 169 * sqrt6) / 1800, (88 + 7 * sqrt6) / 360, (-2 - 3 * sqrt6) / 225},
       {(16 - sqrt6) / 36, (16 + sqrt6) / 36, 1.0L / 9}}};

  static constexpr Square a_inverse = fokker::detail::inverse(a);

  /// The eigenvalues gamma and alpha +- i beta of a^-1.
  static constexpr Real gamma = 3 + cbrt9 - cbrt9 * cbrt9 / 3;
  static constexpr Real alpha = 3 - (cbrt9 - cbrt9 * cbrt9 / 3) / 2;
  static constexpr Real beta = sqrt3 * (cbrt9 + cbrt9 * cbrt9 / 3) / 2;

  /// T^-1 a^-1 T = (gamma, and below it the block alpha, -beta; beta, alpha).
  static constexpr Square t = fokker::detail::block_basis(a_inverse, gamma, alpha, beta);
  static constexpr Square t_inverse = fokker::detail::inverse(t);

  /// The error estimate is (gamma / h - J)^-1 (f(x, t) + sum_i error_i Z_i / h), O(h^4).
  static constexpr Row error{-(13 + 7 * sqrt6) / 3, (-13 + 7 * sqrt6) / 3, -1.0L / 3};

  /// The weights w of the collocation polynomial: x(t + theta h) = x + sum_i w_i Z_i + O(h^4).
  static constexpr std::array<double, 3> dense(double theta) {
    std::array<double, 3> w{};
    for (std::size_t i = 0; i < 3; ++i) {
      const Real u = c[(i + 1) % 3], v = c[(i + 2) % 3];
      w[i] =
          static_cast<double>(theta * (theta - u) * (theta - v) / (c[i] * (c[i] - u) * (c[i] - v)));
    }
    return w;
  }
};

}  // namespace tableaus

namespace detail {

/// An adaptive run of Radau IIA over one path.
template <class P, State X>
class Radau5Run : public JacobianRun<Radau5Run<P, X>, P, X> {
  using Base = JacobianRun<Radau5Run, P, X>;
  friend AdaptiveRun<Radau5Run, P, X>;
  using S = typename X::Scalar;
  using Base::f_, Base::has_jacobian_, Base::jacobian_, Base::next_, Base::slope_, Base::z_;
  using typename Base::Matrix;
  using Tableau = tableaus::RadauIIA5;
  using Stages = std::array<X, 3>;
  static constexpr int d_ = X::RowsAtCompileTime;
  using ComplexMatrix = Eigen::Matrix<std::complex<S>, d_, d_>;
  using ComplexVector = Eigen::Matrix<std::complex<S>, d_, 1>;

 public:
  static constexpr bool interpolates_as_steps = false;  // its interpolant is of order 3

  /// @throws std::invalid_argument  as ErrorControl and AdaptiveRun, and for a bad `newton`
  template <class Method>
  Radau5Run(const Method& method, const Adaptive& steps, const P& process, Index d)
      : Radau5Run(method,
                  ErrorControl(Method::facts.name, steps, NoiseKind::none, Method::control, d),
                  steps, process, d) {
    check_in({"the part of the tolerance at which Newton's iteration ends", "newton"},
             method.newton, 0, 1, Ends::open_right);
  }

  /// out = x(t) for t in the last accepted step, with an error of O(h^(dense_order + 1)); to be
  /// called before the next step is tried.
  /// @throws std::invalid_argument  for t outside the step, or if no step was accepted
  void interpolate(Time t, X& out) const {
    out = next_;
    add(Tableau::dense(this->theta(t)), last_, out);
  }

 private:
  template <class Method>
  Radau5Run(const Method& method, const ErrorControl& errors, const Adaptive& steps,
            const P& process, Index d)
      : Base(process, errors.with(prompt(errors.control)), steps, Tableau::error_order, d),
        control_(errors.control),
        rounding_(10 * static_cast<double>(std::numeric_limits<S>::epsilon()) / errors.rtol),
        newton_(std::max(std::min(method.newton, std::sqrt(errors.rtol)), rounding_)) {}

  enum class Newton { converged, diverged, undefined };

  void start(const X& x) {
    this->shape(Tableau::name, x);
    for (Stages* stages : {&stages_, &last_, &residuals_})
      for (X& v : *stages) v.resizeLike(x);
    for (X* v : {&change_, &error_}) v->resizeLike(x);
    real_.resize(x.rows(), x.rows());
    complex_.resize(x.rows(), x.rows());
    right_.resize(x.rows());
    pair_.resize(x.rows());
  }

  double attempt(const X& x, Time t, Time h, Counts& counts) {
    constexpr double no_solution = 16;  // as an error
    const bool doubtful = !std::exchange(trusted_, false);

    if (!has_jacobian_ && !reusable_) renew(x, t, h, counts);
    Newton newton = solve(x, t, h, counts);
    if (newton == Newton::diverged && !has_jacobian_) {
      renew(x, t, h, counts);
      newton = solve(x, t, h, counts);
    }
    if (newton != Newton::diverged) retry_ = 0;
    if (newton == Newton::undefined) return std::numeric_limits<double>::quiet_NaN();
    if (newton == Newton::diverged) return no_solution;

    next_ = x + stages_[2];
    residuals_[0].setZero();
    add(scaled(Tableau::error, 1 / h), stages_, residuals_[0]);
    z_ = slope_ + residuals_[0];
    error_.matrix() = real_lu_.solve(z_.matrix());
    const double error = this->norm(error_, x, next_);
    if (!(doubtful && error > 1)) return error;

    // Of components that are fast and gone the estimate has the whole start: looked at once more.
    z_ = x + error_;
    this->evaluate(z_, t, f_, counts);
    z_ = f_ + residuals_[0];
    error_.matrix() = real_lu_.solve(z_.matrix());
    return this->norm(error_, x, next_);
  }

  /// The base's design without its dead band, which is for the final factor: see `factor`.
  static StepControl prompt(StepControl control) {
    control.keep = {1, 1};
    return control;
  }

  /// The step after that of size h. After an accepted one it is at most
  ///
  ///     h safety (h / h_a) (e_a / e^2)^(1/4),
  ///
  /// with h_a, e_a step and error of the last accepted one: the error is expected to continue to
  /// change as it did. Many iterations make it a little shorter. A step is kept where the next
  /// would be in the dead band, so that its factorisation is used again. Source: Gustafsson (1994),
  /// ACM TOMS 20; Hairer & Wanner (1996), IV.8.
  double factor(Time h, double error) {
    constexpr double power = 1.0 / (Tableau::error_order + 1), least = 0.01;
    double factor = Base::factor(h, error);
    if (!StepController::accepts(error))
      return retry_ > 0 ? std::max(retry_, control_.min_factor) : factor;
    factor *= (2 * most_ + 1.0) / (2 * most_ + iterations_);
    if (accepted_h_ > 0)
      factor = std::min(factor, control_.safety * (h / accepted_h_) *
                                    std::pow(accepted_error_ / (error * error), power));
    factor = std::max(factor, control_.min_factor);
    accepted_h_ = h;
    accepted_error_ = std::max(error, least);
    return factor >= control_.keep[0] && factor <= control_.keep[1] ? 1 : factor;
  }

  void accept() {
    Base::accept();
    last_.swap(stages_);
    trusted_ = has_last_ = true;
  }

  /// Evaluates the Jacobian here, in place of that of an earlier step.
  void renew(const X& x, Time t, Time h, Counts& counts) {
    this->differentiate(x, t, h, counts);
    factored_ = 0;
  }

  void factorise(Time h) {
    if (factored_ == h) return;
    real_ = -jacobian_;
    real_.diagonal().array() += S(Tableau::gamma / h);
    real_lu_.compute(real_);
    complex_ = -jacobian_.template cast<std::complex<S>>();
    complex_.diagonal().array() += std::complex<S>(S(Tableau::alpha / h), S(Tableau::beta / h));
    complex_lu_.compute(complex_);
    factored_ = h;
  }

  /// Simplified Newton on a^-1 Z / h = f(x + Z), from the collocation polynomial of the last step.
  /// In the coordinates of T it splits into a real and a complex system of d equations. It
  /// converges where eta_k |change| is below newton_, with eta_k = theta_k / (1 - theta_k) and the
  /// rate of convergence theta_k, and fails, with the factor for a shorter step in retry_, where
  /// the remaining iterations would not suffice.
  /// Source  Hairer & Wanner (1996), IV.8.
  Newton solve(const X& x, Time t, Time h, Counts& counts) {
    constexpr double fastest = 1e-3;  // of a faster rate, rounding may be all that is seen
    factorise(h);
    extrapolate(h);
    double eta = std::pow(std::max(eta_, fastest), 0.8);
    double previous = 0, ratio = 0;
    eta_ = 1;
    reusable_ = true;
    retry_ = 0.5;
    for (int k = 1; k <= most_; ++k) {
      const double size = iterate(x, t, h, counts);
      if (!std::isfinite(size)) return Newton::undefined;
      iterations_ = k;
      if (size <= rounding_) return Newton::converged;
      if (k > 1) {
        const double now = size / previous, rate = k == 2 ? now : std::sqrt(now * ratio);
        ratio = now;
        reusable_ = k == 2 || rate < 1e-3;
        if (rate >= 0.99) return Newton::diverged;
        eta = rate / (1 - rate);
        const double rest = eta * size * std::pow(rate, most_ - k) / newton_;
        if (rest > 1) {
          retry_ = 0.8 * std::pow(std::min(rest, 20.0), -1.0 / (4 + most_ - k));
          return Newton::diverged;
        }
      }
      if (eta * size <= newton_) {
        eta_ = eta;
        return Newton::converged;
      }
      previous = size;
    }
    return Newton::diverged;
  }

  /// The stages extrapolated from the polynomial of the last step; 0 in the first step.
  void extrapolate(Time h) {
    for (std::size_t i = 0; i < 3; ++i) {
      stages_[i].setZero();
      if (!has_last_) continue;
      auto w = Tableau::dense(1 + static_cast<double>(Tableau::c[i]) * h / this->step_size());
      w[2] -= 1;
      add(w, last_, stages_[i]);
    }
  }

  /// One iteration; the size of its change in units of the tolerance, nan where there is one.
  double iterate(const X& x, Time t, Time h, Counts& counts) {
    for (std::size_t i = 0; i < 3; ++i) {
      z_ = x + stages_[i];
      this->evaluate(z_, t + static_cast<double>(Tableau::c[i]) * h, residuals_[i], counts);
      add(scaled(Tableau::a_inverse[i], -1 / h), stages_, residuals_[i]);
    }
    constexpr auto& inverse = Tableau::t_inverse;
    z_.setZero();
    add(inverse[0], residuals_, z_);
    change_.matrix() = real_lu_.solve(z_.matrix());
    z_.setZero();
    add(inverse[1], residuals_, z_);
    right_.real() = z_.matrix();
    z_.setZero();
    add(inverse[2], residuals_, z_);
    right_.imag() = z_.matrix();
    pair_ = complex_lu_.solve(right_);

    double size = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto& t_i = Tableau::t[i];
      z_ =
          S(t_i[0]) * change_ + S(t_i[1]) * pair_.real().array() + S(t_i[2]) * pair_.imag().array();
      stages_[i] += z_;
      const double of_stage = this->norm(z_, x, x);
      if (std::isnan(of_stage)) return of_stage;
      size = std::max(size, of_stage);
    }
    return size;
  }

  static constexpr Tableau::Row scaled(const Tableau::Row& w, Tableau::Real factor) {
    return {w[0] * factor, w[1] * factor, w[2] * factor};
  }

  /// out += sum_i w_i v_i
  template <class W>
  static void add(const W& w, const Stages& v, X& out) {
    out += S(w[0]) * v[0] + S(w[1]) * v[1] + S(w[2]) * v[2];
  }

  static constexpr int most_ = 7;  // iterations
  StepControl control_;
  double rounding_, newton_;  // where Newton's iteration ends, in units of the tolerance
  Stages stages_, last_, residuals_;
  X change_, error_;
  Matrix real_;
  ComplexMatrix complex_;
  ComplexVector right_, pair_;
  Eigen::PartialPivLU<Matrix> real_lu_;
  Eigen::PartialPivLU<ComplexMatrix> complex_lu_;
  Time factored_ = 0;    // the step that the factors are for; 0: there are none
  double eta_ = 1;       // from the last change to the error that is left
  int iterations_ = 0;   // of the last solution
  double retry_ = 0;     // factor of the step where they did not converge; 0: they did
  Time accepted_h_ = 0;  // the step whose error the controller saw last; 0: none
  double accepted_error_ = 0;
  bool reusable_ = false;  // the Jacobian is good enough for one more step
  bool has_last_ = false;  // last_ has the stages of a step
  bool trusted_ = false;   // the last step tried was accepted
};

}  // namespace detail

/// Radau IIA of order 5, adaptive, for stiff ODEs, one path at a time. L-stable. Three evaluations
/// of f, a real and a complex linear solve per iteration of simplified Newton, mostly two or three;
/// a dense real and a dense complex d x d LU factorisation where the step or the Jacobian change.
/// A step is accepted where
///
///     max |error estimate| / (atol + rtol max(|x|, |y|)) <= 1
///
/// over the components. The estimate is of order 3 and the error of order 5, so results are better
/// than the tolerance; Newton's iteration ends at the part min(newton, sqrt(rtol)) of it (0: at
/// rounding). The next step is chosen by Gustafsson's predictive control, on top of `control`, and
/// kept, with its factorisation, in the dead band of that. The Jacobian is the process's
/// `drift_jacobian(x, t, j)`, which fills a d x d matrix with j_ik = d f_i / d x_k, or d
/// differences of the drift, and serves for further steps while Newton ends after two iterations or
/// contracts by 1000 in each. A step whose iteration does not converge, or that meets a nan or an
/// infinity, is rejected and shortened, and ends in a Status if that does not help. A run throws
/// std::invalid_argument for a block of more than one path.
struct Radau5 {
  static constexpr Facts facts{.name = tableaus::RadauIIA5::name,
                               .source = tableaus::RadauIIA5::source,
                               .noise = {NoiseKind::none},
                               .order = {.deterministic = tableaus::RadauIIA5::order}};

  static constexpr bool adaptive = true;
  static constexpr int dense_order = tableaus::RadauIIA5::dense_order;  ///< of `interpolate`

  template <class P, State X>
  using Run = detail::Radau5Run<P, X>;

  /// From errors to steps, unless `Adaptive` has another.
  static constexpr StepControl control = step_controls::integral;

  double newton = 0.03;  ///< Newton's part of the tolerances, see above
};

}  // namespace fokker
