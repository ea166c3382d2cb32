// What the fake backend answers from its chain.
#include "crypto/hash.hpp"
#include "tests/unit/rpc/fake_backend.hpp"

namespace quorate::rpc::test {

EngineView FakeBackend::engine() const {
  EngineView out;
  if (options_.work) return {false, 1, kFakeDepth, true, consensus::ProvedBy::work};
  out.connected_min = ledger::membership(genesis_).quorum();
  return out;
}

BranchView FakeBackend::branch_view() const {
  BranchView out;
  out.tip = out.best_header = branch_->tip();
  if (out.tip > Height(0)) {
    const auto& tip = branch_->header(out.tip);
    out.tip_id = crypto::work::id_of(tip);
    out.tip_time = WallMs(tip.time_s * 1000);
  }
  out.bits = kFakeBits;
  out.expected_hashes = crypto::work::expected_hashes(kFakeBits);
  out.blocks_mined = 2;
  out.stale_blocks = out.branch_switches = out.deepest_switch = 1;
  out.mining = true;
  out.hashes = 4'000'000;
  out.hashes_per_second = 500'000;
  return out;
}

TransactionView::Placement FakeBackend::placement(Height height) const {
  return {height, crypto::work::id_of(branch_->header(height)), branch_->depth(height)};
}

Result<WorkHeaders> FakeBackend::work_headers(Height from, std::uint32_t limit) const {
  const std::lock_guard lock(mutex_);
  WorkHeaders out;
  out.tip = branch_->tip();
  for (Height at = from; at <= out.tip && out.headers.size() < limit; at = at.next()) {
    out.headers.push_back(crypto::work::encode(branch_->header(at)));
  }
  return out;
}

ChainStatus FakeBackend::chain_status() const {
  const std::lock_guard lock(mutex_);
  const ledger::Head head = chain_->head();
  ChainStatus out;
  out.chain_name = genesis_.chain_name;
  out.chain_id = chain_id_;
  out.engine = genesis_.consensus.engine;
  out.height = head.height;
  out.block_hash = head.block_hash;
  out.block_time = chain_->header(head.height)->time;
  out.certified_height = final_height();
  if (branch_) out.branch = branch_view();
  out.syncing = syncing_;
  out.target = head.height;
  out.ready = not_ready_.empty();
  out.not_ready_reason = not_ready_;
  out.peers = out.peers_connected = 3;
  return out;
}

ReplicaView FakeBackend::replica_view() const {
  const std::lock_guard lock(mutex_);
  ReplicaView out;
  out.node_name = "node0";
  out.replica = ReplicaId(0);
  out.validators = 4;
  out.faults_tolerated = 1;
  out.quorum = 3;
  out.last_executed = chain_->head().height;
  out.sealed_to = chain_->certified_height();
  out.high_watermark = Height(256);
  out.last_committed = out.known_height = out.last_executed;
  out.primary_name = "node0";
  out.suspects = {{ReplicaId(2), "node2", View(0), "progress", 8'500}};
  out.view_changes = {{ReplicaId(3), "node3", View(1)}};
  out.timers = {{"progress", 640}, {"status", 120}};
  out.view_timeout_ms = 1'000;
  out.pending_transactions = 1;
  if (branch_) out.branch = branch_view();
  return out;
}

std::vector<EvidenceView> FakeBackend::evidence() const {
  EvidenceView out;
  out.replica = ReplicaId(2);
  out.name = "node2";
  out.validator_key = validators_[2].public_key();
  out.type = "prepare";
  out.view = View(0);
  out.height = Height(7);
  out.found_at = genesis_.genesis_time.saturating_add(9'000);
  for (const char* payload : {"one", "other"}) {
    const Digest id = crypto::hash("quorate/fake-id/1", {as_bytes(payload)});
    const Digest digest = crypto::hash("quorate/fake-vote/1", {id});
    out.contents.push_back({to_bytes(id), digest, validators_[2].sign(digest)});
  }
  out.proof = {0xee};
  return {out};
}

std::vector<PeerView> FakeBackend::peers() const {
  PeerView up{ReplicaId(1), "node1", "127.0.0.1:30646", true, true, 1000, 2000, 1, ""};
  PeerView down{ReplicaId(2),        "node2", "127.0.0.1:30647", false, false, 0, 0, 0,
                "connection refused"};
  return {up, down};
}

NodeInfo FakeBackend::node_info() const {
  NodeInfo out;
  out.name = "node0";
  out.version = "0.1.0";
  out.git_commit = "0000000";
  out.engine = genesis_.consensus.engine;
  out.chain_name = genesis_.chain_name;
  out.chain_id = chain_id_;
  out.node_key = genesis_.validators[0].node_key;
  out.validator_key = genesis_.validators[0].validator_key;
  out.wire_version = 1;
  out.storage_version = 1;
  out.uptime_ms = 1234;
  out.libraries = {{"libsodium", "1.0.18"}};
  return out;
}

MempoolView FakeBackend::mempool() const {
  const std::lock_guard lock(mutex_);
  MempoolView out;
  out.transactions = out.ready = pending_.size();
  for (const auto& [key, transaction] : pending_) out.bytes += transaction->encoded.size();
  out.accounts = pending_.empty() ? 0 : 1;
  out.transactions_max = 100'000;
  out.bytes_max = 64U << 20U;
  return out;
}

Result<BlockView> FakeBackend::block(Height height) const {
  const std::lock_guard lock(mutex_);
  if (broken_) return tl::unexpected(*broken_);
  if (height > chain_->head().height) {
    return fail(Errc::not_found, "no block " + std::to_string(height.value()) +
                                     " here, the newest is " +
                                     std::to_string(chain_->head().height.value()));
  }
  QUORATE_TRY(const ledger::StoredBlock stored, chain_->block(height));
  BlockView out;
  out.header = stored.header;
  out.hash = ledger::block_hash(stored.header);
  out.commit_certificate = stored.commit_certificate;
  out.certified = branch_ || chain_->certificate(height).has_value();
  QUORATE_TRY(out.receipts, chain_->receipts(height));
  if (stored.payload.empty()) return out;
  QUORATE_TRY(const auto parts, ledger::split_payload(stored.payload));
  for (const ByteView part : parts) {
    QUORATE_TRY(auto transaction, ledger::decode_signed_transaction(part));
    out.transaction_ids.push_back(ledger::transaction_id(chain_id_, transaction.transaction));
    out.transactions.push_back(std::move(transaction));
  }
  return out;
}

Result<BlockView> FakeBackend::block_by_hash(const Digest& hash) const {
  const std::lock_guard lock(mutex_);
  const auto height = chain_->height_of(hash);
  if (!height) return fail(Errc::not_found, "no block of this hash here");
  return block(*height);
}

Result<BlockView> FakeBackend::block_summary(Height height) const {
  const std::lock_guard lock(mutex_);
  if (broken_) return tl::unexpected(*broken_);
  BlockView out;
  QUORATE_TRY(out.header, chain_->header(height));
  out.hash = ledger::block_hash(out.header);
  out.certified = branch_ || chain_->certificate(height).has_value();
  return out;
}

Result<ledger::BlockCertificate> FakeBackend::certificate(Height height) const {
  const std::lock_guard lock(mutex_);
  if (height > chain_->head().height) return fail(Errc::not_found, "no block of this height here");
  auto certificate = chain_->certificate(height);
  if (!certificate) return fail(Errc::unavailable, "no quorum has sealed this block here yet");
  return certificate;
}

void FakeBackend::account(const crypto::Address& address,
                          std::function<void(AccountView)> done) const {
  AccountView out;
  {
    const std::lock_guard lock(mutex_);
    out.address = address;
    out.height = chain_->head().height;
    const auto account = chain_->state()->account(address);
    out.exists = account.has_value();
    out.balance = account ? account->balance : 0;
    out.nonce = account ? account->nonce : 0;
    out.next_nonce = out.nonce + 1;
    while (pending_.contains({address, out.next_nonce})) ++out.next_nonce;
  }
  later([done = std::move(done), out] { done(out); });
}

Result<AccountProof> FakeBackend::account_proof(const crypto::Address& address,
                                                std::uint32_t carriers) const {
  const std::lock_guard lock(mutex_);
  if (branch_) {
    const Height at = branch_->tip().saturating_sub(kFakeDepth + carriers);
    AccountProof out{address, (*chain_->state_at(at))->prove(address), {}, {}, {}};
    if (at == Height(0)) {
      out.headers.push_back(*chain_->header(at));
      out.work = CarriedByWork{Height(kFakeDepth + 1), {}};
    } else {
      QUORATE_TRY(out.work, carried_by_work(at, out.headers));
    }
    return out;
  }
  const Height height = chain_->certified_height();
  QUORATE_TRY(const ledger::BlockCertificate certificate, this->certificate(height));
  const auto state = chain_->state_at(height);
  if (!state) return fail(Errc::unavailable, "the state of the certified height is gone");
  return AccountProof{address, (*state)->prove(address), certificate};
}

TransactionView FakeBackend::view_of(const Digest& id) const {
  const std::lock_guard lock(mutex_);
  TransactionView out;
  out.id = id;
  for (const auto& [key, transaction] : pending_) {
    if (transaction->id != id) continue;
    out.status = TransactionStatus::pending;
    out.transaction = transaction->signed_transaction;
    return out;
  }
  const auto found = chain_->find(id);
  if (!found && branch_) {
    if (const auto height = branch_->find(id)) {
      out.status = TransactionStatus::included;
      out.placement = placement(*height);
    }
  }
  if (!found) return out;
  if (branch_) out.placement = placement(found->height);
  out.height = found->height;
  out.index = found->index;
  out.receipt = found->receipt;
  if (const auto view = block(found->height); view) {
    out.transaction = view->transactions.at(found->index);
  }
  const bool final = found->height <= final_height();
  out.status = !final                                                 ? TransactionStatus::pending
               : found->receipt.outcome == ledger::Outcome::succeeded ? TransactionStatus::final
                                                                      : TransactionStatus::failed;
  return out;
}

void FakeBackend::transaction(const Digest& id, std::function<void(TransactionView)> done) const {
  later([this, id, done = std::move(done)] { done(view_of(id)); });
}

Result<CarriedByWork> FakeBackend::carried_by_work(Height height,
                                                   std::vector<ledger::Header>& headers) const {
  CarriedByWork out;
  out.first = height.saturating_add(kFakeDepth + 1);
  for (Height at = height; at.saturating_add(kFakeDepth + 1) <= branch_->tip(); at = at.next()) {
    headers.push_back(*chain_->header(at));
    out.block_ids.push_back(
        crypto::work::id_of(branch_->header(at.saturating_add(kFakeDepth + 1))));
  }
  if (headers.empty()) return fail(Errc::unavailable, "no block carries it yet");
  return out;
}

Result<TransactionProof> FakeBackend::transaction_proof(const Digest& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = chain_->find(id);
  if (!found) return fail(Errc::not_found, "no executed transaction of this id here");
  QUORATE_TRY(const auto receipts, chain_->receipts(found->height));
  std::vector<Digest> leaves;
  for (const ledger::Receipt& receipt : receipts) leaves.push_back(ledger::receipt_leaf(receipt));
  TransactionProof out;
  out.receipt = found->receipt;
  out.path = ledger::merkle_prove(leaves, found->index);
  if (branch_) {
    QUORATE_TRY(out.work, carried_by_work(found->height, out.headers));
    return out;
  }
  for (Height at = found->height; at <= chain_->head().height; at = at.next()) {
    out.headers.push_back(*chain_->header(at));
    if (auto certificate = chain_->certificate(at); certificate) {
      out.certificate = std::move(*certificate);
      return out;
    }
  }
  return fail(Errc::unavailable, "no certificate covers this transaction here yet");
}

}  // namespace quorate::rpc::test
