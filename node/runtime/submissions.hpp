// Client submissions that wait for the replica's answer, and the Clients port that brings it. Each
// submission is answered exactly once: by the replica, or by refuse_all when the node stops.
// Thread-safe; callbacks run on the calling thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "node/runtime/runtime.hpp"

namespace quorate::node {

// What the verify pool says about one client transaction, in the words of the API.
CheckedTransaction to_checked(const Digest& chain_id, ByteView encoded,
                              Result<ledger::TransactionPtr> result);
// The same refusal for each of `count` transactions.
Refusal overloaded();
Refusal stopping();

class Submissions final : public Clients {
 public:
  using Done = std::function<void(std::vector<Submitted>)>;

  // The answers so far; those without a refusal wait for the replica, in order.
  Ticket add(std::vector<Submitted> results, Done done);
  void admitted(Ticket ticket, std::vector<std::optional<Refusal>> results) override;
  void refuse_all(const Refusal& refusal);

 private:
  struct Waiting {
    std::vector<Submitted> results;
    Done done;
  };
  std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::map<Ticket, Waiting> waiting_;
};

}  // namespace quorate::node
