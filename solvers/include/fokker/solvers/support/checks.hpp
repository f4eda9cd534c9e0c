#pragma once
/// @file  fokker/solvers/support/checks.hpp
/// @brief Checks of arguments by name, with one style of message.
///
///     check_positive("sigma", sigma);
///     // sigma must be positive and finite: got sigma=-1
///     check_above("beta_max", high, "beta_min", low);
///     // beta_max must exceed beta_min: got beta_max=0.1, beta_min=20
///     check_in("t_min", t_min, 0, 1, Ends::open_right, "choose a smaller t_min");
///     // t_min must lie in [0, 1): got t_min=1; choose a smaller t_min
///     check_positive({"the power of a shift", "power"}, power);
///     // the power of a shift must be positive and finite: got power=0
///     check_positive("the end time", end);
///     // the end time must be positive and finite: got 0
///
/// Each check returns the value, so that a constructor can initialise a member with it, refuses nan,
/// and throws std::invalid_argument. Optional advice follows the value after a semicolon.

#include <cstdint>
#include <string>
#include <string_view>

namespace fokker {

/// The subject of a message and the name before the value: a name alone is both, a phrase (with a
/// space in it) has no name.
class CheckSubject {
 public:
  CheckSubject(std::string_view subject)
      : CheckSubject(subject, subject.find(' ') == subject.npos ? subject : "") {}
  CheckSubject(const char* subject) : CheckSubject(std::string_view(subject)) {}
  CheckSubject(const std::string& subject) : CheckSubject(std::string_view(subject)) {}
  CheckSubject(std::string_view phrase, std::string_view name) : phrase_(phrase), name_(name) {}

  /// The start of a message.
  std::string_view phrase() const { return phrase_; }
  std::string_view name() const { return name_; }

 private:
  std::string_view phrase_, name_;
};

/// The ends of an interval that belong to it.
enum class Ends { closed, open, open_left, open_right };

/// -inf < value < inf.
double check_finite(CheckSubject subject, double value, std::string_view advice = {});

/// 0 < value < inf.
double check_positive(CheckSubject subject, double value, std::string_view advice = {});

/// 0 <= value < inf.
double check_not_negative(CheckSubject subject, double value, std::string_view advice = {});

/// value in [low, high], or without the ends that are open.
double check_in(CheckSubject subject, double value, double low, double high,
                Ends ends = Ends::closed, std::string_view advice = {});

/// other < value < inf.
double check_above(CheckSubject subject, double value, std::string_view other, double other_value,
                   std::string_view advice = {});

/// 0 <= value < size, for indices.
std::int64_t check_index(CheckSubject subject, std::int64_t value, std::int64_t size,
                         std::string_view advice = {});

/// least <= value, for counts.
std::int64_t check_at_least(CheckSubject subject, std::int64_t value, std::int64_t least,
                            std::string_view advice = {});

}  // namespace fokker
