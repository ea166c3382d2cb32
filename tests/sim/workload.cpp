#include "tests/sim/workload.hpp"

#include "crypto/codec/writer.hpp"

namespace quorate::sim {
namespace {

constexpr std::size_t kWaitingMax = 6;       // of one client
constexpr std::uint64_t kBadPerMille = 120;  // of all actions

}  // namespace

Workload::Workload(World& world, ClientLedger& ledger, std::vector<std::unique_ptr<SimNode>>& nodes,
                   Prng prng)
    : world_(world), ledger_(ledger), nodes_(nodes), prng_(prng) {
  for (const crypto::Signer* key : world_.accounts) {
    clients_.push_back({key, crypto::address_of(key->public_key()), {}});
  }
}

void Workload::act() {
  Client& client = clients_[prng_.below(clients_.size() - 1)];
  forget_done(client);
  if (prng_.per_mille(kBadPerMille)) return submit_bad(client);
  if (client.waiting.size() < kWaitingMax) submit_valid(client);
}

void Workload::retry() {
  for (Client& client : clients_) {
    forget_done(client);
    // Copies: a refusal may empty the queue.
    const auto waiting = client.waiting;
    for (std::size_t i = 0; i < waiting.size() && i < 2; ++i) hand_over(waiting[i]);
  }
}

void Workload::pay_out() {
  Client& saver = clients_.back();
  forget_done(saver);
  if (saver.waiting.empty()) {
    ledger::Transaction shares = transfer(saver, next_nonce(saver), 0);
    const std::uint64_t share = ledger_.balance(saver.address) / (2 * clients_.size());
    shares.operations.clear();
    for (std::size_t i = 0; i + 1 < clients_.size(); ++i) {
      shares.operations.push_back(ledger::Transfer{clients_[i].address, share});
    }
    saver.waiting.push_back(submit(saver, shares));
    return;
  }
  hand_over(saver.waiting.front());
}

Digest Workload::submit_last() {
  // An account of its own, so that no earlier mistake of a client stands in the way.
  Client& client = clients_.back();
  const auto transaction = submit(client, transfer(client, next_nonce(client), 1));
  client.waiting.push_back(transaction);
  return transaction->id;
}

void Workload::submit_valid(Client& client) {
  // Now and then more than the account may have by then: a failed receipt, final all the same.
  const std::uint64_t balance = ledger_.balance(client.address);
  const std::uint64_t amount = prng_.one_in(10) ? balance / 2 + 1 : prng_.between(1, 500);
  client.waiting.push_back(submit(client, transfer(client, next_nonce(client), amount)));
}

void Workload::submit_bad(Client& client) {
  world_.coverage.add(Happened::bad_transaction);
  const std::uint64_t nonce = next_nonce(client);
  const std::uint64_t used = ledger_.nonce(client.address);
  ledger::Transaction bad = transfer(client, nonce, 1);
  switch (prng_.below(7)) {
    case 0:  // replayed nonce
      bad.nonce = used == 0 ? 0 : prng_.between(1, used);
      break;
    case 1:  // a gap that may never close
      bad.nonce = nonce + prng_.between(1, 3);
      break;
    case 2:  // more than there is
      bad.operations = {ledger::Transfer{clients_.front().address, ~std::uint64_t{0}}};
      break;
    case 3:  // expired, or about to
      bad.valid_until_height = prng_.between(1, world_.coverage[Happened::checkpoint] + 2);
      break;
    case 4: {  // somebody without an account
      const crypto::Signer& stranger = world_.keys.make_signer(false);
      bad.sender = stranger.public_key();
      bad.nonce = 1;
      submit({&stranger, crypto::address_of(bad.sender), {}}, bad);
      return;
    }
    case 5: {  // two transactions for one nonce, to two replicas
      submit(client, bad);
      bad.memo = {1};
      break;
    }
    default: {  // a signature over something else
      ledger::SignedTransaction forged = ledger::sign(world_.membership.chain_id, bad, *client.key);
      forged.transaction.nonce += 1;
      const auto verified = ledger::verify_transaction(world_.membership.chain_id,
                                                       ledger::encode(forged), world_.keys);
      if (verified) world_.violate("contract", "a forged signature verifies");
      return;
    }
  }
  submit(client, bad);
}

void Workload::forget_done(Client& client) {
  const std::uint64_t used = ledger_.nonce(client.address);
  while (!client.waiting.empty() &&
         client.waiting.front()->signed_transaction.transaction.nonce <= used) {
    client.waiting.pop_front();
  }
  // Blocks were withdrawn, and with them nonces before these: the client begins again there.
  const bool gap = !client.waiting.empty() &&
                   client.waiting.front()->signed_transaction.transaction.nonce > used + 1;
  if (gap) client.waiting.clear();
}

std::uint64_t Workload::next_nonce(const Client& client) const {
  if (client.waiting.empty()) return ledger_.nonce(client.address) + 1;
  return client.waiting.back()->signed_transaction.transaction.nonce + 1;
}

ledger::Transaction Workload::transfer(const Client& from, std::uint64_t nonce,
                                       std::uint64_t amount) {
  ledger::Transaction out;
  out.sender = from.key->public_key();
  out.nonce = nonce;
  const Client& to = clients_[prng_.below(clients_.size())];
  out.operations.push_back(ledger::Transfer{to.address, amount});
  if (prng_.one_in(4)) {
    out.operations.push_back(ledger::Transfer{clients_.front().address, prng_.between(1, 9)});
  }
  // So that no two transactions of a run are equal by accident.
  crypto::Writer memo;
  memo.u64(++unique_memo_);
  out.memo = std::move(memo).take();
  return out;
}

ledger::TransactionPtr Workload::submit(const Client& client,
                                        const ledger::Transaction& transaction) {
  const auto encoded =
      ledger::encode(ledger::sign(world_.membership.chain_id, transaction, *client.key));
  auto verified = ledger::verify_transaction(world_.membership.chain_id, encoded, world_.keys);
  if (!verified) {
    world_.violate("contract",
                   "a client's transaction does not verify: " + verified.error().detail);
    return nullptr;
  }
  if (world_.options.canary != Canary::unasked) ledger_.submitted((*verified)->id);
  hand_over(*verified);
  return *verified;
}

void Workload::hand_over(const ledger::TransactionPtr& transaction) {
  std::vector<SimNode*> up;
  for (const auto& node : nodes_) {
    if (node->up()) up.push_back(node.get());
  }
  if (up.empty()) return;
  SimNode& node = *up[prng_.below(up.size())];
  ++tickets_open_;
  offered_ = transaction;
  node.deliver(node::TransactionsSubmitted{node::Ticket(next_ticket_++), {transaction}});
  if (tickets_open_ != 0) world_.violate("contract", "a submission was not answered once");
}

void Workload::admitted(const std::vector<std::optional<node::Refusal>>& results) {
  --tickets_open_;
  if (results.size() != 1) {
    return world_.violate("contract", "one answer per transaction is missing");
  }
  const bool unpayable =
      results.front() && results.front()->reason == ledger::Reason::insufficient_funds;
  if (unpayable) give_up(*offered_);
}

// The balance went elsewhere in the meantime: the client starts again from this nonce.
void Workload::give_up(const ledger::VerifiedTransaction& transaction) {
  for (Client& client : clients_) {
    const bool waits = !client.waiting.empty() && client.waiting.front()->id == transaction.id;
    if (waits) client.waiting.clear();
  }
}

}  // namespace quorate::sim
