// Block catch-up: fetches committed blocks from peers and hands them to the engine in order, no
// faster than they are executed. Blocks are proved by their certificates, so any peer will do, and
// what a peer claims about itself counts for nothing; the goal is a height that signatures prove.
//
// Several peers are asked at once, each for a range of its own and for one at a time, so a peer
// that does not answer holds up nobody but itself. The block that everything waits for is asked for
// a second time elsewhere when its answer is slow. What arrives ahead of it waits in a buffer that
// is bounded, and in which what is needed sooner displaces what is needed later. Only an answer to
// a request counts, and only if it begins with the block that was asked for. Deterministic; owned
// by the replica.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "node/peer_messages.hpp"
#include "node/ports.hpp"

namespace quorate::node {

class CatchUp {
 public:
  // `transport` must outlive this.
  CatchUp(std::optional<ReplicaId> self, std::uint32_t replicas, Transport& transport);

  // The engine's RequestSync: fetch what is above the head, until `evidence`.
  void start(Height evidence, Instant now);
  // The ledger's head, at the start and after each block.
  void executed(Height height, Instant now);
  // The ledger went back: what was fetched above it belongs to what was withdrawn.
  void rewound(Height height, Instant now);
  void peer_connected(ReplicaId peer);
  void peer_disconnected(ReplicaId peer);
  void on_blocks(ReplicaId from, BlocksResponse response);

  // Sends requests, notices timeouts, ends the round. Call after each of the above and at
  // next_deadline.
  void poll(Instant now);
  std::optional<Instant> next_deadline() const;

  // The next block for the engine, if it is there and execution has kept up.
  struct Delivery {
    ReplicaId from;
    CommittedBlock block;
  };
  std::optional<Delivery> next_delivery();
  // How many RequestSync outputs the end of a round has answered since the last call.
  std::uint32_t take_finished();

  bool active() const { return round_.has_value(); }
  std::size_t memory_bytes() const { return buffered_bytes_; }

 private:
  struct Asked {
    Height from;
    Instant since;
  };
  struct Round {
    Height evidence;
    std::uint32_t requests = 1;        // RequestSync outputs that wait for this round's end
    Instant progress_at;               // when the head last moved
    std::uint32_t fruitless = 0;       // requests in a row that led to nothing
    std::map<ReplicaId, Asked> asked;  // under way: one per peer
    // Given up on, or under way. A late answer is still an answer: it may be the only kind that a
    // slow network has.
    std::map<ReplicaId, std::set<Height>> owed;
    std::optional<ReplicaId> again;  // it has just answered well
  };
  bool take(ReplicaId from, BlocksResponse& response);
  bool make_room(Height height);
  Height next_missing(Height from) const;
  Height wanted_to() const;
  // When the requests under way that have `height` in their range were sent.
  std::vector<Instant> asked_for(Height height) const;
  std::optional<Instant> hedge_due() const;
  std::optional<Height> next_range(Instant now) const;
  bool free(ReplicaId peer) const;
  std::optional<ReplicaId> next_peer() const;
  void ask(Instant now);
  void give_up(ReplicaId peer);
  bool deliverable() const;
  void finish();

  std::uint32_t replicas_;
  Transport& transport_;
  std::set<ReplicaId> peers_;
  ReplicaId last_asked_;
  Height executed_;
  Height delivered_to_;
  std::map<Height, Delivery> buffered_;  // fetched, not yet delivered; may have gaps
  std::size_t buffered_bytes_ = 0;
  std::map<Height, std::size_t> delivered_bytes_;  // handed over, not yet executed
  std::size_t executing_bytes_ = 0;
  std::optional<Round> round_;
  std::uint32_t finished_ = 0;
};

}  // namespace quorate::node
