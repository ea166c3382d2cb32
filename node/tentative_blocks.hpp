// The blocks above the ledger's head as they are ordered for now, on chains whose order is
// tentative: which transaction stands at which height. Owned by the replica.
//
// A block stays from the moment the order names it until it is executed or another one takes its
// place, so what stands in a committed block that is being executed is never missing here.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "ledger/types/transaction.hpp"

namespace quorate::node {

// A block as the order names it. The certificate is the one it has, or will have unless another
// block takes its place; empty while it is not known, or where the order has none so early.
struct TentativeBlock {
  Digest id;
  Bytes certificate;
  friend bool operator==(const TentativeBlock&, const TentativeBlock&) = default;
};
using TentativeBranch = std::map<Height, TentativeBlock>;

class TentativeBlocks {
 public:
  // The block of this height, in place of any other. `transactions` null: not known here (yet).
  void put(Height height, const Digest& id, Bytes certificate,
           const std::vector<ledger::TransactionPtr>* transactions);
  // Nothing is ordered above this height any more.
  void drop_above(Height height);
  void executed(Height height);

  // The lowest block that has the transaction.
  std::optional<Height> find(const Digest& transaction_id) const;
  TentativeBranch branch() const;
  std::size_t memory_bytes() const;

 private:
  struct Block {
    TentativeBlock named;
    std::vector<Digest> transactions;
  };
  void erase(std::map<Height, Block>::iterator block);

  std::map<Height, Block> blocks_;
  std::set<std::pair<Digest, Height>> by_transaction_;
};

}  // namespace quorate::node
