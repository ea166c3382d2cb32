// What a command found, for people and for programs: the same values as aligned text and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace quorate::node {

class Report {
 public:
  using Value =
      std::variant<std::string, std::uint64_t, bool, std::vector<std::string>, std::vector<Report>>;

  // `name` is the JSON key; underscores become spaces in text.
  Report& add(std::string name, Value value);
  // One line per value, values aligned; the rows of a list are indented.
  std::string text() const;
  // One object, indented by two, with a newline at the end.
  std::string json() const;

 private:
  std::vector<std::pair<std::string, Value>> values_;
};

}  // namespace quorate::node
