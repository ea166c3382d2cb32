// The vote log on disk: an append-only file, and a new file for each snapshot. What append_group
// has returned for is durable. One thread at a time; open may run on another.
//
// A validator key whose votes may be lost must never vote again, since it could contradict itself.
// So open() answers either with the log, or with the reason why this node may only observe.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.hpp"
#include "node/runtime/log_file.hpp"
#include "node/runtime/validator_state.hpp"
#include "node/runtime/vote_log_format.hpp"

namespace quorate::node {

struct VoteLogPaths {
  std::filesystem::path votes_dir;
  std::filesystem::path validator_state_file;
  LogFileOptions files = {};
};

struct VoteLogEntry {
  Bytes body;
  bool snapshot = false;
};

class VoteLogStore;

struct OpenedVoteLog {
  std::vector<Bytes> records;           // of the engine, from the newest snapshot, oldest first
  std::unique_ptr<VoteLogStore> store;  // null: observe only
  std::string observer_reason;          // set when store is null
  std::string damage;                   // of that, what is wrong with the log
  std::uint64_t torn_bytes = 0;         // cut off the end: a group that was never synced
};

class VoteLogStore {
 public:
  // Makes the log on the first start of `validator_key`. Errors: conflict (another chain or
  // version, or another process has the log open), permission, io.
  static Result<OpenedVoteLog> open(const VoteLogPaths& paths, const Digest& chain_id,
                                    const PublicKey& validator_key);
  // Removes the log, for engines whose log binds nobody: open() then begins a new one. Error io.
  static Result<void> discard(const VoteLogPaths& paths);
  VoteLogStore(const VoteLogStore&) = delete;
  VoteLogStore& operator=(const VoteLogStore&) = delete;

  // Appends all entries, syncs once, and marks them as synced before it returns. From a snapshot
  // on, entries go to a new file, which takes the place of the old one. Error io: what is on the
  // disk is then unknown; end the process.
  Result<void> append_group(const std::vector<VoteLogEntry>& entries);
  // Syncs the mark behind the last group too, and records the last index in validator_state.json if
  // it is not there yet. Error io.
  Result<void> settle();

  std::uint64_t last_index() const { return last_index_; }

 private:
  VoteLogStore(VoteLogPaths paths, VoteLogIdentity identity);
  static Result<OpenedVoteLog> create(const VoteLogPaths& paths, const VoteLogIdentity& identity);
  Result<std::string> load(const std::filesystem::path& file, std::uint64_t known_synced,
                           OpenedVoteLog& out);
  Result<void> start_file(const VoteLogSalt& salt, ByteView first_records,
                          std::uint64_t first_index, const Digest& running_before);
  Result<void> mark();
  Result<void> write_state();
  std::filesystem::path file_of(std::uint64_t generation) const;

  VoteLogPaths paths_;
  VoteLogIdentity identity_;
  std::optional<LogFile> file_;
  VoteLogSalt salt_;  // of the open file
  std::uint64_t generation_ = 0;
  std::uint64_t last_index_ = 0;
  std::uint64_t synced_index_ = 0;  // lower when the last record is a mark
  std::uint64_t state_index_ = 0;   // what validator_state.json holds
  Digest running_;
};

}  // namespace quorate::node
