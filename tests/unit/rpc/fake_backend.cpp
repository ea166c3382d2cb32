#include "tests/unit/rpc/fake_backend.hpp"

#include "crypto/hash.hpp"

namespace quorate::rpc::test {

namespace {

constexpr std::uint64_t kGenesisMs = 1'900'000'000'000;
constexpr std::uint64_t kNonceGapMax = 4096;

crypto::SecretSeed seed(std::uint8_t fill) {
  const Bytes bytes(crypto::SecretSeed::kSize, fill);
  return crypto::SecretSeed::from(bytes).value();
}

PublicKey node_key(std::uint8_t index) {
  return crypto::NodeKey(seed(static_cast<std::uint8_t>(100 + index))).public_key();
}

}  // namespace

FakeBackend::FakeBackend(FakeOptions options) : options_(options) {
  genesis_.chain_name = "local-fake";
  genesis_.genesis_time = WallMs(kGenesisMs);
  for (std::uint8_t i = 0; i < 4; ++i) {
    validators_.emplace_back(seed(static_cast<std::uint8_t>(1 + i)));
    genesis_.validators.push_back({"node" + std::to_string(i), validators_.back().public_key(),
                                   node_key(i), "127.0.0.1:" + std::to_string(30645 + i)});
  }
  for (std::uint32_t i = 0; i < 4; ++i) {
    genesis_.accounts.push_back({crypto::dev_account_address(i), 1'000'000});
  }
  chain_id_ = ledger::chain_id(genesis_);
  chain_ = ledger::Chain::open(store_, genesis_).value();
  if (options_.threaded) thread_ = std::thread([this] { run(); });
}

FakeBackend::~FakeBackend() {
  {
    const std::lock_guard lock(work_mutex_);
    ending_ = true;
  }
  work_ready_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void FakeBackend::later(std::function<void()> work) const {
  if (!options_.threaded) return work();
  {
    const std::lock_guard lock(work_mutex_);
    work_.push_back(std::move(work));
  }
  work_ready_.notify_all();
}

void FakeBackend::run() {
  std::unique_lock lock(work_mutex_);
  while (!ending_ || !work_.empty()) {
    if (work_.empty()) {
      // Wakes now and then for the deadlines of those who wait.
      work_ready_.wait_for(lock, std::chrono::milliseconds(5));
      lock.unlock();
      answer_waiters();
      lock.lock();
      continue;
    }
    const auto work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

Height FakeBackend::make_block() {
  const Height height = execute(true);
  {
    const std::lock_guard lock(sink_mutex_);
    if (sink_ != nullptr) sink_->on_block_final(height);
  }
  answer_waiters();
  return height;
}

void FakeBackend::make_blocks(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) make_block();
}

Height FakeBackend::make_unsealed_block() { return execute(false); }

Height FakeBackend::execute(bool sealed) {
  const std::lock_guard lock(mutex_);
  ledger::OrderedBlock ordered;
  ordered.height = chain_->head().height.next();
  ordered.proposed_time = WallMs(kGenesisMs + 1000 * ordered.height.value());
  ordered.proposer = validators_[0].public_key();
  for (const auto& [key, transaction] : pending_) ordered.transactions.push_back(transaction);
  pending_.clear();
  ordered.payload = ledger::encode_payload(ordered.transactions);
  ordered.payload_id = crypto::hash("quorate/fake-payload/1", {ordered.payload});
  ordered.commit_certificate = {0xcc};
  std::vector<ledger::OrderedBlock> run;
  run.push_back(std::move(ordered));
  const auto executed = chain_->execute(std::move(run)).value();
  const ledger::ExecutedBlock& block = executed.at(0);
  if (sealed) {
    const auto membership = ledger::membership(genesis_);
    const Digest digest =
        crypto::seal_signing_digest(membership, block.header.height, block.block_hash);
    std::vector<crypto::ReplicaSignature> seals;
    for (std::uint32_t i = 0; i < membership.quorum(); ++i) {
      seals.push_back({ReplicaId(i), validators_[i].sign(digest)});
    }
    QUORATE_ASSERT(chain_->store_seals(block.header.height, seals).has_value());
  }
  return block.header.height;
}

Bytes FakeBackend::transfer(std::uint32_t from, std::uint64_t nonce, std::uint32_t to,
                            std::uint64_t amount, std::uint64_t valid_until_height) const {
  const crypto::AccountKey key = crypto::dev_account_key(from);
  ledger::Transaction transaction;
  transaction.sender = key.public_key();
  transaction.nonce = nonce;
  transaction.valid_until_height = valid_until_height;
  transaction.operations = {ledger::Transfer{crypto::dev_account_address(to), amount}};
  return ledger::encode(ledger::sign(chain_id_, std::move(transaction), key));
}

Digest FakeBackend::id_of(const Bytes& encoded) const {
  return ledger::transaction_id(chain_id_, ledger::decode_signed_transaction(encoded)->transaction);
}

void FakeBackend::set_not_ready(std::string reason) {
  const std::lock_guard lock(mutex_);
  not_ready_ = std::move(reason);
}

void FakeBackend::set_syncing(bool syncing) {
  const std::lock_guard lock(mutex_);
  syncing_ = syncing;
}

void FakeBackend::break_blocks(Error error) {
  const std::lock_guard lock(mutex_);
  broken_ = std::move(error);
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
  out.certified_height = chain_->certified_height();
  out.syncing = syncing_;
  out.target = head.height;
  out.ready = not_ready_.empty();
  out.not_ready_reason = not_ready_;
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
  out.found_at = WallMs(kGenesisMs + 9'000);
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
  out.certified = chain_->certificate(height).has_value();
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
  out.certified = chain_->certificate(height).has_value();
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

Result<AccountProof> FakeBackend::account_proof(const crypto::Address& address) const {
  const std::lock_guard lock(mutex_);
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
  if (!found) return out;
  out.height = found->height;
  out.index = found->index;
  out.receipt = found->receipt;
  if (const auto view = block(found->height); view) {
    out.transaction = view->transactions.at(found->index);
  }
  const bool final = found->height <= chain_->certified_height();
  out.status = !final                                                 ? TransactionStatus::pending
               : found->receipt.outcome == ledger::Outcome::succeeded ? TransactionStatus::final
                                                                      : TransactionStatus::failed;
  return out;
}

void FakeBackend::transaction(const Digest& id, std::function<void(TransactionView)> done) const {
  later([this, id, done = std::move(done)] { done(view_of(id)); });
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
  for (Height at = found->height; at <= chain_->head().height; at = at.next()) {
    out.headers.push_back(*chain_->header(at));
    if (auto certificate = chain_->certificate(at); certificate) {
      out.certificate = std::move(*certificate);
      return out;
    }
  }
  return fail(Errc::unavailable, "no certificate covers this transaction here yet");
}

SubmitResult FakeBackend::admit(const Bytes& encoded, bool keep) {
  using ledger::Reason;
  const auto refuse = [](SubmitResult result, Reason reason, std::string detail,
                         std::optional<std::uint64_t> expected = {},
                         std::optional<std::uint64_t> got = {}) {
    result.refusal = SubmitRefusal{reason, std::move(detail), expected, got};
    return result;
  };
  const std::lock_guard lock(mutex_);
  SubmitResult result;
  if (encoded.size() > ledger::kTransactionBytesMax) {
    return refuse(result, Reason::too_large, "larger than 16384 bytes",
                  ledger::kTransactionBytesMax, encoded.size());
  }
  const auto decoded = ledger::decode_signed_transaction(encoded);
  if (!decoded) return refuse(result, Reason::bad_encoding, decoded.error().detail);
  result.id = ledger::transaction_id(chain_id_, decoded->transaction);
  const auto verified = ledger::verify_transaction(chain_id_, encoded, verifier_);
  if (!verified) return refuse(result, Reason::bad_signature, verified.error().detail);
  const ledger::Transaction& transaction = decoded->transaction;
  const crypto::Address sender = (*verified)->sender;
  const auto account = chain_->state()->account(sender);
  if (!account) return refuse(result, Reason::unknown_sender, "there is no such account");
  const Height next_height = chain_->head().height.next();
  if (transaction.valid_until_height != 0 && transaction.valid_until_height < next_height.value()) {
    return refuse(result, Reason::expired, "valid until a height that has passed",
                  next_height.value(), transaction.valid_until_height);
  }
  const auto waiting = pending_.find({sender, transaction.nonce});
  if (waiting != pending_.end() && waiting->second->id == *result.id) return result;
  std::uint64_t next = account->nonce + 1;
  while (pending_.contains({sender, next})) ++next;
  if (transaction.nonce < next) {
    return refuse(result, Reason::nonce_too_low, "nonce too low", next, transaction.nonce);
  }
  if (transaction.nonce > next + kNonceGapMax) {
    return refuse(result, Reason::nonce_too_high, "nonce too high", next, transaction.nonce);
  }
  std::uint64_t needed = 0;
  for (const auto& operation : transaction.operations) {
    needed += std::get<ledger::Transfer>(operation).amount;
  }
  if (needed > account->balance) {
    return refuse(result, Reason::insufficient_funds,
                  "insufficient funds (have " + std::to_string(account->balance) + ", need " +
                      std::to_string(needed) + ")",
                  account->balance, needed);
  }
  if (keep) pending_.emplace(std::pair(sender, transaction.nonce), *verified);
  return result;
}

void FakeBackend::submit(std::vector<Bytes> encoded,
                         std::function<void(std::vector<SubmitResult>)> done) {
  later([this, encoded = std::move(encoded), done = std::move(done)] {
    std::vector<SubmitResult> results;
    for (const Bytes& transaction : encoded) results.push_back(admit(transaction, true));
    if (options_.commit_at_once) make_block();
    done(std::move(results));
  });
}

void FakeBackend::check(Bytes encoded, std::function<void(SubmitResult)> done) const {
  // Checking changes nothing: admit() keeps the transaction only when told to.
  auto* const self = const_cast<FakeBackend*>(this);
  later([self, encoded = std::move(encoded), done = std::move(done)] {
    done(self->admit(encoded, false));
  });
}

void FakeBackend::wait_final(const Digest& id, std::chrono::milliseconds timeout,
                             std::function<void(TransactionView)> done) {
  if (!options_.threaded) return done(view_of(id));
  {
    const std::lock_guard lock(mutex_);
    waiters_.push_back({id, std::chrono::steady_clock::now() + timeout, std::move(done)});
  }
  later([this] { answer_waiters(); });
}

void FakeBackend::answer_waiters() {
  std::vector<std::pair<std::function<void(TransactionView)>, TransactionView>> ready;
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    std::vector<Waiter> left;
    for (Waiter& waiter : waiters_) {
      TransactionView view = view_of(waiter.id);
      const bool decided =
          view.status == TransactionStatus::final || view.status == TransactionStatus::failed;
      if (decided || now >= waiter.deadline) {
        ready.emplace_back(std::move(waiter.done), std::move(view));
      } else {
        left.push_back(std::move(waiter));
      }
    }
    waiters_ = std::move(left);
  }
  for (const auto& [done, view] : ready) done(view);
}

void FakeBackend::set_event_sink(EventSink* sink) {
  const std::lock_guard lock(sink_mutex_);
  sink_ = sink;
}

std::string FakeBackend::metrics_text() const { return "# the node's metrics\nquorate_fake 1\n"; }

}  // namespace quorate::rpc::test
