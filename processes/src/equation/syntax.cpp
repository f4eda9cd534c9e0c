/// @file  equation/syntax.cpp
/// @brief The grammar of equations, by Boost.Spirit X3.

#include "equation/syntax.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include <boost/spirit/home/x3.hpp>

#include <fokker/processes/equation/equation_error.hpp>
#include <fokker/solvers/support/text.hpp>

namespace fokker::detail {

namespace {

namespace x3 = boost::spirit::x3;
using Place = std::string_view::const_iterator;
using Kind = SyntaxNode::Kind;

constexpr std::size_t most_bytes = 65536;  // of a text
constexpr int most_nested = 100;

/// What the actions of the grammar build: a stack of the nodes that are not yet part of another.
struct Builder {
  explicit Builder(Statement& s) : statement(s), begin(std::string_view(s.line).begin()) {}

  std::size_t at(Place place) const { return static_cast<std::size_t>(place - begin); }

  int push(SyntaxNode node) {
    statement.nodes.push_back(std::move(node));
    stack.push_back(static_cast<int>(statement.nodes.size()) - 1);
    return stack.back();
  }
  int pop() {
    const int top = stack.back();
    stack.pop_back();
    return top;
  }
  void binary(std::string word, std::size_t place, Kind kind = Kind::operation) {
    const int b = pop(), a = pop();
    push({kind, place, std::move(word), 0, {a, b}});
  }
  void unary(std::string word, std::size_t place) {
    const int a = pop();
    push({Kind::operation, place, std::move(word), 0, {a}});
  }
  [[noreturn]] void refuse(std::size_t place, std::string message) const {
    throw EquationError(statement.line, statement.number, place, std::move(message));
  }

  Statement& statement;
  Place begin;
  std::vector<int> stack = {};
  struct Open {
    std::string word;
    std::size_t place;
    std::size_t stack = 0;
  };
  std::vector<Open> open = {};  ///< operations and calls whose last argument is not yet read
  int nested = 0;
};

struct Tag;

Builder& builder(const auto& context) { return x3::get<Tag>(context).get(); }

/// A word of the text and where it stands.
struct Word {
  std::string text;
  Place place;
  double value = 0;
};

void skip_blanks(Place& first, const Place& last) {
  while (first != last && (*first == ' ' || *first == '\t' || *first == '\r')) ++first;
}

/// A name: letters, digits and _, then primes.
struct NameParser : x3::parser<NameParser> {
  using attribute_type = Word;
  [[maybe_unused]] static constexpr bool has_attribute = true;

  template <class Context, class Rule, class Attribute>
  bool parse(Place& first, const Place& last, const Context&, const Rule&, Attribute& out) const {
    Place place = first;
    skip_blanks(place, last);
    const std::string_view rest(place, last);
    std::size_t size = letter_at(rest, 0, true);
    if (size == 0) return false;
    while (const std::size_t more = letter_at(rest, size, false)) size += more;
    while (size < rest.size() && rest[size] == '\'') ++size;
    first = place + static_cast<std::ptrdiff_t>(size);
    x3::traits::move_to(Word{std::string(rest.substr(0, size)), place}, out);
    return true;
  }
};

/// A number in decimals, rounded as the compiler of C++ rounds it.
struct NumberParser : x3::parser<NumberParser> {
  using attribute_type = Word;
  [[maybe_unused]] static constexpr bool has_attribute = true;

  template <class Context, class Rule, class Attribute>
  bool parse(Place& first, const Place& last, const Context& context, const Rule&,
             Attribute& out) const {
    Place place = first;
    skip_blanks(place, last);
    const std::string_view rest(place, last);
    const auto digit = [&](std::size_t i) {
      return i < rest.size() && rest[i] >= '0' && rest[i] <= '9';
    };
    if (!digit(0) && !(rest.starts_with('.') && digit(1))) return false;
    double value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc()) {
      const Builder& b = builder(context);
      b.refuse(b.at(place), text("the number {} is beyond what a double holds",
                                 {std::string(rest.data(), end)}));
    }
    first = place + (end - rest.data());
    x3::traits::move_to(Word{std::string(place, first), place, value}, out);
    return true;
  }
};

/// `table` before `(FILE,`: FILE, of which no more is known, up to the comma.
struct TableParser : x3::parser<TableParser> {
  using attribute_type = Word;
  [[maybe_unused]] static constexpr bool has_attribute = true;

  template <class Context, class Rule, class Attribute>
  bool parse(Place& first, const Place& last, const Context& context, const Rule& rule,
             Attribute& out) const {
    Place place = first;
    Word word;
    if (!NameParser{}.parse(place, last, context, rule, word) || word.text != "table") return false;
    const Place begin = word.place;
    skip_blanks(place, last);
    if (place == last || *place != '(') return false;
    skip_blanks(++place, last);
    const std::string_view rest(place, last);
    const std::size_t comma = rest.find(',');
    std::string_view file = rest.substr(0, comma);
    if (comma == rest.npos || file.find_first_of("()") != file.npos) {
      const Builder& b = builder(context);
      b.refuse(b.at(place), "expected the name of a file and a comma: table(FILE.csv, t)");
    }
    while (file.ends_with(' ')) file.remove_suffix(1);
    first = place + static_cast<std::ptrdiff_t>(comma + 1);
    x3::traits::move_to(Word{std::string(file), begin}, out);
    return true;
  }
};

/// A sign as it is written and what it means.
struct Spelling {
  std::string_view written, meaning;
};
constexpr Spelling sum_spellings[] = {{"+", "+"}, {"-", "-"}, {"−", "-"}},
                   product_spellings[] = {{"*", "*"}, {"/", "/"}, {"·", "*"}, {"×", "*"}},
                   power_spellings[] = {{"^", "^"}, {"**", "^"}},
                   relation_spellings[] = {{"<=", "<="}, {">=", ">="}, {"≤", "<="},
                                           {"≥", ">="},  {"<", "<"},   {">", ">"}};

/// One of some signs, the longest first.
struct SignParser : x3::parser<SignParser> {
  using attribute_type = Word;
  static constexpr bool has_attribute = true;
  std::span<const Spelling> signs;

  constexpr explicit SignParser(std::span<const Spelling> spellings) : signs(spellings) {}

  template <class Context, class Rule, class Attribute>
  bool parse(Place& first, const Place& last, const Context&, const Rule&, Attribute& out) const {
    Place place = first;
    skip_blanks(place, last);
    const std::string_view rest(place, last);
    for (const Spelling& sign : signs)
      if (rest.starts_with(sign.written)) {
        first = place + static_cast<std::ptrdiff_t>(sign.written.size());
        x3::traits::move_to(Word{std::string(sign.meaning), place}, out);
        return true;
      }
    return false;
  }
};

/// `o` or `∘` where a differential follows it.
struct RingParser : x3::parser<RingParser> {
  using attribute_type = Word;
  [[maybe_unused]] static constexpr bool has_attribute = true;

  template <class Context, class Rule, class Attribute>
  bool parse(Place& first, const Place& last, const Context& context, const Rule& rule,
             Attribute& out) const {
    Place place = first;
    skip_blanks(place, last);
    const std::string_view rest(place, last);
    const std::size_t size = rest.starts_with("∘") ? std::string_view("∘").size()
                             : rest.starts_with("o") && letter_at(rest, 1, false) == 0 ? 1
                                                                                       : 0;
    if (size == 0) return false;
    Place after = place + static_cast<std::ptrdiff_t>(size), look = after;
    Word word;
    if (!NameParser{}.parse(look, last, context, rule, word) || !is_differential(word.text))
      return false;
    first = after;
    x3::traits::move_to(Word{"o", place}, out);
    return true;
  }
};

// Constants of the compiler, so that equations can be read before main() begins.
constexpr NameParser name;
constexpr NumberParser number;
constexpr RingParser ring;
constexpr TableParser table;
constexpr auto open_word = [](auto& context) {
  Builder& b = builder(context);
  const Word& word = x3::_attr(context);
  b.open.push_back({word.text, b.at(word.place)});
};
constexpr auto close_binary = [](auto& context) {
  Builder& b = builder(context);
  const Builder::Open open = b.open.back();
  b.open.pop_back();
  b.binary(open.word, open.place);
};
constexpr auto close_unary = [](auto& context) {
  Builder& b = builder(context);
  const Builder::Open open = b.open.back();
  b.open.pop_back();
  if (open.word == "-") b.unary(open.word, open.place);
};
constexpr auto push_number = [](auto& context) {
  Builder& b = builder(context);
  const Word& word = x3::_attr(context);
  b.push({Kind::number, b.at(word.place), word.text, word.value});
};
constexpr auto push_name = [](auto& context) {
  Builder& b = builder(context);
  const Word& word = x3::_attr(context);
  b.push({Kind::name, b.at(word.place), word.text});
};
constexpr auto push_differential = [](auto& context) {
  const Word& word = x3::_attr(context);
  if (is_differential(word.text))
    push_name(context);
  else
    x3::_pass(context) = false;
};
constexpr auto open_call = [](auto& context) {
  Builder& b = builder(context);
  const Word& word = x3::_attr(context);
  b.open.push_back({word.text, b.at(word.place), b.stack.size()});
};
constexpr auto close_call = [](auto& context) {
  Builder& b = builder(context);
  const Builder::Open open = b.open.back();
  b.open.pop_back();
  const auto first = b.stack.begin() + static_cast<std::ptrdiff_t>(open.stack);
  std::vector<int> arguments(first, b.stack.end());
  b.stack.erase(first, b.stack.end());
  b.push({Kind::call, open.place, open.word, 0, std::move(arguments)});
};
constexpr auto close_table = [](auto& context) {
  Builder& b = builder(context);
  const Builder::Open open = b.open.back();
  b.open.pop_back();
  const int argument = b.pop();
  b.push({Kind::table, open.place, open.word, 0, {argument}});
};
constexpr auto close_noise = [](auto& context) {
  Builder& b = builder(context);
  const std::size_t place = b.statement.nodes[static_cast<std::size_t>(b.stack.back())].at;
  b.binary("", place, Kind::noise);
};
constexpr auto close_ring = [](auto& context) {
  Builder& b = builder(context);
  const Builder::Open open = b.open.back();
  b.open.pop_back();
  b.binary("o", open.place, Kind::noise);
};
constexpr auto push_one = [](auto& context) {
  Builder& b = builder(context);
  b.push({Kind::number, b.open.back().place, "1", 1});
};
constexpr auto enter = [](auto& context) {
  Builder& b = builder(context);
  if (++b.nested > most_nested)
    b.refuse(b.at(x3::_where(context).begin()),
             text("more than {} parentheses or powers in one another: name parts by let",
                  {most_nested}));
};
constexpr auto leave = [](auto& context) { --builder(context).nested; };

constexpr x3::rule<struct ExpressionId> expression = "a number, a name or '('";
constexpr x3::rule<struct SumId> sum = "a number, a name or '('";
constexpr x3::rule<struct ProductId> product = "a number, a name or '('";
constexpr x3::rule<struct SignedId> signed_power = "a number, a name or '('";
constexpr x3::rule<struct PrimaryId> primary = "a number, a name or '('";
constexpr x3::rule<struct ArgumentsId> arguments = "a number, a name, '(' or ')'";
constexpr x3::rule<struct CloseId> close = "')'";
constexpr x3::rule<struct CloseCallId> close_arguments = "',' or ')'";

constexpr auto close_def = x3::lit(')');
constexpr auto close_arguments_def = x3::lit(')');
constexpr auto arguments_def =
    x3::lit(')') | (expression > *(x3::lit(',') > expression) > close_arguments);
constexpr auto call = ((name >> &x3::lit('('))[open_call] >> x3::lit('(') >> x3::eps[enter]) >
                      arguments > x3::eps[leave] > x3::eps[close_call];
constexpr auto ring_alone =
    ring[open_word] >> x3::eps[push_one] >> name[push_differential] >> x3::eps[close_ring];
constexpr auto look_up = (table[open_word] >> x3::eps[enter]) > expression > close >
                         x3::eps[leave] > x3::eps[close_table];
constexpr auto group = (x3::lit('(') >> x3::eps[enter]) > expression > close > x3::eps[leave];
constexpr auto primary_def =
    number[push_number] | ring_alone | look_up | call | name[push_name] | group;
constexpr auto with_sign = (SignParser(sum_spellings)[open_word] >> x3::eps[enter]) > signed_power >
                           x3::eps[leave] > x3::eps[close_unary];
constexpr auto exponent = (SignParser(power_spellings)[open_word] >> x3::eps[enter]) >
                          signed_power > x3::eps[leave] > x3::eps[close_binary];
constexpr auto signed_power_def = with_sign | (primary >> -exponent);
constexpr auto factor =
    SignParser(product_spellings)[open_word] > signed_power > x3::eps[close_binary];
constexpr auto ringed = ring[open_word] >> name[push_differential] >> x3::eps[close_ring];
constexpr auto differential = name[push_differential] >> x3::eps[close_noise];
constexpr auto product_def = signed_power >> *(factor | ringed | differential);
constexpr auto term = SignParser(sum_spellings)[open_word] > product > x3::eps[close_binary];
constexpr auto sum_def = product >> *term;
constexpr auto relation = SignParser(relation_spellings)[open_word] > sum > x3::eps[close_binary];
constexpr auto expression_def = sum >> -relation;

BOOST_SPIRIT_DEFINE(expression, sum, product, signed_power, primary, arguments, close,
                    close_arguments)

/// What stands at a place where it has no business, with what may.
std::string misplaced(std::string_view rest) {
  if (rest.starts_with(')')) return "')' without '(' before it";
  if (rest.starts_with(',')) return "',' stands only between the arguments of a function";
  if (rest.starts_with('=')) return "only one '=' in an equation: separate equations by ';'";
  if (letter_at(rest, 0, false) > 0 || rest.starts_with('(') || rest.starts_with('.'))
    return "expected an operator: a product is written with *, except before dt and dW";
  if (rest.starts_with('<') || rest.starts_with('>') || rest.starts_with("≤") ||
      rest.starts_with("≥"))
    return "one comparison at a time: if(a < b, if(b < c, x, y), y)";
  return text("'{}' has no meaning in an equation", {rest.substr(0, rest.find_first_of(" \t", 1))});
}

/// Reads `[let] left [/dt] = right` from line[begin, end).
Statement read_statement(std::string line, std::size_t line_number, std::size_t begin,
                         std::size_t end) {
  Statement s{.line = std::move(line), .number = line_number, .offset = begin};
  Builder b(s);
  const std::string_view text(s.line);
  Place first = text.begin() + static_cast<std::ptrdiff_t>(begin);
  const Place last = text.begin() + static_cast<std::ptrdiff_t>(end);
  const auto take = [&](std::string_view word) {
    skip_blanks(first, last);
    if (!std::string_view(first, last).starts_with(word)) return false;
    first += static_cast<std::ptrdiff_t>(word.size());
    return true;
  };
  const auto left = [&] {
    Word word;
    skip_blanks(first, last);
    if (!x3::parse(first, last, name, word))
      b.refuse(b.at(first), s.is_let ? "expected a name: let a = ..."
                                     : "expected dX = ..., dx/dt = ..., x' = ... or let a = ...");
    s.left = word.text;
    s.left_at = b.at(word.place);
  };
  left();
  if (s.left == "let") {
    s.is_let = true;
    left();
  } else if (take("/")) {
    Word word;
    const Place before = first;
    if (!x3::parse(first, last, name, word) || word.text != "dt")
      b.refuse(b.at(before), "expected dt: a rate is written dx/dt = ...");
    s.over_dt = true;
  }
  if (!take("="))
    b.refuse(b.at(first), first == last ? "expected '=' and the right side of the equation"
                                        : "expected '=': the left side is dX, dx/dt, x' or a "
                                          "name after let");
  try {
    const bool read =
        x3::phrase_parse(first, last, x3::with<Tag>(std::ref(b))[expression], x3::char_(" \t\r"));
    if (!read) {
      skip_blanks(first, last);
      b.refuse(b.at(first), "expected a number, a name or '('");
    }
  } catch (const x3::expectation_failure<Place>& failure) {
    Place place = failure.where();
    skip_blanks(place, last);
    const std::string expected = failure.which();
    b.refuse(b.at(place), "expected " + expected);
  }
  skip_blanks(first, last);
  if (first != last) b.refuse(b.at(first), misplaced(std::string_view(first, last)));
  s.right = b.stack.back();
  return s;
}

}  // namespace

std::size_t letter_at(std::string_view text, std::size_t at, bool first) {
  if (at >= text.size()) return 0;
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
  };
  const unsigned c = byte(0);
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_') return 1;
  if (c >= '0' && c <= '9') return first ? 0 : 1;
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  std::uint32_t point = 0;
  std::size_t size = 0;
  if (c >= 0xC2 && c < 0xE0 && follows(1)) {
    point = (c & 0x1Fu) << 6 | (byte(1) & 0x3Fu);
    size = 2;
  } else if (c >= 0xE0 && c < 0xF0 && follows(1) && follows(2)) {
    point = (c & 0xFu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu);
    size = 3;
  }
  const bool letter = (point >= 0xC0 && point < 0x300 && point != 0xD7 && point != 0xF7) ||
                      (point >= 0x370 && point < 0x2000 && point != 0x37E) ||
                      (point >= 0x3040 && point < 0xD800);
  const bool subscript = point >= 0x2080 && point < 0x209D;
  return letter || (subscript && !first) ? size : 0;
}

bool is_differential(std::string_view word) {
  if (word == "dt") return true;
  if (word.size() < 2 || word[0] != 'd') return false;
  return word[1] >= 'A' && word[1] <= 'Z';
}

std::vector<Statement> read_syntax(std::string_view text) {
  if (text.size() > most_bytes)
    throw EquationError("", 1, 0,
                        fokker::text("a text of equations has at most {} bytes: got {}",
                                     {most_bytes, text.size()}));
  std::vector<Statement> statements;
  std::size_t number_of_line = 0;
  std::string last_line;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t stop = std::min(text.find('\n', start), text.size());
    const std::string line(text.substr(start, stop - start));
    ++number_of_line;
    const std::size_t end = std::min(line.find('#'), line.size());
    for (std::size_t from = 0; from <= end;) {
      const std::size_t to = std::min(line.find(';', from), end);
      if (line.find_first_not_of(" \t\r", from) < to)
        statements.push_back(read_statement(line, number_of_line, from, to));
      from = to + 1;
    }
    if (!line.empty()) last_line = line;
    start = stop + 1;
  }
  bool dynamic = false;
  for (const Statement& s : statements) dynamic = dynamic || !s.is_let;
  if (!dynamic)
    throw EquationError(last_line, number_of_line, last_line.size(),
                        "expected an equation: dX = ..., dx/dt = ... or x' = ...");
  return statements;
}

}  // namespace fokker::detail
