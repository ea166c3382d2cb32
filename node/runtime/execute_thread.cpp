#include "node/runtime/execute_thread.hpp"

#include <pthread.h>

#include <algorithm>

#include "node/runtime/fatal.hpp"

namespace quorate::node {

namespace {

constexpr std::size_t kBatchBlocksMax = 64;

}  // namespace

ExecuteThread::ExecuteThread(ledger::Chain& chain, ExecuteCallbacks callbacks, Log& log)
    : chain_(chain), callbacks_(std::move(callbacks)), log_(log) {
  write_thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "quorate-exec");
    run_writes();
  });
  read_thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "quorate-read");
    run_reads();
  });
}

ExecuteThread::~ExecuteThread() { stop(); }

void ExecuteThread::execute(ledger::OrderedBlock block) { writes_.push(std::move(block)); }

void ExecuteThread::rewind(Height height) { writes_.push(Back{height}); }

void ExecuteThread::store_seals(Height height, std::vector<crypto::ReplicaSignature> seals) {
  writes_.push(Seals{height, std::move(seals)});
}

void ExecuteThread::load_payload(Digest id) { reads_.push(Load{id}); }

void ExecuteThread::load_certificates(Height first, std::uint32_t count) {
  reads_.push(LoadRange{first, count});
}

void ExecuteThread::read_blocks(ReplicaId for_peer, Height from, std::uint32_t blocks_max,
                                std::size_t bytes_max) {
  reads_.push(Read{for_peer, from, blocks_max, bytes_max});
}

void ExecuteThread::replace_ledger(LedgerReplacement replacement) {
  if (callbacks_.on_replace) callbacks_.on_replace(std::move(replacement));
}

void ExecuteThread::run_writes() {
  while (!writes_.finished()) {
    auto work = writes_.take_all();
    drop_withdrawn(work);
    while (!work.empty()) {
      if (const auto* back = std::get_if<Back>(&work.front())) {
        write(*back);
        work.pop_front();
        continue;
      }
      std::vector<ledger::OrderedBlock> blocks;
      std::vector<Seals> seals;
      while (!work.empty() && blocks.size() < kBatchBlocksMax) {
        if (std::holds_alternative<Back>(work.front())) break;
        if (auto* block = std::get_if<ledger::OrderedBlock>(&work.front())) {
          blocks.push_back(std::move(*block));
        } else {
          seals.push_back(std::get<Seals>(std::move(work.front())));
        }
        work.pop_front();
      }
      write(std::move(blocks), seals);
    }
  }
}

// What is queued in front of a rewind and above its height need not be executed.
void ExecuteThread::drop_withdrawn(std::deque<Write>& work) {
  const auto last = std::find_if(work.rbegin(), work.rend(), [](const Write& each) {
    return std::holds_alternative<Back>(each);
  });
  if (last == work.rend()) return;
  std::deque<Write> kept;
  std::optional<Height> back_to;  // of the rewinds behind
  while (!work.empty()) {
    Write each = std::move(work.back());
    work.pop_back();
    const auto* block = std::get_if<ledger::OrderedBlock>(&each);
    const auto* back = std::get_if<Back>(&each);
    if (back != nullptr) back_to = std::min(back->to, back_to.value_or(back->to));
    const bool withdrawn = block != nullptr && back_to && block->height > *back_to;
    if (!withdrawn) kept.push_front(std::move(each));
  }
  work = std::move(kept);
}

void ExecuteThread::write(Back back) {
  const auto start = std::chrono::steady_clock::now();
  auto rewound = chain_.rewind(back.to);
  if (!rewound) end_process(log_, "ledger", "blocks cannot be taken back", rewound.error());
  const auto took = std::chrono::steady_clock::now() - start;
  const std::uint64_t count = rewound->taken_from.saturating_sub(back.to.value()).value();
  log_.info("ledger", "blocks were taken back",
            {{"height", std::to_string(back.to.value())},
             {"blocks", std::to_string(count)},
             {"transactions", std::to_string(rewound->transactions)},
             {"executed_again_from", std::to_string(rewound->executed_from.value())},
             {"ms", std::to_string(
                        std::chrono::duration_cast<std::chrono::milliseconds>(took).count())}});
  {
    const std::lock_guard lock(statistics_mutex_);
    ++statistics_.rewinds;
    statistics_.blocks_withdrawn += count;
    statistics_.transactions_withdrawn += rewound->transactions;
  }
  callbacks_.on_rewound({std::move(*rewound)});
}

void ExecuteThread::write(std::vector<ledger::OrderedBlock> blocks,
                          const std::vector<Seals>& seals) {
  if (!blocks.empty()) {
    const auto start = std::chrono::steady_clock::now();
    auto executed = chain_.execute(std::move(blocks));
    if (!executed) end_process(log_, "ledger", "blocks cannot be written", executed.error());
    const auto took = std::chrono::steady_clock::now() - start;
    {
      const std::lock_guard lock(statistics_mutex_);
      statistics_.blocks += executed->size();
      for (const auto& block : *executed) statistics_.transactions += block.transactions.size();
      statistics_.batch.add(static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()));
    }
    callbacks_.on_executed({std::move(*executed)});
  }
  // Seals speak of heights that were executed before they could form, so after the blocks is never
  // too early.
  for (const Seals& entry : seals) {
    if (const auto stored = chain_.store_seals(entry.height, entry.seals); !stored) {
      end_process(log_, "ledger", "seals cannot be written", stored.error());
    }
  }
  if (!seals.empty() && callbacks_.on_certificate) callbacks_.on_certificate(seals.back().height);
}

void ExecuteThread::run_reads() {
  while (!reads_.finished()) {
    for (const auto& work : reads_.take_all()) {
      std::visit([this](const auto& concrete) { perform(concrete); }, work);
    }
  }
}

void ExecuteThread::perform(const Load& load) const {
  PayloadLoaded out{load.id, std::nullopt};
  const auto height = chain_.height_of_payload(load.id);
  if (height) {
    if (auto block = chain_.block(*height)) {
      // A rewind may have put another block there in between.
      if (block->header.payload_id == load.id) {
        out.body = {std::move(block->payload), std::move(block->commit_certificate)};
      }
    } else if (block.error().code != Errc::not_found) {
      end_process(log_, "ledger", "a stored block cannot be read", block.error());
    }
  } else if (height.error().code != Errc::not_found) {
    end_process(log_, "ledger", "the payload index cannot be read", height.error());
  }
  callbacks_.on_loaded(std::move(out));
}

void ExecuteThread::perform(const LoadRange& range) const {
  auto loaded = node::load_certificates(chain_, range.first, range.count);
  if (!loaded) end_process(log_, "ledger", "stored certificates cannot be read", loaded.error());
  if (callbacks_.on_certificates_loaded) callbacks_.on_certificates_loaded(std::move(*loaded));
}

void ExecuteThread::perform(const Read& read) const {
  BlocksRead out{read.for_peer, {}};
  std::size_t bytes = 0;
  for (Height height = read.from; out.blocks.size() < read.blocks_max; height = height.next()) {
    auto block = chain_.block(height);
    if (!block && block.error().code != Errc::not_found) {
      end_process(log_, "ledger", "a stored block cannot be read", block.error());
    }
    if (!block) break;  // the end of the chain
    bytes += block->payload.size() + block->commit_certificate.size();
    if (!out.blocks.empty() && bytes > read.bytes_max) break;
    ServedBlock served{std::move(block->payload), std::move(block->commit_certificate), {}};
    if (auto certificate = chain_.certificate(height)) served.certificate = std::move(*certificate);
    out.blocks.push_back(std::move(served));
  }
  callbacks_.on_read(std::move(out));
}

void ExecuteThread::stop() {
  writes_.close();
  reads_.close();
  if (write_thread_.joinable()) write_thread_.join();
  if (read_thread_.joinable()) read_thread_.join();
}

ExecuteStatistics ExecuteThread::statistics() const {
  const std::lock_guard lock(statistics_mutex_);
  ExecuteStatistics out = statistics_;
  out.queued = writes_.size();
  return out;
}

}  // namespace quorate::node
