#include "rpc/command_line/version.hpp"

#include <algorithm>
#include <sstream>

namespace quorate::rpc {
namespace {

// "boost 1.81.0,openssl 3.0.17" from CMake, which found what is linked.
LibraryVersions split_libraries(const std::string& text) {
  LibraryVersions out;
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

LibraryVersions library_versions(const std::vector<std::string>& names) {
  static const LibraryVersions all = split_libraries(QUORATE_LIBRARIES);
  LibraryVersions out;
  for (const std::string& name : names) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&name](const auto& entry) { return entry.first == name; });
    if (found != all.end()) out.push_back(*found);
  }
  return out;
}

std::string version_text(const std::string& program, const LibraryVersions& libraries) {
  std::string out = program + " " + version() + " (" + git_commit() + ")";
  for (const auto& [name, number] : libraries) out += "\n  " + name + " " + number;
  return out;
}

}  // namespace quorate::rpc
