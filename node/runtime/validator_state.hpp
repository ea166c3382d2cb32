// keys/validator_state.json: pairs the validator key with its vote log, so that a wiped, restored
// or swapped disk is noticed. One object of one line, always written in the same form:
//   {"version":1,"validator_key":"0x…","db_uuid":"0x…","last_index":123}
// last_index is written only after the log is synced to it, so it may trail but never leads.
// 0 = the log is being made. Any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/result.hpp"
#include "node/runtime/vote_log_format.hpp"

namespace quorate::node {

struct ValidatorState {
  PublicKey validator_key;
  DbUuid db_uuid;
  std::uint64_t last_index = 0;
  bool operator==(const ValidatorState&) const = default;
};

std::string to_text(const ValidatorState& state);
// Error corrupt for anything but the form above.
Result<ValidatorState> parse_validator_state(std::string_view text);

// Nothing when there is no such file. Errors: permission, io, corrupt.
Result<std::optional<ValidatorState>> read_validator_state(const std::filesystem::path& path);
// Atomic and synced. Error io.
Result<void> write_validator_state(const std::filesystem::path& path, const ValidatorState& state);

}  // namespace quorate::node
