// What our programs are and were built with. Constants; any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace quorate::rpc {

using LibraryVersions = std::vector<std::pair<std::string, std::string>>;

std::string version();     // "0.1.0"
std::string git_commit();  // twelve digits; "unknown" outside a repository
// Those of the named libraries, in that order. Names: boost, openssl, libsodium, rocksdb,
// nlohmann-json, spdlog, tomlplusplus, cli11, prometheus-cpp.
LibraryVersions library_versions(const std::vector<std::string>& names);
// What -V prints: the program, its version, and the libraries it was built with.
std::string version_text(const std::string& program, const LibraryVersions& libraries);

}  // namespace quorate::rpc
