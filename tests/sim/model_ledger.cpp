#include "tests/sim/model_ledger.hpp"

namespace quorate::sim {

ModelLedger::ModelLedger(const ledger::Genesis& genesis) {
  for (const ledger::GenesisAccount& account : genesis.accounts) {
    accounts_[account.address].balance = account.balance;
    total_ += account.balance;
  }
}

std::optional<std::string> ModelLedger::apply(const ledger::ExecutedBlock& block) {
  if (block.transactions.size() != block.receipts.size()) return "receipts are missing";
  for (std::size_t i = 0; i < block.transactions.size(); ++i) {
    if (auto wrong = apply(*block.transactions[i], block.receipts[i], block.header.height)) {
      return "transaction " + std::to_string(i) + ": " + *wrong;
    }
  }
  return std::nullopt;
}

std::optional<std::string> ModelLedger::apply(const ledger::VerifiedTransaction& transaction,
                                              const ledger::Receipt& receipt, Height height) {
  const ledger::Transaction& content = transaction.signed_transaction.transaction;
  if (submitted_->count(transaction.id) == 0) return "it was committed and never submitted";
  if (receipt.transaction_id != transaction.id) return "its receipt is another transaction's";
  const auto sender = accounts_.find(transaction.sender);
  const bool in_time =
      content.valid_until_height == 0 || height.value() <= content.valid_until_height;
  const bool applicable =
      sender != accounts_.end() && content.nonce == sender->second.nonce + 1 && in_time;
  if (!applicable) {
    ++skipped_;
    return receipt.outcome == ledger::Outcome::skipped
               ? std::nullopt
               : std::optional<std::string>("it took effect out of turn");
  }
  if (!executed_.emplace(transaction.id, height).second) return "it took effect twice";
  ++sender->second.nonce;
  const bool done = transfer_all(transaction);
  const auto expected = done ? ledger::Outcome::succeeded : ledger::Outcome::failed;
  if (receipt.outcome == expected) return std::nullopt;
  return "its receipt says " + std::string(ledger::to_string(receipt.outcome)) + ", it should be " +
         std::string(ledger::to_string(expected));
}

bool ModelLedger::transfer_all(const ledger::VerifiedTransaction& transaction) {
  const auto before = accounts_;
  for (const ledger::Operation& operation : transaction.signed_transaction.transaction.operations) {
    const auto& transfer = std::get<ledger::Transfer>(operation);
    std::uint64_t& balance = accounts_[transaction.sender].balance;
    if (balance < transfer.amount) {
      accounts_ = before;
      return false;
    }
    balance -= transfer.amount;
    accounts_[transfer.to].balance += transfer.amount;
  }
  return true;
}

std::optional<std::string> ModelLedger::compare(const ledger::StateView& state) const {
  std::uint64_t total = 0;
  for (const auto& [address, expected] : accounts_) {
    const auto actual = state.account(address);
    if (!actual || *actual != expected) {
      return "account " + crypto::to_text(address) + " has balance " +
             std::to_string(actual ? actual->balance : 0) + " and nonce " +
             std::to_string(actual ? actual->nonce : 0) + ", expected " +
             std::to_string(expected.balance) + " and " + std::to_string(expected.nonce);
    }
    total += actual->balance;
  }
  if (total == total_) return std::nullopt;
  return "the sum of all balances is " + std::to_string(total) + ", it was " +
         std::to_string(total_);
}

std::uint64_t ModelLedger::nonce(const crypto::Address& address) const {
  const auto it = accounts_.find(address);
  return it == accounts_.end() ? 0 : it->second.nonce;
}

std::uint64_t ModelLedger::balance(const crypto::Address& address) const {
  const auto it = accounts_.find(address);
  return it == accounts_.end() ? 0 : it->second.balance;
}

std::optional<Height> ModelLedger::executed_at(const Digest& id) const {
  const auto it = executed_.find(id);
  if (it == executed_.end()) return std::nullopt;
  return it->second;
}

}  // namespace quorate::sim
