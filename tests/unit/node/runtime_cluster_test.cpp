// Four whole nodes in one process: real threads, real TLS on the loopback, real vote logs; only the
// store is in memory. Also run under the thread sanitizer.
#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "crypto/dev_accounts.hpp"
#include "ledger/memory_store.hpp"
#include "node/net/peer_manager.hpp"
#include "node/runtime/misbehavior.hpp"
#include "node/runtime/runtime.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/node/net_fixture.hpp"

namespace quorate::node {
namespace {

using test::Watched;

constexpr std::uint32_t kNodes = 4;
constexpr std::uint64_t kStartBalance = 1'000'000;

crypto::ValidatorKey validator_key(std::uint32_t i) {
  return crypto::ValidatorKey(
      crypto::SecretSeed::from(Bytes(32, static_cast<std::uint8_t>(100 + i))).value());
}

ledger::Genesis make_genesis() {
  ledger::Genesis out;
  out.chain_name = "local-runtime-test";
  out.genesis_time = WallMs(1'000);
  out.consensus.checkpoint_interval = 8;  // snapshots of the vote log happen within the test
  out.consensus.proposals_in_flight = 8;
  for (std::uint32_t i = 0; i < kNodes; ++i) {
    out.validators.push_back({"node" + std::to_string(i), validator_key(i).public_key(),
                              test::node_key(static_cast<std::uint8_t>(i + 1)).public_key(),
                              "127.0.0.1:1"});
  }
  for (std::uint32_t i = 0; i < 10; ++i) {
    out.accounts.push_back({crypto::dev_account_address(i), kStartBalance});
  }
  return out;
}

struct Seen final : Observer {
  void notice(const Notice& notice) override {
    if (notice.kind == Notice::Kind::block_executed) {
      executed.update([&](std::uint64_t& height) { height = notice.height.value(); });
    } else if (notice.kind == Notice::Kind::block_sealed) {
      sealed.update(
          [&](std::uint64_t& height) { height = std::max(height, notice.height.value()); });
    } else if (notice.kind == Notice::Kind::halted) {
      halted.update([&](std::string& why) { why = notice.text; });
    }
  }
  Watched<std::uint64_t> executed;
  Watched<std::uint64_t> sealed;
  Watched<std::string> halted;
};

struct Cluster {
  Cluster() {
    for (auto& store : stores) store = std::make_unique<ledger::MemoryStore>();
    // The highest first: each node dials those above it, whose ports are then known.
    for (std::uint32_t i = kNodes; i-- > 0;) start(i);
  }
  ~Cluster() {
    for (auto& node : nodes) node.reset();
    if (std::uncaught_exceptions() > 0) WARN(log.all());
  }

  void start(std::uint32_t i, bool vote = true) {
    RuntimeConfig config{.genesis = genesis,
                         .node_key = test::node_key(static_cast<std::uint8_t>(i + 1)),
                         .validator_key = std::nullopt,
                         .listen = "127.0.0.1:" + std::to_string(ports[i]),
                         .peer_addresses = {},
                         .votes_dir = folder.path() / ("votes" + std::to_string(i)),
                         .validator_state_file = folder.path() / ("state" + std::to_string(i))};
    if (vote) config.validator_key.emplace(validator_key(i));
    for (const std::uint16_t port : ports) {
      config.peer_addresses.push_back("127.0.0.1:" + std::to_string(port == 0 ? 1 : port));
    }
    config.peer_timing.backoff_first = std::chrono::milliseconds(20);
    config.peer_timing.backoff_most = std::chrono::milliseconds(100);
    config.ledger_executed_before = executed_before[i];
    config.on_diverged = [this, i](const LedgerReplacement& wrong) {
      diverged[i].update([&](auto& value) { value = wrong; });
    };
    auto started = NodeRuntime::start(std::move(config), *stores[i], log);
    if (!started) FAIL(started.error().detail);
    nodes[i] = std::move(*started);
    ports[i] = nodes[i]->p2p_port();
    seen[i] = std::make_unique<Seen>();
    nodes[i]->add_observer(*seen[i]);
  }

  ReplicaStatus status(std::uint32_t i) {
    auto answer = std::make_shared<Watched<std::optional<ReplicaStatus>>>();
    nodes[i]->inspect([answer](const Replica& replica) {
      answer->update([&](auto& value) { value = replica.status(); });
    });
    REQUIRE(answer->wait([](const auto& value) { return value.has_value(); }));
    return *answer->get();
  }
  bool becomes_ready(std::uint32_t i) {
    // Each question is answered between two steps, so asking again is the way to wait.
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < give_up) {
      if (status(i).ready) return true;
    }
    UNSCOPED_INFO(status(i).not_ready_reason);
    return false;
  }

  Bytes transfer(std::uint32_t from, std::uint32_t to, std::uint64_t amount) {
    ledger::Transaction transaction;
    const auto key = crypto::dev_account_key(from);
    transaction.sender = key.public_key();
    transaction.nonce = ++nonces[from];
    transaction.operations.push_back(ledger::Transfer{crypto::dev_account_address(to), amount});
    return ledger::encode(ledger::sign(ledger::chain_id(genesis), transaction, key));
  }
  std::vector<Submitted> submit(std::uint32_t node, std::vector<Bytes> encoded) {
    auto answer = std::make_shared<Watched<std::optional<std::vector<Submitted>>>>();
    nodes[node]->submit(std::move(encoded), [answer](std::vector<Submitted> results) {
      answer->update([&](auto& value) { value = std::move(results); });
    });
    REQUIRE(answer->wait([](const auto& value) { return value.has_value(); }));
    return *answer->get();
  }
  // 1 from account `from` to the next, `count` times, through `node`.
  void pay(std::uint32_t node, std::uint32_t from, std::uint32_t count) {
    std::vector<Bytes> encoded;
    for (std::uint32_t i = 0; i < count; ++i) encoded.push_back(transfer(from, (from + 1) % 10, 1));
    for (const Submitted& submitted : submit(node, std::move(encoded))) {
      REQUIRE(!submitted.refusal.has_value());
      REQUIRE(submitted.id.has_value());
    }
  }
  // Until `node` has executed the last nonce of every account.
  bool settles(std::uint32_t node) {
    return seen[node]->executed.wait(
        [&](std::uint64_t) {
          const auto state = nodes[node]->chain().state();
          for (std::uint32_t i = 0; i < 10; ++i) {
            if (state->account(crypto::dev_account_address(i))->nonce != nonces[i]) return false;
          }
          return true;
        },
        std::chrono::seconds(60));
  }

  const ledger::Genesis genesis = make_genesis();
  TemporaryFolder folder;
  test::MemoryLog log;
  std::array<std::unique_ptr<ledger::MemoryStore>, kNodes> stores;
  std::array<Height, kNodes> executed_before{};
  std::array<Watched<std::optional<LedgerReplacement>>, kNodes> diverged;
  std::array<std::unique_ptr<Seen>, kNodes> seen;
  std::array<std::uint16_t, kNodes> ports{};
  std::array<std::uint64_t, 10> nonces{};
  std::array<std::unique_ptr<NodeRuntime>, kNodes> nodes;
};

TEST_CASE("Four nodes commit transfers, one restarts and catches up, all stop cleanly") {
  Cluster cluster;
  for (std::uint32_t i = 0; i < kNodes; ++i) REQUIRE(cluster.becomes_ready(i));

  for (std::uint32_t i = 0; i < 8; ++i) cluster.pay(i % kNodes, i, 50);
  for (std::uint32_t i = 0; i < kNodes; ++i) REQUIRE(cluster.settles(i));
  CHECK(cluster.nodes[0]->chain().state()->root() == cluster.nodes[3]->chain().state()->root());
  CHECK(cluster.seen[1]->sealed.wait([](std::uint64_t height) { return height > 0; }));

  // One backup is away while the others go on for more than two checkpoints.
  const Height before = cluster.nodes[2]->chain().head().height;
  cluster.nodes[2].reset();
  for (int round = 0; round < 20; ++round) {
    for (std::uint32_t i = 0; i < 4; ++i) cluster.pay(round % 2 == 0 ? 0 : 3, i, 2);
    REQUIRE(cluster.settles(0));
  }
  CHECK(cluster.nodes[0]->chain().head().height.value() > before.value() + 16);
  cluster.start(2);
  CHECK(cluster.nodes[2]->observer_reason().empty());
  CHECK(cluster.nodes[2]->chain().head().height == before);
  REQUIRE(cluster.settles(2));
  REQUIRE(cluster.becomes_ready(2));

  // It votes again: with another one away, a quorum needs it.
  cluster.nodes[1].reset();
  cluster.pay(2, 9, 10);
  for (const std::uint32_t i : {0U, 2U, 3U}) REQUIRE(cluster.settles(i));
  for (const std::uint32_t i : {0U, 2U, 3U}) CHECK(cluster.seen[i]->halted.get().empty());

  for (const std::uint32_t i : {0U, 2U, 3U}) cluster.nodes[i]->stop();
  const auto& chain = cluster.nodes[0]->chain();
  CHECK(cluster.nodes[2]->chain().state()->root() == chain.state()->root());
  CHECK(cluster.nodes[3]->chain().head().block_hash == chain.head().block_hash);
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < 10; ++i) {
    total += chain.state()->account(crypto::dev_account_address(i))->balance;
  }
  CHECK(total == 10 * kStartBalance);
  const auto statistics = cluster.nodes[0]->statistics();
  CHECK(statistics.verify.frames_invalid == std::array<std::uint64_t, kTrafficClasses>{});
  // Every transaction was verified once here, whatever ways it came: by a client, by relay, in a
  // proposal.
  CHECK(statistics.verify.transactions_verified <= 8 * 50 + 20 * 8 + 10);
  CHECK(statistics.vote_log.snapshots > 0);
  // After the stop questions are still answered.
  CHECK(cluster.status(0).head.height == chain.head().height);
}

TEST_CASE("All nodes stop and start again, and go on where they were") {
  Cluster cluster;
  for (std::uint32_t i = 0; i < kNodes; ++i) REQUIRE(cluster.becomes_ready(i));
  cluster.pay(0, 0, 20);
  for (std::uint32_t i = 0; i < kNodes; ++i) REQUIRE(cluster.settles(i));
  for (auto& node : cluster.nodes) node.reset();
  for (std::uint32_t i = kNodes; i-- > 0;) cluster.start(i);
  cluster.pay(1, 0, 20);
  for (std::uint32_t i = 0; i < kNodes; ++i) REQUIRE(cluster.settles(i));
  CHECK(cluster.nodes[0]->chain().head().height == cluster.nodes[2]->chain().head().height);
}

// What a damaged disk or memory leaves: a ledger that is whole, and wrong since its last block.
std::unique_ptr<ledger::MemoryStore> wrong_copy(const ledger::Chain& chain,
                                                const ledger::Genesis& genesis) {
  auto store = std::make_unique<ledger::MemoryStore>();
  auto copy = ledger::Chain::open(*store, genesis).value();
  for (Height height(1); height <= chain.head().height; height = height.next()) {
    ledger::StoredBlock block = chain.block(height).value();
    auto transactions = decode_committed_payload(chain.chain_id(), block.payload).value();
    if (height == chain.head().height) transactions.pop_back();
    REQUIRE(copy->execute({{height, block.header.payload_id, block.header.time,
                            block.header.proposer, std::move(block.payload),
                            std::move(transactions), std::move(block.commit_certificate)}})
                .has_value());
  }
  REQUIRE(copy->head().block_hash != chain.head().block_hash);
  return store;
}

TEST_CASE("A node with a wrong ledger replaces it, fetches the chain again and votes on") {
  Cluster cluster;
  for (std::uint32_t i = 0; i < kNodes; ++i) REQUIRE(cluster.becomes_ready(i));
  for (int round = 0; round < 12; ++round) {
    cluster.pay(0, 0, 3);
    REQUIRE(cluster.settles(0));
  }
  REQUIRE(cluster.settles(2));
  cluster.nodes[2]->stop();
  auto wrong = wrong_copy(cluster.nodes[2]->chain(), cluster.genesis);
  const Height head = cluster.nodes[2]->chain().head().height;
  cluster.nodes[2].reset();
  cluster.stores[2] = std::move(wrong);
  cluster.start(2);
  REQUIRE(cluster.diverged[2].wait([](const auto& value) { return value.has_value(); }));
  CHECK(cluster.diverged[2].get()->executed_to == head);
  CHECK_FALSE(cluster.status(2).ready);

  // What the program does then.
  cluster.nodes[2].reset();
  cluster.stores[2] = std::make_unique<ledger::MemoryStore>();
  cluster.executed_before[2] = head;
  cluster.start(2);
  REQUIRE(cluster.becomes_ready(2));
  CHECK(cluster.nodes[2]->chain().head().height >= head);
  // It votes again: with another one away, a quorum needs it.
  cluster.nodes[1].reset();
  cluster.pay(2, 5, 10);
  for (const std::uint32_t i : {0U, 2U, 3U}) REQUIRE(cluster.settles(i));
  for (const std::uint32_t i : {0U, 2U, 3U}) cluster.nodes[i]->stop();
  CHECK(cluster.nodes[2]->chain().state()->root() == cluster.nodes[0]->chain().state()->root());
  CHECK(cluster.seen[2]->halted.get().empty());
}

TEST_CASE("Bad submissions are refused with their reason, one answer each, in order") {
  Cluster cluster;
  REQUIRE(cluster.becomes_ready(0));
  const Bytes good = cluster.transfer(0, 1, 5);
  Bytes forged = cluster.transfer(1, 2, 5);
  forged.back() ^= 1;
  Bytes other_chain = good;
  {
    ledger::Transaction transaction;
    const auto key = crypto::dev_account_key(3);
    transaction.sender = key.public_key();
    transaction.nonce = 1;
    transaction.operations.push_back(ledger::Transfer{crypto::dev_account_address(4), 1});
    other_chain = ledger::encode(ledger::sign(Digest{{9}}, transaction, key));
  }
  const Bytes poor = cluster.transfer(4, 5, kStartBalance + 1);
  const auto results =
      cluster.submit(0, {forged, Bytes{1, 2, 3}, good, other_chain, Bytes(20'000, 0), poor, good});
  REQUIRE(results.size() == 7);
  const auto reason = [&](std::size_t i) {
    return results[i].refusal ? results[i].refusal->reason : ledger::Reason::none;
  };
  CHECK(reason(0) == ledger::Reason::bad_signature);
  CHECK(results[0].id.has_value());
  CHECK(reason(1) == ledger::Reason::bad_encoding);
  CHECK(!results[1].id.has_value());
  CHECK(reason(2) == ledger::Reason::none);
  CHECK(reason(3) == ledger::Reason::bad_signature);
  CHECK(reason(4) == ledger::Reason::too_large);
  CHECK(reason(5) == ledger::Reason::insufficient_funds);
  CHECK(reason(6) == ledger::Reason::none);
  CHECK(results[6].id == results[2].id);

  cluster.nodes[0]->stop();
  const auto late = cluster.submit(0, {good});
  REQUIRE(late.size() == 1);
  CHECK(late[0].refusal->reason == ledger::Reason::mempool_full);
}

TEST_CASE("A node whose votes are gone follows the chain without voting, and says why") {
  Cluster cluster;
  for (std::uint32_t i = 0; i < kNodes; ++i) REQUIRE(cluster.becomes_ready(i));
  cluster.pay(0, 0, 5);
  REQUIRE(cluster.settles(3));
  cluster.nodes[3].reset();
  std::filesystem::remove_all(cluster.folder.path() / "votes3");
  cluster.start(3);
  CHECK(cluster.nodes[3]->observer_reason().find("must not vote again") != std::string::npos);
  cluster.pay(1, 1, 5);
  REQUIRE(cluster.settles(3));
  const auto status = cluster.status(3);
  CHECK(!status.ready);
  CHECK(status.not_ready_reason == "observer: " + cluster.nodes[3]->observer_reason());
}

// A member that speaks the protocol of the transport and sends nothing a validator would.
TEST_CASE("A peer that sends ten invalid messages is disconnected, and the log stays short") {
  const ledger::Genesis genesis = make_genesis();
  test::MemoryLog log;
  TemporaryFolder folder;
  ledger::MemoryStore store;
  const crypto::NodeKey liar_key = test::node_key(4);
  test::Watched<int> connected;
  test::Watched<int> disconnected;
  PeerManagerConfig liar_config;
  for (const auto& validator : genesis.validators) {
    liar_config.members.push_back({validator.name, validator.node_key});
    liar_config.addresses.push_back("127.0.0.1:1");
  }
  liar_config.self = ReplicaId(3);
  liar_config.node_key = &liar_key;
  liar_config.listen = "127.0.0.1:0";
  liar_config.chain_id = ledger::chain_id(genesis);
  liar_config.software = "test";
  liar_config.frames = frame_limits_for(genesis.consensus.payload_bytes_max);
  test::MemoryLog liar_log;
  auto liar = PeerManager::start(
      std::move(liar_config),
      PeerCallbacks{
          .on_frame = [](ReplicaId, TrafficClass, Bytes) {},
          .on_connected = [&](ReplicaId) { connected.update([](int& count) { ++count; }); },
          .on_disconnected = [&](ReplicaId) { disconnected.update([](int& count) { ++count; }); }},
      liar_log);
  REQUIRE(liar.has_value());

  RuntimeConfig config{.genesis = genesis,
                       .node_key = test::node_key(1),
                       .validator_key = validator_key(0),
                       .listen = "127.0.0.1:0",
                       .peer_addresses = {4, "127.0.0.1:1"},
                       .votes_dir = folder.path() / "votes",
                       .validator_state_file = folder.path() / "state"};
  config.peer_addresses[3] = "127.0.0.1:" + std::to_string((*liar)->port());
  config.peer_timing.backoff_first = std::chrono::milliseconds(20);
  config.peer_timing.backoff_most = std::chrono::milliseconds(100);
  config.bans.first = std::chrono::milliseconds(300);
  auto node = NodeRuntime::start(std::move(config), store, log);
  REQUIRE(node.has_value());

  REQUIRE(connected.wait([](int count) { return count == 1; }));
  const auto lie = [&](int count) {
    for (int i = 0; i < count; ++i) {
      (*liar)->send(ReplicaId(0), TrafficClass::consensus, Bytes(20, 0xff));
    }
  };
  const auto invalid = [&] {
    return (*node)->statistics().verify.frames_invalid[traffic_index(TrafficClass::consensus)];
  };
  lie(9);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (invalid() < 9 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  REQUIRE(invalid() == 9);
  CHECK(disconnected.get() == 0);
  lie(1);
  REQUIRE(disconnected.wait([](int count) { return count == 1; }));
  CHECK(!log.wait_for({"peer disconnected", "'node0' (replica 0) refuses 'node3' (replica 3)",
                       "10 invalid messages within a minute"})
             .empty());
  CHECK(!liar_log.wait_for({"'node0' (replica 0) refuses 'node3' (replica 3)"}).empty());
  CHECK((*node)->net_totals().bans == 1);
  // The ban ends: it comes back, and goes again.
  REQUIRE(connected.wait([](int count) { return count == 2; }));
  lie(10);
  REQUIRE(disconnected.wait([](int count) { return count == 2; }));
  (*node)->stop();
  CHECK((*node)->net_totals().bans == 2);
  const std::string lines = log.all();
  std::size_t logged = 0;
  for (std::size_t at = 0; (at = lines.find("p2p: invalid message", at)) != std::string::npos;
       ++at) {
    ++logged;
  }
  CHECK(logged == Misbehavior::kLoggedMax);
}

TEST_CASE("What was not logged about a peer is told in its next minute") {
  Misbehavior misbehavior(2);
  const Misbehavior::Clock::time_point start{std::chrono::hours(1)};
  std::size_t logged = 0;
  std::size_t too_many = 0;
  for (int i = 0; i < 45; ++i) {
    const auto verdict = misbehavior.invalid(ReplicaId(1), start + std::chrono::seconds(i));
    CHECK(verdict.unlogged == 0);
    logged += verdict.log ? 1 : 0;
    if (verdict.ban.count() > 0) ++too_many;
  }
  CHECK(logged == Misbehavior::kLoggedMax);
  CHECK(too_many == 2);  // at 9 s for ten seconds, at 28 s for twenty
  const auto next = misbehavior.invalid(ReplicaId(1), start + std::chrono::seconds(120));
  CHECK(next.log);
  CHECK(next.unlogged == 42);
  CHECK(misbehavior.invalid(ReplicaId(1), start + std::chrono::seconds(240)).unlogged == 0);
  CHECK(misbehavior.invalid(ReplicaId(0), start).unlogged == 0);
}

TEST_CASE(
    "Bans grow with each repetition, are bounded, and are forgotten after an hour without one") {
  Misbehavior misbehavior(2);
  Misbehavior::Clock::time_point now{std::chrono::hours(1)};
  const auto ban = [&] {
    std::chrono::milliseconds out{0};
    for (std::size_t i = 0; i < Misbehavior::kInvalidMax; ++i) {
      CHECK(out.count() == 0);
      out = misbehavior.invalid(ReplicaId(1), now).ban;
    }
    now += out;
    return out;
  };
  for (const int seconds : {10, 20, 40, 80, 160, 320, 600, 600}) {
    CHECK(ban() == std::chrono::seconds(seconds));
  }
  now += std::chrono::hours(1);
  CHECK(ban() == std::chrono::seconds(10));
  // The other peer has nothing to do with it.
  CHECK(misbehavior.invalid(ReplicaId(0), now).ban.count() == 0);
}

TEST_CASE("What was on its way when a peer was refused makes no refusal longer") {
  Misbehavior misbehavior(2);
  const Misbehavior::Clock::time_point start{std::chrono::hours(1)};
  const auto invalid = [&](std::chrono::milliseconds after) {
    return misbehavior.invalid(ReplicaId(1), start + after).ban;
  };
  for (std::size_t i = 1; i < Misbehavior::kInvalidMax; ++i) CHECK(invalid({}).count() == 0);
  const auto first = invalid({});
  CHECK(first == std::chrono::seconds(10));
  for (std::size_t i = 0; i < 20 * Misbehavior::kInvalidMax; ++i) {
    CHECK(invalid(std::chrono::milliseconds(i)).count() == 0);
  }
  for (std::size_t i = 1; i < Misbehavior::kInvalidMax; ++i) CHECK(invalid(first).count() == 0);
  CHECK(invalid(first) == std::chrono::seconds(20));
}

TEST_CASE("Wrong keys and wrong addresses are errors at the start") {
  test::MemoryLog log;
  TemporaryFolder folder;
  ledger::MemoryStore store;
  const auto start = [&](std::uint8_t node, std::uint32_t validator) {
    RuntimeConfig config{.genesis = make_genesis(),
                         .node_key = test::node_key(node),
                         .validator_key = validator_key(validator),
                         .listen = "127.0.0.1:0",
                         .peer_addresses = {},
                         .votes_dir = folder.path() / "votes",
                         .validator_state_file = folder.path() / "state"};
    config.peer_addresses = {"127.0.0.1:1"};
    return NodeRuntime::start(std::move(config), store, log);
  };
  const auto stranger = start(77, 0);
  REQUIRE(!stranger.has_value());
  CHECK(stranger.error().detail.find("not in the genesis") != std::string::npos);
  const auto mixed = start(1, 1);
  REQUIRE(!mixed.has_value());
  CHECK(mixed.error().detail.find(to_0x(validator_key(1).public_key())) != std::string::npos);
  const auto addresses = start(1, 0);
  REQUIRE(!addresses.has_value());
  CHECK(addresses.error().detail.find("1 peer addresses for 4 validators") != std::string::npos);
}

}  // namespace
}  // namespace quorate::node
