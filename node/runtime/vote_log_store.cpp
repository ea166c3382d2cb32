#include "node/runtime/vote_log_store.hpp"

#include <algorithm>
#include <cerrno>
#include <map>

#include "crypto/base/disk_error.hpp"
#include "crypto/keys.hpp"
#include "crypto/secure_file.hpp"

namespace quorate::node {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "votes-";
constexpr std::string_view kSuffix = ".log";
constexpr std::string_view kTemporary = ".tmp";

// The log files by generation; leftovers of unfinished snapshots are removed.
Result<std::map<std::uint64_t, fs::path>> list_files(const fs::path& directory) {
  std::map<std::uint64_t, fs::path> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    if (name.ends_with(kTemporary)) {
      fs::remove(entry.path(), error);
    } else if (name.ends_with(kSuffix)) {
      const std::string digits =
          name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
      out[std::strtoull(digits.c_str(), nullptr, 10)] = entry.path();
    }
  }
  if (error) return disk_error("cannot list", directory, error.value());
  return out;
}

DbUuid random_uuid() {
  const crypto::SecretSeed seed = crypto::SecretSeed::random();
  return DbUuid::from(seed.expose().first(DbUuid::kSize)).value();
}

VoteLogSalt random_salt() {
  return VoteLogSalt::from(crypto::SecretSeed::random().expose()).value();
}

constexpr std::string_view kNeverAgain =
    "; a key that may have forgotten votes must not vote again. This node follows the chain and "
    "never votes again, unless the newer files are brought back; a chain of n validators bears "
    "(n-1)/3 such, and only a new genesis replaces a validator";

OpenedVoteLog observe(const std::string& why) {
  OpenedVoteLog out;
  out.damage = why;
  out.observer_reason = why + std::string(kNeverAgain);
  return out;
}

// Why state file and log files do not belong together, or nothing.
std::string mismatch(const VoteLogPaths& paths, const std::optional<ValidatorState>& state,
                     bool log_exists, const PublicKey& validator_key) {
  const std::string state_file = paths.validator_state_file.string();
  const std::string votes = paths.votes_dir.string();
  if (!state) return log_exists ? "there are votes in " + votes + " but no " + state_file : "";
  if (state->validator_key != validator_key) {
    return state_file + " belongs to validator key " + to_0x(state->validator_key) +
           ", this node has " + to_0x(validator_key);
  }
  if (!log_exists && state->last_index > 0) {
    return "the votes in " + votes + " are gone, but " + state_file + " says that this key wrote " +
           std::to_string(state->last_index) + " of them";
  }
  return "";
}

}  // namespace

VoteLogStore::VoteLogStore(VoteLogPaths paths, VoteLogIdentity identity)
    : paths_(std::move(paths)), identity_(identity) {}

fs::path VoteLogStore::file_of(std::uint64_t generation) const {
  std::string digits = std::to_string(generation);
  digits.insert(0, digits.size() < 12 ? 12 - digits.size() : 0, '0');
  return paths_.votes_dir / (std::string(kPrefix) + digits + std::string(kSuffix));
}

Result<OpenedVoteLog> VoteLogStore::open(const VoteLogPaths& paths, const Digest& chain_id,
                                         const PublicKey& validator_key) {
  QUORATE_CHECK(crypto::make_private_directory(paths.votes_dir));
  QUORATE_TRY(const auto files, list_files(paths.votes_dir));
  auto state = read_validator_state(paths.validator_state_file);
  if (!state && state.error().code == Errc::corrupt) {
    return observe(paths.validator_state_file.string() + " is damaged: " + state.error().detail);
  }
  if (!state) return tl::unexpected(state.error());
  const std::string why = mismatch(paths, *state, !files.empty(), validator_key);
  if (!why.empty()) return observe(why);

  VoteLogIdentity identity{chain_id, validator_key, *state ? (*state)->db_uuid : random_uuid()};
  if (files.empty()) return create(paths, identity);

  OpenedVoteLog out;
  std::unique_ptr<VoteLogStore> store(new VoteLogStore(paths, identity));
  store->state_index_ = (*state)->last_index;
  QUORATE_TRY(const std::string damage,
              store->load(files.rbegin()->second, (*state)->last_index, out));
  if (!damage.empty()) return observe(damage);
  for (const auto& [generation, path] : files) {
    std::error_code ignored;  // an old file costs space, nothing else
    if (generation != store->generation_) fs::remove(path, ignored);
  }
  out.store = std::move(store);
  // What the last life left unsynced and whole counts from here on.
  QUORATE_CHECK(out.store->settle());
  return out;
}

// The state last: while it is there and the files are not, the log counts as lost.
Result<void> VoteLogStore::discard(const VoteLogPaths& paths) {
  QUORATE_TRY(const auto files, list_files(paths.votes_dir));
  std::error_code error;
  for (const auto& [generation, path] : files) {
    if (!error) fs::remove(path, error);
  }
  if (!error) fs::remove(paths.validator_state_file, error);
  if (error) return disk_error("cannot remove the log in", paths.votes_dir, error.value());
  return {};
}

Result<OpenedVoteLog> VoteLogStore::create(const VoteLogPaths& paths,
                                           const VoteLogIdentity& identity) {
  OpenedVoteLog out;
  out.store.reset(new VoteLogStore(paths, identity));
  VoteLogStore& store = *out.store;
  // First the state with index 0 = "being made", then the log, then the state that demands a log:
  // a crash in between leaves what the next start can finish.
  QUORATE_CHECK(write_validator_state(paths.validator_state_file,
                                      {identity.validator_key, identity.db_uuid, 0}));
  Bytes first;
  const VoteLogSalt salt = random_salt();
  append_vote_record(first, salt, VoteRecordKind::opened, 1, 0, {}, store.running_);
  QUORATE_CHECK(store.start_file(salt, first, 1, Digest{}));
  store.last_index_ = store.synced_index_ = 1;
  QUORATE_CHECK(store.write_state());
  return out;
}

// The reason to observe, or nothing and the log is open behind its last whole record.
Result<std::string> VoteLogStore::load(const fs::path& file, std::uint64_t known_synced,
                                       OpenedVoteLog& out) {
  QUORATE_TRY(LogFile handle, LogFile::open(file, paths_.files));
  QUORATE_TRY(const auto mapping, handle.map());
  const auto scan = scan_vote_log(mapping->view());
  if (!scan && scan.error().code == Errc::conflict) return tl::unexpected(scan.error());
  if (!scan) return file.string() + " is damaged: " + scan.error().detail;
  const VoteLogIdentity& theirs = scan->header.identity;
  if (theirs.chain_id != identity_.chain_id) {
    return fail(Errc::conflict, file.string() + " holds votes for chain " + to_0x(theirs.chain_id) +
                                    ", the genesis is that of chain " + to_0x(identity_.chain_id));
  }
  if (theirs != identity_) {
    return file.string() + " (validator key " + to_0x(theirs.validator_key) + ", uuid " +
           to_0x(theirs.db_uuid) + ") does not belong to " + paths_.validator_state_file.string() +
           " (validator key " + to_0x(identity_.validator_key) + ", uuid " +
           to_0x(identity_.db_uuid) + ")";
  }
  if (scan->amnesia) return file.string() + " is damaged: " + *scan->amnesia;
  if (scan->last_index < known_synced) {
    return file.string() + " ends at record " + std::to_string(scan->last_index) + ", but " +
           paths_.validator_state_file.string() + " says that record " +
           std::to_string(known_synced) + " was synced";
  }
  for (const VoteRecordView& record : scan->records) {
    const bool of_engine =
        record.kind == VoteRecordKind::vote || record.kind == VoteRecordKind::snapshot;
    if (of_engine) out.records.push_back(to_bytes(record.body));
  }
  out.torn_bytes = scan->torn_bytes;
  handle.set_end(scan->bytes_valid);
  if (out.torn_bytes > 0) QUORATE_CHECK(handle.cut());
  file_ = std::move(handle);
  generation_ = scan->header.generation;
  salt_ = scan->header.salt;
  last_index_ = scan->last_index;
  running_ = scan->running;
  return std::string();
}

Result<void> VoteLogStore::start_file(const VoteLogSalt& salt, ByteView first_records,
                                      std::uint64_t first_index, const Digest& running_before) {
  const std::uint64_t generation = generation_ + 1;
  Bytes bytes = encode_vote_log_header({identity_, salt, generation, first_index, running_before});
  bytes.insert(bytes.end(), first_records.begin(), first_records.end());
  QUORATE_TRY(LogFile file, LogFile::create(file_of(generation), bytes, paths_.files));
  file_ = std::move(file);
  salt_ = salt;
  const fs::path replaced = file_of(generation_);
  if (std::exchange(generation_, generation) != 0) {
    std::error_code ignored;  // the next start removes it
    fs::remove(replaced, ignored);
  }
  return {};
}

Result<void> VoteLogStore::append_group(const std::vector<VoteLogEntry>& entries) {
  Bytes bytes;
  Digest running = running_;
  Digest running_before = running_;
  std::uint64_t index = last_index_;
  std::uint64_t first_index = index + 1;
  bool snapshot = false;
  VoteLogSalt salt = salt_;
  for (const VoteLogEntry& entry : entries) {
    if (entry.snapshot) {
      // What came before it in this group is replaced before it was ever needed.
      bytes.clear();
      snapshot = true;
      salt = random_salt();
      running_before = running;
      first_index = index + 1;
    }
    const auto kind = entry.snapshot ? VoteRecordKind::snapshot : VoteRecordKind::vote;
    append_vote_record(bytes, salt, kind, ++index, synced_index_, entry.body, running);
  }
  if (snapshot) {
    QUORATE_CHECK(start_file(salt, bytes, first_index, running_before));
  } else {
    QUORATE_CHECK(file_->append(bytes));
    QUORATE_CHECK(file_->sync());
  }
  last_index_ = synced_index_ = index;
  running_ = running;
  return snapshot ? write_state() : mark();
}

// Not synced: it is there at once for whoever reads the file after this process was killed, and on
// the disk with the next group or when the log settles.
Result<void> VoteLogStore::mark() {
  Bytes bytes;
  append_vote_record(bytes, salt_, VoteRecordKind::mark, last_index_ + 1, synced_index_, {},
                     running_);
  ++last_index_;
  return file_->append(bytes);
}

Result<void> VoteLogStore::settle() {
  if (synced_index_ != last_index_) {
    QUORATE_CHECK(file_->sync());
    synced_index_ = last_index_;
  }
  return state_index_ == synced_index_ ? Result<void>{} : write_state();
}

Result<void> VoteLogStore::write_state() {
  QUORATE_CHECK(write_validator_state(paths_.validator_state_file,
                                      {identity_.validator_key, identity_.db_uuid, synced_index_}));
  state_index_ = synced_index_;
  return {};
}

}  // namespace quorate::node
