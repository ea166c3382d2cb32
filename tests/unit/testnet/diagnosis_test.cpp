#include <algorithm>
#include <catch2/catch.hpp>

#include "testnet/diagnosis/diagnosis.hpp"

namespace quorate::testnet {

namespace {

// Four nodes that run, are connected to each other and wait for work.
NetworkFacts healthy() {
  NetworkFacts facts;
  facts.quorum = 3;
  facts.observed_ms = 1500;
  for (int i = 0; i < 4; ++i) {
    NodeFacts node;
    node.name = "node" + std::to_string(i);
    node.status.process = RunState::alive;
    node.status.reachable = true;
    node.status.ready = true;
    node.status.chain_id = "0x01";
    node.status.height = 10;
    node.status.block_hash = "0xaa";
    node.status.primary = 0;
    node.status.high_watermark = 256;
    node.height_before = 10;
    node.version = "0.1.0 (abc)";
    node.wire_version = 1;
    node.mempool_max = 100;
    node.clock_ahead_ms = 0;
    node.write_ms = 5;
    for (int other = 0; other < 4; ++other) {
      if (other != i) node.status.peers.push_back({"node" + std::to_string(other), true, ""});
    }
    facts.nodes.push_back(node);
  }
  return facts;
}

void stop(NetworkFacts& facts, std::size_t index) {
  const auto name = facts.nodes[index].name;
  facts.nodes[index].status = NodeStatus{};
  for (auto& node : facts.nodes) {
    for (auto& peer : node.status.peers) {
      if (peer.name == name) peer = {name, false, "cannot connect: Connection refused"};
    }
  }
}

const Finding* find(const Diagnosis& diagnosis, const std::string& code) {
  const auto found = std::find_if(diagnosis.findings.begin(), diagnosis.findings.end(),
                                  [&](const Finding& each) { return each.code == code; });
  return found == diagnosis.findings.end() ? nullptr : &*found;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

// The same with blocks that are mined: four times 25,000 hashes per second against 200,000 for
// each.
NetworkFacts mined() {
  NetworkFacts facts = healthy();
  facts.quorum = 1;
  facts.mines = true;
  facts.commit_depth = 6;
  facts.now_ms = 1'000'000;
  for (auto& node : facts.nodes) {
    node.status.primary.reset();
    node.status.high_watermark = 0;
    node.status.branch = BranchStatus{};
    node.status.branch->tip = node.tip_before = 15;
    node.status.branch->tip_time_ms = 995'000;
    node.status.branch->expected_hashes = 200'000;
    node.status.branch->hashes_per_second = 25'000;
    node.status.branch->mining = true;
  }
  return facts;
}

TEST_CASE("where blocks are mined a moment without one means nothing") {
  const auto diagnosis = diagnose(mined());
  CHECK(diagnosis.condition == Condition::going_on);
  CHECK(diagnosis.findings.empty());
  CHECK(diagnosis.summary ==
        "blocks are mined: tip 15, final 10; the next is expected within 2.0 s on average");
}

TEST_CASE("a mined chain is stalled when nobody mines, whatever runs") {
  auto facts = mined();
  for (auto& node : facts.nodes) node.status.branch->mining = false;
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::stalled);
  CHECK(has(diagnosis.summary, "nobody mines"));
  REQUIRE(find(diagnosis, "nobody_mines") != nullptr);
  CHECK(find(diagnosis, "nobody_mines")->cause);
}

TEST_CASE("instant mining rests while nothing waits, and is stalled when something does") {
  auto facts = mined();
  facts.mines_on_demand = true;
  for (auto& node : facts.nodes) node.status.branch->hashes_per_second = 0;
  const auto idle = diagnose(facts);
  CHECK(idle.condition == Condition::idle);
  CHECK(idle.findings.empty());
  CHECK(
      idle.summary ==
      "nothing is stalled: no transaction waits, and instant mining makes no other blocks (tip 15, "
      "final 10)");
  facts.nodes[1].waiting = 1;
  CHECK(diagnose(facts).condition == Condition::stalled);
  facts.nodes[1].waiting = 0;
  facts.mines_on_demand = false;
  CHECK(diagnose(facts).condition == Condition::stalled);
}

TEST_CASE("a mined chain without a block for many times the expected wait is stalled") {
  auto facts = mined();
  facts.now_ms = 995'000 + 28'000;
  CHECK(diagnose(facts).condition == Condition::going_on);
  facts.now_ms = 995'000 + 30'000;
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::stalled);
  CHECK(has(diagnosis.summary, "no block for 30.0 s, although one is expected within 2.0 s"));
  facts.nodes[2].status.branch->tip = 16;
  CHECK(diagnose(facts).condition == Condition::going_on);
}

TEST_CASE("a node whose branch parts from the others' too far below is named with what to do") {
  auto facts = mined();
  CHECK(find(diagnose(facts), "parted") == nullptr);
  facts.nodes[1].status.ready = false;
  facts.nodes[1].status.reason =
      "on another chain than its peers since about height 7, which is too far below to change over";
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::going_on);
  const auto* parted = find(diagnosis, "parted");
  REQUIRE(parted != nullptr);
  CHECK(parted->nodes == std::vector<std::string>{"node1"});
  CHECK(has(parted->text, "node1 is on another chain than its peers since about height 7"));
  CHECK(has(parted->next, "docs/operations.md"));
}

TEST_CASE("one miner is enough, and those that died or are cut off are remarks") {
  auto facts = mined();
  for (const std::size_t dead : {0U, 1U, 2U}) stop(facts, dead);
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::going_on);
  for (const auto& finding : diagnosis.findings) CHECK_FALSE(finding.cause);
  REQUIRE(find(diagnosis, "alone") != nullptr);
  CHECK(find(diagnosis, "alone")->nodes == std::vector<std::string>{"node3"});
  CHECK(find(diagnose(mined()), "alone") == nullptr);

  facts = mined();
  facts.fault_links = facts.fault_links_run = true;
  facts.rules = LinkRules(4);
  REQUIRE(partition(facts.rules, {{0, 1}, {2, 3}}));
  facts.nodes[0].status.block_hash = "0xbb";
  const auto halves = diagnose(facts);
  CHECK(halves.condition == Condition::going_on);
  REQUIRE(find(halves, "partition") != nullptr);
  CHECK(has(find(halves, "partition")->text, "each side mines a branch of its own"));
  REQUIRE(find(halves, "branches") != nullptr);
  CHECK_FALSE(find(halves, "branches")->cause);
  CHECK(find(halves, "fork") == nullptr);
}

TEST_CASE("a healthy network without work is idle, with nothing to say") {
  const auto diagnosis = diagnose(healthy());
  CHECK(diagnosis.condition == Condition::idle);
  CHECK(diagnosis.findings.empty());
  CHECK(has(diagnosis.summary, "nothing is stalled"));
}

TEST_CASE("a network that commits is going on, whatever else is wrong") {
  auto facts = healthy();
  facts.nodes[1].status.height = 12;
  stop(facts, 3);
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::going_on);
  REQUIRE(find(diagnosis, "node_down") != nullptr);
  CHECK_FALSE(find(diagnosis, "node_down")->cause);
}

TEST_CASE("what only a node that lags still holds is no stall of the others") {
  NetworkFacts facts = healthy();
  facts.nodes[1].status.height = facts.nodes[1].height_before = 9;
  facts.nodes[1].waiting = 1;
  CHECK(diagnose(facts).condition == Condition::idle);
  facts.nodes[2].waiting = 1;
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::stalled);
  CHECK(has(diagnosis.summary, "1 transactions wait"));
  // Below a quorum there is nobody else to ask.
  facts.nodes[2].waiting = 0;
  stop(facts, 2);
  stop(facts, 3);
  CHECK(has(diagnose(facts).summary, "1 transactions wait"));
}

TEST_CASE("one node that is down is a remark on an idle chain") {
  auto facts = healthy();
  stop(facts, 3);
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::idle);
  REQUIRE(find(diagnosis, "node_down") != nullptr);
  CHECK_FALSE(find(diagnosis, "node_down")->cause);
  CHECK(find(diagnosis, "not_connected") == nullptr);
}

TEST_CASE("two nodes down stop four even when nothing waits, and start is the next thing") {
  auto facts = healthy();
  stop(facts, 2);
  stop(facts, 3);
  facts.nodes[3].last_words =
      "votes ending the process what=append error=\"No space left on device\"";
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::stalled);
  CHECK(has(diagnosis.summary, "2 of 4 nodes can vote together, quorum 3"));
  REQUIRE(find(diagnosis, "node_down") != nullptr);
  CHECK(find(diagnosis, "node_down")->cause);
  CHECK(find(diagnosis, "node_down")->next == "quorate-testnet start node2");
  REQUIRE(find(diagnosis, "disk_full") != nullptr);
  CHECK(has(find(diagnosis, "disk_full")->next, "Free space"));
}

TEST_CASE("paused and silent nodes are told apart from dead ones") {
  auto facts = healthy();
  facts.nodes[1].status = NodeStatus{};
  facts.nodes[1].status.process = RunState::paused;
  facts.nodes[2].status = NodeStatus{};
  facts.nodes[2].status.process = RunState::alive;
  facts.nodes[2].status.reason = "timed out";
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::stalled);
  CHECK(find(diagnosis, "node_paused")->next == "quorate-testnet resume node1");
  CHECK(has(find(diagnosis, "node_silent")->text, "timed out"));
}

TEST_CASE("a partition without a quorum is the cause, and heal the next thing") {
  auto facts = healthy();
  facts.fault_links = facts.fault_links_run = true;
  facts.rules = LinkRules(4);
  REQUIRE(partition(facts.rules, {{0, 1}, {2, 3}}));
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::stalled);
  REQUIRE_FALSE(diagnosis.findings.empty());
  CHECK(diagnosis.findings.front().code == "partition");
  CHECK(has(diagnosis.findings.front().text, "node0, node1 | node2, node3"));
  CHECK(diagnosis.findings.front().next == "quorate-testnet heal");
}

TEST_CASE("a partition that leaves a quorum is a remark") {
  auto facts = healthy();
  facts.fault_links = facts.fault_links_run = true;
  facts.rules = LinkRules(4);
  REQUIRE(partition(facts.rules, {{3}}));
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::idle);
  REQUIRE(find(diagnosis, "partition") != nullptr);
  CHECK_FALSE(find(diagnosis, "partition")->cause);
}

TEST_CASE("fault links whose process has died are the cause") {
  auto facts = healthy();
  facts.fault_links = true;
  facts.rules = LinkRules(4);
  for (auto& node : facts.nodes) {
    for (auto& peer : node.status.peers) peer.connected = false;
  }
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::stalled);
  CHECK(diagnosis.findings.front().code == "fault_links_down");
}

TEST_CASE("observers, halted and lagging nodes do not count towards the quorum") {
  auto facts = healthy();
  facts.nodes[1].status.observer = true;
  facts.nodes[1].status.observer_reason = "the vote log is damaged";
  facts.nodes[2].status.syncing = true;
  facts.nodes[2].status.height = 3;
  facts.nodes[2].status.block_hash = "0xbb";
  facts.nodes[2].height_before = 3;
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::stalled);
  REQUIRE(find(diagnosis, "observer") != nullptr);
  CHECK(has(find(diagnosis, "observer")->text, "the vote log is damaged"));
  CHECK(find(diagnosis, "observer")->cause);
  CHECK(has(find(diagnosis, "observer")->next, "Bring its newer disk back"));
  REQUIRE(find(diagnosis, "lags") != nullptr);
  CHECK(has(find(diagnosis, "lags")->text, "at height 3 of 10"));
  CHECK(find(diagnosis, "fork") == nullptr);

  facts.nodes[1].status.halted = "two blocks at height 11";
  CHECK(has(find(diagnose(facts), "halted")->text, "two blocks at height 11"));
}

TEST_CASE("with more observers than the chain can do without, the way out is another one") {
  auto facts = healthy();
  for (const std::size_t index : {1U, 2U}) {
    facts.nodes[index].status.observer = true;
    facts.nodes[index].status.observer_reason = "the vote log is gone";
  }
  const auto ended = diagnose(facts);
  REQUIRE(find(ended, "observer") != nullptr);
  CHECK(find(ended, "observer")->cause);
  CHECK(has(find(ended, "observer")->next, "Without it this chain has ended"));
  CHECK(has(find(ended, "observer")->next, "More than f nodes down"));
  // One that never had a key is not one of them.
  facts.nodes[2].status.observer_reason = "this node has no validator key";
  CHECK(has(find(diagnose(facts), "observer")->next, "else let it follow"));
}

TEST_CASE("an idle ring is not stalled, but may be slow; with work that waits it is") {
  auto facts = healthy();
  facts.fault_links = facts.fault_links_run = true;
  facts.rules = LinkRules(4);
  facts.rules.set(0, 1, LinkRule{.cut = true});
  facts.rules.set(2, 3, LinkRule{.cut = true});
  CHECK(able_to_commit(facts).size() == 2);
  const auto idle = diagnose(facts);
  CHECK(idle.condition == Condition::idle);
  REQUIRE(find(idle, "sparse_links") != nullptr);
  CHECK_FALSE(find(idle, "sparse_links")->cause);
  CHECK(has(find(idle, "sparse_links")->text, "no quorum of nodes that all reach each other"));
  CHECK(find(idle, "partition") == nullptr);
  facts.nodes[0].waiting = 1;
  const auto stalled = diagnose(facts);
  CHECK(stalled.condition == Condition::stalled);
  CHECK(find(stalled, "sparse_links")->cause);
}

TEST_CASE(
    "work that waits while a quorum could commit is a stall with a view change as its cause") {
  auto facts = healthy();
  stop(facts, 0);
  for (auto& node : facts.nodes) {
    node.waiting = 7;
    node.status.promise_view = 1;
    node.status.primary = 0;
  }
  facts.nodes[0].waiting = 0;
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::stalled);
  CHECK(has(diagnosis.summary, "7 transactions wait"));
  REQUIRE(find(diagnosis, "primary_missing") != nullptr);
  CHECK(find(diagnosis, "primary_missing")->cause);
  REQUIRE(find(diagnosis, "view_change") != nullptr);
  CHECK(has(find(diagnosis, "view_change")->text, "node1 is in view 0 and asks for 1"));
}

TEST_CASE("a suspected primary is named with who suspects it and why") {
  auto facts = healthy();
  facts.nodes[1].waiting = 1;
  facts.nodes[1].status.suspects = {{"node1", "no progress"}};
  facts.nodes[2].status.suspects = {{"node1", "no progress"}, {"node2", "no progress"}};
  const auto diagnosis = diagnose(facts);
  REQUIRE(find(diagnosis, "primary_suspected") != nullptr);
  CHECK(find(diagnosis, "primary_suspected")->text ==
        "node1, node2 suspect the primary node0: no progress");
}

TEST_CASE("nodes of another chain, version or build are named") {
  auto facts = healthy();
  facts.nodes[1].status.chain_id = "0x02";
  facts.nodes[2].wire_version = 2;
  facts.nodes[3].version = "0.1.0 (def)";
  facts.nodes[3].waiting = 1;
  const auto diagnosis = diagnose(facts);
  CHECK(has(find(diagnosis, "other_chain")->text, "node1 is on another chain"));
  CHECK(has(find(diagnosis, "other_version")->text, "node2 speaks wire version 2, the others 1"));
  CHECK(has(find(diagnosis, "other_build")->text, "node3 is build 0.1.0 (def)"));
}

TEST_CASE("a clock that runs ahead and a slow disk are causes of a stall and remarks otherwise") {
  auto facts = healthy();
  facts.nodes[0].clock_ahead_ms = 3'600'000;
  facts.nodes[2].write_ms = 900;
  const auto idle = diagnose(facts);
  CHECK_FALSE(find(idle, "clock")->cause);
  CHECK_FALSE(find(idle, "slow_disk")->cause);
  facts.nodes[1].waiting = 1;
  const auto stalled = diagnose(facts);
  CHECK(find(stalled, "clock")->cause);
  CHECK(has(find(stalled, "clock")->text, "3600 s ahead"));
  CHECK(find(stalled, "slow_disk")->cause);
  CHECK(has(find(stalled, "slow_disk")->text, "takes 900 ms, the others' 5 ms"));
}

TEST_CASE(
    "a clock that is behind holds proposals back: that node does not count towards a quorum") {
  auto facts = healthy();
  stop(facts, 0);
  for (auto& node : facts.nodes) node.status.primary = 3;
  facts.nodes[1].clock_ahead_ms = -3'600'000;
  facts.nodes[2].clock_ahead_ms = 3'600'000;
  facts.nodes[3].waiting = 1;
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::stalled);
  CHECK(has(diagnosis.summary, "2 of 4 nodes can vote together, quorum 3"));
  const auto cause = [&](const std::string& code, const std::string& node) {
    return std::any_of(diagnosis.findings.begin(), diagnosis.findings.end(), [&](const auto& each) {
      return each.cause && each.code == code && each.nodes == std::vector<std::string>{node};
    });
  };
  CHECK(diagnosis.findings.front().code == "node_down");
  CHECK(cause("node_down", "node0"));
  CHECK(cause("clock", "node1"));
  for (const auto& finding : diagnosis.findings) {
    if (finding.code != "clock" || finding.nodes.front() != "node1") continue;
    CHECK(has(finding.text, "3600 s behind; it holds back what others propose"));
  }

  // A primary with such a clock is late, which costs nobody's vote; a little is allowed.
  facts = healthy();
  facts.nodes[0].clock_ahead_ms = -3'600'000;
  facts.nodes[1].clock_ahead_ms = -9'000;
  CHECK(diagnose(facts).condition == Condition::idle);
  CHECK(able_to_commit(facts).size() == 4);
  // A backup with it is missed where every vote counts, and a remark elsewhere.
  facts.nodes[2].clock_ahead_ms = -11'000;
  const auto enough = diagnose(facts);
  CHECK(enough.condition == Condition::idle);
  CHECK(able_to_commit(facts).size() == 3);
  CHECK_FALSE(find(enough, "clock")->cause);
}

TEST_CASE("with no node alive there is no height to speak of") {
  auto facts = healthy();
  for (std::size_t i = 0; i < 4; ++i) stop(facts, i);
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.summary ==
        "stalled: no node answers, so nobody can say at which height; 0 of 4 nodes can vote "
        "together, quorum 3");
  auto work = mined();
  for (std::size_t i = 0; i < 4; ++i) stop(work, i);
  CHECK(diagnose(work).summary == "stalled: no node answers, so nobody mines");
}

TEST_CASE("a node that stopped over its genesis is not sent to start again as it is") {
  auto facts = healthy();
  stop(facts, 3);
  facts.nodes[3].last_words =
      "node cannot start error=\"the database holds chain 0x01, the genesis "
      "gives 0x02\"";
  const auto diagnosis = diagnose(facts);
  REQUIRE(find(diagnosis, "other_genesis") != nullptr);
  CHECK(find(diagnosis, "other_genesis")->next ==
        "Copy genesis.json of the testnet's data folder over node3/config/genesis.json, then: "
        "quorate-testnet start node3");
}

TEST_CASE("a full window without a stable checkpoint is named") {
  auto facts = healthy();
  for (auto& node : facts.nodes) {
    node.waiting = 1;
    node.status.height = node.height_before = 256;
  }
  CHECK(find(diagnose(facts), "no_checkpoint")->cause);
}

TEST_CASE("two blocks at one height are said first") {
  auto facts = healthy();
  facts.nodes[2].status.block_hash = "0xbb";
  const auto diagnosis = diagnose(facts);
  REQUIRE_FALSE(diagnosis.findings.empty());
  CHECK(diagnosis.findings.front().code == "fork");
  CHECK(has(diagnosis.findings.front().text, "at height 10"));
}

TEST_CASE("where nothing else explains a stall the nodes' own reasons are passed on") {
  auto facts = healthy();
  facts.nodes[0].waiting = 1;
  facts.nodes[2].status.ready = false;
  facts.nodes[2].status.reason = "2 of 3 peers answer more than 8 s late";
  const auto diagnosis = diagnose(facts);
  REQUIRE(diagnosis.findings.size() == 1);
  CHECK(diagnosis.findings.front().code == "not_ready");
  CHECK(has(diagnosis.findings.front().text, "more than 8 s late"));
}

TEST_CASE("a stall without a visible cause is admitted") {
  auto facts = healthy();
  facts.nodes[0].waiting = 1;
  const auto diagnosis = diagnose(facts);
  CHECK(diagnosis.condition == Condition::stalled);
  REQUIRE(diagnosis.findings.size() == 1);
  CHECK(diagnosis.findings.front().code == "unknown");
}

}  // namespace quorate::testnet
