// The clients of a run: transfers among a few accounts, sent to random replicas, with every kind of
// mistake mixed in. A client sends again to another replica what was not executed in time, as the
// protocol asks of it; so what a crashed replica had taken in is not lost.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "ledger/types/transaction.hpp"
#include "tests/sim/client_ledger.hpp"
#include "tests/sim/sim_node.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

class Workload {
 public:
  Workload(World& world, ClientLedger& ledger, std::vector<std::unique_ptr<SimNode>>& nodes,
           Prng prng);

  // One client does one thing.
  void act();
  // Sends again what has waited long, and forgets what is done.
  void retry();
  // The last account only receives until submit_last; in a long run everything ends up there. It
  // gives half of it back, or hands that in again while it waits.
  void pay_out();
  // One valid transfer for the heal phase; its id.
  Digest submit_last();
  void admitted(const std::vector<std::optional<node::Refusal>>& results);

 private:
  struct Client {
    const crypto::Signer* key;
    crypto::Address address;
    std::deque<ledger::TransactionPtr> waiting;  // by nonce
  };
  void submit_valid(Client& client);
  void submit_bad(Client& client);
  void forget_done(Client& client);
  void give_up(const ledger::VerifiedTransaction& transaction);
  std::uint64_t next_nonce(const Client& client) const;
  ledger::Transaction transfer(const Client& from, std::uint64_t nonce, std::uint64_t amount);
  // Signs, checks as an API would, and hands it to a random replica that is up.
  ledger::TransactionPtr submit(const Client& client, const ledger::Transaction& transaction);
  void hand_over(const ledger::TransactionPtr& transaction);

  World& world_;
  ClientLedger& ledger_;
  std::vector<std::unique_ptr<SimNode>>& nodes_;
  Prng prng_;
  std::vector<Client> clients_;
  ledger::TransactionPtr offered_;  // the submission that is being answered
  std::uint64_t next_ticket_ = 1;
  std::uint64_t tickets_open_ = 0;
  std::uint64_t unique_memo_ = 0;
};

}  // namespace quorate::sim
