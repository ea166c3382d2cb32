// The raw data of a comparison, with keys that stay. Pure.
#pragma once

#include <nlohmann/json.hpp>

#include "testnet/compare/model.hpp"

namespace quorate::testnet::comparison {

inline constexpr const char* kSchema = "quorate-compare/1";

nlohmann::json to_json(const Model& model);

}  // namespace quorate::testnet::comparison
