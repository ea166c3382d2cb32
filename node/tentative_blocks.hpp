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
  // What each block's commit certificate is or will be, as far as it is known.
  std::map<Height, Bytes> certificates() const;
  std::size_t memory_bytes() const;

 private:
  struct Block {
    Digest id;
    Bytes certificate;
    std::vector<Digest> transactions;
  };
  void erase(std::map<Height, Block>::iterator block);

  std::map<Height, Block> blocks_;
  std::set<std::pair<Digest, Height>> by_transaction_;
};

}  // namespace quorate::node
