#pragma once
/// @file  fokker/solvers/ode/rosenbrock.hpp
/// @brief Adaptive Rosenbrock methods for stiff ODEs: tableaus as data, one generic solver.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>

#include <Eigen/LU>

#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/ode/jacobian.hpp>

namespace fokker {

/// A stiffly accurate Rosenbrock method with an embedded one, in the form without products by J:
///
///     (I / (gamma h) - J) u_i = f(z_i, t + alpha_i h) + sum_j (c_ij / h) u_j + gamma_i h f_t
///     z_i = x + sum_j a_ij u_j,   y = z_s + u_s
///
/// with J = f_x and f_t at (x, t). The error estimate is u_s. The interpolant is
///
///     (1 - theta) x + theta (y + (1 - theta) (v_1 + theta v_2 + theta^2 v_3)),
///     v_k = sum_i dense_ki u_i
///
/// Source  Hairer & Wanner (1996), IV.7 (7.25).
template <std::size_t stages>
struct RosenbrockTableau {
  double gamma;
  std::array<std::array<double, stages>, stages> a;
  std::array<std::array<double, stages>, stages> c;
  std::array<double, stages> alpha;
  std::array<double, stages> gammas;
  std::array<std::array<double, stages>, 3> dense;
};

namespace tableaus {

/// The code RODAS of Hairer and Wanner, orders 4 and 3, L-stable. Six evaluations per step, beside
/// those for the derivatives.
struct Rodas4 {
  static constexpr std::string_view name = "rodas4";
  static constexpr std::string_view source = "Hairer & Wanner (1996), IV.7 and IV.10";
  static constexpr int order = 4, error_order = 3, dense_order = 3;
  static constexpr RosenbrockTableau<6> tableau{
      0.25,
      {{{},
        {1.544},
        {0.9466785280815826, 0.2557011698983284},
        {3.314825187068521, 2.896124015972201, 0.9986419139977817},
        {1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950},
        {1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1}}},
      {{{},
        {-5.6688},
        {-2.430093356833875, -0.2063599157091915},
        {-0.1073529058151375, -9.594562251023355, -20.47028614809616},
        {7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160},
        {8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136,
         -6.058818238834054}}},
      {0, 0.386, 0.21, 0.63, 1, 1},
      {0.25, -0.1043, 0.1035, -0.0362, 0, 0},
      {{{10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823,
         1.025137723295662, 0},
        {-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386,
         -6.594389125716872, 0},
        {}}}};
};

/// Rodas5P, orders 5 and 4, L-stable. Eight evaluations per step, beside those for the derivatives.
struct Rodas5P {
  static constexpr std::string_view name = "rodas5p";
  static constexpr std::string_view source = "Steinebach (2023), BIT Numer. Math. 63";
  static constexpr int order = 5, error_order = 4, dense_order = 4;
  static constexpr RosenbrockTableau<8> tableau{
      0.21193756319429014,
      {{{},
        {3},
        {2.849394379747939, 0.45842242204463923},
        {-6.954028509809101, 2.489845061869568, -10.358996098473584},
        {2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641},
        {-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256,
         0.030198172008377946},
        {-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256,
         0.030198172008377946, 1},
        {-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256,
         0.030198172008377946, 1, 1}}},
      {{{},
        {-14.155112264123755},
        {-17.97296035885952, -2.859693295451294},
        {147.12150275711716, -1.41221402718213, 71.68940251302358},
        {165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306},
        {24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125,
         -0.6610691825249471},
        {30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783,
         -19.097331116725623, -28.087943162872662},
        {37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047,
         -40.06618937091002, -54.66780262877968, -9.48861652309627}}},
      {0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1, 1, 1},
      {0.21193756319429014, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734,
       2.325825639765069, 0, 0, 0},
      {{{25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204,
         0.524948541321073, 1.1241088310450404, 0.4272876194431874, -0.17202221070155493},
        {-9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796,
         20.176138334709044, 15.98066361424651, -6.789040303419874, -6.710236069923372},
        {11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643,
         -52.072871366152654, -59.78993625266729, -0.15582684282751913, 4.883087185713722}}}};
};

}  // namespace tableaus

namespace detail {

/// An adaptive run of the Rosenbrock method `Tableau` over one path.
template <class Tableau, class P, State X>
class RosenbrockRun : public JacobianRun<RosenbrockRun<Tableau, P, X>, P, X> {
  using Base = JacobianRun<RosenbrockRun, P, X>;
  friend AdaptiveRun<RosenbrockRun, P, X>;
  using S = typename X::Scalar;
  using Base::f_, Base::has_jacobian_, Base::jacobian_, Base::next_, Base::slope_, Base::z_;
  using typename Base::Matrix;
  static constexpr auto& tableau_ = Tableau::tableau;
  static constexpr std::size_t s_ = Tableau::tableau.alpha.size();

 public:
  static constexpr bool interpolates_as_steps = Tableau::dense_order >= Tableau::order;

  /// @throws std::invalid_argument  as ErrorControl and AdaptiveRun
  template <class Method>
  RosenbrockRun(const Method& /*method*/, const Adaptive& steps, const P& process, Index d)
      : Base(process, {Method::facts.name, steps, NoiseKind::none, Method::control, d}, steps,
             Tableau::error_order, d) {}

  /// out = x(t) for t in the last accepted step, with an error of O(h^(dense_order + 1)); to be
  /// called before the next step is tried.
  /// @throws std::invalid_argument  for t outside the step, or if no step was accepted
  void interpolate(Time t, X& out) const {
    const double theta = this->theta(t), rest = 1 - theta;
    out = next_;
    for (std::size_t i = 0; i < s_; ++i) {
      const double of_y = i + 1 == s_ ? 1 : tableau_.a[s_ - 1][i];
      const double v =
          tableau_.dense[0][i] + theta * (tableau_.dense[1][i] + theta * tableau_.dense[2][i]);
      out += S(theta * (of_y + rest * v)) * u_[i];
    }
  }

 private:
  void start(const X& x) {
    this->shape(Tableau::name, x);
    slope_t_.resizeLike(x);
    for (X& u : u_) u.resizeLike(x);
    w_.resize(x.rows(), x.rows());
  }

  double attempt(const X& x, Time t, Time h, Counts& counts) {
    if (!has_jacobian_) {
      this->differentiate(x, t, h, counts);
      differentiate_in_time(x, t, h, counts);
    }
    w_ = -jacobian_;
    w_.diagonal().array() += S(1 / (tableau_.gamma * h));
    lu_.compute(w_);
    for (std::size_t i = 0; i < s_; ++i) {
      z_ = x;
      for (std::size_t j = 0; j < i; ++j)
        if (tableau_.a[i][j] != 0) z_ += S(tableau_.a[i][j]) * u_[j];
      if (i == 0)
        f_ = slope_;
      else
        this->evaluate(z_, t + tableau_.alpha[i] * h, f_, counts);
      if (tableau_.gammas[i] != 0) f_ += S(tableau_.gammas[i] * h) * slope_t_;
      for (std::size_t j = 0; j < i; ++j) f_ += S(tableau_.c[i][j] / h) * u_[j];
      u_[i].matrix() = lu_.solve(f_.matrix());
    }
    next_ = z_ + u_[s_ - 1];
    return this->norm(u_[s_ - 1], x, next_);
  }

  /// f_t by a forward difference, of second order where times are coarse against the step. The
  /// increment, a difference of representable times, balances the rounding of f and of t against h,
  /// the only unit of time that is known.
  void differentiate_in_time(const X& x, Time t, Time h, [[maybe_unused]] Counts& counts) {
    if constexpr (is_autonomous<P>) {
      slope_t_.setZero();
    } else {
      constexpr double epsilon = std::numeric_limits<S>::epsilon(),
                       grain = std::numeric_limits<Time>::epsilon();
      const Time wanted = std::sqrt(h * std::max(epsilon * h, grain * std::abs(t)));
      const Time later = t + wanted, step = later - t;
      this->evaluate(x, later, f_, counts);
      slope_t_ = (f_ - slope_) / S(step);
      if (wanted < 1e-6 * h || epsilon > grain) return;
      const Time latest = later + step;
      this->evaluate(x, latest, f_, counts);
      z_ = slope_ + S(step) * slope_t_;  // f at `later`
      slope_t_ = S(1.5) * slope_t_ - S(0.5) * ((f_ - z_) / S(latest - later));
    }
  }

  X slope_t_;
  std::array<X, s_> u_;
  Matrix w_;
  Eigen::PartialPivLU<Matrix> lu_;
};

}  // namespace detail

/// An adaptive Rosenbrock solver for stiff ODEs, L-stable, one path at a time: a linear solve per
/// stage with one dense d x d LU factorisation per step, and no iteration. A step is accepted where
///
///     max |error estimate| / (atol + rtol max(|x|, |y|)) <= 1
///
/// over the components. The Jacobian is the process's `drift_jacobian(x, t, j)`, which fills a
/// d x d matrix with j_ik = d f_i / d x_k, or d differences of the drift; f_t is a difference, so f
/// is asked for slightly after t, or 0 where the process is `autonomous`. A step that meets a nan
/// or an infinity is rejected and shortened, and ends in a Status if that does not help. A run
/// throws std::invalid_argument for a block of more than one path.
template <class Tableau>
struct Rosenbrock {
  static constexpr Facts facts{.name = Tableau::name,
                               .source = Tableau::source,
                               .noise = {NoiseKind::none},
                               .order = {.deterministic = Tableau::order}};

  static constexpr bool adaptive = true;
  static constexpr int dense_order = Tableau::dense_order;  ///< order of `interpolate`

  template <class P, State X>
  using Run = detail::RosenbrockRun<Tableau, P, X>;

  /// From errors to steps, unless `Adaptive` has another.
  static constexpr StepControl control = step_controls::integral;
};

using Rodas4 = Rosenbrock<tableaus::Rodas4>;
using Rodas5P = Rosenbrock<tableaus::Rodas5P>;

}  // namespace fokker
