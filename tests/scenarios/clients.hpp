// The clients of a scenario. In the background they send transfers from some accounts, at the pace
// and to the replicas that the scenario says, and again to another one what was not executed in
// time. Beside them a scenario makes single transactions of its own account and says who gets them.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "ledger/types/transaction.hpp"
#include "tests/sim/simulation.hpp"

namespace quorate::scenarios {

class Clients {
 public:
  explicit Clients(sim::Simulation& simulation);

  // One transfer per `interval` from now on, while an account has less than `depth` under way.
  void load(Duration interval, std::size_t depth = 4);
  void stop_load() { ++load_; }
  // Whom background clients talk to; everybody at first.
  void talk_to(std::set<std::uint32_t> replicas) { talk_to_ = std::move(replicas); }
  // Everything that the background clients sent is executed.
  bool all_done();

  // A transfer of the account that belongs to the scenario; nonces count from 1.
  ledger::TransactionPtr make(std::uint64_t nonce, std::uint64_t amount = 1);
  // The next one in a row.
  ledger::TransactionPtr make_next() { return make(next_nonce_++); }
  // None = admitted. A replica that is down refuses nothing and admits nothing.
  std::optional<node::Refusal> submit(std::uint32_t replica,
                                      const ledger::TransactionPtr& transaction);
  void submit_to_all(const ledger::TransactionPtr& transaction);
  bool executed(const ledger::TransactionPtr& transaction) const {
    return model_.executed_at(transaction->id).has_value();
  }

 private:
  struct Account {
    const crypto::Signer* key;
    crypto::Address address;
    std::deque<ledger::TransactionPtr> waiting;  // by nonce
  };
  void keep_loading(Duration interval, std::size_t depth, std::uint64_t load);
  void keep_retrying();
  void forget_done(Account& account);
  void send_somewhere(const ledger::TransactionPtr& transaction);
  ledger::TransactionPtr transfer(const Account& from, std::uint64_t nonce, std::uint64_t amount);

  sim::Simulation& simulation_;
  sim::World& world_;
  sim::ModelLedger& model_;
  sim::Prng prng_;
  std::vector<Account> accounts_;  // the last one belongs to the scenario
  std::set<std::uint32_t> talk_to_;
  std::uint64_t load_ = 0;  // counts the loads: an earlier one ends when the next begins
  std::uint64_t next_nonce_ = 1;
  std::uint64_t next_ticket_;
  std::uint64_t unique_memo_ = 0;
  std::optional<std::optional<node::Refusal>> answer_;
};

}  // namespace quorate::scenarios
