#include "tests/sim/timed/load.hpp"

namespace quorate::sim::timed {
namespace {

constexpr Duration kGather = std::chrono::milliseconds(5);
constexpr Duration kReconnect = std::chrono::milliseconds(50);
constexpr Duration kLook = std::chrono::milliseconds(250);
constexpr Duration kPatience = std::chrono::seconds(2);
constexpr unsigned kConnections = 2;
constexpr std::size_t kRequestMax = 500;
constexpr std::size_t kAgainMax = 512;  // of one look
constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

}  // namespace

Load::Load(Shared& shared, std::vector<std::unique_ptr<TimedNode>>& nodes, Machine* client_machine)
    : shared_(shared),
      nodes_(nodes),
      machine_(client_machine),
      connections_(shared.scene.replicas),
      waiting_(shared.scene.replicas),
      sealed_to_(shared.scene.replicas) {
  if (machine_ == nullptr) return;
  thread_ = machine_->add([this]() -> std::optional<Work> {
    if (jobs_.empty()) return std::nullopt;
    Work out = std::move(jobs_.front());
    jobs_.pop_front();
    return out;
  });
}

void Load::begin() {
  gather();
  keep_patience();
}

Instant Load::due(std::size_t number) const {
  return Instant{Duration(static_cast<Duration::rep>(static_cast<std::uint64_t>(number) *
                                                     kNanosecondsPerSecond / shared_.scene.rate))};
}

// Everything that has become due goes out, one request for each replica.
void Load::gather() {
  std::vector<Numbers> by_home(nodes_.size());
  const Instant now = shared_.timeline.now();
  while (due(entries_.size()) <= now && due(entries_.size()).since_origin < shared_.scene.length) {
    const std::size_t number = entries_.size();
    entries_.push_back(make(number));
    open_.insert(number);
    by_home[entries_.back().home].push_back(number);
  }
  for (std::uint32_t home = 0; home < by_home.size(); ++home) {
    if (!by_home[home].empty()) request(home, by_home[home]);
  }
  if (!complete()) {
    shared_.timeline.after(kGather, [this] { gather(); });
  }
}

Load::Entry Load::make(std::size_t number) {
  const std::size_t accounts = shared_.accounts.size();
  const crypto::Signer& from = *shared_.accounts[number % accounts];
  const crypto::Signer& to = *shared_.accounts[(number + 1) % accounts];
  ledger::Transaction transaction;
  transaction.nonce = number / accounts + 1;
  transaction.operations.emplace_back(ledger::Transfer{crypto::address_of(to.public_key()), 1});
  const Bytes encoded =
      ledger::encode(ledger::sign(shared_.membership.chain_id, std::move(transaction), from));
  auto verified =
      ledger::verify_transaction(shared_.membership.chain_id, encoded, shared_.signatures);
  QUORATE_ASSERT(verified.has_value());
  shared_.book.add(*verified);
  const auto usual = static_cast<std::uint32_t>(number % nodes_.size());
  const std::uint32_t home = nodes_[usual]->up() ? usual : next_up(usual).value_or(usual);
  return {std::move(*verified), due(number), shared_.timeline.now(), home, home, false, {}};
}

std::optional<std::uint32_t> Load::next_up(std::uint32_t node) const {
  for (std::uint32_t i = 1; i <= nodes_.size(); ++i) {
    const auto next = static_cast<std::uint32_t>((node + i) % nodes_.size());
    if (nodes_[next]->up()) return next;
  }
  return std::nullopt;
}

void Load::work(std::size_t transactions, std::function<void()> then) {
  if (machine_ == nullptr) return then();
  const auto count = static_cast<std::int64_t>(transactions);
  jobs_.push_back({nanoseconds(count * shared_.scene.costs.client_tx / 2), std::move(then)});
  machine_->wake(thread_);
}

void Load::request(std::uint32_t home, const Numbers& numbers) {
  auto& queue = connections_[home].queue;
  queue.insert(queue.end(), numbers.begin(), numbers.end());
  use_connections(home);
}

void Load::use_connections(std::uint32_t home) {
  Connections& to = connections_[home];
  while (nodes_[home]->up() && to.busy < kConnections && !to.queue.empty()) {
    Numbers numbers;
    while (!to.queue.empty() && numbers.size() < kRequestMax) {
      numbers.push_back(to.queue.front());
      to.queue.pop_front();
    }
    ++to.busy;
    ask(home, numbers);
  }
}

void Load::answered(ReplicaId replica) {
  Connections& to = connections_[replica.value()];
  if (to.busy > 0) --to.busy;
  use_connections(replica.value());
}

void Load::ask(std::uint32_t home, const Numbers& numbers) {
  work(numbers.size(), [this, home, numbers] {
    shared_.timeline.after(nanoseconds(shared_.scene.costs.hop), [this, home, numbers] {
      if (!nodes_[home]->up()) return;  // crashed() sends it again
      std::vector<ledger::TransactionPtr> transactions;
      for (const std::size_t number : numbers) {
        transactions.push_back(entries_[number].transaction);
      }
      nodes_[home]->submit(node::Ticket(next_ticket_++), std::move(transactions));
    });
  });
}

void Load::send_again(const Numbers& numbers) {
  std::map<std::uint32_t, Numbers> by_home;
  for (const std::size_t number : numbers) {
    Entry& entry = entries_[number];
    const auto next = next_up(entry.home);
    if (entry.final || !next) continue;
    entry.previous_home = std::exchange(entry.home, *next);
    entry.sent = shared_.timeline.now();
    if (entry.executed_at && nodes_[*next]->chain().head().height >= *entry.executed_at) {
      waiting_[*next][*entry.executed_at].push_back(number);
      settle(*next);
    } else {
      by_home[*next].push_back(number);
    }
  }
  for (const auto& [home, again] : by_home) request(home, again);
}

void Load::crashed(ReplicaId replica) {
  waiting_[replica.value()].clear();
  connections_[replica.value()] = Connections{};
  shared_.timeline.after(kReconnect, [this, home = replica.value()] {
    Numbers lost;
    for (const std::size_t number : open_) {
      if (entries_[number].home == home) lost.push_back(number);
    }
    send_again(lost);
  });
}

void Load::keep_patience() {
  Numbers late;
  for (const std::size_t number : open_) {
    if (shared_.timeline.now() - entries_[number].sent < kPatience) continue;
    late.push_back(number);
    if (late.size() >= kAgainMax) break;
  }
  send_again(late);
  shared_.timeline.after(kLook, [this] { keep_patience(); });
}

void Load::executed(ReplicaId replica, const ledger::ExecutedBlock& block) {
  for (std::size_t i = 0; i < block.transactions.size(); ++i) {
    const auto number = shared_.book.number(block.transactions[i]->id);
    if (!number || block.receipts[i].outcome == ledger::Outcome::skipped) continue;
    Entry& entry = entries_[*number];
    entry.executed_at = block.header.height;
    const bool ours = entry.home == replica.value() || entry.previous_home == replica.value();
    if (ours && !entry.final) {
      waiting_[replica.value()][block.header.height].push_back(*number);
    }
  }
}

void Load::sealed(ReplicaId replica, Height height) {
  Height& to = sealed_to_[replica.value()];
  to = std::max(to, height);
  settle(replica.value());
}

void Load::settle(std::uint32_t node) {
  Numbers numbers;
  auto& waiting = waiting_[node];
  while (!waiting.empty() && waiting.begin()->first <= sealed_to_[node]) {
    const Numbers& of_height = waiting.begin()->second;
    numbers.insert(numbers.end(), of_height.begin(), of_height.end());
    waiting.erase(waiting.begin());
  }
  if (numbers.empty()) return;
  nodes_[node]->answer(numbers.size(), [this, numbers] {
    shared_.timeline.after(nanoseconds(shared_.scene.costs.hop), [this, numbers] {
      work(numbers.size(), [this, numbers] { finish(numbers); });
    });
  });
}

void Load::finish(const Numbers& numbers) {
  for (const std::size_t number : numbers) {
    Entry& entry = entries_[number];
    if (std::exchange(entry.final, true)) continue;
    open_.erase(number);
    shared_.watcher.final(entry.due, shared_.timeline.now());
  }
}

}  // namespace quorate::sim::timed
