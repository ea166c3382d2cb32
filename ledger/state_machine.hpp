// Execution: what a block does to the state. A pure function of the parent header, the state after
// it, and the ordered payload, so that every replica, an auditor and a replay from a snapshot get
// the same header.
//
// Rules, in the order they are checked:
//   skipped (no effect at all)
//     duplicate       an earlier transaction of this payload has the same id
//     expired         valid_until_height is set and below this height
//     not_permitted   the genesis lists who may submit, and the sender is not listed
//     unknown_sender  the sender has no account
//     nonce_too_low   the nonce was used; this is what becomes of a transaction that an earlier
//                     block executed, whose first receipt stays the one that counts
//     nonce_too_high  a nonce before it is missing
//   failed            the nonce is consumed, an operation failed and all were undone; final
//   succeeded
// Nothing here looks at earlier blocks: a used nonce alone makes a repeated transaction harmless.
//
// Immutable after construction; any thread.
#pragma once

#include <set>
#include <vector>

#include "ledger/block_state.hpp"
#include "ledger/state_tree.hpp"
#include "ledger/types/block.hpp"
#include "ledger/types/genesis.hpp"
#include "ledger/types/receipt.hpp"

namespace quorate::ledger {

// What consensus ordered, without what only storage keeps.
struct BlockInput {
  Height height;
  Digest payload_id;
  WallMs proposed_time;  // 0 for a null block
  PublicKey proposer;    // zero for a null block
  const std::vector<TransactionPtr>& transactions;
};

struct BlockOutcome {
  Header header;
  Digest block_hash;
  std::vector<Receipt> receipts;    // in payload order
  std::vector<StateEntry> changes;  // by increasing key
  StateTree state;                  // after the block
};

class StateMachine {
 public:
  explicit StateMachine(const Genesis& genesis);

  const Digest& chain_id() const { return chain_id_; }
  // Height 0, with the accounts of the genesis as its changes.
  BlockOutcome genesis_block() const;
  // Asserts that `input.height` follows `parent`. `state` is the state after `parent`.
  BlockOutcome execute(const Header& parent, const StateTree& state, const BlockInput& input) const;

 private:
  Receipt execute_transaction(const VerifiedTransaction& transaction, Height height,
                              BlockState& state) const;
  Reason skip_reason(const VerifiedTransaction& transaction, Height height,
                     BlockState& state) const;

  Digest chain_id_;
  Digest config_hash_;
  WallMs genesis_time_;
  std::vector<GenesisAccount> genesis_accounts_;
  bool submit_any_;
  std::set<crypto::Address> submitters_;
};

}  // namespace quorate::ledger
