#pragma once
/// @file  fokker/solvers/ode/cvode.hpp
/// @brief SUNDIALS' CVODE as an adaptive solver for stiff ODEs. Needs SUNDIALS 6.
///
/// Not part of fokker.hpp. With -DFOKKER_SUNDIALS=ON there is a target fokker::cvode to link; from
/// an installed fokker, find_package(fokker COMPONENTS cvode) gives it.

#if !__has_include(<cvode/cvode.h>)
#error "fokker/solvers/ode/cvode.hpp needs SUNDIALS 6: configure fokker with -DFOKKER_SUNDIALS=ON"
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <type_traits>

#include <cvode/cvode.h>
#include <fmt/core.h>
#include <nvector/nvector_serial.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>

#include <fokker/solvers/core/interval.hpp>
#include <fokker/solvers/core/process.hpp>
#include <fokker/solvers/core/solution.hpp>
#include <fokker/solvers/core/solver.hpp>
#include <fokker/solvers/core/steps.hpp>

static_assert(SUNDIALS_VERSION_MAJOR == 6 && std::is_same_v<realtype, double>,
              "fokker/solvers/ode/cvode.hpp needs SUNDIALS 6 in double precision");

namespace fokker {

namespace detail {

/// CVODE's objects for one path of dimension d.
class CvodeMemory {
 public:
  /// @throws std::bad_alloc  where SUNDIALS makes none
  explicit CvodeMemory(Index d) {
    SUNContext made = nullptr;
    if (SUNContext_Create(nullptr, &made) != 0) throw std::bad_alloc();
    context_.reset(made);
    y_.reset(N_VNew_Serial(d, made));
    out_.reset(N_VNew_Serial(d, made));
    matrix_.reset(SUNDenseMatrix(d, d, made));
    if (!y_ || !out_ || !matrix_) throw std::bad_alloc();
    linear_.reset(SUNLinSol_Dense(y(), matrix_.get(), made));
    cvode_.reset(CVodeCreate(CV_BDF, made));
    if (!linear_ || !cvode_) throw std::bad_alloc();
  }

  void* cvode() const { return cvode_.get(); }
  N_Vector y() const { return y_.get(); }
  N_Vector out() const { return out_.get(); }
  SUNMatrix matrix() const { return matrix_.get(); }
  SUNLinearSolver linear() const { return linear_.get(); }

 private:
  struct Free {
    void operator()(SUNContext c) const { SUNContext_Free(&c); }
    void operator()(N_Vector v) const { N_VDestroy(v); }
    void operator()(SUNMatrix m) const { SUNMatDestroy(m); }
    void operator()(SUNLinearSolver s) const { SUNLinSolFree(s); }
    void operator()(void* cvode) const { CVodeFree(&cvode); }
  };
  template <class Handle>
  using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Free>;

  Owned<SUNContext> context_;  // outlives the rest
  Owned<N_Vector> y_, out_;
  Owned<SUNMatrix> matrix_;
  Owned<SUNLinearSolver> linear_;
  Owned<void*> cvode_;
};

/// A run of CVODE over one path. The process must outlive it. A run that has begun cannot be
/// copied: its past is SUNDIALS' own.
template <class P, State X>
class CvodeRun {
  using S = typename X::Scalar;
  static constexpr int d_ = X::RowsAtCompileTime;

 public:
  /// @throws std::invalid_argument  as ErrorControl, and for a control: CVODE has its own
  template <class Method>
  CvodeRun(const Method& /*method*/, const Adaptive& steps, const P& process, Index d)
      : process_(&process), errors_(Method::facts.name, steps, NoiseKind::none, {}, d) {
    if (steps.control) throw std::invalid_argument("cvode has a step control of its own");
    first_step(steps.first_step);
  }
  CvodeRun(CvodeRun&&) noexcept = default;
  CvodeRun& operator=(CvodeRun&&) noexcept = default;
  ~CvodeRun() = default;

  /// @throws std::logic_error  for a run that has begun
  CvodeRun(const CvodeRun& other) : process_(other.process_), errors_(other.errors_), h_(other.h_) {
    if (other.memory_) throw std::logic_error("a run of cvode that has begun cannot be copied");
  }
  CvodeRun& operator=(const CvodeRun& other) { return *this = CvodeRun(other); }

  /// The first step to try; 0: CVODE's choice.
  /// @throws std::invalid_argument  for h < 0 or not finite
  void first_step(Time h) {
    check_first_step(h);
    h_ = h;
  }

  /// Takes one step from (x, t) towards t1 > t, which is never passed: it replaces x and t, and the
  /// last one sets t = t1 exactly. Steps that CVODE tries and throws away on the way are counted.
  /// Between calls x and t must stay what the last step made them.
  /// @return success; step_underflow, or non_finite if a nan is the cause, where CVODE gives up
  /// @throws std::invalid_argument  for a block of more than one path
  /// @throws std::bad_alloc         where SUNDIALS has no memory
  Status try_step(X& x, Time& t, Time t1, Counts& counts) {
    accepted_ = false;
    if (!memory_) start(x, t, t1);
    void* cvode = memory_->cvode();
    CVodeSetUserData(cvode, this);
    CVodeSetStopTime(cvode, t1);
    met_nan_ = false;
    calls_ = 0;
    Time reached = t;
    const int flag = CVode(cvode, t1, memory_->y(), &reached, CV_ONE_STEP);
    counts.drift_evaluations += calls_;
    count_rejected(counts);
    if (flag == CV_MEM_FAIL || flag == CV_MEM_NULL) throw std::bad_alloc();
    if (flag < 0 || !(reached > t)) return met_nan_ ? Status::non_finite : Status::step_underflow;
    from(memory_->y(), x);
    t = reached;
    ++counts.accepted;
    accepted_ = true;
    return Status::success;
  }

  /// Whether the last `try_step` advanced the state.
  bool accepted() const { return accepted_; }

  /// out = x(t) for t in the last accepted step, by the polynomial of the step; to be called before
  /// the next step is tried.
  /// @throws std::invalid_argument  for t outside the step, or if no step was accepted
  void interpolate(Time t, X& out) const {
    if (!accepted_ || CVodeGetDky(memory_->cvode(), t, 0, memory_->out()) != CV_SUCCESS)
      throw std::invalid_argument(
          fmt::format("interpolate needs a time in the step last accepted: got {}", t));
    from(memory_->out(), out);
  }

 private:
  void start(const X& x, Time t, Time t1) {
    if (x.cols() != 1)
      throw std::invalid_argument(fmt::format(
          "cvode takes one path at a time: got a block of {} (use simulate)", x.cols()));
    x_ = f_ = x;
    jacobian_.resize(x.rows(), x.rows());
    memory_ = std::make_unique<CvodeMemory>(x.rows());
    void* cvode = memory_->cvode();
    Eigen::Map<Eigen::ArrayXd>(N_VGetArrayPointer(memory_->y()), x.rows()) =
        x.col(0).template cast<double>();
    const auto must = [](int flag) {
      if (flag != CV_SUCCESS) throw std::bad_alloc();
    };
    must(CVodeInit(cvode, drift, t, memory_->y()));
    for (Index i = 0; i < x.rows(); ++i)
      N_VGetArrayPointer(memory_->out())[i] = errors_.atol[i];  // copied
    must(CVodeSVtolerances(cvode, errors_.rtol, memory_->out()));
    must(CVodeSetLinearSolver(cvode, memory_->linear(), memory_->matrix()));
    if constexpr (has_jacobian_) must(CVodeSetJacFn(cvode, jacobian));
    must(CVodeSetErrHandlerFn(
        cvode, [](int, const char*, const char*, char*, void*) {}, nullptr));
    must(CVodeSetInitStep(cvode, std::min(h_, t1 - t)));
    // As long as a shorter step is one: nan and error alike end in a Status.
    must(CVodeSetMaxErrTestFails(cvode, 100));
    must(CVodeSetMaxConvFails(cvode, 100));
  }

  /// What CVODE calls for f; a recoverable failure, 1, where f is not finite.
  static int drift(double t, N_Vector y, N_Vector out, void* self) {
    auto& run = *static_cast<CvodeRun*>(self);
    from(y, run.x_);
    evaluate_drift(*run.process_, run.x_, t, run.f_);
    ++run.calls_;
    Eigen::Map<Eigen::ArrayXd>(N_VGetArrayPointer(out), run.f_.rows()) =
        run.f_.col(0).template cast<double>();
    const bool finite = run.f_.isFinite().all();
    run.met_nan_ |= !finite;
    return finite ? 0 : 1;
  }

  static int jacobian(double t, N_Vector y, N_Vector, SUNMatrix out, void* self, N_Vector, N_Vector,
                      N_Vector) {
    auto& run = *static_cast<CvodeRun*>(self);
    from(y, run.x_);
    run.process_->drift_jacobian(run.x_, t, run.jacobian_);
    Eigen::Map<Eigen::MatrixXd>(SUNDenseMatrix_Data(out), run.x_.rows(), run.x_.rows()) =
        run.jacobian_.template cast<double>();
    return 0;
  }

  static void from(N_Vector v, X& x) {
    x.col(0) = Eigen::Map<const Eigen::ArrayXd>(N_VGetArrayPointer(v), x.rows()).template cast<S>();
  }

  /// Steps of CVODE's own that failed in the test of the error or in Newton's iteration.
  void count_rejected(Counts& counts) {
    long int by_error = 0, by_newton = 0;
    CVodeGetNumErrTestFails(memory_->cvode(), &by_error);
    CVodeGetNumStepSolveFails(memory_->cvode(), &by_newton);
    const auto failed = static_cast<std::uint64_t>(by_error + by_newton);
    counts.rejected += failed - failed_;
    failed_ = failed;
  }

  const P* process_;
  ErrorControl errors_;
  Time h_ = 0;
  std::unique_ptr<CvodeMemory> memory_;
  X x_, f_;
  Eigen::Matrix<S, d_, d_> jacobian_;
  static constexpr bool has_jacobian_ =
      requires(const P& p, const X& x, Time t, Eigen::Matrix<S, d_, d_>& j) {
    p.drift_jacobian(x, t, j);
  };
  std::uint64_t calls_ = 0, failed_ = 0;
  bool accepted_ = false, met_nan_ = false;
};

}  // namespace detail

/// The backward differentiation formulas of SUNDIALS' CVODE, orders 1 to 5 chosen on the way, for
/// stiff ODEs, one path at a time: Newton's iteration with its dense linear solver, about one
/// evaluation of f per step and a Jacobian every twenty or so. A step is accepted where the root
/// mean square over the components of
///
///     error estimate / (atol + rtol |x|)
///
/// is at most 1 (not the maximum, as in our own methods). The Jacobian is the process's
/// `drift_jacobian(x, t, j)`, which fills a d x d matrix with j_ik = d f_i / d x_k, or CVODE's
/// differences, whose calls of f count. It computes in double, whatever the scalar of the state. A
/// step that meets a nan is shortened, and ends in a Status if that does not help. A run throws
/// std::invalid_argument for tolerances that are not positive and finite and for a block of more
/// than one path; one that has begun cannot be copied (std::logic_error).
struct Cvode {
  static constexpr Facts facts{.name = "cvode",
                               .source = "Hindmarsh et al. (2005), ACM TOMS 31",
                               .noise = {NoiseKind::none}};

  static constexpr bool adaptive = true;

  template <class P, State X>
  using Run = detail::CvodeRun<P, X>;
};

}  // namespace fokker
