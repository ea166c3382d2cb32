#include "tests/unit/rpc/fake_backend.hpp"

#include "crypto/hash.hpp"

namespace quorate::rpc::test {

namespace {

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
  genesis_.genesis_time = WallMs(options_.genesis_ms);
  for (std::uint8_t i = 0; i < 4; ++i) {
    validators_.emplace_back(seed(static_cast<std::uint8_t>(1 + i)));
    genesis_.validators.push_back({"node" + std::to_string(i), validators_.back().public_key(),
                                   node_key(i), "127.0.0.1:" + std::to_string(30645 + i)});
  }
  for (std::uint32_t i = 0; i < 4; ++i) {
    genesis_.accounts.push_back({crypto::dev_account_address(i), 1'000'000});
  }
  if (options_.work) prove_by_work(genesis_);
  chain_id_ = ledger::chain_id(genesis_);
  if (options_.work) branch_.emplace(genesis_);
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
  const Height height = branch_ ? mine() : execute(true);
  {
    const std::lock_guard lock(sink_mutex_);
    if (sink_ != nullptr) sink_->on_block_final(final_height());
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
  ordered.proposed_time = WallMs(options_.genesis_ms + 1000 * ordered.height.value());
  ordered.proposer = validators_[0].public_key();
  for (const auto& [key, transaction] : pending_) ordered.transactions.push_back(transaction);
  pending_.clear();
  ordered.payload = ledger::encode_payload(ordered.transactions);
  ordered.payload_id = crypto::hash("quorate/fake-payload/1", {ordered.payload});
  ordered.commit_certificate = {0xcc};
  const ledger::ExecutedBlock block = execute_next(std::move(ordered));
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

ledger::ExecutedBlock FakeBackend::execute_next(ledger::OrderedBlock ordered) {
  std::vector<ledger::OrderedBlock> run;
  run.push_back(std::move(ordered));
  return chain_->execute(std::move(run)).value().at(0);
}

Height FakeBackend::mine() {
  const std::lock_guard lock(mutex_);
  std::vector<ledger::TransactionPtr> transactions;
  for (const auto& [key, transaction] : pending_) transactions.push_back(transaction);
  pending_.clear();
  const std::uint64_t height = branch_->tip().value() + 1;
  const std::uint64_t lag = kFakeDepth + 1;
  const Height executed(height > lag ? height - lag : 0);
  branch_->mine(std::move(transactions), ledger::block_hash(*chain_->header(executed)));
  while (branch_->depth(chain_->head().height.next()) >= kFakeDepth) {
    execute_next(branch_->ordered(chain_->head().height.next()));
  }
  return branch_->tip();
}

Height FakeBackend::final_height() const {
  const std::lock_guard lock(mutex_);
  return branch_ ? chain_->head().height : chain_->certified_height();
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
  const auto placed = branch_ ? branch_->find(*result.id) : std::nullopt;
  if (placed && *placed > chain_->head().height) return result;
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
    needed += ledger::spends(operation);
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
