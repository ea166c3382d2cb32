// Custody of waiting transactions. Those that this node took in from clients are sent to every peer
// at once and to peers that connect later. Those, and after a longer wait also the ones that other
// nodes relayed here, are sent again, ever more rarely, as long as they wait. So a lost frame, a
// primary that was behind and a node that took something in and died cost a delay, never a
// transaction. Deterministic; owned by the replica.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "node/mempool.hpp"
#include "node/ports.hpp"

namespace quorate::node {

class Relay {
 public:
  // Both must outlive the relay.
  Relay(const Mempool& mempool, Transport& transport);

  // A client's transaction was admitted here: this node answers for it from now on.
  void add(const ledger::TransactionPtr& transaction, Instant now);
  // Another node relayed it here: that node answers for it first.
  void add_relayed(const ledger::TransactionPtr& transaction, Instant now);
  // Sends what is due. The first transaction after a pause leaves at once; a stream of them is
  // gathered into frames.
  void poll(Instant now);
  std::optional<Instant> next_deadline() const;
  // Tells a peer that has just connected about the oldest transactions in custody, within one
  // frame.
  void greet(ReplicaId peer);

  // Tells everybody about waiting transactions at once, within one frame: the primary seems not to
  // know them. Asked again within a few seconds it does nothing.
  void remind(Instant now);
  // The same for one of them, in custody or not.
  void send_now(const ledger::TransactionPtr& transaction) { send(std::nullopt, {transaction}); }
  // The same for those that could have been proposed for longest, in custody or not, within one
  // frame. Returns the order (Mempool::Oldest) of the last of them; 0 = none waits.
  std::uint64_t send_oldest();

  std::size_t in_custody() const { return custody_.size(); }
  std::size_t memory_bytes() const;

 private:
  struct Custody {
    ledger::TransactionPtr transaction;
    Duration wait;  // until it is sent once more; doubles each time
    bool own;       // taken in here
  };
  void send(std::optional<ReplicaId> to, const std::vector<ledger::TransactionPtr>& transactions);
  std::vector<ledger::TransactionPtr> waiting(bool own_only) const;
  void send_fresh();
  void send_again(Instant now);

  const Mempool& mempool_;
  Transport& transport_;
  std::vector<ledger::TransactionPtr> fresh_;
  std::size_t fresh_bytes_ = 0;
  std::optional<Instant> gather_until_;
  std::optional<Instant> again_not_before_;
  std::optional<Instant> remind_not_before_;
  std::multimap<Instant, Custody> custody_;  // by when to send again; equal times in order
};

}  // namespace quorate::node
