// Transactions that wait to be ordered: one nonce lane per account, capped by count and bytes, with
// expiry. Deterministic; owned by the replica.
//
// Order of proposal: accounts take turns in order of arrival (FIFO over ready lanes), and one
// account's transactions follow each other by nonce. A transaction is dropped only when it was
// executed, has expired, or its nonce has been used; never because it was proposed.
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
  std::size_t transactions = 0;
  std::size_t ready = 0;  // proposable now: no nonce gap before them
  std::size_t bytes = 0;
  std::size_t accounts = 0;
};

class Mempool {
 public:
  Mempool(MempoolLimits limits, const ledger::Genesis& genesis);
  ~Mempool();

  // Nothing = admitted or already known. Refusals: duplicate never (submitting again is fine),
  // nonce_too_low, nonce_too_high (gap beyond per_account_max), insufficient_funds (the balance
  // cannot cover this transaction), expired, unknown_sender, not_permitted, mempool_full.
  std::optional<Refusal> admit(const ledger::TransactionPtr& transaction,
                               const ledger::StateView& state, Instant now);
  // True when `id` waits here.
  ledger::TransactionPtr find(const Digest& id) const;
  // The nonce a new transaction of this account should carry: after what waits without a gap.
  std::uint64_t next_nonce(const crypto::Address& address, const ledger::StateView& state) const;
  MempoolStatus status() const;

  // ... the block builder's and replica's calls follow here (take, executed, expire).
 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::node
