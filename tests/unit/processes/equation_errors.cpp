/// Wrong equations: one message each, with a caret at the place.

#include <fokker/processes/equation/equation.hpp>

#include "catch.hpp"

using namespace fokker;

namespace {

struct Wrong {
  std::string_view text;
  std::size_t column;
  std::string_view message;
};

const Wrong wrong[] = {
    {"dS = r*S dt + sqrt(v)*S dW1", 5,
     "r is neither a state nor a parameter: states are S; give r by --set r=..."},
    {"dX = -theta*X dt", 6,
     "theta is neither a state nor a parameter: states are X; give theta by --set theta=..."},
    {"dX = mux*X dt", 5,
     "mux is neither a state nor a parameter: did you mean X? states are X; give mux by --set "
     "mux=..."},
    {"dX = ", 5, "expected a number, a name or '('"},
    {"dX", 2, "expected '=' and the right side of the equation"},
    {"dX -X dt", 3, "expected '=': the left side is dX, dx/dt, x' or a name after let"},
    {"= x dt", 0, "expected dX = ..., dx/dt = ..., x' = ... or let a = ..."},
    {"X = -X dt", 0, "expected dX = ..., dX/dt = ..., X' = ... or let X = ..."},
    {"dX = -X", 6, "every term of dX needs dt or a Brownian motion such as dW behind it"},
    {"dX = -X dt + 3", 13, "every term of dX needs dt or a Brownian motion such as dW behind it"},
    {"dX = -X dt + X^2 + dW", 13,
     "every term of dX needs dt or a Brownian motion such as dW behind it"},
    {"dX/dt = -X dt", 11, "a rate has no differentials: write dX = ... dt + ... dW"},
    {"X' = -X dt", 8, "a rate has no differentials: write dX = ... dt + ... dW"},
    {"dX/ds = -X", 3, "expected dt: a rate is written dx/dt = ..."},
    {"dX = (X dt", 10, "expected ')'"},
    {"dX = X) dt", 6, "')' without '(' before it"},
    {"dX = sqrt(X dW", 14, "expected ',' or ')'"},
    {"dX = sqrt() dW", 5, "sqrt takes 1 argument: got 0"},
    {"dX = sqrt(X, 2) dW", 5, "sqrt takes 1 argument: got 2"},
    {"dX = max(X) dW", 5, "max takes 2 arguments: got 1"},
    {"dX = if(X > 0, 1) dW", 5, "if takes 3 arguments: got 2"},
    {"dX = sqr(X) dW", 5, "no function has the name sqr: did you mean sqrt or sin?"},
    {"dX = X(1 - X) dt", 5, "X is no function: a product is written with *"},
    {"dX = 2X dt", 6, "expected an operator: a product is written with *, except before dt and dW"},
    {"dX = 2 X dt", 7,
     "expected an operator: a product is written with *, except before dt and dW"},
    {"dX = X * dt dt", 12, "a product of differentials: the right side is linear in dt and dW"},
    {"dX = dt*dW", 8, "a product of differentials: the right side is linear in dt and dW"},
    {"dX = dW^2", 5, "a differential has no power: the right side is linear in dt and dW"},
    {"dX = sin(dW)", 9,
     "dt and dW stand only on the right side of dX = ..., each as a factor of its own"},
    {"dX = X/dW", 7,
     "a differential stands in no denominator: the right side is linear in dt and dW"},
    {"dX = X dt + dW dB", 15, "a product of differentials: the right side is linear in dt and dW"},
    {"dX = X dt + + ", 14, "expected a number, a name or '('"},
    {"dX = X * / 2 dt", 9, "expected a number, a name or '('"},
    {"dX = X ^ dt", 9, "a differential has no power: the right side is linear in dt and dW"},
    {"dX = 1.5.2 dt", 8,
     "expected an operator: a product is written with *, except before dt and dW"},
    {"dX = X dt; dX = dW", 11, "X has two equations: one for each state"},
    {"let X = 2; dX = X dt", 4, "X is a state: let defines other names"},
    {"let a = b; let b = 2; dX = a dt", 8,
     "b is neither a state nor a parameter: states are X; give b by --set b=..."},
    {"let a = 1; let a = 2; dX = a dt", 15, "a is defined twice"},
    {"let = 2", 4, "expected a name: let a = ..."},
    {"let a 2", 6, "expected '=': the left side is dX, dx/dt, x' or a name after let"},
    {"let a = dW; dX = a", 8,
     "dt and dW stand only on the right side of dX = ..., each as a factor of its own"},
    {"dt = 1", 0, "t is the time: give the state another name"},
    {"dX = X dt + dX", 12,
     "dX is the differential of a state: on the right side stand dt and the differentials of "
     "Brownian motions, such as dW"},
    {"dX = X dt; dY = dX", 16,
     "dX is the differential of a state: on the right side stand dt and the differentials of "
     "Brownian motions, such as dW"},
    {"dsin = 1 dt", 0, "sin is a function: choose another name"},
    {"dX = sin dt", 5, "sin is a function: expected sin(...)"},
    {"dX = 0 < X < 1 dt", 11, "one comparison at a time: if(a < b, if(b < c, x, y), y)"},
    {"dX = X @ 2 dt", 7, "'@' has no meaning in an equation"},
    {"dX = X dt, dY = dt", 9, "',' stands only between the arguments of a function"},
    {"dX = X = 2 dt", 7, "only one '=' in an equation: separate equations by ';'"},
    {"dX = x dt", 5,
     "x is neither a state nor a parameter: did you mean X? states are X; give x by --set x=..."},
    {"dX = -X dt + dw", 13,
     "dw is neither a state nor a parameter: states are X; a Brownian motion has a capital letter, "
     "such as dW; give dw by --set dw=..."},
    {"x'' = -x - y'", 11, "y' is no state: states are x, x'"},
    {"x''''''''' = 1", 0, "derivatives up to the eighth, got more primes"},
    {"dX = X o dt", 9, "expected dW after o: only noise is Ito or Stratonovich"},
    {"dX = X o 2", 7, "expected an operator: a product is written with *, except before dt and dW"},
    {"dX = X dt + o", 12,
     "o is neither a state nor a parameter: states are X; give o by --set o=..."},
    {"d2X = X dt", 0, "a name begins with a letter: got 2X"},
    {"dX = $5 dt", 5, "expected a number, a name or '('"},
    {"dX = X dt + 1e999 dW", 12, "the number 1e999 is beyond what a double holds"},
    {"dpi = 1 dt", 0, "pi is the number 3.14...: choose another name"},
    {"dX = \"X\" dt", 5, "expected a number, a name or '('"},
    {"dX = X dt + [1] dW", 12, "expected a number, a name or '('"},
    {"dX = if dt", 5, "if is a function: expected if(...)"},
    {"dX = α*X dt", 5, "α is neither a state nor a parameter: states are X; give α by --set α=..."},
    {"dX = X & 1 dt", 7, "'&' has no meaning in an equation"},
    {"dX = min() dt", 5, "min takes 2 arguments: got 0"},
    {"dX = X dt + a(2) dW", 12, "no function has the name a: did you mean abs or tan or max?"},
    {"dX/dX = 2", 3, "expected dt: a rate is written dx/dt = ..."},
    {"dX = -X dt; let X' = 2", 16, "a name after let has no primes"},
    {"x'/dt = 2", 0, "x' is a rate already: write x' = ... or dx/dt = ..."},
    {"dX = (X + 1 dt", 14, "expected ')'"},
    {"dX = atan2(X) dt", 5, "atan2 takes 2 arguments: got 1"},
    {"dX = X dt * o dW", 14, "a product of differentials: the right side is linear in dt and dW"},
};

}  // namespace

TEST_CASE("wrong equations are answered with a caret and what would be right") {
  for (const Wrong& w : wrong) {
    INFO(w.text);
    try {
      read_equations(w.text, {});
      FAIL("accepted");
    } catch (const EquationError& e) {
      CHECK(e.message() == w.message);
      CHECK(e.column() == w.column);
      CHECK(e.what() == std::string(w.text) + "\n" + std::string(w.column, ' ') + "^ " +
                            std::string(w.message));
    }
  }
}

TEST_CASE("an error in a later line shows that line, with characters counted as one") {
  try {
    read_equations("# a comment\ndα = -α dt + ν dW\nd β = 1", {{"ν", 1.0}});
    FAIL("accepted");
  } catch (const EquationError& e) {
    CHECK(e.line_number() == 3);
    CHECK(e.column() == 2);
  }
  try {
    read_equations("dα = -α*(1 - ξ) dt", {});
    FAIL("accepted");
  } catch (const EquationError& e) {
    CHECK(std::string(e.what()).find("\n             ^ ξ is neither") != std::string::npos);
  }
}

TEST_CASE("deep and long texts are refused, not overrun") {
  CHECK_THROWS_AS(read_equations("dx = " + std::string(100'000, '(') + " dt", {}), EquationError);
  CHECK_THROWS_WITH(read_equations("dx = " + std::string(200, '(') + "x", {}),
                    ContainsSubstring("more than 100 parentheses"));
  std::string sum = "dx = x dt";
  for (int i = 0; i < 6000; ++i) sum += " + x dt";
  CHECK_THROWS_WITH(read_equations(sum, {}), ContainsSubstring("1000 terms"));
  CHECK_THROWS_WITH(read_equations("dx = " + std::string(70'000, 'x'), {}),
                    ContainsSubstring("65536 bytes"));
}

TEST_CASE("a parameter that occurs nowhere is refused with the nearest") {
  CHECK_THROWS_WITH(parse_sde("dx = -theta*x dt", {{"theta", 1}, {"thetta", 2}}),
                    ContainsSubstring("did you mean 'theta'"));
}
