// A replica between ports that remember what they were asked and an engine that says what a test
// tells it to.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "node/replica.hpp"
#include "tests/unit/node/core_fixture.hpp"
#include "tests/unit/node/fake_engine.hpp"

namespace quorate::node::testing {

// Every port, remembering what it was asked.
struct FakePorts final : Transport, VoteLog, Executor, PayloadChecker, Clients, Observer {
  struct Frame {
    std::optional<ReplicaId> to;
    TrafficClass traffic;
    Bytes body;
  };
  void send(std::optional<ReplicaId> to, TrafficClass traffic, Bytes body) override {
    frames.push_back({to, traffic, std::move(body)});
  }
  void disconnect(ReplicaId, const std::string&) override {}
  void append(consensus::PersistToken token, Bytes, bool) override { appended.push_back(token); }
  void execute(ledger::OrderedBlock block) override {
    ledger_jobs.emplace_back(block);
    ordered.push_back(std::move(block));
  }
  void rewind(Height height) override { ledger_jobs.emplace_back(height); }
  void store_seals(Height height, std::vector<crypto::ReplicaSignature>) override {
    seals.push_back(height);
  }
  void load_payload(Digest id) override { loads.push_back(id); }
  void load_certificates(Height first, std::uint32_t) override {
    certificate_loads.push_back(first);
  }
  void read_blocks(ReplicaId peer, Height from, std::uint32_t, std::size_t) override {
    reads.emplace_back(peer, from);
  }
  void replace_ledger(LedgerReplacement replacement) override {
    replacements.push_back(std::move(replacement));
  }
  void check(Digest id, Height, Bytes) override { checks.push_back(id); }
  void admitted(Ticket ticket, std::vector<std::optional<Refusal>> results) override {
    answers.emplace_back(ticket, std::move(results));
  }
  void notice(const Notice& notice) override {
    notices.push_back(notice.kind);
    if (notice.withdrawn) withdrawn.push_back(notice);
    if (notice.block) blocks.push_back(notice);
  }

  std::size_t count(TrafficClass traffic) const {
    return static_cast<std::size_t>(
        std::count_if(frames.begin(), frames.end(),
                      [&](const Frame& frame) { return frame.traffic == traffic; }));
  }

  std::vector<Frame> frames;
  std::vector<consensus::PersistToken> appended;
  std::vector<ledger::OrderedBlock> ordered;
  std::deque<std::variant<ledger::OrderedBlock, Height>> ledger_jobs;  // executions and rewinds
  std::vector<Height> seals;
  std::vector<Digest> loads;
  std::vector<Height> certificate_loads;
  std::vector<std::pair<ReplicaId, Height>> reads;
  std::vector<LedgerReplacement> replacements;
  std::vector<Digest> checks;
  std::vector<std::pair<Ticket, std::vector<std::optional<Refusal>>>> answers;
  std::vector<Notice::Kind> notices;
  std::vector<Notice> withdrawn;  // of blocks_withdrawn
  std::vector<Notice> blocks;     // of block_executed
};

struct Bench {
  explicit Bench(const std::string& observer_reason = "",
                 consensus::EngineTraits traits = {.connected_min = 3},
                 ledger::StateViewPtr at_start = nullptr) {
    auto owned = std::make_unique<FakeEngine>();
    engine = owned.get();
    ReplicaConfig config;
    config.genesis = test_genesis();
    config.self = ReplicaId(0);
    config.batch_delay = std::chrono::milliseconds(2);
    replica = std::make_unique<Replica>(
        std::move(config),
        consensus::EngineParts{std::move(owned), std::make_shared<const FakeVerifier>(), traits,
                               nullptr},
        Ports{ports, ports, ports, ports, ports, ports});
    ReplicaStarted started;
    started.state = at_start ? at_start : state;
    started.observer = !observer_reason.empty();
    started.observer_reason = observer_reason;
    step(std::move(started));
  }
  void step(ReplicaInput input) { replica->step({now, WallMs(1), std::move(input)}); }
  void tick(std::int64_t milliseconds) {
    now = at_ms(milliseconds);
    step(ReplicaTicked{});
  }
  // Makes the engine answer its next input with these outputs.
  void engine_says(std::vector<consensus::Output> said) {
    engine->says_next = std::move(said);
    step(PeerMessageReceived{
        ReplicaId(1), ConsensusMessage{std::make_shared<const FakeMessage>(std::uint8_t{1})}});
  }
  void submit(const std::vector<ledger::TransactionPtr>& content) {
    step(TransactionsSubmitted{Ticket(++tickets), content});
  }
  static consensus::Commit commit(std::uint8_t height,
                                  const std::vector<ledger::TransactionPtr>& content) {
    return {Height(height), FakeVerifier::id_of(height),     WallMs(5),
            PublicKey{},    ledger::encode_payload(content), {'c', height}};
  }

  Instant now;
  std::uint64_t tickets = 0;
  std::shared_ptr<FakeState> state = std::make_shared<FakeState>();
  FakePorts ports;
  FakeEngine* engine = nullptr;
  std::unique_ptr<Replica> replica;
};

}  // namespace quorate::node::testing
