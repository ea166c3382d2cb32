#include "node/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>
#include <unordered_map>

#include "node/metrics_families.hpp"

namespace quorate::node {
namespace {

using Phase = consensus::Progress::Phase;
using Buckets = prometheus::Histogram::BucketBoundaries;

// How much is remembered until it is final. What is forgotten is missing from a histogram only.
constexpr std::size_t kWaitingMax = 200'000;
constexpr std::size_t kHeightsMax = 1'024;

const Buckets kSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                          0.25,  0.5,    1,     2.5,  5,     10,   30};
const Buckets kBytes = {256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304};

double seconds(Metrics::Time from, Metrics::Time to) {
  return std::chrono::duration<double>(to - from).count();
}

// The phase that ends with this step, or null where nothing is measured.
const char* phase_name(Phase phase) {
  switch (phase) {
    case Phase::prepared: return "prepare";
    case Phase::committed: return "commit";
    case Phase::executed: return "execute";
    case Phase::sealed: return "seal";
    case Phase::proposed:
    case Phase::pre_prepared:
    case Phase::checkpoint_stable:
    case Phase::view_left:
    case Phase::view_entered:
    case Phase::suspected:
    case Phase::mined:
    case Phase::branch_switched:
    case Phase::parted:
    case Phase::reunited: return nullptr;
  }
  return nullptr;
}

}  // namespace

struct Metrics::Impl {
  explicit Impl(bool seals_in) : seals(seals_in) {}

  const bool seals;
  prometheus::Registry registry;

  prometheus::Counter& counter(const std::string& name, const std::string& help,
                               const prometheus::Labels& labels = {}) {
    return prometheus::BuildCounter()
        .Name("quorate_" + name)
        .Help(help)
        .Register(registry)
        .Add(labels);
  }
  prometheus::Histogram& histogram(const std::string& name, const std::string& help,
                                   const Buckets& buckets) {
    return prometheus::BuildHistogram()
        .Name("quorate_" + name)
        .Help(help)
        .Register(registry)
        .Add({}, buckets);
  }

  prometheus::Histogram& block_interval =
      histogram("consensus_block_interval_seconds", "Time between two executed blocks.", kSeconds);
  prometheus::Family<prometheus::Histogram>& phase_duration =
      prometheus::BuildHistogram()
          .Name("quorate_consensus_phase_duration_seconds")
          .Help("Time that a height spent in each phase of agreement.")
          .Register(registry);
  prometheus::Counter& invalid_messages =
      counter("consensus_invalid_messages_total",
              "Messages that verified and that the engine refused all the same.");
  prometheus::Family<prometheus::Counter>& view_changes =
      prometheus::BuildCounter()
          .Name("quorate_consensus_view_changes_total")
          .Help("Views this replica left, by what made it leave.")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& suspects =
      prometheus::BuildCounter()
          .Name("quorate_consensus_suspects_total")
          .Help("Times this replica began to suspect a primary, by reason.")
          .Register(registry);
  prometheus::Counter& equivocations =
      counter("consensus_equivocations_total", "Proofs that a replica signed two contents.");
  prometheus::Counter& transactions =
      counter("chain_txs_total", "Transactions in executed blocks, skipped ones included.");
  prometheus::Histogram& block_size =
      histogram("chain_block_size_bytes", "Transactions of a block, encoded.", kBytes);
  prometheus::Histogram& commit_latency =
      histogram("tx_commit_latency_seconds", "From admission here to a final block.", kSeconds);
  prometheus::Family<prometheus::Counter>& mempool_rejected =
      prometheus::BuildCounter()
          .Name("quorate_mempool_rejected_total")
          .Help("Submissions that were not admitted.")
          .Register(registry);

  std::mutex mutex;  // guards what follows
  std::unordered_map<Digest, Time, FixedHash<Digest>> pooled;
  std::map<Height, std::vector<Time>> executed;  // when the transactions of a height were pooled
  std::map<Height, Time> last_phase;
  std::optional<Time> last_block;

  void on_progress(const Notice& notice, Time now);
  void on_block(const ledger::ExecutedBlock& block, Time now);
  void on_final(Height height, Time now);
};

void Metrics::Impl::on_progress(const Notice& notice, Time now) {
  if (!notice.phase || *notice.phase == Phase::checkpoint_stable) return;
  if (*notice.phase == Phase::view_left) {
    return view_changes.Add({{"cause", notice.text}}).Increment();
  }
  if (*notice.phase == Phase::suspected) {
    return suspects.Add({{"reason", notice.text}}).Increment();
  }
  if (*notice.phase == Phase::view_entered) return;
  const auto before = last_phase.find(notice.height);
  const char* name = phase_name(*notice.phase);
  if (before != last_phase.end() && name != nullptr) {
    phase_duration.Add({{"phase", name}}, kSeconds).Observe(seconds(before->second, now));
  }
  if (*notice.phase == Phase::sealed) {
    last_phase.erase(notice.height);
    return;
  }
  last_phase[notice.height] = now;
  if (last_phase.size() > kHeightsMax) last_phase.erase(last_phase.begin());
}

void Metrics::Impl::on_block(const ledger::ExecutedBlock& block, Time now) {
  if (last_block) block_interval.Observe(seconds(*last_block, now));
  last_block = now;
  std::size_t bytes = 0;
  auto& times = executed[block.header.height];
  for (const auto& transaction : block.transactions) {
    bytes += transaction->encoded.size();
    const auto found = pooled.find(transaction->id);
    if (found == pooled.end()) continue;
    times.push_back(found->second);
    pooled.erase(found);
  }
  transactions.Increment(static_cast<double>(block.transactions.size()));
  block_size.Observe(static_cast<double>(bytes));
  if (executed.size() > kHeightsMax) executed.erase(executed.begin());
}

void Metrics::Impl::on_final(Height at, Time now) {
  while (!executed.empty() && executed.begin()->first <= at) {
    for (const Time& since : executed.begin()->second) commit_latency.Observe(seconds(since, now));
    executed.erase(executed.begin());
  }
}

Metrics::Metrics(const MetricsIdentity& identity) : impl_(std::make_unique<Impl>(identity.seals)) {
  prometheus::BuildGauge()
      .Name("quorate_build_info")
      .Help("What this node is; always 1.")
      .Register(impl_->registry)
      .Add(
          {{"version", identity.version}, {"commit", identity.commit}, {"engine", identity.engine}})
      .Set(1);
  // There from the start, so that an alert on it finds 0 and not nothing.
  impl_->view_changes.Add({{"cause", "progress"}});
  impl_->suspects.Add({{"reason", "progress"}});
}

Metrics::~Metrics() = default;

void Metrics::notice(const Notice& notice, Time now) {
  const std::lock_guard lock(impl_->mutex);
  switch (notice.kind) {
    case Notice::Kind::progress: return impl_->on_progress(notice, now);
    case Notice::Kind::block_executed:
      if (!notice.block) return;
      impl_->on_block(*notice.block, now);
      if (!impl_->seals) impl_->on_final(notice.block->header.height, now);
      return;
    case Notice::Kind::block_sealed: return impl_->on_final(notice.height, now);
    case Notice::Kind::transaction_pooled:
      if (impl_->pooled.size() >= kWaitingMax) impl_->pooled.clear();
      if (notice.transaction) impl_->pooled.emplace(notice.transaction->id, now);
      return;
    case Notice::Kind::message_rejected: return impl_->invalid_messages.Increment();
    case Notice::Kind::equivocation: return impl_->equivocations.Increment();
    case Notice::Kind::blocks_withdrawn:
    case Notice::Kind::certificate_stored:
    case Notice::Kind::sync_started:
    case Notice::Kind::sync_finished:
    case Notice::Kind::diverged:
    case Notice::Kind::halted: return;
  }
}

void Metrics::transaction_rejected(std::string_view reason) {
  impl_->mempool_rejected.Add({{"reason", std::string(reason)}}).Increment();
}

std::string Metrics::text(const MetricsSample& sample) const {
  auto families = impl_->registry.Collect();
  auto sampled = families_of(sample);
  families.insert(families.end(), std::make_move_iterator(sampled.begin()),
                  std::make_move_iterator(sampled.end()));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace quorate::node
