// The comparison as text. The first screen, of 24 lines and 100 columns, is enough to choose. Pure.
#pragma once

#include <string>

#include "testnet/compare/model.hpp"

namespace quorate::testnet::comparison {

inline constexpr std::size_t kScreenLines = 24;
inline constexpr std::size_t kScreenColumns = 100;

std::string first_screen(const Model& model);
// The first screen and all tables.
std::string to_text(const Model& model);

}  // namespace quorate::testnet::comparison
