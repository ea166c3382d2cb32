#include "node/metrics.hpp"

#include <catch2/catch.hpp>

#include "ledger/memory_store.hpp"
#include "tests/unit/ledger/fixture.hpp"

using namespace quorate;
using namespace quorate::node;
using namespace quorate::ledger::test;

namespace {

Notice notice(Notice::Kind kind, std::uint64_t height = 0) {
  Notice out{};
  out.kind = kind;
  out.height = Height(height);
  return out;
}

Notice progress(consensus::Progress::Phase phase, std::uint64_t height) {
  Notice out = notice(Notice::Kind::progress, height);
  out.phase = phase;
  return out;
}

bool contains(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("what is sampled and what the runtime counts is shown as it is") {
  const Metrics metrics({"0.1.0", "abc", "pbft"});
  MetricsSample sample;
  sample.height = 12;
  sample.fault_tolerance = 1;
  sample.net.bytes_in = 100;
  sample.net.frames_sent[0] = 7;
  sample.runtime.vote_log.sync.add(2'000'000);
  sample.runtime.vote_log.sync.add(1'000'000);
  const std::string text = metrics.text(sample);
  CHECK(contains(text, "quorate_build_info{commit=\"abc\",engine=\"pbft\",version=\"0.1.0\"} 1"));
  CHECK(contains(text, "quorate_consensus_height 12"));
  CHECK(contains(text, "quorate_consensus_view_changes_total{cause=\"progress\"} 0"));
  CHECK(contains(text, "quorate_consensus_fault_tolerance 1"));
  CHECK(contains(text, "quorate_p2p_bytes_total{direction=\"in\"} 100"));
  CHECK(contains(text, "quorate_p2p_messages_total{type=\"consensus\",direction=\"out\"} 7"));
  CHECK(contains(text, "quorate_storage_write_duration_seconds_count{what=\"votes\"} 2"));
  CHECK(contains(text, "quorate_storage_write_duration_seconds_sum{what=\"votes\"} 0.003"));
}

TEST_CASE("the latency of a transaction is counted when its block is final, not before") {
  ledger::MemoryStore store;
  const auto chain = *ledger::Chain::open(store, small_genesis());
  const auto payment = transfer(chain->chain_id(), "anna", 1, "ben", 25);
  Metrics metrics({"0.1.0", "abc", "pbft"});
  const Metrics::Time start{};

  Notice pooled = notice(Notice::Kind::transaction_pooled);
  pooled.transaction = payment;
  metrics.notice(pooled, start);

  std::vector<ledger::OrderedBlock> blocks;
  blocks.push_back(ordered(Height(1), {payment}));
  Notice executed = notice(Notice::Kind::block_executed, 1);
  executed.block =
      std::make_shared<const ledger::ExecutedBlock>(chain->execute(std::move(blocks))->front());
  metrics.notice(executed, start + std::chrono::milliseconds(3));
  CHECK(contains(metrics.text({}), "quorate_tx_commit_latency_seconds_count 0"));
  CHECK(contains(metrics.text({}), "quorate_chain_txs_total 1"));

  metrics.notice(notice(Notice::Kind::block_sealed, 1), start + std::chrono::milliseconds(4));
  const std::string text = metrics.text({});
  CHECK(contains(text, "quorate_tx_commit_latency_seconds_count 1"));
  CHECK(contains(text, "quorate_tx_commit_latency_seconds_sum 0.004"));
}

TEST_CASE("each phase of a height is timed from the phase before it") {
  using Phase = consensus::Progress::Phase;
  Metrics metrics({"0.1.0", "abc", "pbft"});
  const Metrics::Time start{};
  metrics.notice(progress(Phase::pre_prepared, 7), start);
  metrics.notice(progress(Phase::prepared, 7), start + std::chrono::milliseconds(2));
  metrics.notice(progress(Phase::committed, 7), start + std::chrono::milliseconds(5));
  const std::string text = metrics.text({});
  CHECK(contains(text, "quorate_consensus_phase_duration_seconds_sum{phase=\"prepare\"} 0.002"));
  CHECK(contains(text, "quorate_consensus_phase_duration_seconds_sum{phase=\"commit\"} 0.003"));
}

TEST_CASE("what was refused is counted") {
  Metrics metrics({"0.1.0", "abc", "pbft"});
  metrics.notice(notice(Notice::Kind::message_rejected), {});
  metrics.notice(notice(Notice::Kind::equivocation), {});
  metrics.transaction_rejected("nonce_too_low");
  metrics.transaction_rejected("nonce_too_low");
  const std::string text = metrics.text({});
  CHECK(contains(text, "quorate_consensus_invalid_messages_total 1"));
  CHECK(contains(text, "quorate_consensus_equivocations_total 1"));
  CHECK(contains(text, "quorate_mempool_rejected_total{reason=\"nonce_too_low\"} 2"));
}

TEST_CASE("suspicions, messages and evidence are counted by what they are") {
  using Phase = consensus::Progress::Phase;
  Metrics metrics({"0.1.0", "abc", "pbft"});
  Notice suspected = progress(Phase::suspected, 1);
  suspected.text = "censorship";
  metrics.notice(suspected, {});
  metrics.notice(suspected, {});
  MetricsSample sample;
  sample.messages = {{"new_view", 1, 3}};
  sample.evidence = {{"seal", 2}};
  sample.suspects = 2;
  sample.changing_view = true;
  sample.view_timeout_ms = 1'500;
  const std::string text = metrics.text(sample);
  CHECK(contains(text, "quorate_consensus_suspects_total{reason=\"censorship\"} 2"));
  CHECK(contains(text, "quorate_consensus_messages_total{type=\"new_view\",direction=\"out\"} 3"));
  CHECK(contains(text, "quorate_consensus_evidence_total{type=\"seal\"} 2"));
  CHECK(contains(text, "quorate_consensus_suspects 2"));
  CHECK(contains(text, "quorate_consensus_changing_view 1"));
  CHECK(contains(text, "quorate_consensus_view_timeout_seconds 1.5"));
}
