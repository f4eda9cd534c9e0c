/// @file  unit/analysis/comparison_rows.cpp
/// @brief What the rows of a comparison spend, count and claim.

#include <algorithm>
#include <cmath>

#include "catch.hpp"

#include <fokker/analysis/compare/comparison.hpp>
#include <fokker/diffusion/data/gaussian.hpp>

using namespace fokker;

namespace {

ComparisonSettings settings(std::vector<std::string> samplers) {
  ComparisonSettings s;
  s.data = GaussianSpectrum(Eigen::Vector2d(0.5, 0), Eigen::Vector2d(2, 0.1));
  s.data_name = "two modes";
  s.samplers = std::move(samplers);
  s.exact = true;
  return s;
}

double spent(const std::string& sampler, FinalStep last, Index nfe) {
  ComparisonSettings s = settings({sampler});
  s.last = last;
  s.nfe = {nfe};
  return compare(s).rows.front().nfe;
}

}  // namespace

TEST_CASE("a budget of evaluations includes those of the last step") {
  for (const FinalStep last : {FinalStep::none, FinalStep::denoise, FinalStep::zero}) {
    INFO(to_string(last));
    CHECK(spent("ddim", last, 20) == 20);
    CHECK(spent("dpm++2m", last, 20) == 20);
    CHECK(spent("edm-heun", last, 21) == (last == FinalStep::none ? 20 : 21));
    CHECK(spent("sa-solver", last, 20) == 20);
  }
  CHECK_THROWS_WITH(spent("ddim", FinalStep::denoise, 1),
                    ContainsSubstring("beside 1 of the last step"));
}

TEST_CASE("edm-churn's S_churn is shared out among the steps") {
  ComparisonSettings s = settings({"edm-churn:churn=4:s_noise=1", "edm-churn:gamma=0.2:s_noise=1"});
  s.steps = {20};
  s.process = "edm";

  const Comparison found = compare(s);

  CHECK(found.rows[0].error == found.rows[1].error);
  CHECK(found.rows[0].sampler == "edm-churn:churn=4:s_noise=1");
  CHECK(found.notes.empty());
}

TEST_CASE("noise that a churn cannot raise to is reported") {
  ComparisonSettings s = settings({"edm-churn:s_max=1000", "edm-churn:s_min=500:s_max=1000"});
  s.steps = {10};
  s.process = "edm";

  const Comparison found = compare(s);

  REQUIRE(found.notes.size() == 2);
  CHECK_THAT(found.notes[0], ContainsSubstring("1 of its") && ContainsSubstring("sigma = 80"));
  CHECK_THAT(found.notes[1], ContainsSubstring("no step has sigma in"));
}

TEST_CASE("an adaptive sampler keeps to the budgets of evaluations, with one row at least") {
  ComparisonSettings s = settings({"dopri5"});
  s.exact = false;
  s.paths = 100;
  s.pathwise = false;
  for (const Index nfe : {8, 50}) {
    s.nfe = {nfe};

    const Comparison found = compare(s);

    INFO(nfe);
    REQUIRE(!found.rows.empty());
    CHECK((found.rows.size() == 1 || found.rows.back().nfe <= 1.2 * static_cast<double>(nfe)));
    CHECK(found.rows.size() < 6);
    REQUIRE(found.notes.size() == 1);
    CHECK_THAT(found.notes[0], ContainsSubstring("are left out"));
  }
}

TEST_CASE("no order is claimed from errors that are not small beside the data") {
  ComparisonSettings s = settings({"euler"});
  s.data = GaussianSpectrum(Eigen::Vector2d::Zero(), Eigen::Vector2d(1e-8, 1e-8));
  s.steps = {2, 3, 4, 5};

  const Comparison found = compare(s);

  REQUIRE(found.orders.size() == 1);
  CHECK_THAT(found.orders[0].verdict, StartsWith("no order: the error of"));
  CHECK(found.orders[0].fit.status != OrderStatus::measured);
}

TEST_CASE("paths that explode are counted") {
  ComparisonSettings s = settings({"ddim"});
  s.exact = false;
  s.paths = 200;
  s.nfe = {8};
  CHECK(compare(s).rows.front().outliers == 0);
  s.score_error = {.scale = -8};  // drives away from the data

  const ComparisonRow row = compare(s).rows.front();

  CHECK(row.outliers > 100);
  CHECK(row.failed == 0);
}

TEST_CASE("a negative eta and an empty default set are refused") {
  ComparisonSettings s = settings({});
  s.eta = -1;
  CHECK_THROWS_WITH(compare(s), ContainsSubstring("at least 0"));
  s.samplers = {"ddim"};
  CHECK_THROWS_WITH(compare(s), ContainsSubstring("at least 0"));
}

TEST_CASE("all final states are kept where they are asked for") {
  ComparisonSettings s = settings({"ddim"});
  s.exact = false;
  s.paths = 10000;
  s.nfe = {4};
  s.pathwise = false;
  CHECK(compare(s).rows.front().samples.cols() < 10000);
  s.keep_samples = true;
  CHECK(compare(s).rows.front().samples.cols() == 10000);
}
