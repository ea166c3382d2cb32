// What the chain's accounts must be, computed a second time in the simplest way (invariant I4):
// nonces are contiguous, money is conserved, every committed transaction was submitted, and every
// receipt says what happened.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "ledger/chain.hpp"
#include "tests/sim/client_ledger.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

class ModelLedger final : public ClientLedger {
 public:
  explicit ModelLedger(const ledger::Genesis& genesis);

  void submitted(const Digest& id) override { submitted_->insert(id); }
  // Blocks in order of height, each once. Nothing, or what is wrong.
  std::optional<std::string> apply(const ledger::ExecutedBlock& block);
  // Compares every account, and the sum of all.
  std::optional<std::string> compare(const ledger::StateView& state) const;

  std::uint64_t nonce(const crypto::Address& address) const override;
  std::uint64_t balance(const crypto::Address& address) const override;
  // Height at which a transaction took effect (or failed), if it did.
  std::optional<Height> executed_at(const Digest& id) const;
  std::uint64_t transactions() const { return executed_.size(); }
  std::uint64_t skipped() const { return skipped_; }

 private:
  std::optional<std::string> apply(const ledger::VerifiedTransaction& transaction,
                                   const ledger::Receipt& receipt, Height height);
  // False, with nothing changed, when an operation cannot be done.
  bool transfer_all(const ledger::VerifiedTransaction& transaction);

  std::map<crypto::Address, ledger::Account> accounts_;
  std::uint64_t total_ = 0;
  // Of all copies: a transaction that was submitted may come on any branch.
  std::shared_ptr<std::set<Digest>> submitted_ = std::make_shared<std::set<Digest>>();
  std::map<Digest, Height> executed_;
  std::uint64_t skipped_ = 0;
};

}  // namespace quorate::sim
