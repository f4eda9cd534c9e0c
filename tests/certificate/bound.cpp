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
