#include <fokker/solvers/support/checks.hpp>

#include <cmath>
#include <stdexcept>

#include <fokker/solvers/support/text.hpp>

namespace fokker {

namespace {

std::string named(std::string_view name, std::string_view value) {
  return (name.empty() ? std::string() : std::string(name) + "=") + std::string(value);
}

[[noreturn]] void refuse(CheckSubject subject, const std::string& rule, const std::string& got,
                         std::string_view advice) {
  throw std::invalid_argument(std::string(subject.phrase()) + " must " + rule + ": got " +
                              named(subject.name(), got) + (advice.empty() ? "" : "; ") +
                              std::string(advice));
}

}  // namespace

double check_finite(CheckSubject subject, double value, std::string_view advice) {
  if (!std::isfinite(value)) refuse(subject, "be finite", text(value), advice);
  return value;
}

double check_positive(CheckSubject subject, double value, std::string_view advice) {
  if (!(value > 0 && std::isfinite(value)))
    refuse(subject, "be positive and finite", text(value), advice);
  return value;
}

double check_not_negative(CheckSubject subject, double value, std::string_view advice) {
  if (!(value >= 0 && std::isfinite(value)))
    refuse(subject, "be at least 0 and finite", text(value), advice);
  return value;
}

double check_in(CheckSubject subject, double value, double low, double high, Ends ends,
                std::string_view advice) {
  const bool left = ends == Ends::closed || ends == Ends::open_right;
  const bool right = ends == Ends::closed || ends == Ends::open_left;
  if (!((left ? value >= low : value > low) && (right ? value <= high : value < high)))
    refuse(subject,
           "lie in " + std::string(left ? "[" : "(") + text(low) + ", " + text(high) +
               (right ? "]" : ")"),
           text(value), advice);
  return value;
}

double check_above(CheckSubject subject, double value, std::string_view other, double other_value,
                   std::string_view advice) {
  if (!(value > other_value && std::isfinite(value)))
    refuse(subject, "exceed " + std::string(other),
           text(value) + ", " + named(CheckSubject(other).name(), text(other_value)), advice);
  return value;
}

std::int64_t check_index(CheckSubject subject, std::int64_t value, std::int64_t size,
                         std::string_view advice) {
  if (value < 0 || value >= size)
    refuse(subject, "lie in [0, " + std::to_string(size) + ")", std::to_string(value), advice);
  return value;
}

std::int64_t check_at_least(CheckSubject subject, std::int64_t value, std::int64_t least,
                            std::string_view advice) {
  if (value < least)
    refuse(subject, "be at least " + std::to_string(least), std::to_string(value), advice);
  return value;
}

}  // namespace fokker
