// The comparison as one HTML page that needs nothing else: no script, no font, no picture, no style
// from elsewhere. It follows the reader's light or dark theme, prints, and says in words and tables
// what its plots show. Pure.
#pragma once

#include <string>

#include "testnet/compare/model.hpp"

namespace quorate::testnet::comparison {

std::string to_html(const Model& model);

}  // namespace quorate::testnet::comparison
