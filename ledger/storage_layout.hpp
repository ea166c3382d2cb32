// Which key holds what, in which family. Heights in keys are big-endian, so that byte order is
// order of height, and stand before the kind, so that a growing chain only appends. Values use the
// canonical encoding. Bump kStorageVersion when any of it changes.
//
//   meta    "storage_version"        u32
//           "chain_id"               32
//           "head"                   height u64 | block hash 32 | payload id 32
//           "certified"              height u64: the newest height with seals
//           "withdrawn"              what rewinds took back (withdrawn_transactions.hpp); none:
//           nothing
//   blocks  height 'h'               header
//           height 'p'               payload, as it was ordered
//           height 'c'               commit certificate (none at genesis)
//           height 'r'               u32 count, receipts
//           height 's'               seals, once a quorum is known
//   state   state key 32             address 21 | account
//   index   't' transaction id       height u64 | u32 index in the block; executed ones only
//           'b' block hash           height u64
//           'i' payload id           height u64
//
// What stands above the head, without a gap, is left of a rewind that was interrupted while it
// erased (erase_above.hpp).
#pragma once

#include <string_view>
#include <utility>

#include "ledger/chain.hpp"
#include "ledger/state_tree.hpp"

namespace quorate::ledger::layout {

inline constexpr std::uint32_t kStorageVersion = 1;

inline constexpr std::string_view kVersionKey = "storage_version";
inline constexpr std::string_view kChainIdKey = "chain_id";
inline constexpr std::string_view kHeadKey = "head";
inline constexpr std::string_view kCertifiedKey = "certified";
inline constexpr std::string_view kWithdrawnKey = "withdrawn";

Bytes meta_key(std::string_view name);
Bytes header_key(Height height);
Bytes payload_key(Height height);
Bytes commit_certificate_key(Height height);
Bytes receipts_key(Height height);
Bytes seals_key(Height height);
Bytes transaction_key(const Digest& id);
Bytes block_hash_key(const Digest& hash);
Bytes payload_id_key(const Digest& id);

struct Position {
  Height height;
  std::uint32_t index = 0;
};

// Each decode gives corrupt: a store holds only what was encoded here. `what` names the value in
// the error.
Bytes encode_version(std::uint32_t version);
Result<std::uint32_t> decode_version(ByteView value);
Bytes encode_head(const Head& head);
Result<Head> decode_head(ByteView value);
Bytes encode_height(Height height);
Result<Height> decode_height(ByteView value, std::string_view what);
Bytes encode_position(const Position& position);
Result<Position> decode_position(ByteView value);
Bytes encode_receipts(const std::vector<Receipt>& receipts);
Result<std::vector<Receipt>> decode_receipts(ByteView value, Height height);
Bytes encode_seals(const std::vector<crypto::ReplicaSignature>& seals);
Result<std::vector<crypto::ReplicaSignature>> decode_seals(ByteView value, Height height);
Bytes encode_state(const StateLeaf& leaf);
Result<StateEntry> decode_state(ByteView key, ByteView value);
Result<Header> decode_stored_header(ByteView value, Height height);

// Reads a value; when it is missing, the error says not_found and names `what`.
Result<Bytes> read(const KvStore& store, Family family, ByteView key, std::string_view what);
// Error conflict when the store has another storage version or chain, naming both sides.
Result<void> check_identity(const KvStore& store, const Digest& chain_id);
// The whole state family as a tree.
Result<StateTree> read_state(const KvStore& store);

}  // namespace quorate::ledger::layout
