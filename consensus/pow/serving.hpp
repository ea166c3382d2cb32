// Answers peers that ask for headers and blocks: from the block tree where it can, older ones from
// the ledger. Each peer has a budget, so that none can make this replica send without end; what is
// over it is not answered, and the peer asks somebody else. Nothing leaves before the log holds the
// blocks that it speaks of. Owned by the engine's thread.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "consensus/pow/engine_state.hpp"
#include "consensus/token_bucket.hpp"

namespace quorate::consensus::pow {

class Serving {
 public:
  explicit Serving(EngineState& state) : state_(state) {}

  void on_ask(ReplicaId from, const AskHeaders& question);
  void on_ask(ReplicaId from, const AskBlocks& question);
  void on_loaded(const PayloadLoaded& loaded);
  // True: a search waited for them.
  bool on_loaded(const CertificatesLoaded& loaded);
  std::size_t memory_bytes() const;

 private:
  // A search in the ledger for a peer that knows nothing of what the tree holds. One each.
  struct Search {
    AskHeaders question;
    std::size_t next = 0;  // the waypoint that is being looked at
    Height first;          // its height
  };
  bool afford(ReplicaId peer, std::uint64_t cost);
  void send_block(ReplicaId to, const FullBlock& block, PersistToken after);
  bool answer_from_tree(ReplicaId to, const AskHeaders& question);
  void search_ledger(ReplicaId peer, Search search);
  void continue_search(ReplicaId peer, Search search, const CertificatesLoaded& loaded);

  EngineState& state_;
  std::map<ReplicaId, TokenBucket> buckets_;
  std::map<Digest, std::set<ReplicaId>> loading_;
  std::map<ReplicaId, Search> searches_;
};

}  // namespace quorate::consensus::pow
