#include "tests/sim/timed/load.hpp"

namespace quorate::sim::timed {
namespace {

constexpr Duration kGather = std::chrono::milliseconds(5);
constexpr Duration kReconnect = std::chrono::milliseconds(50);
constexpr Duration kLook = std::chrono::milliseconds(250);
constexpr Duration kPatience = std::chrono::seconds(2);
// Where work decides, three times as long as a block takes to be final on average.
constexpr int kDepthsOfPatience = 3;
constexpr unsigned kConnections = 2;
constexpr std::size_t kRequestMax = 500;
constexpr std::size_t kAgainMax = 512;  // of one look

}  // namespace

Load::Load(Shared& shared, std::vector<std::unique_ptr<TimedNode>>& nodes, Machine* client_machine)
    : shared_(shared),
      nodes_(nodes),
      machine_(client_machine),
      connections_(shared.scene.replicas),
      waiting_(shared.scene.replicas),
      sealed_to_(shared.scene.replicas),
      branches_(shared.scene.replicas) {
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
  return {
      std::move(*verified), due(number), shared_.timeline.now(), home, home, false, false, {}, {}};
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

Duration Load::patience() const {
  if (!shared_.scene.work) return kPatience;
  const pow::ChainOptions& chain = shared_.scene.work->chain;
  return std::chrono::milliseconds(chain.interval_ms * (chain.depth + 1)) * kDepthsOfPatience;
}

void Load::keep_patience() {
  Numbers late;
  for (const std::size_t number : open_) {
    if (shared_.timeline.now() - entries_[number].sent < patience()) continue;
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

void Load::withdrawn(ReplicaId replica, Height height,
                     const std::vector<ledger::WithdrawnBlock>& blocks) {
  Height& to = sealed_to_[replica.value()];
  to = std::min(to, height);
  auto& waiting = waiting_[replica.value()];
  waiting.erase(waiting.upper_bound(height), waiting.end());
  for (const ledger::WithdrawnBlock& block : blocks) {
    for (const auto& transaction : block.transactions) {
      const auto number = shared_.book.number(transaction->id);
      if (!number || entries_[*number].home != replica.value()) continue;
      Entry& entry = entries_[*number];
      entry.executed_at.reset();
      entry.sent = shared_.timeline.now();
      if (!std::exchange(entry.final, false)) continue;
      ++reversed_;
      open_.insert(*number);
      shared_.watcher.reversed(shared_.timeline.now());
    }
  }
}

std::uint64_t Load::lost_for_good() const {
  return static_cast<std::uint64_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [](const Entry& entry) { return entry.ever_final && !entry.final; }));
}

void Load::prefers(ReplicaId replica, const Digest& tip, Height height) {
  Branch& branch = branches_[replica.value()];
  branch.tip = height;
  Digest at = tip;
  while (const pow::MinedBlock* block = shared_.lottery.find(at)) {
    if (!branch.blocks.insert(at).second) break;
    if (shared_.transactions_of(at) == nullptr) branch.unknown.insert(at);
    include(replica, at);
    at = block->header.parent;
  }
  look_deep(branch);
}

// A miner prefers its own block before it shows it to anybody.
void Load::shown(const Digest& block) {
  for (std::uint32_t i = 0; i < branches_.size(); ++i) {
    if (branches_[i].unknown.erase(block) == 0) continue;
    include(ReplicaId(i), block);
    look_deep(branches_[i]);
  }
}

// What a block on the branch of its home holds waits for depth 1 and more.
void Load::include(ReplicaId replica, const Digest& block) {
  const Numbers* numbers = shared_.transactions_of(block);
  if (numbers == nullptr) return;
  Branch& branch = branches_[replica.value()];
  const Height height = shared_.lottery.find(block)->header.height;
  for (const std::size_t number : *numbers) {
    Entry& entry = entries_[number];
    if (entry.home != replica.value() || entry.included_at) continue;
    entry.included_at = height;
    for (const std::uint32_t depth : shared_.scene.work->depths) {
      branch.waiting[Height(height.value() + depth - 1)].push_back(number);
    }
  }
}

void Load::look_deep(Branch& branch) {
  while (!branch.waiting.empty() && branch.waiting.begin()->first <= branch.tip) {
    const std::uint64_t reached = branch.waiting.begin()->first.value();
    for (const std::size_t number : branch.waiting.begin()->second) {
      const Entry& entry = entries_[number];
      shared_.watcher.deep(entry.due, shared_.timeline.now(),
                           static_cast<std::uint32_t>(reached - entry.included_at->value() + 1));
    }
    branch.waiting.erase(branch.waiting.begin());
  }
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
    // It may have been withdrawn while the answer was on its way.
    if (!entry.executed_at || std::exchange(entry.final, true)) continue;
    open_.erase(number);
    if (std::exchange(entry.ever_final, true)) continue;
    shared_.watcher.final(entry.due, shared_.timeline.now());
  }
}

}  // namespace quorate::sim::timed
