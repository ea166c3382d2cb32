// The bytes of a vote log file, and what a file proves after a crash. Pure; any thread.
//
// A file = header, records, and zeros up to its preallocated size. All integers are little-endian.
//   header: magic 8 "QRTVOTE1" | version u32 | generation u64 | chain_id 32 | validator key 32 |
//           db_uuid 16 | salt 32 | first index u64 | running 32 | check 32
//   record: magic u32 | body length u32 | index u64 | synced u64 | kind u8 | body | check 32 |
//           running 32
// `index` increases by one over all files. `synced` is the last index that was durable when the
// record was written. `check` covers the salt and the record, `running` chains all records since
// the first file: running = H("quorate/vote-log-chain/1", previous running || check).
//
// Bodies hold the transactions of clients, and the search behind a damage looks into them. `salt`
// is random and leaves neither the file nor the process, so nobody can submit the bytes of a
// record.
//
// A record that was never synced may be torn, and cutting it off loses nothing: no message that
// depended on it has left. Damage to a record that was synced is amnesia. What tells them apart:
//  - a later whole record whose `synced` reaches the damage. Behind the last group of votes stands
//  a
//    `mark`, written once that group is synced and nothing else waits, so a process that is killed
//    leaves proof for every vote it ever sent;
//  - the index in validator_state.json, which covers the mark a second later;
//  - the shape of the damage: sectors of 512 bytes reach the disk whole or not at all, and what
//  does
//    not stays zero, so a record that is whole in length and lacks no sector was not torn.
// What is left is best effort: after a power failure within the second before the mark is synced,
// damage that also zeroes a sector of the very last group passes for a torn one. The check of the
// first STATUS answers (consensus) then still knows what the peers received.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"

namespace quorate::node {

using DbUuid = FixedBytes<16, struct DbUuidTag>;
using VoteLogSalt = FixedBytes<32, struct VoteLogSaltTag>;

inline constexpr std::uint32_t kVoteLogVersion = 2;  // 1 had neither marks nor preallocation
// A snapshot holds the bodies of the proposals in flight up to three times (of the active view, of
// the one before, of prepared certificates), each at most 128 MiB by the rules of the genesis, half
// as much of what lost against others, and messages of up to 128 MiB that change views.
inline constexpr std::size_t kVoteRecordBytesMax = 1024U << 20U;

// Whose votes a log holds.
struct VoteLogIdentity {
  Digest chain_id;
  PublicKey validator_key;
  DbUuid db_uuid;
  bool operator==(const VoteLogIdentity&) const = default;
};

enum class VoteRecordKind : std::uint8_t {
  vote = 1,      // a record of the engine
  snapshot = 2,  // a record of the engine that replaces all before it; first of its file
  opened = 3,    // the log was made; no body, not given to the engine
  mark = 4,      // all before it was synced; no body, not given to the engine, itself not synced
};

struct VoteLogHeader {
  VoteLogIdentity identity;
  VoteLogSalt salt;  // of this file alone, from the operating system's random source
  std::uint64_t generation = 1;
  std::uint64_t first_index = 1;
  Digest running;  // before the first record
};

Bytes encode_vote_log_header(const VoteLogHeader& header);
std::size_t vote_log_header_size();
Result<VoteLogHeader> decode_vote_log_header(ByteView file);

// Appends one record of the file with this salt to `out` and moves `running` on.
void append_vote_record(Bytes& out, const VoteLogSalt& salt, VoteRecordKind kind,
                        std::uint64_t index, std::uint64_t synced, ByteView body, Digest& running);

struct VoteRecordView {
  std::uint64_t index = 0;
  VoteRecordKind kind = VoteRecordKind::vote;
  ByteView body;  // into the file
};

// What a whole file says.
struct VoteLogScan {
  VoteLogHeader header;
  std::vector<VoteRecordView> records;  // whole ones, up to the first damage
  std::size_t bytes_valid = 0;          // where the next record belongs
  std::size_t torn_bytes = 0;           // behind them, not counting preallocated zeros
  std::uint64_t last_index = 0;         // of the last whole record
  Digest running;
  // Set when a synced record is damaged: why this log can no longer be trusted.
  std::optional<std::string> amnesia;
};

// `file` must outlive the result. Error corrupt when the header is damaged: it was synced before
// the file got its name.
Result<VoteLogScan> scan_vote_log(ByteView file);

}  // namespace quorate::node
