#include "ledger/state_machine.hpp"

#include <algorithm>

#include "crypto/base/assert.hpp"
#include "ledger/operations.hpp"
#include "ledger/types/merkle.hpp"

namespace quorate::ledger {
namespace {

// For each transaction, whether an earlier one of the payload has its id.
std::vector<bool> repeated_ids(const std::vector<TransactionPtr>& transactions) {
  std::vector<std::size_t> order(transactions.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&transactions](std::size_t a, std::size_t b) {
    const auto ids = transactions[a]->id <=> transactions[b]->id;
    return ids != 0 ? ids < 0 : a < b;
  });
  std::vector<bool> out(transactions.size(), false);
  for (std::size_t i = 1; i < order.size(); ++i) {
    out[order[i]] = transactions[order[i]]->id == transactions[order[i - 1]]->id;
  }
  return out;
}

Digest transactions_root(const std::vector<TransactionPtr>& transactions) {
  std::vector<Digest> leaves;
  leaves.reserve(transactions.size());
  for (const TransactionPtr& transaction : transactions) leaves.push_back(transaction->id);
  return merkle_root(leaves);
}

Digest receipts_root(const std::vector<Receipt>& receipts) {
  std::vector<Digest> leaves;
  leaves.reserve(receipts.size());
  for (const Receipt& receipt : receipts) leaves.push_back(receipt_leaf(receipt));
  return merkle_root(leaves);
}

}  // namespace

StateMachine::StateMachine(const Genesis& genesis)
    : chain_id_(ledger::chain_id(genesis)),
      config_hash_(ledger::config_hash(genesis)),
      genesis_time_(genesis.genesis_time),
      genesis_accounts_(genesis.accounts),
      submit_any_(genesis.submit_any),
      submitters_(genesis.submitters.begin(), genesis.submitters.end()) {}

BlockOutcome StateMachine::genesis_block() const {
  BlockOutcome out;
  for (const GenesisAccount& account : genesis_accounts_) {
    out.changes.push_back(
        {state_key(account.address), {account.address, Account{account.balance, 0}}});
  }
  std::sort(out.changes.begin(), out.changes.end(),
            [](const StateEntry& a, const StateEntry& b) { return a.key < b.key; });
  out.state = StateTree().with(out.changes);
  out.header.chain_id = chain_id_;
  out.header.time = genesis_time_;
  out.header.transactions_root = merkle_root({});
  out.header.receipts_root = merkle_root({});
  out.header.state_root = out.state.root();
  out.header.config_hash = config_hash_;
  out.header.next_config_hash = config_hash_;
  out.block_hash = ledger::block_hash(out.header);
  return out;
}

BlockOutcome StateMachine::execute(const Header& parent, const StateTree& state,
                                   const BlockInput& input) const {
  QUORATE_ASSERT(input.height == parent.height.next());
  BlockOutcome out;
  BlockState accounts(state);
  const std::vector<bool> repeated = repeated_ids(input.transactions);
  out.receipts.reserve(input.transactions.size());
  for (std::size_t i = 0; i < input.transactions.size(); ++i) {
    const VerifiedTransaction& transaction = *input.transactions[i];
    out.receipts.push_back(repeated[i]
                               ? Receipt{transaction.id, Outcome::skipped, Reason::duplicate, 0}
                               : execute_transaction(transaction, input.height, accounts));
  }
  out.changes = accounts.changes();
  out.state = state.with(out.changes);

  Header& header = out.header;
  header.chain_id = chain_id_;
  header.epoch = parent.epoch;
  header.height = input.height;
  header.parent_hash = ledger::block_hash(parent);
  header.time = std::max(input.proposed_time, parent.time.saturating_add(1));
  header.proposer = input.proposer;
  header.payload_id = input.payload_id;
  header.transaction_count = static_cast<std::uint32_t>(input.transactions.size());
  header.transactions_root = transactions_root(input.transactions);
  header.receipts_root = receipts_root(out.receipts);
  header.state_root = out.state.root();
  header.config_hash = parent.next_config_hash;
  header.next_config_hash = parent.next_config_hash;
  out.block_hash = ledger::block_hash(header);
  return out;
}

Receipt StateMachine::execute_transaction(const VerifiedTransaction& transaction, Height height,
                                          BlockState& state) const {
  Receipt receipt{transaction.id, Outcome::succeeded, Reason::none, 0};
  receipt.reason = skip_reason(transaction, height, state);
  if (receipt.reason != Reason::none) {
    receipt.outcome = Outcome::skipped;
    return receipt;
  }
  state.change(transaction.sender).nonce = transaction.signed_transaction.transaction.nonce;
  state.keep();
  const std::vector<Operation>& operations = transaction.signed_transaction.transaction.operations;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    receipt.reason = apply(operations[i], transaction.sender, state);
    if (receipt.reason == Reason::none) continue;
    state.undo();
    receipt.outcome = Outcome::failed;
    receipt.failed_operation = static_cast<std::uint8_t>(i);
    return receipt;
  }
  state.keep();
  return receipt;
}

Reason StateMachine::skip_reason(const VerifiedTransaction& transaction, Height height,
                                 BlockState& state) const {
  const Transaction& content = transaction.signed_transaction.transaction;
  if (content.valid_until_height != 0 && height.value() > content.valid_until_height) {
    return Reason::expired;
  }
  if (!submit_any_ && submitters_.count(transaction.sender) == 0) return Reason::not_permitted;
  const Account* account = state.find(transaction.sender);
  if (account == nullptr) return Reason::unknown_sender;
  if (content.nonce <= account->nonce) return Reason::nonce_too_low;
  // Compared without adding, so that a nonce at the top of the range cannot wrap.
  if (content.nonce - account->nonce != 1) return Reason::nonce_too_high;
  return Reason::none;
}

}  // namespace quorate::ledger
