#include "node/metrics_families.hpp"

#include "node/net/frame.hpp"

namespace quorate::node {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

MetricFamily family(const std::string& name, const std::string& help, MetricType type) {
  MetricFamily out;
  out.name = "quorate_" + name;
  out.help = help;
  out.type = type;
  return out;
}

MetricFamily gauge(const std::string& name, const std::string& help, std::uint64_t value) {
  MetricFamily out = family(name, help, MetricType::Gauge);
  out.metric.emplace_back().gauge.value = static_cast<double>(value);
  return out;
}

void add_count(MetricFamily& to, Labels labels, std::uint64_t value) {
  ClientMetric& metric = to.metric.emplace_back();
  metric.label = std::move(labels);
  metric.counter.value = static_cast<double>(value);
}

void add_length(MetricFamily& to, const std::string& queue, std::size_t value) {
  ClientMetric& metric = to.metric.emplace_back();
  metric.label = {{"queue", queue}};
  metric.gauge.value = static_cast<double>(value);
}

void add_duration(MetricFamily& to, const std::string& what, const DurationTotal& total) {
  constexpr double kSecond = 1e9;
  ClientMetric& metric = to.metric.emplace_back();
  metric.label = {{"what", what}};
  metric.summary.sample_count = total.count;
  metric.summary.sample_sum = static_cast<double>(total.total_ns) / kSecond;
}

std::string class_name(std::size_t traffic) {
  // Counters by class start with TrafficClass::consensus, which is 1.
  return to_string(frame_type(static_cast<TrafficClass>(traffic + 1)));
}

void add_consensus(std::vector<MetricFamily>& out, const MetricsSample& sample) {
  out.push_back(gauge("consensus_height", "Newest executed height.", sample.height));
  out.push_back(gauge("consensus_certified_height", "Newest height with a block certificate.",
                      sample.certified_height));
  out.push_back(gauge("consensus_view", "Active view.", sample.view));
  out.push_back(gauge("consensus_primary", "Replica that proposes in this view.", sample.primary));
  out.push_back(gauge("consensus_validators", "Replicas that vote.", sample.validators));
  out.push_back(gauge("consensus_fault_tolerance", "Faulty replicas that the chain tolerates.",
                      sample.fault_tolerance));
  out.push_back(gauge("consensus_missing_validators", "Replicas that are not connected.",
                      sample.missing_validators));
  out.push_back(gauge("consensus_stable_checkpoint_height",
                      "Height of the newest stable checkpoint.", sample.stable_checkpoint_height));
  out.push_back(gauge("consensus_changing_view", "1 while a view is asked for and not open.",
                      sample.changing_view ? 1 : 0));
  out.push_back(
      gauge("consensus_suspects", "Replicas that would leave the view.", sample.suspects));
  MetricFamily timeout = family("consensus_view_timeout_seconds",
                                "How long a view may go without progress.", MetricType::Gauge);
  timeout.metric.emplace_back().gauge.value = static_cast<double>(sample.view_timeout_ms) / 1e3;
  out.push_back(std::move(timeout));
  MetricFamily messages =
      family("consensus_messages_total", "Messages of the protocol, by type.", MetricType::Counter);
  for (const MessageCount& count : sample.messages) {
    add_count(messages, {{"type", std::string(count.type)}, {"direction", "in"}}, count.in);
    add_count(messages, {{"type", std::string(count.type)}, {"direction", "out"}}, count.out);
  }
  out.push_back(std::move(messages));
  MetricFamily evidence =
      family("consensus_evidence_total", "Proofs kept against replicas, by what they signed twice.",
             MetricType::Counter);
  for (const auto& [type, count] : sample.evidence) add_count(evidence, {{"type", type}}, count);
  out.push_back(std::move(evidence));
  out.push_back(gauge("ledger_replacements",
                      "How often the ledger of this home went wrong and was moved aside.",
                      sample.ledger_replacements));
  out.push_back(
      gauge("sync_syncing", "1 while blocks are fetched from peers.", sample.syncing ? 1 : 0));
  out.push_back(gauge("sync_lag_blocks",
                      "Blocks that signatures prove and that are not executed here.",
                      sample.lag_blocks));
}

void add_work(std::vector<MetricFamily>& out, const MetricsSample& sample) {
  if (!sample.branch) return;
  const consensus::Status::Branch& branch = *sample.branch;
  const auto counter = [&out](const std::string& name, const std::string& help,
                              std::uint64_t value) {
    add_count(out.emplace_back(family(name, help, MetricType::Counter)), {}, value);
  };
  const MiningStatistics mining = sample.runtime.mining.value_or(MiningStatistics{});
  counter("pow_hashes_total", "Hashes computed in search of blocks.", mining.hashes);
  counter("pow_blocks_mined_total", "Blocks that this node found.", branch.blocks_mined);
  counter("pow_stale_blocks_total", "Blocks seen that are not on the preferred branch.",
          branch.stale_blocks);
  counter("pow_reorgs_total", "Times the preferred branch changed and took blocks back.",
          branch.branch_switches);
  const ExecuteStatistics& ledger = sample.runtime.execute;
  counter("pow_rewinds_total", "Times the ledger took committed blocks back.", ledger.rewinds);
  counter("pow_withdrawn_blocks_total", "Committed blocks taken back.", ledger.blocks_withdrawn);
  counter("pow_reversed_txs_total", "Transactions in them.", ledger.transactions_withdrawn);
  counter("pow_dropped_txs_total",
          "Transactions, reversed or waiting, that found no room in the mempool after that.",
          sample.rewind_dropped);
  out.push_back(gauge("pow_deepest_reorg_blocks", "The most blocks that one change took back.",
                      branch.deepest_switch));
  out.push_back(
      gauge("pow_tip_height", "Newest block of the preferred branch.", branch.tip.value()));
  out.push_back(gauge("pow_tip_time_seconds", "When its miner says that it was made, Unix time.",
                      branch.tip_time_s));
  out.push_back(gauge("pow_difficulty_hashes", "Hashes that the next block is expected to take.",
                      branch.expected_hashes));
  out.push_back(
      gauge("pow_hash_rate", "Hashes per second of this node, of late.", mining.hashes_per_second));
  out.push_back(gauge("pow_mining", "1 while this node looks for a block.", branch.mining ? 1 : 0));
  out.push_back(gauge("pow_orphans", "Blocks held whose parent is not known.", branch.orphans));
}

void add_peers(std::vector<MetricFamily>& out, const MetricsSample& sample) {
  out.push_back(gauge("p2p_peers", "Connected peers.", sample.peers));
  MetricFamily bytes =
      family("p2p_bytes_total", "Bytes exchanged with peers.", MetricType::Counter);
  add_count(bytes, {{"direction", "in"}}, sample.net.bytes_in);
  add_count(bytes, {{"direction", "out"}}, sample.net.bytes_out);
  MetricFamily messages =
      family("p2p_messages_total", "Messages exchanged with peers.", MetricType::Counter);
  MetricFamily dropped = family(
      "p2p_dropped_messages_total",
      "Messages dropped: by full queues, or above what one peer may send.", MetricType::Counter);
  MetricFamily invalid = family("p2p_invalid_messages_total",
                                "Messages from peers that did not verify.", MetricType::Counter);
  const VerifyStatistics& verify = sample.runtime.verify;
  for (std::size_t i = 0; i < kTrafficClasses; ++i) {
    const std::string type = class_name(i);
    add_count(messages, {{"type", type}, {"direction", "in"}}, sample.net.frames_in[i]);
    add_count(messages, {{"type", type}, {"direction", "out"}}, sample.net.frames_sent[i]);
    add_count(
        dropped, {{"type", type}, {"direction", "in"}},
        verify.frames_dropped[i] + verify.frames_excess[i] + sample.runtime.consensus.dropped[i]);
    add_count(dropped, {{"type", type}, {"direction", "out"}}, sample.net.frames_dropped[i]);
    add_count(invalid, {{"type", type}}, verify.frames_invalid[i]);
  }
  MetricFamily refused = family("p2p_refused_handshakes_total",
                                "Connections that either side refused.", MetricType::Counter);
  add_count(refused, {}, sample.net.refused);
  MetricFamily bans = family("p2p_bans_total", "Peers refused for a while for invalid messages.",
                             MetricType::Counter);
  add_count(bans, {}, sample.net.bans);
  for (MetricFamily* each : {&bytes, &messages, &dropped, &invalid, &refused, &bans}) {
    out.push_back(std::move(*each));
  }
}

void add_runtime(std::vector<MetricFamily>& out, const MetricsSample& sample) {
  const RuntimeStatistics& runtime = sample.runtime;
  out.push_back(gauge("mempool_size", "Transactions that wait.", sample.mempool_transactions));
  out.push_back(gauge("mempool_size_bytes", "Bytes that wait.", sample.mempool_bytes));
  out.push_back(gauge("storage_size_bytes", "The database on disk.", sample.storage_bytes));
  MetricFamily writes =
      family("storage_write_duration_seconds",
             "Writing with its sync: votes by group, blocks by run.", MetricType::Summary);
  add_duration(writes, "votes", runtime.vote_log.sync);
  add_duration(writes, "blocks", runtime.execute.batch);
  MetricFamily signatures =
      family("verify_transactions_total",
             "Signatures of transactions checked, or known from before.", MetricType::Counter);
  add_count(signatures, {{"result", "checked"}}, runtime.verify.transactions_verified);
  add_count(signatures, {{"result", "known"}}, runtime.verify.transactions_known);
  MetricFamily queues =
      family("queue_length", "Work that waits inside the node.", MetricType::Gauge);
  add_length(queues, "verify_frames", runtime.verify.queued_frames);
  add_length(queues, "verify_payloads", runtime.verify.queued_payloads);
  add_length(queues, "verify_client_transactions", runtime.verify.queued_client_transactions);
  add_length(queues, "consensus_urgent", runtime.consensus.queued_urgent);
  add_length(queues, "consensus_bulk", runtime.consensus.queued_bulk);
  add_length(queues, "vote_log", runtime.vote_log.queued);
  add_length(queues, "execute", runtime.execute.queued);
  for (MetricFamily* each : {&writes, &signatures, &queues}) out.push_back(std::move(*each));
}

}  // namespace

std::vector<MetricFamily> families_of(const MetricsSample& sample) {
  std::vector<MetricFamily> out;
  add_consensus(out, sample);
  add_work(out, sample);
  add_peers(out, sample);
  add_runtime(out, sample);
  return out;
}

}  // namespace quorate::node
