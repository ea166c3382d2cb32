// genesis.json, and how several organisations make the same one: each gives the entry that
// `quorate-node init` printed, and build_genesis sorts what it gets, so that the order of the
// entries does not matter. Any thread.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.hpp"
#include "ledger/types/genesis.hpp"

namespace quorate::node {

// Error bad_encoding naming file and field; not_found; io. Does not validate the rules of a genesis
// (ledger::validate does).
Result<ledger::Genesis> read_genesis_file(const std::filesystem::path& path);
// Errors: conflict when the file exists, io.
Result<void> write_genesis_file(const std::filesystem::path& path, const ledger::Genesis& genesis);
std::string genesis_text(const ledger::Genesis& genesis);

// What one organisation contributes: its keys and address, and when they were made.
struct ValidatorEntry {
  ledger::GenesisValidator validator;
  WallMs created;
};
std::string validator_entry_text(const ValidatorEntry& entry);
// Error bad_encoding naming the field.
Result<ValidatorEntry> parse_validator_entry(std::string_view text);

struct GenesisPlan {
  std::string chain_name;
  std::optional<WallMs> time;  // else that of the newest entry
  ledger::ConsensusParameters consensus;
  std::vector<ValidatorEntry> entries;
  std::vector<ledger::GenesisAccount> accounts;
  std::vector<crypto::Address> submitters;  // empty = anybody may submit
};
// The genesis that everybody gets from the same plan: validators by name (node2 before node10),
// accounts by address. Errors: those of ledger::validate.
Result<ledger::Genesis> build_genesis(GenesisPlan plan, bool allow_no_bft);

// "qrt1...=1000000" as the command line has it. Error invalid_argument.
Result<ledger::GenesisAccount> parse_genesis_account(std::string_view text);

// Each "interval_ms=500", as the command line has it. Error invalid_argument, also for a name that
// comes twice. Whether the engine has such parameters only the engine knows.
Result<std::map<std::string, std::uint64_t>> parse_engine_parameters(
    const std::vector<std::string>& texts);

}  // namespace quorate::node
