// Whole small files: read with a cap, written once and durably. Any thread.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "crypto/base/result.hpp"

namespace quorate::node {

// Errors: not_found, io, limit_exceeded above `bytes_max`.
Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t bytes_max);

// Creates `path` with `text`; it appears whole or not at all, and is durable when this returns.
// Errors: conflict when something of that name exists (it is left alone), io.
Result<void> write_new_file(const std::filesystem::path& path, std::string_view text, mode_t mode);

}  // namespace quorate::node
