#include "node/replica.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/node/replica_bench.hpp"

using namespace quorate;
using namespace quorate::node;
using namespace quorate::node::testing;
using consensus::PersistToken;

TEST_CASE("a message leaves only when what it waits for is durable") {
  Bench bench;
  bench.engine_says({consensus::Persist{PersistToken(1), {1}, false},
                     consensus::Persist{PersistToken(2), {2}, false},
                     consensus::Send{std::nullopt, {'a'}, PersistToken(2)},
                     consensus::Send{ReplicaId(3), {'b'}, PersistToken(1)},
                     consensus::Send{ReplicaId(2), {'c'}, std::nullopt}});
  REQUIRE(bench.ports.appended.size() == 2);
  REQUIRE(bench.ports.frames.size() == 1);
  CHECK(bench.ports.frames[0].body == Bytes{'c'});
  bench.step(VotesPersisted{PersistToken(1)});
  REQUIRE(bench.ports.frames.size() == 2);
  CHECK(bench.ports.frames[1].body == Bytes{'b'});
  bench.step(VotesPersisted{PersistToken(2)});
  REQUIRE(bench.ports.frames.size() == 3);
  CHECK(bench.ports.frames[2].body == Bytes{'a'});
  CHECK_FALSE(bench.ports.frames[2].to);
}

TEST_CASE("one report of a group sync answers every record of the group") {
  Bench bench;
  bench.engine_says({consensus::Persist{PersistToken(1), {1}, false},
                     consensus::Persist{PersistToken(2), {2}, false},
                     consensus::Persist{PersistToken(3), {3}, false}});
  bench.step(VotesPersisted{PersistToken(3)});
  const auto persisted = bench.engine->all<consensus::Persisted>();
  REQUIRE(persisted.size() == 3);
  CHECK(persisted[0].token == PersistToken(1));
  CHECK(persisted[2].token == PersistToken(3));
}

TEST_CASE("a message whose record is durable already is not held") {
  Bench bench;
  bench.engine_says({consensus::Persist{PersistToken(1), {1}, false}});
  bench.step(VotesPersisted{PersistToken(1)});
  bench.engine_says({consensus::Send{std::nullopt, {'a'}, PersistToken(1)}});
  CHECK(bench.ports.frames.size() == 1);
}

TEST_CASE("what is said again while the disk hangs is held once") {
  Bench bench;
  bench.engine_says({consensus::Persist{PersistToken(1), {1}, false},
                     consensus::Send{std::nullopt, {'a'}, PersistToken(1)}});
  const std::size_t held = bench.replica->memory_bytes();
  for (int i = 0; i < 100; ++i) {
    bench.engine_says({consensus::Send{std::nullopt, {'a'}, PersistToken(1)}});
  }
  CHECK(bench.replica->memory_bytes() == held);
  bench.engine_says({consensus::Send{ReplicaId(2), {'a'}, PersistToken(1)}});  // to another
  bench.step(VotesPersisted{PersistToken(1)});
  CHECK(bench.ports.frames.size() == 2);
}

TEST_CASE("a client's transaction is admitted, relayed, and waits to be proposed") {
  Bench bench;
  bench.submit({transaction({1, 1}), transaction({9, 1})});
  REQUIRE(bench.ports.answers.size() == 1);
  CHECK_FALSE(bench.ports.answers[0].second[0]);
  REQUIRE(bench.ports.answers[0].second[1]);
  CHECK(bench.ports.answers[0].second[1]->reason == ledger::Reason::unknown_sender);
  CHECK(bench.ports.count(TrafficClass::transactions) == 1);
  const auto pending = bench.engine->all<consensus::PendingChanged>();
  REQUIRE(pending.size() == 1);
  CHECK(pending[0].eligible);
}

TEST_CASE("a transaction behind a gap is no eligible work") {
  Bench bench;
  bench.submit({transaction({1, 2})});
  CHECK(bench.engine->all<consensus::PendingChanged>().empty());
}

TEST_CASE("a relayed transaction is admitted and not relayed again") {
  Bench bench;
  bench.step(PeerMessageReceived{ReplicaId(1), RelayedTransactions{{transaction({1, 1})}}});
  CHECK(bench.replica->mempool().status().transactions == 1);
  CHECK(bench.ports.count(TrafficClass::transactions) == 0);
}

TEST_CASE("a proposal is asked for, built after the delay, and its block executed once") {
  Bench bench;
  bench.engine_says({consensus::RequestProposal{Height(1), View(0), false, {}}});
  bench.submit({transaction({1, 1})});
  CHECK(bench.engine->all<consensus::ProposalReady>().empty());
  REQUIRE(bench.replica->next_deadline() == at_ms(2));
  bench.tick(2);
  const auto ready = bench.engine->all<consensus::ProposalReady>();
  REQUIRE(ready.size() == 1);
  CHECK(ready[0].payload == ledger::encode_payload({transaction({1, 1})}));
  CHECK(ready[0].payload_digest == crypto::sha256(ready[0].payload));

  bench.engine_says({Bench::commit(1, {transaction({1, 1})})});
  REQUIRE(bench.ports.ordered.size() == 1);
  CHECK(bench.ports.ordered[0].transactions.size() == 1);
  auto block = executed_block(bench.state, Height(1), {transaction({1, 1})});
  bench.step(BlocksExecuted{{block}});
  CHECK(bench.replica->status().head.height == Height(1));
  CHECK(bench.replica->mempool().status().transactions == 0);
  REQUIRE(bench.engine->all<consensus::Executed>().size() == 1);
  CHECK_FALSE(bench.engine->all<consensus::PendingChanged>().back().eligible);
}

TEST_CASE("a payload is valid as the checker and the chain's cap say") {
  Bench bench;
  const Digest id = FakeVerifier::id_of(1);
  bench.engine_says({consensus::Validate{Height(1), id, {1}}});
  REQUIRE(bench.ports.checks == std::vector<Digest>{id});
  SECTION("valid") {
    bench.step(PayloadChecked{id, Height(1), std::vector{transaction({1, 1})}});
    CHECK(bench.engine->all<consensus::Validated>().back().valid);
  }
  SECTION("invalid") {
    bench.step(PayloadChecked{id, Height(1), std::nullopt});
    CHECK_FALSE(bench.engine->all<consensus::Validated>().back().valid);
  }
  SECTION("more transactions than the chain allows") {
    std::vector<ledger::TransactionPtr> many;
    for (std::uint64_t nonce = 1; nonce <= 5; ++nonce) many.push_back(transaction({1, nonce}));
    bench.step(PayloadChecked{id, Height(1), many});
    CHECK_FALSE(bench.engine->all<consensus::Validated>().back().valid);
  }
}

TEST_CASE("what was committed before its check ended executes in order after it") {
  Bench bench;
  const Digest first = FakeVerifier::id_of(1);
  bench.engine_says({consensus::Validate{Height(1), first, {1}}});
  bench.engine_says(
      {Bench::commit(1, {transaction({1, 1})}), Bench::commit(2, {transaction({1, 2})})});
  CHECK(bench.ports.ordered.empty());
  bench.step(PayloadChecked{first, Height(1), std::vector{transaction({1, 1})}});
  REQUIRE(bench.ports.ordered.size() == 2);
  CHECK(bench.ports.ordered[0].height == Height(1));
  CHECK(bench.ports.ordered[1].transactions.size() == 1);
}

TEST_CASE("a null payload executes without transactions") {
  Bench bench;
  consensus::Commit null = Bench::commit(1, {});
  null.payload.clear();
  bench.engine_says({null});
  REQUIRE(bench.ports.ordered.size() == 1);
  CHECK(bench.ports.ordered[0].transactions.empty());
}

TEST_CASE("a peer's request for blocks is read from the ledger, one at a time") {
  Bench bench;
  bench.step(PeerMessageReceived{ReplicaId(2), BlocksRequest{Height(1)}});
  CHECK(bench.ports.reads.empty());  // nothing there: an empty answer at once
  REQUIRE(bench.ports.count(TrafficClass::sync) == 1);
  bench.step(BlocksExecuted{{executed_block(bench.state, Height(1), {})}});
  bench.step(PeerMessageReceived{ReplicaId(2), BlocksRequest{Height(1)}});
  bench.step(PeerMessageReceived{ReplicaId(2), BlocksRequest{Height(1)}});
  REQUIRE(bench.ports.reads.size() == 1);
  bench.step(BlocksRead{ReplicaId(2), {{{}, {'c', 1}, std::nullopt}}});
  CHECK(bench.ports.count(TrafficClass::sync) == 2);
  bench.step(PeerMessageReceived{ReplicaId(2), BlocksRequest{Height(1)}});
  CHECK(bench.ports.reads.size() == 2);
}

TEST_CASE("catch-up asks a peer, feeds the engine in order and reports the end") {
  Bench bench;
  bench.step(PeerConnected{ReplicaId(1)});
  bench.engine_says({consensus::RequestSync{Height(0), Height(1)}});
  REQUIRE(bench.ports.count(TrafficClass::sync) == 1);
  CHECK(bench.replica->status().syncing);
  CommittedBlock block{};
  block.height = Height(1);
  block.id = FakeVerifier::id_of(1);
  block.committed = std::make_shared<const FakeMessage>(std::uint8_t{42});
  block.transactions = {transaction({1, 1})};
  ledger::BlockCertificate certificate;
  certificate.header.height = Height(1);
  block.certificate = certificate;
  bench.engine->on_step = [&](const consensus::Input& input, std::vector<consensus::Output>& out) {
    const auto* received = std::get_if<consensus::MessageReceived>(&input);
    if (received != nullptr) out.push_back(Bench::commit(1, {transaction({1, 1})}));
  };
  bench.step(PeerMessageReceived{ReplicaId(1), BlocksResponse{{block}}});
  REQUIRE(bench.ports.ordered.size() == 1);
  auto executed = executed_block(bench.state, Height(1), {transaction({1, 1})});

  SECTION("served seals are stored when they seal what was computed here") {
    executed.block_hash = ledger::block_hash(certificate.header);
    bench.step(BlocksExecuted{{executed}});
    CHECK(bench.ports.seals == std::vector<Height>{Height(1)});
    CHECK(bench.engine->all<consensus::SyncFinished>().size() == 1);
    CHECK_FALSE(bench.replica->status().syncing);
  }
  SECTION("seals over another block mean that this replica has diverged") {
    executed.block_hash = FakeVerifier::id_of(9);
    bench.step(BlocksExecuted{{executed}});
    const auto found = bench.engine->all<consensus::DivergenceFound>();
    REQUIRE(found.size() == 1);
    CHECK(found.front().height == Height(1));
    CHECK(bench.engine->all<consensus::Executed>().empty());
    CHECK(bench.ports.seals.empty());
  }
}

TEST_CASE("a diverged ledger is replaced by the host, and nothing more is voted") {
  Bench bench;
  bench.engine_says({consensus::Persist{PersistToken(1), {1}, false},
                     consensus::Send{std::nullopt, {'a'}, PersistToken(1)},
                     consensus::Diverged{Height(3), Height(5), "another block"}});
  REQUIRE(bench.ports.replacements.size() == 1);
  CHECK(bench.ports.replacements.front().height == Height(3));
  CHECK(bench.ports.replacements.front().executed_to == Height(5));
  CHECK(bench.ports.replacements.front().reason == "another block");
  CHECK(std::count(bench.ports.notices.begin(), bench.ports.notices.end(),
                   Notice::Kind::diverged) == 1);
  bench.step(VotesPersisted{PersistToken(1)});
  CHECK(bench.ports.count(TrafficClass::consensus) == 0);
  CHECK_FALSE(bench.replica->status().ready);
}

TEST_CASE("after a halt nothing more is voted") {
  Bench bench;
  bench.engine_says({consensus::Persist{PersistToken(1), {1}, false},
                     consensus::Send{std::nullopt, {'a'}, PersistToken(1)},
                     consensus::Halt{"two proposals committed at one height"}});
  bench.step(VotesPersisted{PersistToken(1)});
  CHECK(bench.ports.count(TrafficClass::consensus) == 0);
  const std::size_t told = bench.engine->inputs.size();
  bench.step(PeerMessageReceived{
      ReplicaId(1), ConsensusMessage{std::make_shared<const FakeMessage>(std::uint8_t{1})}});
  CHECK(bench.engine->inputs.size() == told);
  CHECK_FALSE(bench.replica->status().ready);
}

TEST_CASE("a replica is ready with a quorum connected and nothing to catch up on") {
  Bench bench;
  CHECK_FALSE(bench.replica->status().ready);
  CHECK(bench.replica->status().not_ready_reason ==
        "connected to 0 of 3 peers; it takes 3 nodes to commit, this one included");
  bench.step(PeerConnected{ReplicaId(1)});
  bench.step(PeerConnected{ReplicaId(2)});
  CHECK(bench.replica->status().ready);
  bench.engine->current.highest_evidence = Height(9);
  CHECK(bench.replica->status().target == Height(9));
  CHECK(bench.replica->status().not_ready_reason == "syncing: at height 0 of 9");
  bench.engine->current.observer = true;
  bench.engine->current.observer_reason = "the vote log is damaged";
  CHECK(bench.replica->status().not_ready_reason == "observer: the vote log is damaged");
}

TEST_CASE("who is connected and says nothing cannot be counted on, until something comes again") {
  Bench bench("", {.connected_min = 3, .silence_max = std::chrono::seconds(5)});
  bench.step(PeerConnected{ReplicaId(1)});
  bench.step(PeerConnected{ReplicaId(2)});
  bench.tick(5'000);
  CHECK(bench.replica->status().ready);
  bench.tick(5'001);
  CHECK(bench.replica->status().peers_connected == 2);
  CHECK(bench.replica->status().not_ready_reason ==
        "connected to 2 of 3 peers, 2 of which said nothing for 5 s; it takes 3 nodes to commit, "
        "this one included");
  bench.engine_says({});  // something of peer 1
  CHECK_FALSE(bench.replica->status().ready);
  bench.step(PeerMessageReceived{ReplicaId(2), BlocksRequest{Height(0)}});
  CHECK(bench.replica->status().ready);
  bench.tick(11'000);
  CHECK(bench.replica->status().peers_silent == 2);
  bench.step(PeerConnected{ReplicaId(1)});  // again: a newer connection replaced the older
  CHECK(bench.replica->status().peers_silent == 1);
}

TEST_CASE(
    "who answers late cannot be counted on, and the reason says how far behind this node is") {
  Bench bench("", {.connected_min = 3, .answer_max = std::chrono::seconds(8)});
  bench.step(PeerConnected{ReplicaId(1)});
  bench.step(PeerConnected{ReplicaId(2)});
  bench.tick(20'000);
  CHECK(bench.replica->status().ready);
  bench.engine->current.highest_evidence = Height(3);
  bench.engine->current.claimed_height = Height(2);
  bench.engine->current.unanswered = {std::nullopt, at_ms(12'000), at_ms(12'001), std::nullopt};
  CHECK(bench.replica->status().ready);
  bench.tick(20'001);
  CHECK(bench.replica->status().peers_late == 1);
  CHECK(bench.replica->status().not_ready_reason ==
        "connected to 2 of 3 peers, 1 of which answer more than 8 s late (a slow line): this node "
        "is at height 0, at least 3 blocks behind; it takes 3 nodes to commit, this one included");
  bench.engine->current.claimed_height = Height(40);
  CHECK(bench.replica->status().not_ready_reason.find("40 blocks behind") != std::string::npos);
  // What was asked before there was a connection could not be answered.
  bench.step(PeerConnected{ReplicaId(1)});
  CHECK(bench.replica->status().ready);
  bench.tick(28'001);
  CHECK(bench.replica->status().peers_late == 1);
  bench.tick(28'002);
  CHECK(bench.replica->status().peers_late == 2);
  // A new connection over the same line is as late, until an answer comes.
  bench.step(PeerDisconnected{ReplicaId(2)});
  bench.step(PeerConnected{ReplicaId(2)});
  CHECK(bench.replica->status().peers_late == 2);
  bench.engine->current.unanswered[2] = at_ms(28'000);
  CHECK(bench.replica->status().peers_late == 1);
  bench.step(PeerConnected{ReplicaId(3)});
  CHECK(bench.replica->status().ready);
  // Whoever was merely away starts afresh.
  bench.step(PeerDisconnected{ReplicaId(3)});
  bench.engine->current.unanswered[3] = at_ms(28'002);
  bench.tick(90'000);
  bench.engine->current.unanswered[2] = std::nullopt;
  bench.step(PeerConnected{ReplicaId(3)});
  CHECK(bench.replica->status().ready);
}

TEST_CASE("a replica that its host keeps from voting gives the host's reason, not the engine's") {
  Bench bench("the vote log is lost; use a new key");
  bench.engine->current.observer = true;
  bench.engine->current.observer_reason = "the host decided";
  const ReplicaStatus status = bench.replica->status();
  CHECK(status.not_ready_reason == "observer: the vote log is lost; use a new key");
  CHECK(status.consensus.observer_reason == "the vote log is lost; use a new key");
}

TEST_CASE("the engine is ticked when its deadline is due") {
  Bench bench;
  bench.engine->deadline = at_ms(50);
  CHECK(bench.replica->next_deadline() == at_ms(50));
  bench.tick(49);
  CHECK(bench.engine->all<consensus::Ticked>().empty());
  bench.tick(50);
  CHECK(bench.engine->all<consensus::Ticked>().size() == 1);
}

TEST_CASE("an executed block is announced with the view that agreed on it, if one did") {
  Bench bench;
  for (std::uint8_t height = 1; height <= 3; ++height) {
    consensus::Commit commit = Bench::commit(height, {});
    if (height != 3) commit.view = View(10U + height);
    bench.engine_says({commit});
  }
  for (std::uint64_t height = 1; height <= 3; ++height) {
    bench.step(BlocksExecuted{{executed_block(bench.state, Height(height), {})}});
  }
  REQUIRE(bench.ports.blocks.size() == 3);
  CHECK(bench.ports.blocks[0].agreed_in == View(11));
  CHECK(bench.ports.blocks[1].agreed_in == View(12));
  CHECK_FALSE(bench.ports.blocks[2].agreed_in);
}

TEST_CASE("a primary that leaves out the oldest transaction is reported to the engine") {
  for (const bool own : {false, true}) {
    Bench bench;
    bench.engine->current.primary = ReplicaId(own ? 0 : 1);
    bench.engine->current.view_timeout = std::chrono::seconds(1);
    bench.engine->current.high_watermark = Height(256);
    bench.submit({transaction({1, 1})});
    std::uint64_t height = 0;
    for (std::int64_t at = 100; at <= 6'000; at += 100) {
      bench.tick(at);
      if (at % 500 != 0) continue;
      const auto block = executed_block(bench.state, Height(++height), {});  // it had room
      bench.step(BlocksExecuted{{block}});
    }
    const auto suspected = bench.engine->all<consensus::PrimarySuspected>();
    CHECK(suspected.empty() == own);
    if (own) continue;
    CHECK(suspected.front().reason == consensus::SuspicionReason::censorship);
    CHECK(bench.ports.count(TrafficClass::transactions) >= 10);  // it was told again and again
  }
}

TEST_CASE(
    "a primary that always has small blocks on their way is reported, one with full ones not") {
  constexpr std::size_t kFull = 4;  // of this chain
  for (const std::size_t size : {std::size_t{1}, kFull}) {
    Bench bench;
    bench.engine->current.primary = ReplicaId(1);
    bench.engine->current.view_timeout = std::chrono::seconds(1);
    bench.engine->current.high_watermark = Height(256);
    std::vector<ledger::TransactionPtr> waiting;
    for (std::uint64_t nonce = 1; nonce <= 400; ++nonce) waiting.push_back(transaction({1, nonce}));
    bench.submit(waiting);
    std::uint8_t proposed = 0;
    const auto propose = [&] {
      const auto first = waiting.begin() + static_cast<std::ptrdiff_t>(proposed * size);
      std::vector<ledger::TransactionPtr> content(first, first + static_cast<std::ptrdiff_t>(size));
      const Digest id = FakeVerifier::id_of(++proposed);
      const Height height(proposed);
      bench.engine_says({consensus::Validate{height, id, ledger::encode_payload(content)}});
      bench.step(PayloadChecked{id, height, content});
      bench.engine_says(
          {consensus::Progress{consensus::Progress::Phase::pre_prepared, height, {}}});
      return content;
    };
    auto next = propose();
    for (std::int64_t at = 100; at <= 25'000; at += 100) {
      bench.tick(at);
      if (at % 500 != 0) continue;
      const Height height(proposed);
      auto behind = propose();
      bench.step(BlocksExecuted{{executed_block(bench.state, height, next)}});
      next = std::move(behind);
    }
    const auto suspected = bench.engine->all<consensus::PrimarySuspected>();
    CHECK(suspected.empty() == (size == kFull));
    if (!suspected.empty()) {
      CHECK(suspected.front().reason == consensus::SuspicionReason::throughput);
    }
  }
}

TEST_CASE("the check of a payload, however long it takes here, is not the primary's delay") {
  Bench bench;
  bench.engine->current.primary = ReplicaId(1);
  bench.engine->current.view_timeout = std::chrono::seconds(1);
  bench.engine->current.high_watermark = Height(256);
  for (std::uint8_t i = 1; i <= 30; ++i) {
    const std::int64_t begin = 700 * i;
    const auto content = std::vector{transaction({1, i})};
    bench.tick(begin);
    bench.submit(content);
    bench.tick(begin + 10);
    const Digest id = FakeVerifier::id_of(i);
    bench.engine_says({consensus::Validate{Height(i), id, ledger::encode_payload(content)}});
    for (std::int64_t at = begin + 100; at <= begin + 600; at += 100) bench.tick(at);
    bench.step(PayloadChecked{id, Height(i), content});
    bench.engine_says(
        {consensus::Progress{consensus::Progress::Phase::pre_prepared, Height(i), {}}});
    bench.tick(begin + 690);
    bench.step(BlocksExecuted{{executed_block(bench.state, Height(i), content)}});
  }
  CHECK(bench.engine->all<consensus::PrimarySuspected>().empty());
}

TEST_CASE("a replica without work watches nobody and wakes nobody") {
  Bench bench;
  bench.engine->current.primary = ReplicaId(1);
  CHECK_FALSE(bench.replica->next_deadline());
  bench.submit({transaction({1, 2})});  // behind a nonce gap
  const auto next = bench.replica->next_deadline();
  REQUIRE(next);
  CHECK(*next >= at_ms(1'000));  // custody, not the watch
}

TEST_CASE("messages are counted by type, a broadcast once for each peer") {
  Bench bench;
  bench.step(PeerConnected{ReplicaId(1)});
  bench.step(PeerConnected{ReplicaId(2)});
  bench.engine_says({consensus::Send{std::nullopt, {'a'}, std::nullopt, "prepare"},
                     consensus::Send{ReplicaId(2), {'b'}, std::nullopt, "prepare"}});
  const auto messages = bench.replica->status().messages;
  REQUIRE(messages.size() == 2);
  CHECK(messages[0].type == "fake");
  CHECK(messages[0].in == 1);
  CHECK(messages[1].type == "prepare");
  CHECK(messages[1].out == 3);
}
