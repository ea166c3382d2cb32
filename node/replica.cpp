#include "node/replica.hpp"

#include <algorithm>

#include "node/replica_impl.hpp"

namespace quorate::node {
namespace {

constexpr std::uint32_t kServeBlocksMax = 64;
constexpr std::size_t kServeBytesMax = 1U << 20U;
// So many heights may be on their way through the ledger; more, and it is what everything waits
// for.
constexpr std::uint64_t kExecutorLagMax = 4;
// So many later blocks let a client prove what was executed, unless it demands far more than the
// chain's depth: four headers or a few more carry the result against a tenth of the hash rate.
constexpr std::uint64_t kBuriedBy = 16;

BatchLimits batch_limits(const ReplicaConfig& config) {
  return {config.genesis.consensus.payload_transactions_max,
          config.genesis.consensus.payload_bytes_max, config.batch_delay};
}

WatchLimits watch_limits(const ReplicaConfig& config) {
  return {config.genesis.consensus.payload_transactions_max,
          config.genesis.consensus.payload_bytes_max,
          config.mempool.transactions_max,
          config.mempool.bytes_max,
          static_cast<std::uint32_t>(config.genesis.validators.size()),
          config.genesis.consensus.proposals_in_flight};
}

void keep_earlier(std::optional<Instant>& earliest, const std::optional<Instant>& other) {
  if (other && (!earliest || *other < *earliest)) earliest = other;
}

std::size_t payload_bytes(const std::vector<ledger::TransactionPtr>& transactions) {
  constexpr std::size_t kLength = 4;  // of the payload, and of each transaction in it
  std::size_t out = kLength;
  for (const auto& transaction : transactions) out += kLength + transaction->encoded.size();
  return out;
}

}  // namespace

Replica::Impl::Impl(ReplicaConfig config_in, consensus::EngineParts parts_in, Ports ports_in)
    : config(std::move(config_in)),
      parts(std::move(parts_in)),
      ports(ports_in),
      membership(ledger::membership(config.genesis)),
      chain_id(membership.chain_id),
      mempool(config.mempool, config.genesis),
      builder(batch_limits(config), mempool),
      catch_up(config.self, membership.size(), ports.transport),
      relay(mempool, ports.transport),
      watch(watch_limits(config)) {}

void Replica::Impl::step(const ReplicaEvent& event) {
  now = event.now;
  wall = event.wall;
  std::visit([this](const auto& input) { on(input); }, event.input);
  run_engine();
  run_due();
}

void Replica::Impl::on(const ReplicaStarted& started) {
  head = started.head;
  committed_to = head.height;
  state = started.state;
  if (started.observer && config.self) host_reason = started.observer_reason;
  builder.executed(head.height);
  catch_up.executed(head.height, now);
  watch.started(head.height);
  feed(consensus::Started{started.vote_log, head.height, head.payload_id, head.block_hash,
                          started.checkpoint_digest, started.newest.certificates,
                          started.newest.block_hashes, started.newest.genesis_hash,
                          started.observer, started.executed_before, started.life});
}

void Replica::Impl::on(const PeerMessageReceived& received) {
  const auto peer = peers.find(received.from);
  if (peer != peers.end()) peer->second.heard = now;
  std::visit([&](const auto& message) { on_message(received.from, message); }, received.message);
}

void Replica::Impl::on(const PeerConnected& connected) {
  const auto late = lost_late.find(connected.peer);
  peers.insert_or_assign(connected.peer,
                         Connection{late == lost_late.end() ? now : late->second, now});
  catch_up.peer_connected(connected.peer);
  relay.greet(connected.peer);
}

void Replica::Impl::on(const PeerDisconnected& disconnected) {
  const auto peer = peers.find(disconnected.peer);
  if (peer != peers.end()) {
    const Instant since = peer->second.since;
    lost_late.erase(disconnected.peer);
    if (is_late(disconnected.peer, since, parts.engine->status())) {
      lost_late.emplace(disconnected.peer, since);
    }
    peers.erase(peer);
  }
  catch_up.peer_disconnected(disconnected.peer);
}

void Replica::Impl::on(const TransactionsSubmitted& submitted) {
  std::vector<std::optional<Refusal>> results;
  results.reserve(submitted.transactions.size());
  for (const ledger::TransactionPtr& transaction : submitted.transactions) {
    const bool known = mempool.find(transaction->id) != nullptr;
    results.push_back(admit(transaction));
    if (!known && !results.back()) relay.add(transaction, now);
  }
  ports.clients.admitted(submitted.ticket, std::move(results));
}

std::optional<Refusal> Replica::Impl::admit(const ledger::TransactionPtr& transaction) {
  const bool known = mempool.find(transaction->id) != nullptr;
  auto refusal = mempool.admit(transaction, *state, now);
  if (!known && !refusal) {
    Notice notice{};
    notice.kind = Notice::Kind::transaction_pooled;
    notice.transaction = transaction;
    notify(std::move(notice));
  }
  return refusal;
}

void Replica::Impl::on(const VotesPersisted& persisted) {
  // The log is FIFO: whatever was appended before this record is durable with it.
  while (!persisting.empty() && persisting.front() <= persisted.token) {
    const consensus::PersistToken token = persisting.front();
    persisting.pop_front();
    while (!held.empty() && held.begin()->first <= token) {
      consensus::Send send = std::move(held.begin()->second);
      held.erase(held.begin());
      held_bytes -= send.message.size();
      if (!halted) ports.transport.send(send.to, TrafficClass::consensus, std::move(send.message));
    }
    feed(consensus::Persisted{token});
  }
}

void Replica::Impl::on(const BlocksExecuted& executed) {
  for (const ledger::ExecutedBlock& block : executed.blocks) on_block(block);
}

void Replica::Impl::on_block(const ledger::ExecutedBlock& block) {
  const Height height = block.header.height;
  QUORATE_ASSERT(height == head.height.next());
  const bool withdrawn = being_withdrawn(height);
  head = {height, block.block_hash, block.payload_id};
  if (!block.transactions.empty()) bury_to = height.saturating_add(kBuriedBy);
  state = block.state;
  PrimaryWatch::Block watched{height, block.transactions.size(), payload_bytes(block.transactions),
                              mempool.executed(block, now)};
  watch.executed(std::move(watched), now);
  if (!withdrawn) builder.executed(height);
  if (!withdrawn) tentative.executed(height);
  catch_up.executed(height, now);
  for (auto it = payloads.begin(); it != payloads.end();) {
    const Height wanted_to = it->second.height.saturating_add(parts.traits.commit_depth);
    it = wanted_to <= height ? payloads.erase(it) : std::next(it);
  }
  Notice notice{};
  notice.kind = Notice::Kind::block_executed;
  notice.height = height;
  notice.block = std::make_shared<const ledger::ExecutedBlock>(block);
  const auto agreed = agreed_in.find(height);
  if (agreed != agreed_in.end()) notice.agreed_in = agreed->second;
  agreed_in.erase(agreed_in.begin(), agreed_in.upper_bound(height));
  notify(std::move(notice));

  const auto served = served_seals.find(height);
  if (served != served_seals.end()) {
    if (ledger::block_hash(served->second.header) != block.block_hash) {
      return feed(consensus::DivergenceFound{height});
    }
    ports.executor.store_seals(height, served->second.seals);
    served_seals.erase(served);
  }
  if (withdrawn) return;
  feed(consensus::Executed{height, block.payload_id, block.block_hash, block.checkpoint_digest,
                           block.transactions.empty()});
}

void Replica::Impl::on(const WorkFound& found) {
  feed(consensus::WorkFound{found.token, found.nonce});
}

void Replica::Impl::on(const PayloadChecked& checked) {
  const auto under_way = checking.find(checked.id);
  QUORATE_ASSERT(under_way != checking.end());
  if (--under_way->second == 0) checking.erase(under_way);
  const std::size_t count = checked.transactions ? checked.transactions->size() : 0;
  const bool valid =
      checked.transactions && count <= config.genesis.consensus.payload_transactions_max;
  if (valid) remember_payload(checked.id, checked.height, *checked.transactions);
  feed(consensus::Validated{checked.id, valid});
  execute_committed();
}

void Replica::Impl::on(const PayloadLoaded& loaded) {
  feed(consensus::PayloadLoaded{loaded.id, loaded.body});
}

void Replica::Impl::on(const CertificatesLoaded& loaded) {
  feed(consensus::CertificatesLoaded{loaded.first, loaded.certificates});
}

void Replica::Impl::on(const BlocksRead& read) {
  reading_for.erase(read.for_peer);
  ports.transport.send(read.for_peer, TrafficClass::sync, encode_blocks_response(read.blocks));
}

void Replica::Impl::on_message(ReplicaId from, const ConsensusMessage& message) {
  ++messages[message.message->type_name()].in;
  feed(consensus::MessageReceived{from, message.message});
}

void Replica::Impl::on_message(ReplicaId, const RelayedTransactions& relayed) {
  // A refusal concerns whoever took the transaction in; that node relays again while it waits.
  for (const ledger::TransactionPtr& transaction : relayed.transactions) {
    const bool known = mempool.find(transaction->id) != nullptr;
    if (!admit(transaction) && !known) relay.add_relayed(transaction, now);
  }
}

void Replica::Impl::on_message(ReplicaId from, const BlocksRequest& request) {
  if (request.from > head.height || request.from == Height(0)) {
    ports.transport.send(from, TrafficClass::sync, encode_blocks_response({}));
    return;
  }
  // One read per peer: a peer that asks faster than it is answered waits for its own answer.
  if (!reading_for.insert(from).second) return;
  ports.executor.read_blocks(from, request.from, kServeBlocksMax, kServeBytesMax);
}

void Replica::Impl::on_message(ReplicaId from, const BlocksResponse& response) {
  catch_up.on_blocks(from, response);
}

void Replica::Impl::run_due() {
  mempool.expire(now);
  const auto engine_deadline = parts.engine->next_deadline();
  if (!halted && engine_deadline && now >= *engine_deadline) feed(consensus::Ticked{});
  tell_pending();
  run_engine();
  deliver_blocks();
  answer_proposal();
  watch_primary();
  relay.poll(now);
}

// Nothing to watch without work: an idle chain wakes nobody. Where everybody may mine a block there
// is no primary.
bool Replica::Impl::watches_primary() const {
  return !halted && told_pending && !parts.traits.mines;
}

void Replica::Impl::watch_primary() {
  if (!watches_primary() || now < watch.next_look()) return;
  const ReplicaStatus current = status();
  const consensus::Status& engine = current.consensus;
  PrimaryWatch::Look look;
  look.view = engine.view;
  look.view_timeout = engine.view_timeout;
  // Where blocks are mined nobody owes any.
  look.judging = config.self && !parts.traits.mines && !engine.observer && !engine.starting &&
                 !engine.changing && engine.primary != *config.self && !current.syncing &&
                 engine.last_committed < engine.high_watermark &&
                 engine.last_committed <= head.height.saturating_add(kExecutorLagMax);
  look.oldest = mempool.oldest_ready();
  look.pool = mempool.status();
  look.newest_order = mempool.newest_order();
  look.count_ready = [this](std::uint64_t after, std::uint64_t up_to, std::size_t enough) {
    return mempool.count_ready(after, up_to, enough);
  };
  watch.look(look, now);
  if (watch.take_relay()) {
    relay_oldest();
    relay.remind(now);  // what else has waited long is not known there either
  }
  if (watch.take_tell()) watch.told(relay.send_oldest(), now);
  if (const auto suspicion = watch.take_suspicion(now)) feed(*suspicion);
  run_engine();
}

// Of two that were proposed for one height in turn the larger counts: for the primary.
std::optional<PrimaryWatch::Content> Replica::Impl::proposed_content(Height height) const {
  std::optional<PrimaryWatch::Content> out;
  for (const auto& entry : payloads) {
    const auto& transactions = entry.second.transactions;
    if (entry.second.height != height) continue;
    if (out && out->transactions >= transactions.size()) continue;
    out = PrimaryWatch::Content{transactions.size(), payload_bytes(transactions)};
  }
  return out;
}

void Replica::Impl::relay_oldest() {
  if (const auto oldest = mempool.oldest_ready()) relay.send_now(oldest->transaction);
}

void Replica::Impl::deliver_blocks() {
  catch_up.poll(now);
  while (auto delivery = catch_up.next_delivery()) {
    CommittedBlock& block = delivery->block;
    remember_payload(block.id, block.height, std::move(block.transactions));
    if (block.certificate) served_seals.insert_or_assign(block.height, *block.certificate);
    feed(consensus::MessageReceived{delivery->from, std::move(block.committed)});
    run_engine();
  }
  catch_up.poll(now);
  const std::uint32_t finished = catch_up.take_finished();
  if (finished == 0) return;
  Notice notice{};
  notice.kind = Notice::Kind::sync_finished;
  notice.height = head.height;
  notify(std::move(notice));
  for (std::uint32_t i = 0; i < finished; ++i) feed(consensus::SyncFinished{head.height});
  run_engine();
}

void Replica::Impl::answer_proposal() {
  // Each answer may bring the next request.
  while (auto built = builder.poll(now)) {
    Bytes payload = ledger::encode_payload(built->transactions);
    const Digest digest = parts.message_verifier->payload_digest(payload);
    feed(consensus::ProposalReady{built->height, built->view, std::move(payload), digest});
    run_engine();
  }
}

void Replica::Impl::tell_pending() {
  const bool pending = mempool.status().ready > 0;
  const bool needs_blocks = pending || head.height < bury_to;
  if (ports.miner != nullptr && needs_blocks != told_miner) ports.miner->pending(needs_blocks);
  told_miner = needs_blocks;
  if (pending == told_pending) return;
  told_pending = pending;
  feed(consensus::PendingChanged{pending});
}

std::optional<Instant> Replica::Impl::next_deadline() const {
  std::optional<Instant> earliest;
  if (!halted) keep_earlier(earliest, parts.engine->next_deadline());
  keep_earlier(earliest, mempool.next_expiry());
  keep_earlier(earliest, builder.next_deadline());
  keep_earlier(earliest, relay.next_deadline());
  if (watches_primary()) keep_earlier(earliest, watch.next_look());
  keep_earlier(earliest, catch_up.next_deadline());
  return earliest;
}

std::size_t Replica::Impl::memory_bytes() const {
  std::size_t total = parts.engine->memory_bytes() + mempool.memory_bytes() +
                      catch_up.memory_bytes() + relay.memory_bytes() + held_bytes +
                      tentative.memory_bytes();
  for (const Ordered& ordered : committed) {
    const auto* commit = std::get_if<consensus::Commit>(&ordered);
    if (commit != nullptr) total += commit->payload.size();
  }
  // A decoded payload shares its transactions with the mempool where they wait there too.
  for (const auto& [id, payload] : payloads) {
    total += payload.transactions.size() * sizeof(ledger::VerifiedTransaction);
  }
  return total;
}

Result<NewestBlocks> newest_blocks(const ledger::Chain& chain, std::uint64_t history) {
  const Height head = chain.head().height;
  NewestBlocks out;
  for (Height at = head.saturating_sub(history).next(); at <= head; at = at.next()) {
    QUORATE_TRY(Bytes certificate, chain.commit_certificate(at));
    QUORATE_TRY(const ledger::Header header, chain.header(at));
    out.certificates.push_back(std::move(certificate));
    out.block_hashes.push_back(ledger::block_hash(header));
  }
  QUORATE_TRY(const ledger::Header genesis, chain.header(Height(0)));
  out.genesis_hash = ledger::block_hash(genesis);
  return out;
}

Result<CertificatesLoaded> load_certificates(const ledger::Chain& chain, Height first,
                                             std::uint32_t count) {
  CertificatesLoaded out{first, {}};
  const std::uint64_t rewinds = chain.rewinds();
  const Height last = std::min(chain.head().height, first.saturating_add(count).saturating_sub(1));
  for (Height at = first; at <= last && count > 0; at = at.next()) {
    auto certificate = chain.commit_certificate(at);
    if (!certificate && certificate.error().code == Errc::not_found) break;
    if (!certificate) return tl::unexpected(certificate.error());
    out.certificates.push_back(std::move(*certificate));
  }
  // All of one branch, or whoever reads them takes this replica for a liar.
  return chain.rewinds() == rewinds ? out : CertificatesLoaded{first, {}};
}

Replica::Replica(ReplicaConfig config, consensus::EngineParts parts, Ports ports)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(parts), ports)) {}
Replica::~Replica() = default;
void Replica::step(const ReplicaEvent& event) { impl_->step(event); }
std::optional<Instant> Replica::next_deadline() const { return impl_->next_deadline(); }
ReplicaStatus Replica::status() const { return impl_->status(); }
const Mempool& Replica::mempool() const { return impl_->mempool; }
const ledger::StateViewPtr& Replica::state() const { return impl_->state; }
std::optional<Height> Replica::tentative_height(const Digest& transaction_id) const {
  return impl_->tentative.find(transaction_id);
}
TentativeBranch Replica::tentative_branch() const { return impl_->tentative.branch(); }
std::size_t Replica::memory_bytes() const { return impl_->memory_bytes(); }

}  // namespace quorate::node
