// Every block that some replica executed, in the tree that their branches form, with what the
// accounts must be behind each (ModelLedger): nonces once per branch, money conserved on every one.
// Knows where each replica stands; clients believe the one that is furthest.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/sim/model_ledger.hpp"

namespace quorate::sim::pow {

class BranchLedger final : public ClientLedger {
 public:
  struct Node {
    Digest parent;  // block hashes; a genesis has itself
    Height height;
    Digest payload_id;  // zero: genesis
    Digest state_root;
    ModelLedger model;
    std::vector<ledger::TransactionPtr> transactions;
    std::vector<bool> effective;  // of each: it was not skipped
  };
  BranchLedger(const ledger::Genesis& genesis, std::uint32_t replicas);

  // Nothing, or what is wrong. The first replica to begin names the hash of the genesis block.
  std::optional<std::string> begin(ReplicaId replica, const ledger::Head& head);
  std::optional<std::string> execute(ReplicaId replica, const ledger::ExecutedBlock& block);
  // The blocks that the replica's ledger withdraws, the newest first.
  std::vector<const Node*> rewind(ReplicaId replica, Height height);

  // Where a replica stands; where the furthest does.
  const Node& position(ReplicaId replica) const;
  const Node& furthest() const;
  Height height() const { return furthest().height; }
  // The highest that a replica ever stood at.
  Height highest() const { return highest_; }
  std::optional<Digest> hash_at(ReplicaId replica, Height height) const;
  // What the block of this payload id became, if anybody executed it; zero is the genesis.
  std::optional<Digest> hash_of(const Digest& payload_id) const;

  void submitted(const Digest& id) override;
  std::uint64_t nonce(const crypto::Address& address) const override;
  std::uint64_t balance(const crypto::Address& address) const override;

 private:
  ModelLedger fresh_;                             // at genesis
  std::map<Digest, Node> nodes_;                  // by block hash
  std::map<Digest, Digest> by_payload_;           // payload id -> block hash
  std::vector<std::optional<Digest>> positions_;  // by replica
  Height highest_;
};

}  // namespace quorate::sim::pow
