// Files that hold secrets: mode 0600, written whole or not at all, synced before the call returns.
// A crash leaves the file absent, or as it was, or complete. Any thread; callers that write the
// same path at once are serialised by the file system.
#pragma once

#include <filesystem>

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"

namespace quorate::crypto {

inline constexpr std::size_t kPrivateFileSizeMax = 1024 * 1024;

// Creates `path`; never overwrites. Errors: conflict when it exists, not_found when its directory
// does not, io.
Result<void> write_private_file(const std::filesystem::path& path, ByteView bytes);
// Creates `path` or replaces it in one step. Errors: not_found when its directory does not exist,
// io.
Result<void> replace_private_file(const std::filesystem::path& path, ByteView bytes);
// Errors: not_found; permission, with the command that repairs it, when group or others may read or
// write the file; limit_exceeded above kPrivateFileSizeMax; io. The caller wipes the bytes.
Result<Bytes> read_private_file(const std::filesystem::path& path);
// Creates the directory and its missing parents with mode 0700; one that exists stays as it is.
Result<void> make_private_directory(const std::filesystem::path& path);

}  // namespace quorate::crypto
