// Life, threads and prices of a node; its disk and ledger are in timed_node_disk.cpp, its ports in
// timed_node_ports.cpp.
#include "tests/sim/timed/timed_node.hpp"

#include "node/engine_config.hpp"
#include "tests/sim/timed/counting_signer.hpp"

namespace quorate::sim::timed {
namespace {

constexpr unsigned kVerifyThreadsMax = 16;
constexpr std::size_t kBulkPerTurn = 8;
// The run begins so long after the genesis was written.
constexpr std::uint64_t kSinceGenesisMs = 1'000;
// A deadline that stays in the past is served this often, as in the node.
constexpr Duration kTickPatience = std::chrono::milliseconds(1);

std::size_t transactions_in(const node::ReplicaInput& input) {
  if (const auto* submitted = std::get_if<node::TransactionsSubmitted>(&input)) {
    return submitted->transactions.size();
  }
  if (const auto* received = std::get_if<node::PeerMessageReceived>(&input)) {
    const auto* relayed = std::get_if<node::RelayedTransactions>(&received->message);
    return relayed == nullptr ? 0 : relayed->transactions.size();
  }
  std::size_t out = 0;
  if (const auto* executed = std::get_if<node::BlocksExecuted>(&input)) {
    for (const auto& block : executed->blocks) out += block.transactions.size();
  }
  return out;
}

Stage stage_of(const node::ReplicaInput& input, std::size_t transactions) {
  if (std::holds_alternative<node::BlocksExecuted>(input)) return Stage::order_tx;
  return transactions > 0 ? Stage::take_tx : Stage::step;
}

}  // namespace

TimedNode::TimedNode(Shared& shared, Machine& machine, Wires& wires, ReplicaId self, Hooks hooks,
                     Stopwatch* stopwatch)
    : shared_(shared),
      machine_(machine),
      wires_(wires),
      self_(self),
      hooks_(std::move(hooks)),
      stopwatch_(stopwatch),
      signer_(std::make_unique<CountingSigner>(*shared.validators.at(self.value()))),
      net_thread_(machine.add([this] { return next_net(); })),
      rpc_thread_(machine.add([this] { return next_rpc(); })),
      step_thread_(machine.add([this] { return next_step(); })),
      vote_thread_(machine.add([this] { return next_vote_sync(); })),
      ledger_thread_(machine.add([this] { return next_ledger(); })),
      verify_(shared.scene.replicas) {
  const unsigned threads = std::clamp(shared.scene.cores, 1U, kVerifyThreadsMax);
  for (unsigned i = 0; i < threads; ++i) {
    verify_threads_.push_back(machine.add([this, bulk_too = i > 0 || threads == 1] {
      return verify_.next(bulk_too, [this](Flight flight) { return serve(std::move(flight)); });
    }));
  }
}

TimedNode::~TimedNode() = default;

void TimedNode::start() {
  auto chain = ledger::Chain::open(
      store_, shared_.genesis,
      {.seals = !shared_.scene.work, .snapshots = shared_.scene.work ? &snapshots_ : nullptr});
  QUORATE_ASSERT(chain.has_value());
  chain_ = std::move(*chain);
  auto parts = consensus::make_engine(node::engine_config(shared_.genesis, self_), signer_.get(),
                                      shared_.signatures, &shared_.lottery);
  QUORATE_ASSERT(parts.has_value());
  verifier_ = parts->message_verifier;
  const std::uint64_t history = parts->traits.history;
  node::ReplicaConfig config;
  config.genesis = shared_.genesis;
  config.self = self_;
  config.batch_delay = shared_.scene.batch_delay;
  replica_ = std::make_unique<node::Replica>(
      std::move(config), std::move(*parts),
      node::Ports{*this, *this, *this, *this, *this, *this, miner_});

  const auto header = chain_->header(chain_->head().height);
  QUORATE_ASSERT(header.has_value());
  node::ReplicaStarted started;
  started.vote_log.assign(vote_log_.begin(), vote_log_.end());
  started.head = chain_->head();
  started.checkpoint_digest = ledger::checkpoint_digest(*header);
  started.state = chain_->state();
  started.newest = node::newest_blocks(*chain_, history).value();
  started.life = life_ + 1;
  shared_.watcher.up(shared_.timeline.now(), self_, true);
  post(Lane::urgent, std::move(started));
}

// What was not synced is gone, and so is everything in memory.
void TimedNode::crash() {
  ++life_;
  shared_.watcher.up(shared_.timeline.now(), self_, false);
  for (const NetJob& job : net_) shared_.watcher.lost(shared_.timeline.now(), job.flight.number);
  if (miner_ != nullptr) miner_->stop();
  tip_ = Digest{};
  replica_.reset();
  chain_.reset();
  store_.drop_unsynced();
  connected_.clear();
  net_.clear();
  rpc_.clear();
  verify_.clear();
  urgent_.clear();
  bulk_.clear();
  turn_.clear();
  unsynced_.clear();
  ledger_jobs_.clear();
  effects_.clear();
  vote_syncing_ = ledger_syncing_ = false;
  tick_at_.reset();
  signatures_known_.clear();
  transactions_known_.clear();
}

std::function<void()> TimedNode::guarded(std::function<void()> action) const {
  return [this, life = life_, run = std::move(action)] {
    if (life == life_) run();
  };
}

void TimedNode::after(Duration delay, std::function<void()> action) {
  shared_.timeline.after(delay, guarded(std::move(action)));
}

void TimedNode::connected(ReplicaId peer, bool is_connected) {
  if (!up()) return;
  if (is_connected) {
    if (!connected_.insert(peer).second) return;
    post(Lane::urgent, node::PeerConnected{peer});
  } else {
    if (connected_.erase(peer) == 0) return;
    post(Lane::urgent, node::PeerDisconnected{peer});
  }
}

// ---- network and clients ----

void TimedNode::arrive(Flight flight) {
  if (!up() || connected_.count(flight.frame->from) == 0) {
    return shared_.watcher.lost(shared_.timeline.now(), flight.number);
  }
  net_.push_back({std::move(flight), false});
  machine_.wake(net_thread_);
}

std::optional<Work> TimedNode::next_net() {
  if (net_.empty()) return std::nullopt;
  NetJob job = std::move(net_.front());
  net_.pop_front();
  const Costs& costs = shared_.scene.costs;
  const Duration cpu = nanoseconds(job.outwards ? costs.frame_out : costs.frame_in) +
                       per_kib(costs.frame_kib, job.flight.frame->body.size());
  return Work{cpu, guarded([this, job = std::move(job)] {
                if (job.outwards) return wires_.send(job.flight);
                verify_.frame(job.flight);
                wake_verifiers();
              })};
}

void TimedNode::submit(node::Ticket ticket, std::vector<ledger::TransactionPtr> transactions) {
  const Costs& costs = shared_.scene.costs;
  const auto count = static_cast<std::int64_t>(transactions.size());
  const TransactionBatch batch =
      std::make_shared<const std::vector<ledger::TransactionPtr>>(std::move(transactions));
  rpc_.push_back({nanoseconds(costs.request + count * costs.request_tx),
                  guarded([this, ticket, batch] { check_request(ticket, batch); })});
  machine_.wake(rpc_thread_);
}

void TimedNode::check_request(node::Ticket ticket, const TransactionBatch& batch) {
  const auto done = [this, ticket, batch] {
    post(Lane::bulk, node::TransactionsSubmitted{ticket, *batch});
  };
  for (Work& chunk : chunks(*batch, done)) verify_.client_chunk(std::move(chunk));
  wake_verifiers();
}

// Pieces for the verify threads; `done` runs when the last of them is finished.
std::vector<Work> TimedNode::chunks(const std::vector<ledger::TransactionPtr>& transactions,
                                    const std::function<void()>& done) {
  constexpr std::size_t kChunk = 32;
  const std::size_t count = std::max<std::size_t>(1, (transactions.size() + kChunk - 1) / kChunk);
  const auto left = std::make_shared<std::size_t>(count);
  std::vector<Work> out;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = std::min(transactions.size(), (i + 1) * kChunk);
    out.push_back({price(transactions, i * kChunk, end), guarded([left, done] {
                     if (--*left == 0) done();
                   })});
  }
  return out;
}

void TimedNode::answer(std::size_t transactions, std::function<void()> done) {
  const Costs& costs = shared_.scene.costs;
  const auto count = static_cast<std::int64_t>(transactions);
  rpc_.push_back({nanoseconds(costs.request + count * costs.answer_tx), guarded(std::move(done))});
  machine_.wake(rpc_thread_);
}

std::optional<Work> TimedNode::next_rpc() {
  if (rpc_.empty()) return std::nullopt;
  Work out = std::move(rpc_.front());
  rpc_.pop_front();
  return out;
}

// ---- verification ----

void TimedNode::wake_verifiers() {
  for (const Machine::ThreadId thread : verify_threads_) machine_.wake(thread);
}

bool TimedNode::first_met(const ledger::TransactionPtr& transaction) {
  const auto number = shared_.book.number(transaction->id);
  if (!number) return true;
  if (*number >= transactions_known_.size()) transactions_known_.resize(*number + 1);
  if (transactions_known_[*number]) return false;
  transactions_known_[*number] = true;
  return true;
}

Duration TimedNode::price(const std::vector<ledger::TransactionPtr>& transactions,
                          std::size_t begin, std::size_t end) {
  const Costs& costs = shared_.scene.costs;
  std::int64_t out = 0;
  for (std::size_t i = begin; i < end; ++i) {
    out += first_met(transactions[i]) ? costs.decode_tx + costs.verify : costs.known_tx;
  }
  return nanoseconds(out);
}

Duration TimedNode::price(const Frame& frame) {
  const Costs& costs = shared_.scene.costs;
  if (const auto& message = *frame.verified) {
    if (const auto* relayed = std::get_if<node::RelayedTransactions>(&*message)) {
      return price(relayed->transactions, 0, relayed->transactions.size());
    }
  }
  std::int64_t out = costs.message;
  for (const std::uint64_t signature : frame.signatures) {
    out += signatures_known_.insert(signature).second ? costs.verify : costs.hash;
  }
  return nanoseconds(out) + per_256(costs.hash, frame.body.size());
}

Work TimedNode::serve(Flight flight) {
  const bool fresh = !flight.frame->verified.has_value();
  if (stopwatch_ != nullptr && fresh) stopwatch_->begin();
  shared_.open(*flight.frame, *verifier_);
  if (stopwatch_ != nullptr && fresh && flight.frame->traffic == node::TrafficClass::consensus) {
    stopwatch_->end(Stage::message, 1);
  }
  const Duration cpu = price(*flight.frame);
  return {cpu, guarded([this, flight] {
            verify_.finished(flight);
            shared_.watcher.received(shared_.timeline.now(), flight.number);
            const auto& message = *flight.frame->verified;
            if (!message) {
              ++invalid_frames_;
              return;
            }
            const bool bulk = flight.frame->traffic == node::TrafficClass::transactions;
            post(bulk ? Lane::bulk : Lane::urgent,
                 node::PeerMessageReceived{flight.frame->from, *message});
            wake_verifiers();
          })};
}

// ---- the replica ----

void TimedNode::post(Lane lane, node::ReplicaInput input) {
  (lane == Lane::urgent ? urgent_ : bulk_).push_back(std::move(input));
  machine_.wake(step_thread_);
}

std::optional<node::ReplicaInput> TimedNode::take_input() {
  if (turn_.empty()) {
    turn_.swap(urgent_);
    for (std::size_t i = 0; i < kBulkPerTurn && !bulk_.empty(); ++i) {
      turn_.push_back(std::move(bulk_.front()));
      bulk_.pop_front();
    }
  }
  if (!turn_.empty()) {
    node::ReplicaInput out = std::move(turn_.front());
    turn_.pop_front();
    return out;
  }
  const auto deadline = replica_->next_deadline();
  const Instant now = shared_.timeline.now();
  if (!deadline || *deadline > now || tick_not_before_ > now) return std::nullopt;
  tick_not_before_ = now + kTickPatience;
  return node::ReplicaInput(node::ReplicaTicked{});
}

void TimedNode::sleep_until_deadline() {
  const auto deadline = replica_->next_deadline();
  if (!deadline) return;
  const Instant at = *deadline > shared_.timeline.now() ? *deadline : tick_not_before_;
  if (tick_at_ && *tick_at_ <= at && *tick_at_ > shared_.timeline.now()) return;
  tick_at_ = at;
  shared_.timeline.at(at, guarded([this] { machine_.wake(step_thread_); }));
}

std::optional<Work> TimedNode::next_step() {
  if (!up()) return std::nullopt;
  auto input = take_input();
  if (input) return step(std::move(*input));
  sleep_until_deadline();
  return std::nullopt;
}

Work TimedNode::step(node::ReplicaInput input) {
  const Costs& costs = shared_.scene.costs;
  const std::size_t transactions = transactions_in(input);
  const Stage stage = stage_of(input, transactions);
  std::int64_t cpu = costs.step;
  const auto count = static_cast<std::int64_t>(transactions);
  cpu += count * (stage == Stage::order_tx ? costs.order_tx : costs.take_tx);
  const Instant now = shared_.timeline.now();
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now.since_origin);
  const WallMs wall(shared_.genesis.genesis_time.value() + kSinceGenesisMs +
                    static_cast<std::uint64_t>(elapsed.count()));
  if (stopwatch_ != nullptr) stopwatch_->begin();
  replica_->step({now, wall, std::move(input)});
  if (stopwatch_ != nullptr) stopwatch_->end(stage, std::max<std::size_t>(1, transactions));
  if (stage != Stage::take_tx) look_at_branch();
  cpu += signer_->take() * costs.sign;
  return {nanoseconds(cpu), guarded([effects = std::exchange(effects_, {})] {
            for (const auto& action : effects) action();
          })};
}

void TimedNode::look_at_branch() {
  if (!shared_.scene.work) return;
  const auto branch = replica_->status().consensus.branch;
  if (!branch || branch->tip_id == tip_) return;
  tip_ = branch->tip_id;
  effect([this, id = branch->tip_id, height = branch->tip] { hooks_.prefers(self_, id, height); });
}

}  // namespace quorate::sim::timed
