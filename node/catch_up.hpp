// Block catch-up: fetches committed blocks from one peer at a time and hands them to the engine in
// order, no faster than they are executed. Blocks are proved by their certificates, so any peer
// will do, and what a peer claims about itself counts for nothing; the goal is a height that
// signatures prove. Only an answer to a request counts, and only if it holds the block that is
// needed next; the buffer therefore has no gaps. Deterministic; owned by the replica.
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
    ReplicaId peer;
    Instant since;
  };
  struct Round {
    Height evidence;
    std::uint32_t requests = 1;   // RequestSync outputs that wait for this round's end
    Instant progress_at;          // when the head last moved
    std::uint32_t fruitless = 0;  // peers asked in a row without a useful answer
    std::optional<Asked> asked;
    bool ask_same_again = false;  // the last answer was useful
    // Asked and not answered yet. A late answer is still an answer: it may be the only kind that a
    // slow network has.
    std::set<ReplicaId> owing;
  };
  bool take(ReplicaId from, BlocksResponse response);
  Height fetched_to() const;
  bool may_ask() const;
  void ask(Instant now);
  void finish();
  void give_up_on_peer();
  std::optional<ReplicaId> next_peer();

  std::uint32_t replicas_;
  Transport& transport_;
  std::set<ReplicaId> peers_;
  ReplicaId last_asked_;
  Height executed_;
  Height delivered_to_;
  std::map<Height, Delivery> buffered_;  // fetched, not yet delivered: from delivered_to_ + 1 on
  std::size_t buffered_bytes_ = 0;
  std::map<Height, std::size_t> delivered_bytes_;  // handed over, not yet executed
  std::size_t executing_bytes_ = 0;
  std::optional<Round> round_;
  std::uint32_t finished_ = 0;
};

}  // namespace quorate::node
