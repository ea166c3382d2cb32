#include "testnet/compare/options.hpp"

#include <algorithm>

#include "crypto/base/nearest.hpp"

namespace quorate::testnet::comparison {

const std::vector<std::string>& part_names() {
  static const std::vector<std::string> names = {"load", "faults", "scale", "attack"};
  return names;
}

Result<std::vector<Part>> parts_of(const CompareOptions& options) {
  if (options.full && options.tiny) {
    return fail(Errc::invalid_argument, "--full and --tiny exclude each other; give one of them");
  }
  const std::vector<std::string>& names = part_names();
  for (const std::string& wanted : options.only) {
    if (std::find(names.begin(), names.end(), wanted) != names.end()) continue;
    std::string detail = "--only " + wanted + ": there are load, faults, scale and attack";
    if (const auto meant = suggestion(wanted, names)) detail += "; did you mean " + *meant + "?";
    return fail(Errc::invalid_argument, detail);
  }
  std::vector<Part> out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& only = options.only;
    const bool wanted = only.empty() || std::find(only.begin(), only.end(), names[i]) != only.end();
    if (wanted) out.push_back(static_cast<Part>(i));
  }
  return out;
}

std::string again(const CompareOptions& options) {
  std::string out = "quorate-testnet compare";
  if (options.full) out += " --full";
  if (options.tiny) out += " --tiny";
  out += " --seed " + std::to_string(options.seed);
  for (const std::string& part : options.only) out += " --only " + part;
  return out;
}

}  // namespace quorate::testnet::comparison
