// The folder that one node owns, and the lock that keeps a second process out of it.
//
//   config/config.toml  config/genesis.json
//   keys/node_key.json  keys/validator_key.json  keys/validator_state.json     (0600)
//   data/db/  data/votes/  data/snapshots/   run/quorate.sock   LOCK
//   data/replaced_ledger.json  data/db-wrong-N/   (only after a ledger went wrong)
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "crypto/base/result.hpp"

namespace quorate::node {

// Environment variables, read once at the start so that everything after is a pure function.
using Environment = std::map<std::string, std::string>;
Environment process_environment();

struct Home {
  std::filesystem::path root;

  std::filesystem::path config_file() const { return root / "config" / "config.toml"; }
  std::filesystem::path genesis_file() const { return root / "config" / "genesis.json"; }
  std::filesystem::path node_key_file() const { return root / "keys" / "node_key.json"; }
  std::filesystem::path validator_key_file() const { return root / "keys" / "validator_key.json"; }
  std::filesystem::path validator_state_file() const {
    return root / "keys" / "validator_state.json";
  }
  std::filesystem::path data_folder() const { return root / "data"; }
  std::filesystem::path database_folder() const { return root / "data" / "db"; }
  std::filesystem::path votes_folder() const { return root / "data" / "votes"; }
  std::filesystem::path evidence_file() const { return root / "data" / "evidence.bin"; }
  std::filesystem::path snapshots_folder() const { return root / "data" / "snapshots"; }
  std::filesystem::path socket_file() const { return root / "run" / "quorate.sock"; }
  std::filesystem::path lock_file() const { return root / "LOCK"; }
};

// --home, else QUORATE_HOME, else XDG_DATA_HOME/quorate, else HOME/.local/share/quorate.
// Error invalid_argument when none of them is set. The path is absolute.
Result<Home> find_home(const std::optional<std::string>& flag, const Environment& environment);

// Creates the folders that are missing, each with mode 0700. Error io.
Result<void> create_home(const Home& home);

// Held by the one process that may write in the home; released when destroyed or killed.
class HomeLock {
 public:
  // Errors: unavailable, naming the process that holds it; not_found without a home; io.
  static Result<HomeLock> acquire(const Home& home);
  HomeLock(HomeLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  HomeLock& operator=(HomeLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~HomeLock();

 private:
  explicit HomeLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace quorate::node
