// Transactions that wait to be ordered: one nonce lane per account, capped by count and bytes, with
// expiry. Deterministic; owned by the replica.
//
// Order of proposal: accounts take turns in order of arrival (FIFO over ready lanes), one
// transaction a turn, and one account's transactions follow each other by nonce. A transaction is
// dropped only when it was executed, has expired, its nonce has been used, its sender can no longer
// pay for it when its turn has come, or it waited behind a nonce gap while the pool was full; never
// because it was proposed.
//
// A lane, from left to right: executed nonces | in flight (in payloads that are proposed above the
// ledger's head) | proposable | gap | waiting behind the gap.
//
// After the ledger went back everything is looked at again. What the state before the other branch
// does not allow, and a block of it may, waits aside: neither proposable nor lost. Only where a
// rewind brings back more than the pool may hold are the newest dropped.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "crypto/base/instant.hpp"
#include "ledger/chain.hpp"
#include "node/ports.hpp"

namespace quorate::node {

struct MempoolLimits {
  std::size_t transactions_max = 100'000;
  std::size_t bytes_max = 64U << 20U;
  std::uint32_t per_account_max = 4'096;  // and the widest nonce gap that is kept
  Duration lifetime_max = std::chrono::minutes(10);
};

struct MempoolStatus {
  std::size_t transactions = 0;  // those that wait aside included
  std::size_t ready = 0;         // no nonce gap before them: proposable now, or in flight
  std::size_t bytes = 0;
  std::size_t accounts = 0;
};

// What the next payload could hold, counted as encode_payload writes it.
struct Proposable {
  std::size_t transactions = 0;
  std::size_t bytes = 0;
};

// What left the pool with a block, of what could have been proposed.
struct Departed {
  std::vector<Instant> ready_since;  // since when each could have been proposed
  std::uint64_t newest_order = 0;    // of them, as in Mempool::Oldest; 0 = none
};

class Mempool {
 public:
  // Of all that wait without a nonce gap, proposed or not, the one that has done so for longest.
  // `order` counts them in the order in which their gaps closed.
  struct Oldest {
    std::uint64_t order;
    ledger::TransactionPtr transaction;
  };

  Mempool(MempoolLimits limits, const ledger::Genesis& genesis);
  ~Mempool();

  // Nothing = admitted or already known. Refusals: duplicate never (submitting again is fine),
  // nonce_too_low (also when another transaction waits at this nonce: the first one stays),
  // nonce_too_high (gap beyond per_account_max), insufficient_funds (the balance cannot cover this
  // transaction), expired, unknown_sender, not_permitted, mempool_full.
  // `state` is the newest: never older than what executed() was last told.
  std::optional<Refusal> admit(const ledger::TransactionPtr& transaction,
                               const ledger::StateView& state, Instant now);
  // The transaction if it waits here, else null.
  ledger::TransactionPtr find(const Digest& id) const;
  // The nonce a new transaction of this account should carry: after what waits without a gap.
  std::uint64_t next_nonce(const crypto::Address& address, const ledger::StateView& state) const;
  MempoolStatus status() const;
  std::optional<Oldest> oldest_ready() const;
  // The first ones of all that wait so, oldest first.
  std::vector<Oldest> oldest_ready(std::size_t at_most) const;
  // The order of the youngest that ever did; 0 = none.
  std::uint64_t newest_order() const;
  // How many wait so with an order in (after, up_to]; stops counting at `enough`.
  std::size_t count_ready(std::uint64_t after, std::uint64_t up_to, std::size_t enough) const;

  // ---- for the block builder and the replica ----

  // Not in flight and without a gap before them.
  Proposable proposable() const;
  // The next transactions in order of proposal, at most so many in number and encoded bytes (each
  // counts 4 bytes of length besides its own). They stay here and are in flight from now on, until
  // release or execution.
  std::vector<ledger::TransactionPtr> take(std::size_t transactions_max, std::size_t bytes_max);
  // A payload that somebody else proposed is in flight: take() skips its transactions and goes on
  // after their nonces. Transactions that do not wait here count too; with `state`, the newest,
  // also where nothing of their account waits yet.
  void reserve(const std::vector<ledger::TransactionPtr>& transactions,
               const ledger::StateView* state = nullptr);
  // Ends one take or reserve of the same transactions.
  void release(const std::vector<ledger::TransactionPtr>& transactions);
  // Drops what was executed, what its nonces overtook, and what can no longer be included.
  Departed executed(const ledger::ExecutedBlock& block, Instant now);
  // The ledger went back to `state`, and the blocks that had executed `withdrawn`, in this order,
  // are no more. These wait here again, each once, and what waited before them behind; what can
  // never be included any more is dropped. What is in flight stays so. Gives how many found no
  // room: within the limits the oldest stay.
  std::size_t rewound(const std::vector<ledger::TransactionPtr>& withdrawn,
                      const ledger::StateView& state, Instant now);
  // Drops what waited longer than lifetime_max.
  void expire(Instant now);
  // When expire has something to do.
  std::optional<Instant> next_expiry() const;
  std::size_t memory_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::node
