#include "certify.hpp"

using namespace certificate;

TEST_CASE("every solver that is made for one process has its strong order on it") {
  Table table("bound-strong");

  for (const SolverInfo& solver : list_solvers()) {
    if (solver.process.empty()) continue;
    const RegisteredProcess process = make_process(solver.process);
    ConvergenceSettings settings;
    settings.steps = {16, 32, 64, 128, 256};
    settings.paths = 4096;
    const ConvergenceStudy study = measure_convergence_by_name(process, solver.name, settings);

    table.add({std::string(solver.name), std::string(solver.process), claim(study.claimed_strong),
               describe(study.strong)});
    judge_claim(solver.name, solver.process, study.strong, study.claimed_strong, {});
  }
}

TEST_CASE("log-ode has its strong order on an affine SDE") {
  Table table("affine-strong");
  const RegisteredProcess process = make_process("igbm", {{"kappa", 1}, {"theta", 0.5}});
  ConvergenceSettings settings;
  settings.steps = {16, 32, 64, 128, 256};
  settings.paths = 4096;
  for (const std::string_view solver : {"log-ode", "sriw1", "slow-rk"}) {
    const ConvergenceStudy study = measure_convergence_by_name(process, solver, settings);

    table.add({std::string(solver), "igbm", claim(study.claimed_strong), describe(study.strong),
               fmt::format("{:.2g}", study.levels.back().strong)});
    judge_claim(solver, "igbm", study.strong, study.claimed_strong, {});
  }
}
