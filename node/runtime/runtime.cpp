#include "node/runtime/runtime.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "crypto/verified_cache.hpp"
#include "node/engine_config.hpp"
#include "node/runtime/consensus_thread.hpp"
#include "node/runtime/execute_thread.hpp"
#include "node/runtime/log_writer.hpp"
#include "node/runtime/submissions.hpp"
#include "node/runtime/transaction_cache.hpp"
#include "node/runtime/verify_pool.hpp"
#include "node/runtime/vote_log_store.hpp"

namespace quorate::node {

namespace {

constexpr std::size_t kVerifiedCacheEntries = std::size_t{1} << 17U;

class Observers final : public Observer {
 public:
  void add(Observer& observer) {
    const std::lock_guard lock(mutex_);
    observers_.push_back(&observer);
  }
  void remove(Observer& observer) {
    const std::lock_guard lock(mutex_);
    std::erase(observers_, &observer);
  }
  void notice(const Notice& notice) override {
    const std::lock_guard lock(mutex_);
    for (Observer* observer : observers_) observer->notice(notice);
  }

 private:
  std::mutex mutex_;
  std::vector<Observer*> observers_;
};

// Of the operating system's random source: 64 bits that no other life of this node has drawn.
std::uint64_t random_life() {
  const crypto::SecretSeed seed = crypto::SecretSeed::random();
  std::uint64_t life = 0;
  for (const std::uint8_t byte : seed.expose().first(sizeof(life))) life = life << 8U | byte;
  return life;
}

Result<ReplicaId> find_self(const RuntimeConfig& config) {
  const auto& validators = config.genesis.validators;
  const PublicKey& key = config.node_key.public_key();
  const auto found = std::find_if(validators.begin(), validators.end(),
                                  [&](const auto& entry) { return entry.node_key == key; });
  if (found == validators.end()) {
    return fail(
        Errc::invalid_argument,
        "node key " + to_0x(key) + " is not in the genesis; use the key that belongs to it");
  }
  if (config.validator_key && config.validator_key->public_key() != found->validator_key) {
    return fail(Errc::invalid_argument, "the genesis gives '" + found->name +
                                            "' the validator key " + to_0x(found->validator_key) +
                                            ", this node has " +
                                            to_0x(config.validator_key->public_key()));
  }
  return ReplicaId(static_cast<std::uint32_t>(found - validators.begin()));
}

}  // namespace

struct NodeRuntime::Impl {
  Impl(RuntimeConfig config_, Log& log_) : config(std::move(config_)), log(log_) {}

  Result<void> start(ledger::KvStore& store);
  Result<void> make_engine();
  Result<void> open_vote_log();
  void start_workers();
  void start_miner();
  Result<void> start_peers();
  Result<void> start_replica();
  void on_invalid(ReplicaId from, TrafficClass traffic, const Error& error);
  void submit(std::vector<Bytes> encoded, Submissions::Done done);
  void stop();

  RuntimeConfig config;
  Log& log;
  ReplicaId self;
  std::unique_ptr<ledger::Chain> chain;
  const crypto::Ed25519Verifier ed25519;
  const crypto::VerifiedCache signatures{ed25519, kVerifiedCacheEntries};
  std::unique_ptr<TransactionCache> transactions;
  std::optional<Misbehavior> misbehavior;
  consensus::EngineParts engine;
  consensus::EngineTraits traits;
  OpenedVoteLog votes;
  Observers observers;
  Submissions submissions;
  // From here on threads; each is stopped in stop() before what it uses.
  ConsensusThread consensus;
  std::unique_ptr<ExecuteThread> executor;
  std::unique_ptr<LogWriter> vote_log;
  std::unique_ptr<VerifyPool> pool;
  std::unique_ptr<MinerThreads> miner;  // null: this node does not mine
  std::unique_ptr<PeerManager> peers;
  std::unique_ptr<Transport> wrapped;  // what config.wrap_transport made of `peers`
  // `peers` for the pool's threads, which may run before start_peers has returned. Null when it has
  // not, and from stop() on.
  std::atomic<PeerManager*> reachable_peers{nullptr};
  std::mutex stop_mutex;
  bool stopped = false;
};

Result<void> NodeRuntime::Impl::start(ledger::KvStore& store) {
  QUORATE_TRY(self, find_self(config));
  QUORATE_CHECK(make_engine());
  const bool withdraws = traits.commit_depth > 0;
  QUORATE_TRY(chain, ledger::Chain::open(store, config.genesis,
                                         {.seals = traits.seals,
                                          .snapshots = withdraws ? config.snapshots : nullptr}));
  // It remembers by itself, so it needs no second memory behind it.
  transactions = std::make_unique<TransactionCache>(chain->chain_id(), ed25519);
  misbehavior.emplace(config.genesis.validators.size(), config.bans);
  QUORATE_CHECK(open_vote_log());
  start_workers();
  start_miner();
  QUORATE_CHECK(start_peers());
  return start_replica();
}

Result<void> NodeRuntime::Impl::make_engine() {
  const crypto::Signer* signer = config.validator_key ? &*config.validator_key : nullptr;
  consensus::EngineConfig wanted = engine_config(config.genesis, self);
  wanted.mine = config.mine && signer != nullptr;
  QUORATE_TRY(engine, consensus::make_engine(wanted, signer, signatures));
  traits = engine.traits;
  return {};
}

Result<void> NodeRuntime::Impl::open_vote_log() {
  if (!config.validator_key) return {};
  const VoteLogPaths paths{config.votes_dir, config.validator_state_file};
  const auto open = [&] {
    return VoteLogStore::open(paths, chain->chain_id(), config.validator_key->public_key());
  };
  QUORATE_TRY(votes, open());
  if (!votes.damage.empty() && !traits.log_binds) {
    log.warning("votes", "the log cannot be used; what it held is fetched from peers",
                {{"reason", votes.damage}});
    QUORATE_CHECK(VoteLogStore::discard(paths));
    QUORATE_TRY(votes, open());
  }
  if (!votes.observer_reason.empty()) {
    log.error("votes", "this node will not vote", {{"reason", votes.observer_reason}});
  } else {
    log.info("votes", "vote log opened",
             {{"records", std::to_string(votes.records.size())},
              {"last_index", std::to_string(votes.store->last_index())},
              {"torn_bytes", std::to_string(votes.torn_bytes)}});
  }
  return {};
}

void NodeRuntime::Impl::start_workers() {
  executor = std::make_unique<ExecuteThread>(
      *chain,
      ExecuteCallbacks{
          .on_executed = [this](auto done) { consensus.post(std::move(done)); },
          .on_rewound = [this](auto done) { consensus.post(std::move(done)); },
          .on_loaded = [this](auto done) { consensus.post(std::move(done)); },
          .on_read = [this](auto done) { consensus.post(std::move(done)); },
          .on_certificate =
              [this](Height height) {
                Notice notice{};
                notice.kind = Notice::Kind::certificate_stored;
                notice.height = height;
                observers.notice(notice);
              },
          .on_replace =
              [this](const LedgerReplacement& replacement) {
                if (config.on_diverged) config.on_diverged(replacement);
              },
          .on_certificates_loaded = [this](auto done) { consensus.post(std::move(done)); }},
      log);
  vote_log = std::make_unique<LogWriter>(
      std::move(votes.store),
      [this](consensus::PersistToken token) { consensus.post(VotesPersisted{token}); }, log);
  VerifyPoolConfig pool_config;
  pool_config.context = {chain->chain_id(), ledger::membership(config.genesis),
                         engine.message_verifier.get(), &signatures, transactions.get()};
  pool_config.replicas = static_cast<std::uint32_t>(config.genesis.validators.size());
  pool_config.threads = config.verify_threads;
  std::size_t& room = pool_config.lane_bytes_max[traffic_index(TrafficClass::consensus)];
  room = std::max(room, 2 * engine.message_verifier->message_bytes_max());
  pool = std::make_unique<VerifyPool>(
      std::move(pool_config),
      VerifyCallbacks{
          .on_message =
              [this](ReplicaId from, TrafficClass traffic, PeerMessage message,
                     Budget::Credit credit) {
                consensus.post_received(traffic, PeerMessageReceived{from, std::move(message)},
                                        std::move(credit));
              },
          .on_invalid = [this](ReplicaId from, TrafficClass traffic,
                               const Error& error) { on_invalid(from, traffic, error); },
          .on_payload = [this](auto done) { consensus.post(std::move(done)); }});
}

void NodeRuntime::Impl::start_miner() {
  const bool mines = traits.mines && config.mine && config.validator_key;
  if (!mines || !votes.observer_reason.empty()) return;
  miner = std::make_unique<MinerThreads>(engine.puzzle_solver, config.mining,
                                         [this](consensus::WorkToken token, std::uint64_t nonce) {
                                           consensus.post(WorkFound{token, nonce});
                                         });
  log.info("mining", "looking for blocks",
           {{"threads", std::to_string(config.mining.threads)},
            {"duty_percent", std::to_string(config.mining.duty_percent)}});
}

Result<void> NodeRuntime::Impl::start_peers() {
  PeerManagerConfig net;
  for (const auto& validator : config.genesis.validators) {
    net.members.push_back({validator.name, validator.node_key});
    net.addresses.push_back(validator.p2p);
  }
  if (!config.peer_addresses.empty()) net.addresses = config.peer_addresses;
  if (net.addresses.size() != net.members.size()) {
    return fail(Errc::invalid_argument,
                std::to_string(net.addresses.size()) + " peer addresses for " +
                    std::to_string(net.members.size()) + " validators; give one for each");
  }
  net.self = self;
  net.node_key = &config.node_key;
  net.listen = config.listen;
  net.chain_id = chain->chain_id();
  net.software = config.software;
  net.storage_version = config.storage_version;
  net.frames = frame_limits_for(config.genesis.consensus.payload_bytes_max,
                                engine.message_verifier->message_bytes_max());
  net.timing = config.peer_timing;
  QUORATE_TRY(
      peers,
      PeerManager::start(
          std::move(net),
          PeerCallbacks{
              .on_frame = [this](ReplicaId from, TrafficClass traffic,
                                 Bytes body) { pool->frame(from, traffic, std::move(body)); },
              .on_connected = [this](ReplicaId peer) { consensus.post(PeerConnected{peer}); },
              .on_disconnected =
                  [this](ReplicaId peer) {
                    pool->forget(peer);
                    consensus.post(PeerDisconnected{peer});
                  }},
          log));
  reachable_peers = peers.get();
  return {};
}

Result<void> NodeRuntime::Impl::start_replica() {
  ReplicaConfig replica_config;
  replica_config.genesis = config.genesis;
  if (config.validator_key) replica_config.self = self;
  replica_config.batch_delay = config.batch_delay;
  replica_config.mempool = config.mempool;

  ReplicaStarted started;
  started.vote_log = std::move(votes.records);
  started.head = chain->head();
  started.state = chain->state();
  const auto header = chain->header(started.head.height);
  QUORATE_ASSERT(header.has_value());  // Chain::open read it a moment ago
  started.checkpoint_digest = ledger::checkpoint_digest(*header);
  QUORATE_TRY(started.newest, newest_blocks(*chain, traits.history));
  started.observer = !votes.observer_reason.empty();
  started.observer_reason = votes.observer_reason;
  started.executed_before = config.ledger_executed_before;
  started.life = random_life();
  if (config.wrap_transport) wrapped = config.wrap_transport(*peers);
  Transport& transport = wrapped ? *wrapped : *peers;
  consensus.start(std::make_unique<Replica>(std::move(replica_config), std::move(engine),
                                            Ports{transport, *vote_log, *executor, *pool,
                                                  submissions, observers, miner.get()}),
                  std::move(started));
  return {};
}

void NodeRuntime::Impl::on_invalid(ReplicaId from, TrafficClass traffic, const Error& error) {
  const auto verdict = misbehavior->invalid(from, Misbehavior::Clock::now());
  const std::string& name = config.genesis.validators.at(from.value()).name;
  if (verdict.unlogged > 0) {
    log.warning("p2p", "further invalid messages were not logged",
                {{"peer", name}, {"count", std::to_string(verdict.unlogged)}});
  }
  if (verdict.log) {
    log.warning(
        "p2p", "invalid message",
        {{"peer", name}, {"class", to_string(frame_type(traffic))}, {"error", error.detail}});
  }
  if (verdict.ban.count() == 0) return;
  PeerManager* manager = reachable_peers.load();
  if (manager == nullptr) return;  // it is just starting or stopping
  manager->ban(from, verdict.ban,
               std::to_string(Misbehavior::kInvalidMax) +
                   " invalid messages within a minute; the last: " + error.detail);
}

void NodeRuntime::Impl::submit(std::vector<Bytes> encoded, Submissions::Done done) {
  const std::size_t count = encoded.size();
  const auto shared = std::make_shared<Submissions::Done>(std::move(done));
  const bool taken = pool->client_transactions(
      std::move(encoded), [this, shared](std::vector<Bytes> bytes, auto results) {
        std::vector<Submitted> answers;
        std::vector<ledger::TransactionPtr> verified;
        for (std::size_t i = 0; i < results.size(); ++i) {
          auto checked = to_checked(chain->chain_id(), bytes[i], std::move(results[i]));
          answers.push_back({checked.id, std::move(checked.refusal)});
          if (checked.transaction) verified.push_back(std::move(checked.transaction));
        }
        if (verified.empty()) return (*shared)(std::move(answers));
        const Ticket ticket = submissions.add(std::move(answers), std::move(*shared));
        consensus.post_submitted(TransactionsSubmitted{ticket, std::move(verified)});
      });
  if (!taken) (*shared)(std::vector<Submitted>(count, {std::nullopt, overloaded()}));
}

void NodeRuntime::Impl::stop() {
  const std::lock_guard lock(stop_mutex);
  if (std::exchange(stopped, true)) return;
  // From the outside in: no more frames, then no more verified input, then no more decisions, and
  // what was decided until then is executed and synced.
  reachable_peers = nullptr;
  if (peers) peers->stop();
  if (pool) pool->stop();
  if (miner) miner->stop();
  consensus.stop();
  submissions.refuse_all(stopping());
  if (executor) executor->stop();
  if (vote_log) vote_log->stop();
}

Result<std::unique_ptr<NodeRuntime>> NodeRuntime::start(RuntimeConfig config,
                                                        ledger::KvStore& store, Log& log) {
  auto impl = std::make_unique<Impl>(std::move(config), log);
  if (auto started = impl->start(store); !started) {
    impl->stop();
    return tl::unexpected(started.error());
  }
  return std::unique_ptr<NodeRuntime>(new NodeRuntime(std::move(impl)));
}

NodeRuntime::NodeRuntime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NodeRuntime::~NodeRuntime() { stop(); }
void NodeRuntime::stop() { impl_->stop(); }

void NodeRuntime::submit(std::vector<Bytes> encoded,
                         std::function<void(std::vector<Submitted>)> done) {
  impl_->submit(std::move(encoded), std::move(done));
}

void NodeRuntime::check(std::vector<Bytes> encoded,
                        std::function<void(std::vector<CheckedTransaction>)> done) const {
  const std::size_t count = encoded.size();
  const auto shared = std::make_shared<decltype(done)>(std::move(done));
  const bool taken = impl_->pool->client_transactions(
      std::move(encoded),
      [chain_id = impl_->chain->chain_id(), shared](std::vector<Bytes> bytes, auto results) {
        std::vector<CheckedTransaction> out;
        for (std::size_t i = 0; i < results.size(); ++i) {
          out.push_back(to_checked(chain_id, bytes[i], std::move(results[i])));
        }
        (*shared)(std::move(out));
      });
  if (!taken) (*shared)(std::vector<CheckedTransaction>(count, {{}, nullptr, overloaded()}));
}

void NodeRuntime::inspect(std::function<void(const Replica&)> read) const {
  impl_->consensus.inspect(std::move(read));
}
void NodeRuntime::add_observer(Observer& observer) { impl_->observers.add(observer); }
void NodeRuntime::remove_observer(Observer& observer) { impl_->observers.remove(observer); }
const ledger::Chain& NodeRuntime::chain() const { return *impl_->chain; }
const consensus::EngineTraits& NodeRuntime::traits() const { return impl_->traits; }
ReplicaId NodeRuntime::self() const { return impl_->self; }
const std::string& NodeRuntime::observer_reason() const { return impl_->votes.observer_reason; }
std::uint16_t NodeRuntime::p2p_port() const { return impl_->peers->port(); }
std::vector<PeerInfo> NodeRuntime::peers() const { return impl_->peers->peers(); }
NetTotals NodeRuntime::net_totals() const { return impl_->peers->totals(); }

RuntimeStatistics NodeRuntime::statistics() const {
  RuntimeStatistics out;
  out.verify = impl_->pool->statistics();
  out.verify.transactions_verified = impl_->transactions->verified();
  out.verify.transactions_known = impl_->transactions->known();
  out.vote_log = impl_->vote_log->statistics();
  out.execute = impl_->executor->statistics();
  out.consensus = impl_->consensus.statistics();
  if (impl_->miner) out.mining = impl_->miner->statistics();
  return out;
}

}  // namespace quorate::node
