// What this program is and was built with. Constants; any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace quorate::node {

std::string version();     // "0.1.0"
std::string git_commit();  // twelve digits; "unknown" outside a repository
const std::vector<std::pair<std::string, std::string>>& library_versions();
// What -V prints.
std::string version_text(const std::string& program);

}  // namespace quorate::node
