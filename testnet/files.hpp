// Small files that are replaced as a whole: a reader sees the old text or the new one. Any thread.
#pragma once

#include <filesystem>
#include <string_view>

#include "crypto/base/result.hpp"

namespace quorate::testnet {

// Makes the folder too if it is missing. Error io.
Result<void> replace_file(const std::filesystem::path& file, std::string_view text, mode_t mode);

}  // namespace quorate::testnet
