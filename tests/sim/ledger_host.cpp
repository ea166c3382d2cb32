#include "tests/sim/ledger_host.hpp"

namespace quorate::sim {
namespace {

constexpr Duration kExecuteMin = std::chrono::microseconds(200);
constexpr Duration kExecuteMax = std::chrono::milliseconds(3);
constexpr Duration kSlowExecuteMax = std::chrono::milliseconds(200);
constexpr Duration kExecutionReport = std::chrono::microseconds(50);
constexpr Duration kRead = std::chrono::microseconds(300);
constexpr std::size_t kGroupMax = 8;  // blocks of one batch

}  // namespace

LedgerHost::LedgerHost(World& world, Machine machine, Prng prng, Hooks hooks)
    : world_(world),
      machine_(machine),
      prng_(prng),
      hooks_(std::move(hooks)),
      store_(std::make_unique<ledger::MemoryStore>()) {}

void LedgerHost::follow(const consensus::EngineTraits& traits) {
  seals_ = traits.seals;
  if (traits.commit_depth > 0 && !snapshots_) snapshots_.emplace(*store_);
}

void LedgerHost::open() {
  if (std::exchange(replace_at_open_, false)) restore(std::make_unique<ledger::MemoryStore>());
  auto chain = ledger::Chain::open(
      *store_, world_.genesis, {.seals = seals_, .snapshots = snapshots_ ? &*snapshots_ : nullptr});
  if (!chain) return world_.violate("contract", "the chain does not open: " + chain.error().detail);
  chain_ = std::move(*chain);
}

void LedgerHost::restore(std::unique_ptr<ledger::MemoryStore> store) {
  store_ = std::move(store);
  if (snapshots_) snapshots_->follow(*store_);
}

void LedgerHost::crash() {
  ++life_;
  busy_ = false;
  jobs_.clear();
  chain_.reset();
  const std::size_t unsynced = store_->unsynced_batches();
  const std::size_t survivors = prng_.below(unsynced + 1);
  if (survivors < unsynced) world_.coverage.add(Happened::unsynced_seals_lost);
  store_->drop_unsynced(survivors);
}

void LedgerHost::replace_ledger(node::LedgerReplacement replacement) {
  world_.trace("replace ledger", machine_.value(), replacement.height.value());
  executed_before_ = replacement.executed_to;
  replace_at_open_ = true;
  hooks_.replaced();
}

void LedgerHost::after(Duration delay, std::function<void()> action) {
  world_.timeline.after(delay, [this, life = life_, run = std::move(action)] {
    if (life == life_) run();
  });
}

void LedgerHost::add(Job job) {
  jobs_.push_back(std::move(job));
  if (!busy_) start_next();
}

void LedgerHost::execute(ledger::OrderedBlock block) { add(std::move(block)); }
void LedgerHost::rewind(Height height) { add(Back{height}); }

void LedgerHost::store_seals(Height height, std::vector<crypto::ReplicaSignature> seals) {
  if (world_.options.canary == Canary::forged_seal && height.value() % 7 == 0) {
    seals.front().signature.bytes[0] ^= 1U;
  }
  add(Seals{height, std::move(seals)});
}

void LedgerHost::start_next() {
  // Seals are not synced: they cost nothing worth simulating.
  while (!jobs_.empty() && std::holds_alternative<Seals>(jobs_.front())) {
    const Seals seals = std::move(std::get<Seals>(jobs_.front()));
    jobs_.pop_front();
    const auto stored = chain_->store_seals(seals.height, seals.signatures);
    if (!stored) {
      return world_.violate("contract", "seals were not stored: " + stored.error().detail);
    }
    hooks_.sealed(seals.height, seals.signatures);
  }
  if (jobs_.empty()) return;
  if (const auto* back = std::get_if<Back>(&jobs_.front())) {
    busy_ = true;
    after(prng_.duration(kExecuteMin, slow_ ? kSlowExecuteMax : kExecuteMax),
          [this, to = back->to] { finish_rewind(to); });
    return;
  }
  std::size_t count = 0;
  const std::size_t group = prng_.between(1, kGroupMax);
  while (count < jobs_.size() && count < group &&
         std::holds_alternative<ledger::OrderedBlock>(jobs_[count])) {
    ++count;
  }
  busy_ = true;
  if (slow_) world_.coverage.add(Happened::slow_disk);
  after(prng_.duration(kExecuteMin, slow_ ? kSlowExecuteMax : kExecuteMax),
        [this, count] { finish_blocks(count); });
}

void LedgerHost::finish_blocks(std::size_t count) {
  std::vector<ledger::OrderedBlock> blocks;
  for (std::size_t i = 0; i < count; ++i) {
    blocks.push_back(std::move(std::get<ledger::OrderedBlock>(jobs_.front())));
    tamper(blocks.back());
    jobs_.pop_front();
  }
  busy_ = false;
  const std::vector<ledger::OrderedBlock> ordered = blocks;
  auto executed = chain_->execute(std::move(blocks));
  if (!executed) {
    return world_.violate("contract", "execution failed: " + executed.error().detail);
  }
  for (std::size_t i = 0; i < executed->size(); ++i) hooks_.durable((*executed)[i], ordered[i]);
  if (hooks_.crash_after_execution()) return;
  after(kExecutionReport, [this, blocks_executed = std::move(*executed)] {
    hooks_.answer(node::BlocksExecuted{blocks_executed});
  });
  start_next();
}

void LedgerHost::finish_rewind(Height to) {
  jobs_.pop_front();
  busy_ = false;
  auto rewound = chain_->rewind(to);
  if (!rewound) return world_.violate("contract", "a rewind failed: " + rewound.error().detail);
  if (hooks_.rewound) hooks_.rewound(*rewound);
  if (hooks_.crash_after_execution()) return;
  after(kExecutionReport,
        [this, answer = std::move(*rewound)] { hooks_.answer(node::LedgerRewound{answer}); });
  start_next();
}

// The canary that executes something else than what was agreed on.
void LedgerHost::tamper(ledger::OrderedBlock& block) {
  if (tamper_) tamper_(block);
  if (world_.options.canary != Canary::other_payload || machine_ != Machine(1)) return;
  if (block.height.value() >= 20 && !block.transactions.empty()) block.transactions.pop_back();
}

void LedgerHost::load_payload(Digest id) {
  after(kRead, [this, id] {
    node::PayloadLoaded out{id, std::nullopt};
    const auto height = chain_->height_of_payload(id);
    if (height) {
      auto block = chain_->block(*height);
      if (block) {
        out.body = consensus::PayloadLoaded::Body{std::move(block->payload),
                                                  std::move(block->commit_certificate)};
      }
    }
    hooks_.answer(std::move(out));
  });
}

void LedgerHost::load_certificates(Height first, std::uint32_t count) {
  after(kRead, [this, first, count] {
    auto loaded = node::load_certificates(*chain_, first, count);
    if (!loaded) {
      return world_.violate("contract", "certificates were not read: " + loaded.error().detail);
    }
    hooks_.answer(std::move(*loaded));
  });
}

void LedgerHost::read_blocks(ReplicaId for_peer, Height from, std::uint32_t blocks_max,
                             std::size_t bytes_max) {
  after(kRead, [this, for_peer, from, blocks_max, bytes_max] {
    node::BlocksRead out{for_peer, {}};
    std::size_t bytes = 0;
    for (Height height = from; out.blocks.size() < blocks_max; height = height.next()) {
      auto block = chain_->block(height);
      if (!block) break;
      bytes += block->payload.size() + block->commit_certificate.size();
      if (!out.blocks.empty() && bytes > bytes_max) break;
      auto certificate = chain_->certificate(height);
      node::ServedBlock served{std::move(block->payload), std::move(block->commit_certificate),
                               std::nullopt};
      if (certificate) served.certificate = std::move(*certificate);
      out.blocks.push_back(std::move(served));
    }
    hooks_.answer(std::move(out));
  });
}

}  // namespace quorate::sim
