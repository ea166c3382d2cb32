#include "node/rpc_backend.hpp"

#include "consensus/engine_list.hpp"
#include "ledger/storage_layout.hpp"
#include "node/branch_reader.hpp"
#include "node/chain_reader.hpp"
#include "node/dry_run.hpp"
#include "node/finality_watch.hpp"
#include "node/metrics.hpp"
#include "node/net/handshake.hpp"
#include "node/recent_transactions.hpp"
#include "node/replica_view.hpp"
#include "node/runtime/os_clock.hpp"
#include "node/status_cache.hpp"

namespace quorate::node {
namespace {

using consensus::ProvedBy;
using SteadyClock = std::chrono::steady_clock;

tl::unexpected<Error> unproved(const ledger::Genesis& genesis) {
  return fail(Errc::invalid_argument, "nothing proves the blocks of the engine " +
                                          genesis.consensus.engine +
                                          " to clients; ask several nodes and compare");
}

}  // namespace

struct RpcBackend::Impl final : Observer {
  Impl(NodeRuntime& the_runtime, NodeIdentity the_identity)
      : runtime(the_runtime),
        chain(the_runtime.chain()),
        identity(std::move(the_identity)),
        metrics({identity.version, identity.commit, chain.genesis().consensus.engine,
                 runtime.traits().seals}),
        watch(chain),
        status(the_runtime) {}

  NodeRuntime& runtime;
  const ledger::Chain& chain;
  const NodeIdentity identity;
  const SteadyClock::time_point started = SteadyClock::now();
  Metrics metrics;
  RecentTransactions recent;
  FinalityWatch watch;
  StatusCache status;

  void notice(const Notice& notice) override;
  void keep(const Bytes& proof);
  rpc::SubmitResult submit_result(const Submitted& submitted);
  MetricsSample sample() const;
  std::uint32_t commit_depth() const { return runtime.traits().commit_depth; }
  // None where the order is not by work.
  std::optional<rpc::BranchView> branch_view(const NodeStatus& now) const;
  // With the id alone when nothing more is known.
  SeenTransaction seen(const Digest& id) const;
  // Adds what the branch says of it: how deep it stands, or what keeps it from being executed, and
  // that it was final before.
  rpc::TransactionView placed(rpc::TransactionView view, const TentativeBranch& above) const;
  // The same, with a copy of the branch that is not older than the ledger which `view` was read
  // from.
  void place(rpc::TransactionView view, std::function<void(rpc::TransactionView)> done);
  void withdraw(const Notice& notice);
};

void RpcBackend::Impl::notice(const Notice& notice) {
  metrics.notice(notice, SteadyClock::now());
  switch (notice.kind) {
    case Notice::Kind::transaction_pooled:
      if (notice.transaction) recent.remember(*notice.transaction);
      return;
    case Notice::Kind::block_executed:
      if (notice.block) watch.block_executed(notice.block);
      return;
    case Notice::Kind::blocks_withdrawn: withdraw(notice); return status.refresh();
    case Notice::Kind::equivocation: return keep(notice.proof);
    // Not block_sealed: at that time the certificate is still on its way to the store.
    case Notice::Kind::certificate_stored: return watch.certificates_changed();
    case Notice::Kind::progress:
      // Whoever is told of a block knows the view it was ordered in from here on.
      if (notice.phase == consensus::Progress::Phase::view_entered ||
          notice.phase == consensus::Progress::Phase::view_left ||
          notice.phase == consensus::Progress::Phase::branch_switched) {
        status.refresh();
      }
      return;
    case Notice::Kind::halted: return status.refresh();
    default: return;
  }
}

// It is written on the thread of the watch; a disk that refuses it shows in the proof's `stored`.
void RpcBackend::Impl::keep(const Bytes& proof) {
  if (!identity.evidence) return;
  watch.run_soon([store = identity.evidence, proof, now = wall_now()] {
    [[maybe_unused]] const auto kept = store->add(now, proof);
  });
}

// Runs on the thread of the watch. The same bytes may always be submitted again: executed but not
// yet certified they count as admitted, since their caller will see them become final.
rpc::SubmitResult RpcBackend::Impl::submit_result(const Submitted& submitted) {
  if (!submitted.refusal) return {submitted.id, {}};
  rpc::SubmitResult out{submitted.id, refusal_view(*submitted.refusal)};
  if (submitted.id && out.refusal->reason == ledger::Reason::nonce_too_low) {
    if (const auto executed = chain.find(*submitted.id)) {
      if (executed->height > chain.certified_height()) return {submitted.id, {}};
      out = refused(*submitted.id, ledger::Reason::duplicate,
                    "executed in block " + std::to_string(executed->height.value()) + " already",
                    submitted.refusal->expected, submitted.refusal->got);
    }
  }
  metrics.transaction_rejected(ledger::to_string(out.refusal->reason));
  return out;
}

MetricsSample RpcBackend::Impl::sample() const {
  const NodeStatus now = status.get();
  const auto membership = ledger::membership(chain.genesis());
  MetricsSample out;
  out.height = chain.head().height.value();
  out.certified_height = chain.certified_height().value();
  out.view = now.replica.consensus.view.value();
  out.primary = now.replica.consensus.primary.value();
  out.validators = membership.size();
  out.fault_tolerance = membership.faults();
  for (const PeerInfo& peer : runtime.peers()) out.peers += peer.connected ? 1 : 0;
  out.missing_validators = out.validators - 1 - std::min(out.peers, out.validators - 1);
  out.stable_checkpoint_height = now.replica.consensus.low_watermark.value();
  out.mempool_transactions = now.mempool.transactions;
  out.mempool_bytes = now.mempool.bytes;
  out.messages = now.replica.messages;
  out.changing_view = now.replica.consensus.changing;
  out.suspects = now.replica.consensus.suspicions.size();
  out.view_timeout_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.replica.consensus.view_timeout)
          .count());
  if (identity.evidence) {
    for (const auto& entry : identity.evidence->all()) {
      ++out.evidence[entry.offence.contents[0].type];
    }
  }
  out.branch = now.replica.consensus.branch;
  out.rewind_dropped = now.replica.rewind_dropped;
  out.net = runtime.net_totals();
  out.runtime = runtime.statistics();
  out.storage_bytes = identity.storage_bytes ? identity.storage_bytes() : 0;
  out.ledger_replacements = identity.ledger_replacements;
  out.syncing = now.replica.syncing;
  out.lag_blocks = now.replica.target.saturating_sub(out.height).value();
  return out;
}

std::optional<rpc::BranchView> RpcBackend::Impl::branch_view(const NodeStatus& now) const {
  const auto& branch = now.replica.consensus.branch;
  if (!branch) return std::nullopt;
  return view_of(*branch, runtime.statistics().mining);
}

SeenTransaction RpcBackend::Impl::seen(const Digest& id) const {
  SeenTransaction out = recent.find(id);
  const auto withdrawn = chain.withdrawn(id);
  if (out.nonce > 0 || !withdrawn) return out;
  return {id, withdrawn->valid_until, withdrawn->sender, withdrawn->nonce};
}

rpc::TransactionView RpcBackend::Impl::placed(rpc::TransactionView view,
                                              const TentativeBranch& above) const {
  if (commit_depth() == 0) return view;
  if (view.height) {
    view.placement = read_placement(chain, above, *view.height);
    return view;
  }
  if (view.reason) {
    view.decided = read_placement(chain, above, decided_at(chain, seen(view.id), *view.reason));
  }
  if (const auto withdrawn = chain.withdrawn(view.id)) {
    view.status = rpc::TransactionStatus::reversed;
    view.withdrawn_from = withdrawn->height;
  }
  return view;
}

void RpcBackend::Impl::place(rpc::TransactionView view,
                             std::function<void(rpc::TransactionView)> done) {
  if (commit_depth() == 0) return done(std::move(view));
  const TentativeBranch above = status.get().branch;
  const Height known = above.empty() ? Height(0) : above.rbegin()->first;
  // What is in the ledger was so deep when it was committed.
  if (known >= chain.head().height.saturating_add(commit_depth() - 1)) {
    return done(placed(std::move(view), above));
  }
  runtime.inspect([this, view = std::move(view), done = std::move(done)](const Replica& replica) {
    watch.run_soon(
        [this, view, done, above = status.take(replica).branch] { done(placed(view, above)); });
  });
}

void RpcBackend::Impl::withdraw(const Notice& notice) {
  auto out = std::make_shared<rpc::WithdrawnBlocks>();
  out->from = notice.height.next();
  out->to = notice.height.saturating_add(notice.blocks);
  out->complete = notice.withdrawn->size() == notice.blocks;
  for (const ledger::WithdrawnBlock& block : *notice.withdrawn) {
    for (std::size_t i = 0; i < block.receipts.size(); ++i) {
      if (block.receipts[i].outcome == ledger::Outcome::skipped) continue;
      out->transactions.push_back({block.receipts[i].transaction_id, block.header.height,
                                   block.transactions[i]->signed_transaction});
    }
  }
  watch.blocks_withdrawn(std::move(out));
}

RpcBackend::RpcBackend(NodeRuntime& runtime, NodeIdentity identity)
    : impl_(std::make_unique<Impl>(runtime, std::move(identity))) {
  runtime.add_observer(*impl_);
}

RpcBackend::~RpcBackend() { impl_->runtime.remove_observer(*impl_); }

const ledger::Genesis& RpcBackend::genesis() const { return impl_->chain.genesis(); }

const Digest& RpcBackend::chain_id() const { return impl_->chain.chain_id(); }

rpc::EngineView RpcBackend::engine() const {
  const consensus::EngineTraits& traits = impl_->runtime.traits();
  return {traits.seals, traits.connected_min, traits.commit_depth, traits.mines,
          consensus::proved_by(genesis().consensus.engine)};
}

rpc::ChainStatus RpcBackend::chain_status() const {
  const NodeStatus now = impl_->status.get();
  const ReplicaStatus& replica = now.replica;
  const ledger::Head head = impl_->chain.head();
  rpc::ChainStatus out;
  out.chain_name = genesis().chain_name;
  out.chain_id = chain_id();
  out.engine = genesis().consensus.engine;
  out.height = head.height;
  out.block_hash = head.block_hash;
  if (const auto header = impl_->chain.header(head.height)) out.block_time = header->time;
  out.certified_height = impl_->chain.certified_height();
  out.syncing = replica.syncing;
  out.target = std::max(replica.target, head.height);
  out.ready = replica.ready;
  out.not_ready_reason = replica.not_ready_reason;
  out.peers = replica.peers;
  out.peers_connected = replica.peers_connected;
  out.peers_silent = replica.peers_silent;
  out.branch = impl_->branch_view(now);
  return out;
}

rpc::ReplicaView RpcBackend::replica_view() const {
  const NodeStatus now = impl_->status.get();
  rpc::ReplicaView out = view_of(now, genesis());
  out.branch = impl_->branch_view(now);
  out.node_name = impl_->identity.name;
  if (impl_->identity.validator_key) out.replica = impl_->runtime.self();
  out.replaced_ledger = impl_->identity.replaced_ledger;
  return out;
}

std::vector<rpc::EvidenceView> RpcBackend::evidence() const {
  if (!impl_->identity.evidence) return {};
  return views_of(impl_->identity.evidence->all(), genesis());
}

std::vector<rpc::PeerView> RpcBackend::peers() const {
  std::vector<rpc::PeerView> out;
  for (const PeerInfo& peer : impl_->runtime.peers()) {
    rpc::PeerView view;
    view.replica = peer.replica;
    view.name = peer.name;
    view.address = peer.address;
    view.connected = peer.connected;
    view.outbound = peer.outbound;
    view.bytes_in = peer.bytes_in;
    view.bytes_out = peer.bytes_out;
    view.connects = peer.connects;
    view.last_error = peer.last_error;
    out.push_back(std::move(view));
  }
  return out;
}

rpc::NodeInfo RpcBackend::node_info() const {
  const NodeIdentity& identity = impl_->identity;
  rpc::NodeInfo out;
  out.name = identity.name;
  out.version = identity.version;
  out.git_commit = identity.commit;
  out.engine = genesis().consensus.engine;
  out.chain_name = genesis().chain_name;
  out.chain_id = chain_id();
  out.node_key = identity.node_key;
  out.validator_key = identity.validator_key;
  out.wire_version = kWireVersion;
  out.storage_version = ledger::layout::kStorageVersion;
  const auto uptime = SteadyClock::now() - impl_->started;
  out.uptime_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(uptime).count());
  out.libraries = identity.libraries;
  return out;
}

rpc::MempoolView RpcBackend::mempool() const {
  const MempoolStatus status = impl_->status.get().mempool;
  const MempoolLimits& limits = impl_->identity.mempool;
  rpc::MempoolView out;
  out.transactions = status.transactions;
  out.ready = status.ready;
  out.bytes = status.bytes;
  out.accounts = status.accounts;
  out.transactions_max = limits.transactions_max;
  out.bytes_max = limits.bytes_max;
  return out;
}

Result<rpc::BlockView> RpcBackend::block(Height height) const {
  return read_block(impl_->chain, height);
}

Result<rpc::BlockView> RpcBackend::block_by_hash(const Digest& hash) const {
  QUORATE_TRY(const Height height, impl_->chain.height_of(hash));
  return read_block(impl_->chain, height);
}

Result<rpc::BlockView> RpcBackend::block_summary(Height height) const {
  return read_block_summary(impl_->chain, height);
}

Result<ledger::BlockCertificate> RpcBackend::certificate(Height height) const {
  return impl_->chain.certificate(height);
}

Result<rpc::WorkHeaders> RpcBackend::work_headers(Height from, std::uint32_t limit) const {
  return read_work_headers(impl_->chain, impl_->status.get().branch, from, limit);
}

void RpcBackend::account(const crypto::Address& address,
                         std::function<void(rpc::AccountView)> done) const {
  impl_->runtime.inspect([address, done = std::move(done)](const Replica& replica) {
    const ledger::StateView& state = *replica.state();
    rpc::AccountView out;
    out.address = address;
    if (const auto account = state.account(address)) {
      out.exists = true;
      out.balance = account->balance;
      out.nonce = account->nonce;
    }
    out.next_nonce = replica.mempool().next_nonce(address, state);
    out.height = state.height();
    done(std::move(out));
  });
}

Result<rpc::AccountProof> RpcBackend::account_proof(const crypto::Address& address,
                                                    std::uint32_t carriers) const {
  const ProvedBy proof = engine().proved_by;
  if (proof == ProvedBy::none) return unproved(genesis());
  if (proof == ProvedBy::seals) return prove_account(impl_->chain, address);
  return prove_account_by_work(impl_->chain, impl_->status.get().branch, impl_->commit_depth(),
                               address, carriers);
}

// In this order nothing is missed: what has left the mempool because it was executed is in the
// chain by the time the chain is asked again.
void RpcBackend::transaction(const Digest& id,
                             std::function<void(rpc::TransactionView)> done) const {
  if (auto view = read_transaction(impl_->chain, id)) {
    return impl_->place(std::move(*view), std::move(done));
  }
  impl_->runtime.inspect([this, id, done = std::move(done)](const Replica& replica) {
    const ledger::TransactionPtr waiting = replica.mempool().find(id);
    const auto tentative = replica.tentative_height(id);
    if (!waiting && !tentative) {
      return impl_->watch.wait(
          impl_->seen(id), SteadyClock::time_point::min(),
          [this, done](rpc::TransactionView view) { impl_->place(std::move(view), done); });
    }
    rpc::TransactionView out;
    out.id = id;
    out.status = rpc::TransactionStatus::pending;
    if (waiting) out.transaction = waiting->signed_transaction;
    if (!tentative) return done(impl_->placed(std::move(out), {}));
    const TentativeBranch above = impl_->status.take(replica).branch;
    out.placement = read_placement(impl_->chain, above, *tentative);
    if (out.placement) out.status = rpc::TransactionStatus::included;
    done(impl_->placed(std::move(out), above));
  });
}

Result<rpc::TransactionProof> RpcBackend::transaction_proof(const Digest& id) const {
  const ProvedBy proof = engine().proved_by;
  if (proof == ProvedBy::none) return unproved(genesis());
  if (proof == ProvedBy::seals) return prove_transaction(impl_->chain, id);
  return prove_transaction_by_work(impl_->chain, impl_->status.get().branch, impl_->commit_depth(),
                                   id);
}

void RpcBackend::submit(std::vector<Bytes> encoded,
                        std::function<void(std::vector<rpc::SubmitResult>)> done) {
  impl_->runtime.submit(
      std::move(encoded), [this, done = std::move(done)](std::vector<Submitted> submitted) {
        const bool all_admitted = std::all_of(submitted.begin(), submitted.end(),
                                              [](const Submitted& each) { return !each.refusal; });
        const auto answer = [this, done, submitted = std::move(submitted)] {
          std::vector<rpc::SubmitResult> out;
          out.reserve(submitted.size());
          for (const Submitted& each : submitted) out.push_back(impl_->submit_result(each));
          done(std::move(out));
        };
        if (all_admitted) return answer();
        impl_->watch.run_soon(answer);
      });
}

void RpcBackend::check(Bytes encoded, std::function<void(rpc::SubmitResult)> done) const {
  std::vector<Bytes> one;
  one.push_back(std::move(encoded));
  impl_->runtime.check(
      std::move(one), [this, done = std::move(done)](std::vector<CheckedTransaction> checked) {
        const CheckedTransaction& result = checked.front();
        if (result.refusal) return done({result.id, refusal_view(*result.refusal)});
        const ledger::TransactionPtr transaction = result.transaction;
        impl_->runtime.inspect([this, transaction, done](const Replica& replica) {
          CheckBasis basis;
          basis.state = replica.state();
          basis.next_nonce = replica.mempool().next_nonce(transaction->sender, *basis.state);
          basis.waiting = replica.mempool().find(transaction->id) != nullptr;
          impl_->watch.run_soon([this, transaction, basis, done] {
            done(dry_run(impl_->chain, impl_->identity.mempool, transaction, basis));
          });
        });
      });
}

void RpcBackend::wait_final(const Digest& id, std::chrono::milliseconds timeout,
                            std::function<void(rpc::TransactionView)> done) {
  impl_->watch.wait(impl_->seen(id), SteadyClock::now() + timeout,
                    [this, done = std::move(done)](rpc::TransactionView view) {
                      if (view.status != rpc::TransactionStatus::unknown) {
                        return impl_->place(std::move(view), done);
                      }
                      // At the deadline: what the chain does not know may still wait here.
                      transaction(view.id, done);
                    });
}

void RpcBackend::set_event_sink(rpc::EventSink* sink) { impl_->watch.set_sink(sink); }

std::string RpcBackend::metrics_text() const { return impl_->metrics.text(impl_->sample()); }

}  // namespace quorate::node
