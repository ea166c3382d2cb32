// The two keys of a node, each in its own file of mode 0600: the validator key signs votes, the
// node key authenticates TLS. JSON: {"type", "public_key", "secret_seed"}; the type keeps one from
// being used as the other, and the public key shows damage. Any thread.
#pragma once

#include <filesystem>
#include <string>

#include "crypto/base/result.hpp"
#include "crypto/keys.hpp"

namespace quorate::node {

// Errors: conflict when the file exists (it is never replaced), io.
Result<void> write_node_key(const std::filesystem::path& path, const crypto::NodeKey& key);
Result<void> write_validator_key(const std::filesystem::path& path,
                                 const crypto::ValidatorKey& key);

// Errors: not_found; permission when others may read the file; corrupt when it does not hold such
// a key, saying why; io.
Result<crypto::NodeKey> read_node_key(const std::filesystem::path& path);
Result<crypto::ValidatorKey> read_validator_key(const std::filesystem::path& path);

}  // namespace quorate::node
