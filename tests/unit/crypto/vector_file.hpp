// The JSON vector files beside the tests.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace quorate::crypto {

inline nlohmann::json load_vectors(const std::string& name) {
  std::ifstream file(std::string(QUORATE_SOURCE_DIR) + "/tests/unit/crypto/" + name);
  if (!file) throw std::runtime_error("no vector file " + name);
  return nlohmann::json::parse(file);
}

}  // namespace quorate::crypto
