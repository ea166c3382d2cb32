#include "node/commands/version.hpp"

#include <sstream>

namespace quorate::node {
namespace {

// "boost 1.81.0,openssl 3.0.17" from CMake, which found what is linked.
std::vector<std::pair<std::string, std::string>> split_libraries(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> out;
  std::istringstream entries(text);
  for (std::string entry; std::getline(entries, entry, ',');) {
    const std::size_t space = entry.find(' ');
    out.emplace_back(entry.substr(0, space), entry.substr(space + 1));
  }
  return out;
}

}  // namespace

std::string version() { return QUORATE_VERSION; }

std::string git_commit() { return QUORATE_GIT_COMMIT; }

const std::vector<std::pair<std::string, std::string>>& library_versions() {
  static const auto libraries = split_libraries(QUORATE_LIBRARIES);
  return libraries;
}

std::string version_text(const std::string& program) {
  std::string out = program + " " + version() + " (" + git_commit() + ")";
  for (const auto& [name, number] : library_versions()) out += "\n  " + name + " " + number;
  return out;
}

}  // namespace quorate::node
