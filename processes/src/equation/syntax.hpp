#pragma once
/// @file  equation/syntax.hpp
/// @brief Lines of text as trees of words, before anything is known of what the words mean.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fokker::detail {

/// A node of what was read; `at` is where its text begins in the line, in bytes.
struct SyntaxNode {
  enum class Kind {
    number,
    name,
    call,       ///< name(children)
    table,      ///< word is the file, the child its argument
    operation,  ///< word, of one or two children
    noise       ///< the children: a factor and a differential; word: "" or "o"
  } kind;
  std::size_t at;
  std::string word;
  double value = 0;
  std::vector<int> children = {};
};

/// One equation: `left = right`, or `let left = right`.
struct Statement {
  std::string line;
  std::size_t number = 1;  ///< of the line in the text, from 1
  std::size_t offset = 0;  ///< of the equation in the line, in bytes
  bool is_let = false;
  bool over_dt = false;  ///< left is followed by /dt
  std::string left = {};
  std::size_t left_at = 0;
  int right = -1;
  std::vector<SyntaxNode> nodes = {};
};

/// The statements of a text, separated by `;` or the ends of lines; `#` begins a comment.
/// @throws EquationError
std::vector<Statement> read_syntax(std::string_view text);

/// Bytes of the letter or digit of a name that stands at `at`, 0 where there is none.
std::size_t letter_at(std::string_view text, std::size_t at, bool first);

/// Whether a name is that of a differential: dt, or d before a capital letter.
bool is_differential(std::string_view name);

}  // namespace fokker::detail
