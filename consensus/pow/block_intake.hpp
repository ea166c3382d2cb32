// Where headers and payloads of others, and own blocks, come in: a header joins the block tree if
// its ancestors allow it; a payload waits for the host's word and makes its block valid or
// invalid, for good. What lies too far in the future is held and tried again; what has no known
// parent waits among the orphans. Owned by the engine's thread.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "consensus/pow/engine_state.hpp"
#include "consensus/pow/orphans.hpp"

namespace quorate::consensus::pow {

class BlockIntake {
 public:
  explicit BlockIntake(EngineState& state) : state_(state) {}

  enum class Seen : std::uint8_t {
    joined,         // it is in the tree, now or since earlier
    detached,       // its parent is unknown here
    held,           // its time lies too far in the future
    too_old,        // from below the root of the tree
    too_far_ahead,  // of the ledger: to be shown again later
    passed_over,    // too light to be kept
    refused         // Rejected was emitted
  };
  Seen on_header(ReplicaId from, const Identified& header);
  Seen on_block(ReplicaId from, const FullBlock& block);
  // Mined here: valid by construction. The host is shown it as well, under its id. False: the rules
  // do not allow it (any more).
  bool on_own_block(const FullBlock& block);
  // A block of the own log: known to be valid, and shown to the host again.
  void restore(const FullBlock& block);
  void on_validated(const Digest& id, bool valid);
  // The ledger went back to a height: payloads of heights above it and up to `reached` may have
  // come when they lay below the ledger's head, where the host forgets them.
  void show_again(Height above, Height reached);

  // What was held or orphaned and has become possible, or too old.
  void advance();
  std::optional<Instant> next_deadline() const;

  // Blocks of the own log that the host has yet to check again.
  std::size_t restoring() const { return restoring_.size(); }
  // How many blocks joined the tree in this life.
  std::uint64_t joined() const { return joined_; }
  std::size_t orphans() const { return orphans_.size(); }
  std::size_t memory_bytes() const;

 private:
  struct Held {
    ReplicaId from;
    Identified header;
    Payload payload;  // null: the header alone
    Instant retry;
  };
  Seen join(ReplicaId from, const Identified& header, const Payload& payload);
  void hold(ReplicaId from, const Identified& header, const Payload& payload);
  void on_payload(ReplicaId from, const Block& block, const Payload& payload);
  void keep(const Block& block, StoredBody body);
  void adopt_orphans(const Digest& parent);
  void drop_invalid();

  EngineState& state_;
  OrphanPool orphans_;
  std::vector<Held> held_;
  std::set<Digest> restoring_;
  std::uint64_t joined_ = 0;
};

}  // namespace quorate::consensus::pow
