// What looks on at every node of a run, whatever engine orders: after each event, at each message,
// block and rewind. `checks` judges PBFT by it, `pow/pow_checks` proof of work.
#pragma once

#include <vector>

#include "ledger/chain.hpp"
#include "node/replica.hpp"
#include "tests/sim/disk.hpp"

namespace quorate::sim {

// What of a node survives a crash right now.
struct Durable {
  const Disk& disk;
  const ledger::Chain& chain;
};

class NodeChecks {
 public:
  virtual ~NodeChecks() = default;

  // Consensus messages of a correct replica and of others.
  virtual void on_send(ReplicaId sender, ByteView message, const Durable& durable) = 0;
  virtual void on_untrusted_send(ByteView message) = 0;
  // A message that a correct replica received and found valid.
  virtual void on_verified(ByteView message) = 0;
  // A payload that was handed to the executor, and then its block, are durable at a replica.
  virtual void on_ordered(ReplicaId replica, const ledger::OrderedBlock& block) = 0;
  virtual void on_executed(ReplicaId replica, const ledger::ExecutedBlock& block) = 0;
  virtual void on_sealed(ReplicaId replica, Height height,
                         const std::vector<crypto::ReplicaSignature>& seals) = 0;
  // The ledger stands at this height again, durably.
  virtual void on_rewound(ReplicaId replica, Height height) = 0;
  virtual void on_notice(ReplicaId replica, const node::Notice& notice) = 0;
  // It has its first event behind it.
  virtual void on_start(ReplicaId replica, const node::Replica& started) = 0;
  virtual void after_step(ReplicaId replica, const node::Replica& stepped,
                          const Durable& durable) = 0;
  virtual void on_crash(ReplicaId replica) = 0;
  // Its damaged ledger is gone: the chain is executed from genesis on.
  virtual void on_ledger_replaced(ReplicaId) {}

  // The highest height that some correct replica has executed.
  virtual Height height() const = 0;
};

}  // namespace quorate::sim
