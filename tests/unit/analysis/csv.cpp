#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include <unistd.h>

#include <fokker/analysis/figures/csv.hpp>
#include <fokker/analysis/figures/report.hpp>

#include "catch.hpp"

namespace fs = std::filesystem;
using fokker::format_with_error;
using fokker::read_csv;
using fokker::Table;
using fokker::TextTable;
using fokker::write_file_atomically;

namespace {

/// A folder of its own that goes with the test.
struct Folder {
  fs::path path;

  Folder() {
    std::string name = (fs::temp_directory_path() / "fokker-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path = name;
  }
  ~Folder() { fs::remove_all(path); }

  fs::path write(const std::string& text) const {
    const fs::path file = path / "points.csv";
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

long files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

/// The message with which reading `text` is refused, from the name of the file on.
std::string refusal(const std::string& text, const fokker::CsvOptions& options = {}) {
  const Folder folder;
  try {
    read_csv(folder.write(text), options);
  } catch (const std::runtime_error& error) {
    const std::string message = error.what();
    return message.substr(message.find("points.csv"));
  }
  return "accepted";
}

}  // namespace

TEST_CASE("A CSV file is read row by row") {
  const Folder folder;

  const Table t =
      read_csv(folder.write("\xEF\xBB\xBF"
                            "1, -2.5 ,+3e-2\r\n\n4,5,6"));

  CHECK(t.rows == 2);
  CHECK(t.columns == 3);
  CHECK(t.header.empty());
  CHECK(t.values == std::vector{1.0, -2.5, 0.03, 4.0, 5.0, 6.0});
  CHECK(t(1, 2) == 6.0);
}

TEST_CASE("A first line without a number is the header") {
  const Folder folder;

  const Table t = read_csv(folder.write("x,y,label\n1,2,0\n"), {.drop_columns = {3}});

  CHECK(t.header == std::vector<std::string>{"x", "y"});
  CHECK(t.rows == 1);
  CHECK(refusal("x,1\n1,2\n") == "points.csv:1:1: 'x' is not a number");
}

TEST_CASE("Dropped columns are counted from one and may hold text") {
  const Folder folder;

  const Table t = read_csv(folder.write("1,a,2,b\n3,c,4,d\n"), {.drop_columns = {2, 4}});

  CHECK(t.values == std::vector{1.0, 2.0, 3.0, 4.0});
  CHECK(refusal("1,2\n", {.drop_columns = {3}}) ==
        "points.csv: there is no column 3 to drop: it has 2");
  CHECK(refusal("1,2\n", {.drop_columns = {0}}) ==
        "points.csv: there is no column 0 to drop: it has 2");
  CHECK(refusal("1,2\n", {.drop_columns = {1, 2}}) == "points.csv: every column is dropped");
}

TEST_CASE("What is no table of finite numbers is refused with file, line and column") {
  CHECK(refusal("x,y\n1,2\n\n3,abc\n") == "points.csv:4:2: 'abc' is not a number");
  CHECK(refusal("1,2\n3,4x\n") == "points.csv:2:2: '4x' is not a number");
  CHECK(refusal("1,2\n,4\n") == "points.csv:2:1: an empty cell is not a number");
  CHECK(refusal("1,nan\n") == "points.csv:1:2: 'nan' is not a finite number");
  CHECK(refusal("1,2\n-inf,4\n") == "points.csv:2:1: '-inf' is not a finite number");
  CHECK(refusal("1e999\n") == "points.csv:1:1: '1e999' is not a finite number");
  CHECK(refusal("1,2,3\n1,2\n") == "points.csv:2:3: 2 cells in this row, 3 in the first");
  CHECK(refusal("1,2\n1,2,3\n") == "points.csv:2:3: 3 cells in this row, 2 in the first");
  CHECK(refusal("") == "points.csv: no row of numbers in it");
  CHECK(refusal("a,b\n") == "points.csv: no row of numbers in it");
}

TEST_CASE("A first row that is not of names is no header") {
  CHECK(refusal("0x10,0x20\n1,2\n") == "points.csv:1:1: '0x10' is not a number");
  CHECK(refusal("1.0.3\n2\n") == "points.csv:1:1: '1.0.3' is not a number");
  CHECK(refusal("1;2\n3;4\n") == "points.csv:1:1: '1;2' is not a number");
  CHECK(refusal("O.5\n0.6\n") == "points.csv:1:1: 'O.5' is not a number");
  CHECK(refusal("+-1,--2\n3,4\n") == "points.csv:1:1: '+-1' is not a number");
  CHECK(refusal(",\n3,4\n") == "points.csv:1:1: an empty cell is not a number");
  CHECK(refusal("NA,NA\n3,4\n") == "points.csv:1:2: 'NA' names two columns");
  CHECK(refusal("1,+-1\n") == "points.csv:1:2: '+-1' is not a number");
  const Folder folder;
  CHECK(read_csv(folder.write(",q0.5,e1\n0,1,2\n")).rows == 1);
}

TEST_CASE("Numbers below the least double are read as the nearest, not as too large") {
  const Folder folder;

  const Table t = read_csv(folder.write("1e-400,-1e-400,4e-320\n"));

  CHECK(t.values == std::vector{0.0, -0.0, 4e-320});
}

TEST_CASE("A file that cannot be read is refused by name") {
  const Folder folder;

  CHECK_THROWS_WITH(read_csv(folder.path / "none.csv"),
                    ContainsSubstring("none.csv: cannot be read: No such file"));
  CHECK_THROWS_WITH(read_csv(folder.path), ContainsSubstring("it is a directory"));
}

TEST_CASE("A table comes back as it was written") {
  const Folder folder;
  const Table table{{"x", "1/3, rounded"}, 2, 2, {0.1, 1.0 / 3.0, -1e-300, 12345678901234567.0}};

  write_csv(folder.path / "t.csv", table);

  CHECK(read(folder.path / "t.csv").starts_with("x,\"1/3, rounded\"\n0.1,"));
  const Table plain{{}, 2, 2, table.values};
  write_csv(folder.path / "t.csv", plain);
  CHECK(read_csv(folder.path / "t.csv").values == table.values);
  CHECK_THROWS_AS(write_csv(folder.path / "t.csv", Table{{"x"}, 1, 2, {1.0, 2.0}}),
                  std::invalid_argument);
}

TEST_CASE("Files are written whole, and replaced ones keep their mode") {
  const Folder folder;
  const fs::path file = folder.path / "report.txt";

  write_file_atomically(file, "first");
  ::chmod(file.c_str(), 0640);
  write_file_atomically(file, "second");

  struct stat status {};
  ::stat(file.c_str(), &status);
  CHECK(read(file) == "second");
  CHECK((status.st_mode & 0777) == 0640);
  CHECK(files_in(folder.path) == 1);
}

TEST_CASE("A link is followed, a device is written to") {
  const Folder folder;
  write_file_atomically(folder.path / "target", "old");
  fs::create_symlink(folder.path / "target", folder.path / "link");

  write_file_atomically(folder.path / "link", "new");
  write_file_atomically("/dev/null", "gone");

  CHECK(fs::is_symlink(folder.path / "link"));
  CHECK(read(folder.path / "target") == "new");
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("An unwritable path is refused before and at writing, and leaves nothing behind") {
  const Folder folder;

  for (const fs::path& path : {folder.path / "none" / "x.json", folder.path, fs::path{}}) {
    CHECK_THROWS_WITH(fokker::check_writable(path), ContainsSubstring("cannot write"));
    CHECK_THROWS_AS(write_file_atomically(path, "text"), std::runtime_error);
  }
  CHECK_NOTHROW(fokker::check_writable(folder.path / "x.json"));
  CHECK_NOTHROW(fokker::check_writable("x.json"));
  CHECK_THROWS_WITH(write_file_atomically("/dev/full", "text"),
                    ContainsSubstring("cannot write /dev/full: No space left"));
  CHECK(files_in(folder.path) == 0);
}

TEST_CASE("Values are written to the digits that their standard error leaves") {
  CHECK(format_with_error(0.031234, 0.00041) == "0.0312 ± 0.0004");
  CHECK(format_with_error(0.031234, 0.00014) == "0.03123 ± 0.00014");
  CHECK(format_with_error(12.3456, 0.5) == "12.3 ± 0.5");
  CHECK(format_with_error(1234.56, 31.0) == "1235 ± 31");
  CHECK(format_with_error(1.204e-10, 3.1e-12) == "(1.20 ± 0.03)e-10");
  CHECK(format_with_error(0.25, 0.0) == "0.25");
  CHECK(format_with_error(HUGE_VAL, 0.1) == "inf");
}

TEST_CASE("Tables align names to the left and numbers to the right") {
  TextTable table({{"sampler", TextTable::Align::left}, {"error"}});
  table.add_row({"euler", "0.5 ± 0.1"});
  table.add_row({"heun", "10"});

  CHECK(table.text() ==
        "sampler      error\n"
        "───────  ─────────\n"
        "euler    0.5 ± 0.1\n"
        "heun            10\n");
  CHECK_THROWS_AS(table.add_row({"one"}), std::invalid_argument);
}
