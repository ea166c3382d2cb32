// What a replica must remember across restarts, and the records that the vote log holds of it.
//
// Live changes and replay go through the same apply(), so that a restart rebuilds exactly what was
// there. A record is one of
//   snapshot      everything, for the chain it names; the first record of every vote log
//   accepted      an accepted PRE-PREPARE with its body and the own PREPARE (none by the primary)
//   prepared      a prepared certificate and the own COMMIT
//   sealed        the own SEAL
//   checkpointed  the own CHECKPOINT
//   view_changed  the own VIEW-CHANGE, which promises its view, and the timer's level
//   entered       the NEW-VIEW that opened the active view, own or not, and the timer's level
//   replaced      the ledger was replaced: which heights are executed again
//   retired       this key never votes again, and why; only such a log may begin without a snapshot
// and starts with version u8 = 3 and a type byte. Owned by the engine's thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "consensus/pbft/messages.hpp"

namespace quorate::consensus::pbft {

// Height first, so that garbage collection cuts off the front.
struct SlotKey {
  Height height;
  View view;
  auto operator<=>(const SlotKey&) const = default;
};
inline SlotKey key_of(const Ballot& ballot) { return {ballot.height, ballot.view}; }

struct AcceptedRecord {
  Core core;
  ProposalHeader header;
  Payload payload;  // null when the ledger holds it
  std::optional<Vote> prepare;
};
struct PreparedRecord {
  PreparedCertificate certificate;
  Vote commit;
};
struct SealedRecord {
  Seal seal;
};
struct CheckpointedRecord {
  CheckpointVote vote;
};
// From here on the replica votes in no view below the message's.
struct ViewChangedRecord {
  ViewChangePtr message;
  std::uint32_t timer_level = 0;
};
struct EnteredRecord {
  NewViewPtr message;
  std::uint32_t timer_level = 0;
};
struct ReplacedRecord {
  Height executed_before;
};
// The last record of a log: whoever reads it signs nothing any more.
struct RetiredRecord {
  std::string reason;
};
using Record = std::variant<AcceptedRecord, PreparedRecord, SealedRecord, CheckpointedRecord,
                            ViewChangedRecord, EnteredRecord, ReplacedRecord, RetiredRecord>;

struct DurableState {
  View active_view;
  View promise_view;          // the highest view this replica asked for
  ViewChangePtr view_change;  // how it asked, byte for byte; null before the first time
  NewViewPtr new_view;        // what opened active_view; null in view 0
  std::uint32_t timer_level = 0;
  std::optional<CheckpointProof> stable;
  // P: per height, the prepared certificate of the highest view. Survives view changes; dropped
  // only by a stable checkpoint.
  std::map<Height, PreparedCertificate> prepared;
  std::map<SlotKey, AcceptedRecord> accepted;
  std::map<SlotKey, Vote> commits;
  std::map<Height, Seal> seals;
  std::map<Height, CheckpointVote> checkpoints;
  // Never sign these again at or below these heights, also when the message itself is gone.
  Height sealed_max;
  Height checkpointed_max;
  // A ledger that was replaced had executed up to here. Nothing at or below it is signed again.
  Height executed_before;
  // Why this key must never vote again; empty while it may. In no snapshot: a retired replica
  // writes none.
  std::string retired;

  // Whether a SEAL of `height` may still be signed, and likewise a CHECKPOINT.
  bool may_seal(Height height) const { return height > std::max(sealed_max, executed_before); }
  bool may_checkpoint(Height height) const {
    return height > std::max(checkpointed_max, executed_before);
  }
  // No ledger that belongs to this vote log is below it: what was signed was executed before.
  Height executed_at_least() const {
    return std::max({low_watermark(), sealed_max, checkpointed_max});
  }
  Height low_watermark() const { return stable ? stable->claim.height : Height(0); }
  void apply(const Record& record);
  // What a stable checkpoint makes needless. Seals of `seals_kept` heights below it stay, for
  // replicas that still collect them.
  void adopt(const CheckpointProof& proof, std::uint64_t seals_kept);
  // The ledger holds the payload `id`. What else was accepted at its height stays until a stable
  // checkpoint: a VIEW-CHANGE that was signed before may name it and still be on its way to others.
  // Of that kLosersBytesMax at the most, of the highest heights: whoever asks in vain for another
  // opens its view without it, after half of its patience.
  void release_payload(Height height, const Digest& id);
  void release_payloads();
  // Payloads that the message log or the ledger hold too are counted there.
  std::size_t memory_bytes() const;

  static constexpr std::size_t kLosersBytesMax = 64U << 20U;

 private:
  void enter(const EnteredRecord& record);
};

std::size_t memory_bytes(const ViewChange& message);
std::size_t memory_bytes(const NewView& message);

Bytes encode_record(const Record& record);
Bytes encode_snapshot(const DurableState& state, const crypto::Membership& membership);

// Rebuilds the state from records, oldest first; the first is a snapshot. Errors: corrupt when a
// record does not decode, conflict when the log belongs to another chain or configuration.
Result<DurableState> replay(const std::vector<Bytes>& records, const crypto::Membership& membership,
                            std::uint32_t payload_bytes_max);

}  // namespace quorate::consensus::pbft
