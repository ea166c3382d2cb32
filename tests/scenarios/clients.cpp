#include "tests/scenarios/clients.hpp"

#include "crypto/codec/writer.hpp"

namespace quorate::scenarios {
namespace {

constexpr Duration kRetry = std::chrono::milliseconds(700);
constexpr std::size_t kRetried = 2;  // of each account, the oldest
// Tickets are shared with the simulator's own workload, which counts from 1.
constexpr std::uint64_t kTickets = std::uint64_t{1} << 32U;

}  // namespace

Clients::Clients(sim::Simulation& simulation)
    : simulation_(simulation),
      world_(simulation.world()),
      model_(simulation.checks().model()),
      prng_(simulation.prng().fork()),
      next_ticket_(kTickets) {
  // The last account of the chain is the one whose transaction ends a run.
  for (std::size_t i = 0; i + 1 < world_.accounts.size(); ++i) {
    const crypto::Signer* key = world_.accounts[i];
    accounts_.push_back({key, crypto::address_of(key->public_key()), {}});
  }
  for (std::uint32_t i = 0; i < world_.membership.size(); ++i) talk_to_.insert(i);
  simulation_.on_admitted([this](node::Ticket ticket, const sim::Simulation::Answers& answers) {
    if (ticket.value() < kTickets) return false;
    if (answer_ || answers.size() != 1) world_.violate("contract", "not one answer");
    if (!answers.empty()) answer_ = answers.front();
    return true;
  });
  keep_retrying();
}

void Clients::load(Duration interval, std::size_t depth) { keep_loading(interval, depth, ++load_); }

void Clients::keep_loading(Duration interval, std::size_t depth, std::uint64_t load) {
  world_.timeline.after(interval, [this, interval, depth, load] {
    if (load != load_) return;
    Account& account = accounts_[prng_.below(accounts_.size() - 1)];
    forget_done(account);
    if (account.waiting.size() < depth) {
      const std::uint64_t nonce =
          account.waiting.empty()
              ? model_.nonce(account.address) + 1
              : account.waiting.back()->signed_transaction.transaction.nonce + 1;
      account.waiting.push_back(transfer(account, nonce, prng_.between(1, 9)));
      send_somewhere(account.waiting.back());
    }
    keep_loading(interval, depth, load);
  });
}

void Clients::keep_retrying() {
  world_.timeline.after(kRetry, [this] {
    for (Account& account : accounts_) {
      forget_done(account);
      for (std::size_t i = 0; i < account.waiting.size() && i < kRetried; ++i) {
        send_somewhere(account.waiting[i]);
      }
    }
    keep_retrying();
  });
}

bool Clients::all_done() {
  for (Account& account : accounts_) {
    forget_done(account);
    if (!account.waiting.empty()) return false;
  }
  return true;
}

void Clients::forget_done(Account& account) {
  const std::uint64_t used = model_.nonce(account.address);
  while (!account.waiting.empty() &&
         account.waiting.front()->signed_transaction.transaction.nonce <= used) {
    account.waiting.pop_front();
  }
}

void Clients::send_somewhere(const ledger::TransactionPtr& transaction) {
  std::vector<std::uint32_t> up;
  for (const std::uint32_t replica : talk_to_) {
    if (simulation_.node(ReplicaId(replica)).up()) up.push_back(replica);
  }
  if (!up.empty()) submit(up[prng_.below(up.size())], transaction);
}

std::optional<node::Refusal> Clients::submit(std::uint32_t replica,
                                             const ledger::TransactionPtr& transaction) {
  sim::SimNode& node = simulation_.node(ReplicaId(replica));
  if (!node.up() || world_.violation) return std::nullopt;
  answer_.reset();
  node.deliver(node::TransactionsSubmitted{node::Ticket(next_ticket_++), {transaction}});
  if (!answer_) {
    world_.violate("contract", "a submission was not answered");
    return std::nullopt;
  }
  return *answer_;
}

void Clients::submit_to_all(const ledger::TransactionPtr& transaction) {
  for (std::uint32_t i = 0; i < world_.membership.size(); ++i) submit(i, transaction);
}

ledger::TransactionPtr Clients::make(std::uint64_t nonce, std::uint64_t amount) {
  return transfer(accounts_.back(), nonce, amount);
}

ledger::TransactionPtr Clients::transfer(const Account& from, std::uint64_t nonce,
                                         std::uint64_t amount) {
  ledger::Transaction out;
  out.sender = from.key->public_key();
  out.nonce = nonce;
  out.operations.push_back(
      ledger::Transfer{accounts_[prng_.below(accounts_.size())].address, amount});
  crypto::Writer memo;  // so that no two transactions of a run are equal by accident
  memo.u64(++unique_memo_);
  out.memo = std::move(memo).take();
  const Bytes encoded = ledger::encode(ledger::sign(world_.membership.chain_id, out, *from.key));
  auto verified = ledger::verify_transaction(world_.membership.chain_id, encoded, world_.keys);
  QUORATE_ASSERT(verified.has_value());
  model_.submitted((*verified)->id);
  return *verified;
}

}  // namespace quorate::scenarios
