// Text for people: aligned tables, short hashes, and the tick that stands before what is done.
#pragma once

#include <string>
#include <vector>

#include "crypto/base/bytes.hpp"

namespace quorate::testnet {

// What stands before a line that says what is done: "✔", or "ok" in plain output.
inline const char* tick(bool plain) { return plain ? "ok" : "\u2714"; }

// "0x5be1…c09d"
std::string short_hash(const Digest& digest);

// Rows with columns padded to their widest cell, two blanks apart, each line indented by two.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace quorate::testnet
