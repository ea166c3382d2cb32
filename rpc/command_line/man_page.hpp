// The manual page of a program, written from its command line, so that it says what the program
// does: `PROGRAM man` prints it, docs/man holds it, and a test compares the two.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace quorate::rpc {

struct ManualText {
  std::string summary;      // "run and tend one validator of a Quorate ledger"
  std::string description;  // paragraphs, separated by empty lines
  // Further sections: title in capitals, then entries of a term and what it is.
  std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>> sections;
};

// roff with the man macros. The indented lines of the parser's own description are its EXAMPLES.
std::string man_page(const CLI::App& app, const ManualText& text);

}  // namespace quorate::rpc
