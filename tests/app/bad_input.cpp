/// @file  bad_input.cpp
/// @brief Bad input: one clear line on stderr, exit code 2, nothing written.

#include <algorithm>
#include <string>
#include <vector>

#include "app/program.hpp"
#include "catch.hpp"

namespace {

struct BadInput {
  std::string args;
  std::vector<std::string> said;  ///< each must stand in the message
};

void check_refused(const Program& fokker, const BadInput& bad) {
  const std::vector<std::string> before = fokker.files();

  const Outcome run = fokker(bad.args);

  INFO("fokker " << bad.args << "\nstdout: " << run.out << "\nstderr: " << run.err);
  CHECK(run.code == 2);
  CHECK(run.out.empty());
  CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
  CHECK_THAT(run.err, StartsWith("fokker: "));
  for (const std::string& words : bad.said) CHECK_THAT(run.err, ContainsSubstring(words));
  CHECK(fokker.files() == before);
}

}  // namespace

TEST_CASE("misspelt names are answered with the nearest ones") {
  const Program fokker;

  for (const BadInput& bad : std::vector<BadInput>{
           {"compar", {"compar", "compare"}},
           {"", {"compare, list, explain, integrate, converge, tune, learn or bench"}},
           {"--versoin", {"--version"}},
           {"list solver", {"fokker list solvers"}},
           {"list solver sriw", {"sriw1"}},
           {"list solvers --noise diagnoal", {"diagonal"}},
           {"list grids --noise diagonal", {"grids"}},
           {"list families karras", {"no name"}},
           {"compare --process vpp", {"vpp", "vp"}},
           {"compare --process sub_vp", {"sub-vp"}},
           {"compare --samplers euler-maryama", {"euler-maruyama"}},
           {"compare --samplers euler,dopri", {"dopri5"}},
           {"compare --grid karas", {"karras"}},
           {"compare --metric sliced-w", {"sliced-w2"}},
           {"compare --data ring9", {"ring8"}},
           {"compare --init exakt", {"exact"}},
           {"compare --last denoised", {"denoise"}},
           {"compare --precision flaot", {"float"}},
           {"compare --set betamin=0.2", {"beta_min"}},
           {"compare --sampler euler", {"--samplers"}},
           {"integrate --process gmb --solver milstein", {"gbm"}},
           {"integrate --process gbm --solver milstien", {"milstein"}},
           {"integrate --process gbm --solver milstein --set sigm=1", {"sigma"}},
           {"converge --process gbm --solvers milstien", {"milstein"}}})
    check_refused(fokker, bad);
}

TEST_CASE("settings that make no sense are refused") {
  const Program fokker;

  for (const BadInput& bad : std::vector<BadInput>{
           {"compare --set beta_min=20,beta_max=0.1", {"beta_max", "beta_min"}},
           {"compare --set beta_min=20,beta_max=20", {"beta_max", "beta_min"}},
           {"compare --set beta_min=x", {"beta_min", "x"}},
           {"compare --set beta_min", {"--set", "beta_min"}},
           {"compare --set beta_min=1,beta_min=2", {"beta_min", "twice"}},
           {"compare --t-min 1", {"t_min"}},
           {"compare --t-min 1.5", {"t_min"}},
           {"compare --t-min -0.1", {"t_min"}},
           {"compare --t-min nan", {"--t-min"}},
           {"compare --last zero --samplers heun", {"last=zero", "heun", "last=denoise"}},
           {"compare --last zero --samplers ddim --t-min 0", {"t_min=0 is there already"}},
           {"tune --last zero --sampler rk4", {"last=zero", "rk4"}},
           {"compare --exact --samplers shark --data gaussian", {"shark adapts its steps"}},
           {"compare --t-min 0 --samplers heun-sde --data points:points.csv", {"t_min"}},
           {"compare --score model.json", {"exact or model:FILE", "model.json"}},
           {"compare --score model:none.json", {"none.json"}},
           {"compare --exact --data gaussian --metric energy", {"w2", "--metric energy"}},
           {"compare --trace", {"they need exact"}},
           {"compare --modes modes.csv", {"they need exact"}},
           {"compare --score-error scal=1", {"--score-error", "scale"}},
           {"compare --score-error scale=x", {"scale", "x"}},
           {"compare --samplers edm-churn:gama=1", {"gamma"}},
           {"compare --samplers edm-churn:gamma", {"name=number"}},
           {"compare --grid points.csv", {"points.csv"}},
           {"tune --sampler dopri5", {"adapts its steps"}},
           {"tune --data ring8", {"Gaussian"}},
           {"tune --t-min 0", {"t_min=0"}},
           {"tune --nfe 1", {"two steps at least"}},
           {"compare --paths 0", {"--paths", "0"}},
           {"compare --paths -5", {"--paths"}},
           {"compare --paths 1e4.5", {"--paths"}},
           {"compare --paths 1.5", {"--paths", "1.5"}},
           {"compare --paths 9223372036854775807", {"--paths", "1e+15"}},
           {"compare --paths 99999999999999999999", {"--paths", "1e+15"}},
           {"compare --paths 1e300", {"--paths", "1e+15"}},
           {"compare --nfe 8,,16", {"--nfe", "empty item", "8,,16"}},
           {"compare --nfe 8,", {"--nfe", "empty item"}},
           {"compare --samplers ,euler", {"--samplers", "empty item"}},
           {"compare --eta +-1", {"--eta", "+-1"}},
           {"compare --data digits.csv", {"points:digits.csv"}},
           {"compare --data mixture.json", {"mixture:mixture.json"}},
           {"integrate --process gbm --solver milstein --paths 9223372036854775807", {"1e+15"}},
           {"integrate --process gbm --solver milstein --points 1,,2", {"--points"}},
           {"integrate --process gbm --process ou --solver milstein", {"--process", "2 times"}},
           {"integrate --process gbm --solver milstein --dt 2 --t 0:1", {"--dt 2", "--t 0:1"}},
           {"integrate --process gbm --solver milstein --trajectories 2", {"--csv", "--plot"}},
           {"integrate --process gbm --solver rk4", {"diagonal noise"}},
           {"integrate --process lorenz --solver milstein", {"no noise"}},
           {"integrate --process bm --solver milstein --until \"x>=1 or\"", {"--until"}},
           {"integrate --process bm --solver milstein --until \"x>=1 or x<=2\"", {"start"}},
           {"converge --process gbm --solvers milstein --first-steps 9223372036854775807",
            {"--first-steps", "1099511627776"}},
           {"help compar", {"compare"}},
           {"compare --seed 1.5", {"--seed"}},
           {"integrate --process gbm --solver milstein --dt", {"--dt needs a value"}},
           {"compare --steps 0", {"--steps", "0"}},
           {"compare --nfe 8,0", {"--nfe", "0"}},
           {"compare --nfe 8,x", {"--nfe", "x"}},
           {"compare --nfe 2 --samplers rk4", {"rk4", "4"}},
           {"compare --nfe 8 --steps 8", {"--nfe", "--steps"}},
           {"compare --threads -1", {"--threads"}},
           {"compare --seed -1", {"--seed"}},
           {"compare --metric w1", {"w1", "dimension"}},
           {"compare --metric w2", {"w2", "dimension"}},
           {"compare --exact", {"Gaussian"}},
           {"compare --exact --data gaussian --samplers dopri5", {"dopri5"}},
           {"compare --eta 1 --samplers euler", {"euler", "eta"}},
           {"compare --eta 0.5 --samplers ddpm", {"ddpm", "eta"}},
           {"compare --eta -1 --samplers euler-maruyama", {"eta"}},
           {"compare --scale 0:1", {"--scale", "points"}},
           {"compare --drop-column 1", {"--drop-column", "points"}},
           {"compare --data points", {"points:FILE.csv"}},
           {"compare --data mixture:", {"mixture:FILE.json"}},
           {"compare extra", {"extra"}},
           {"integrate --solver milstein", {"--process"}},
           {"integrate --process gbm --solver milstein --rng pcg", {"--rng", "pcg32"}},
           {"integrate", {"give an equation"}},
           {"integrate --process gbm --solver milstein --paths 0", {"--paths"}},
           {"integrate --process gbm --solver milstein --dt 0", {"--dt"}},
           {"integrate --process gbm --solver milstein --dt -1", {"--dt"}},
           {"integrate --process gbm --solver milstein --t 1:0", {"up in time"}},
           {"integrate --process gbm --solver milstein --t 1", {"--t", "a:b"}},
           {"integrate --process gbm --solver milstein --t 1:1", {"--t"}},
           {"integrate --process gbm --solver milstein --set sigma=-1", {"sigma"}},
           {"integrate --process heston --solver milstein", {"milstein", "euler-maruyama"}},
           {"integrate --process heston --solver shark", {"shark", "euler-maruyama"}},
           {"integrate --process gbm --solver rk4", {"rk4", "milstein"}},
           {"integrate --process lorenz --solver milstein", {"milstein", "dopri5"}},
           {"integrate --process lorenz --solver dopri5 --dt 0.1", {"--rtol"}},
           {"integrate --process lorenz --solver dopri5 --rtol 0", {"rtol"}},
           {"integrate --process lorenz --solver rk4 --rtol 1e-3", {"--dt"}},
           {"integrate --process lorenz --solver rk4 --x0 1,2", {"dimension"}},
           {"integrate --process gbm --solver milstein --csv - --json -", {"stdout"}},
           {"integrate --process gbm --solver milstein --save paths.csv", {".npy", "paths.csv"}},
           {"integrate --process gbm --solver milstein --save a.npy --checkpoint b", {"--save"}},
           {"integrate --process gbm --solver milstein --checkpoint-every 1", {"--checkpoint"}},
           {"integrate --process gbm --solver sriw1 --rtol 0", {"rtol=0"}},
           {"integrate --process gbm --solver sriw1 --atol -1e-3", {"atol=-0.001"}},
           {"integrate --process lorenz --solver dopri5 --atol -1", {"atol=-1"}},
           {"integrate --process lorenz --solver radau5 --rtol nan", {"--rtol", "nan"}},
           {"integrate --process cir --solver euler-maruyama --x0 -1", {"-1", "domain [0, inf]"}},
           {"integrate --process heston --solver euler-maruyama --x0 0", {"dimension 2", "has 1"}},
           {"integrate --process gbm --solver milstein --t 0:1 --dt 1e-20", {"--dt", "1e9"}},
           {"integrate --process gbm --solver milstein --t 1e16:10000000000000004 --dt 0.5",
            {"--dt", "0.5", "resolution"}},
           {"integrate --process lorenz --solver rk4 --t 1e16:10000000000000004 --dt 0.5",
            {"--dt", "0.5", "resolution"}},
           {"integrate --process bm --solver milstein --until x", {"--until", "x>=1"}},
           {"integrate --process bm --solver milstein --until \"x>1\"", {"--until", "x>1"}},
           {"integrate --process bm --solver milstein --until \"x1>=1\"", {"--until", "x1>=1"}},
           {"integrate --process bm --solver milstein --until \"x>=one\"", {"--until", "one"}},
           {"integrate --process bm --solver milstein --until \"x>=0\"", {"start", "x = 0"}},
           {"integrate --process bm --solver milstein --until \"x<=1\"", {"start", "x = 0"}},
           {"integrate --process bm --solver milstein --until \"x=0\"", {"start", "x = 0"}},
           {"integrate --process bm --solver milstein --until \"x>=1\" --points 3", {"--points"}},
           {"integrate --process bm --solver milstein --until \"x>=1\" --save a.npy", {"--save"}},
           {"integrate --process bm --solver milstein --until \"x>=1\" --checkpoint b",
            {"--checkpoint"}},
           {"integrate --process bm --solver milstein --until \"x>=1\" --rtol 1e-3", {"--dt"}},
           {"integrate --process lorenz --solver rk4 --until \"x4>=1\"", {"x1 to x3"}},
           {"converge --process gbm", {"--solvers"}},
           {"converge --process gbm --solvers milstein --levels 2", {"--levels"}},
           {"converge --process gbm --solvers milstein --paths 1", {"--paths"}},
           {"converge --process lorenz --solvers dopri5", {"dopri5"}},
           {"converge --process gbm --solvers rk4", {"rk4"}}}) {
    fokker.write("points.csv", "1,2\n3,4\n");
    check_refused(fokker, bad);
  }
}

TEST_CASE("files that hold no such data are refused with the place") {
  const Program fokker;
  fokker.write("text.csv", "1,2\n3,four\n");
  fokker.write("ragged.csv", "1,2\n3\n");
  fokker.write("nan.csv", "1,2\n3,4\nnan,5\n");
  fokker.write("empty.csv", "");
  fokker.write("good.csv", "1,2\n3,4\n");
  fokker.write("negative.csv", "1\n-2\n");
  fokker.write(
      "indefinite.json",
      R"({"components": [{"weight": 1, "mean": [0, 0], "covariance": [[1, 2], [2, 1]]}]})");
  fokker.write("broken.json", R"({"components": [)");

  for (const BadInput& bad : std::vector<BadInput>{
           {"compare --data points:text.csv", {"text.csv", "2", "four"}},
           {"compare --data points:ragged.csv", {"ragged.csv", "2"}},
           {"compare --data points:nan.csv", {"nan.csv", "3", "nan"}},
           {"compare --data points:empty.csv", {"empty.csv"}},
           {"compare --data points:absent.csv", {"absent.csv"}},
           {"compare --data points:good.csv --drop-column 3", {"good.csv", "3"}},
           {"compare --data points:good.csv --drop-column 0", {"--drop-column"}},
           {"compare --data points:good.csv --scale 1:1", {"--scale"}},
           {"compare --data points:good.csv --scale 1", {"--scale"}},
           {"compare --data spectrum:negative.csv --exact", {"negative.csv", "2"}},
           {"compare --data spectrum:absent.csv", {"absent.csv"}},
           {"compare --data low-rank:absent.csv", {"absent.csv"}},
           {"compare --data low-rank:good.csv:x", {"low-rank", "'x'"}},
           {"compare --data low-rank:good.csv:-1", {"floor", "-1"}},
           {"compare --data low-rank", {"low-rank:FILE.csv"}},
           {"compare --data mixture:indefinite.json", {"indefinite.json", "positive definite"}},
           {"compare --data mixture:broken.json", {"broken.json"}},
           {"compare --data mixture:absent.json", {"absent.json"}}})
    check_refused(fokker, bad);
}

TEST_CASE("outputs that cannot be written are refused before the work") {
  const Program fokker;
  fokker.write("file", "");

  for (const BadInput& bad : std::vector<BadInput>{
           {"compare --json absent/out.json", {"absent/out.json"}},
           {"compare --json file/out.json", {"file/out.json"}},
           {"compare --json .", {"."}},
           {"compare --plot absent/out.png", {"absent/out.png"}},
           {"compare --plot out.gif", {"out.gif", ".svg", ".pdf"}},
           {"compare --plot out.svg --json absent/out.json", {"absent/out.json"}},
           {"list --json absent/out.json", {"absent/out.json"}},
           {"bench --json absent/out.json", {"absent/out.json"}},
           {"integrate --process gbm --solver milstein --csv absent/out.csv", {"absent/out.csv"}},
           {"integrate --process gbm --solver milstein --save absent/a.npy", {"absent/a.npy"}},
           {"integrate --process gbm --solver milstein --checkpoint absent/c", {"absent/c"}},
           {"integrate --process bm --solver milstein --until \"x>=1\" --csv absent/out.csv",
            {"absent/out.csv"}},
           {"converge --process gbm --solvers milstein --plot absent/out.svg", {"absent/out.svg"}}})
    check_refused(fokker, bad);
}

TEST_CASE("help ends with examples and exit code 0") {
  const Program fokker;

  for (const std::string& command :
       std::vector<std::string>{"compare", "list", "integrate", "converge", "bench"}) {
    const Outcome run = fokker(command + " --help");
    INFO(command);
    CHECK(run.code == 0);
    CHECK(run.err.empty());
    for (const char* words : {"Examples:", "--seed", "--threads", "--json"})
      CHECK_THAT(run.out, ContainsSubstring(words));
  }
  CHECK(fokker("--help").code == 0);
  CHECK(fokker("help").out == fokker("--help").out);
  CHECK(fokker("help integrate").out == fokker("integrate --help").out);
  CHECK_THAT(fokker("--version").out, StartsWith("fokker "));
  CHECK(fokker("-V").out == fokker("--version").out);
}
