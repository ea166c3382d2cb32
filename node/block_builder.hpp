// Decides when the primary answers RequestProposal, and with which transactions. An idle chain
// proposes batch_delay after work arrives; a busy one lets the batch fill until the payloads in
// flight are executed (or for 50 ms at most), since bigger blocks cost fewer messages and syncs per
// transaction.
// Deterministic; owned by the replica.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "consensus/engine.hpp"
#include "node/mempool.hpp"

namespace quorate::node {

struct BatchLimits {
  std::size_t transactions_max = 4096;  // of the chain
  std::size_t bytes_max = 1U << 20U;    // of the chain, for the whole payload
  Duration batch_delay = std::chrono::milliseconds(0);
};

// A decoded payload that stands above the ledger's head.
struct OrderedPayload {
  Height height;
  std::vector<ledger::TransactionPtr> transactions;
};

// A payload to answer with.
struct BuiltPayload {
  Height height;
  View view;
  std::vector<ledger::TransactionPtr> transactions;
};

class BlockBuilder {
 public:
  // The mempool must outlive the builder.
  BlockBuilder(BatchLimits limits, Mempool& mempool);

  // `ahead`: the decoded payloads above the ledger's head that others proposed, by height, as far
  // as they are known here. Own ones the builder remembers itself.
  void request(const consensus::RequestProposal& request,
               const std::map<Height, std::vector<ledger::TransactionPtr>>& ahead, Instant now);
  // The same where the order above the head is tentative and `ahead` names all of it, own payloads
  // too: exactly those are in flight from now on, and what left the branch no longer is. `state` is
  // the newest.
  void request_on_branch(const consensus::RequestProposal& request,
                         const std::map<Digest, const OrderedPayload*>& ahead,
                         const ledger::StateView& state, Instant now);
  void cancel(Height height, View view);
  // The ledger's head moved to this height.
  void executed(Height height);
  // The ledger goes back to this height, at least: the next request names what stands above it.
  void rewound(Height height) { head_ = std::min(head_, height); }

  // The answer, once it is due. Call after everything that may change the mempool, and at
  // next_deadline.
  std::optional<BuiltPayload> poll(Instant now);
  std::optional<Instant> next_deadline() const;

  // The transactions of the own proposal for this height that is not yet executed, or null.
  const std::vector<ledger::TransactionPtr>* own_proposal(Height height) const;

 private:
  struct InFlight {
    View view;
    bool own = false;
    std::vector<ledger::TransactionPtr> transactions;
  };
  void begin(const consensus::RequestProposal& request, Instant now);
  std::size_t in_flight() const;
  bool full() const;
  Duration patience() const;

  BatchLimits limits_;
  Mempool& mempool_;
  Height head_;
  std::optional<consensus::RequestProposal> request_;
  std::optional<Instant> work_since_;  // since when the request could be answered with something
  std::map<Height, InFlight> in_flight_;
  std::map<Digest, OrderedPayload> branch_;  // in flight as well, after request_on_branch
};

}  // namespace quorate::node
