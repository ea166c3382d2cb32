// Branches that part far below: how far back one is taken back, and what is said of one beyond.
#include <catch2/catch.hpp>

#include "consensus/pow/settings.hpp"
#include "tests/unit/consensus/pow_cluster.hpp"

using namespace quorate;
using namespace quorate::consensus;
using namespace quorate::consensus::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t kReach = 150;

PowOptions short_reach() {
  PowOptions out;
  out.rewind_max = kReach;
  return out;
}

// Machines 0 and 1 cannot reach 2 and 3.
bool same_half(std::uint32_t from, std::uint32_t to, const pow::Message&) {
  return from / 2 == to / 2;
}

// Both halves grow by so many blocks without each other. The height at which they part.
Height split(PowCluster& cluster, std::uint64_t blocks) {
  cluster.run_for(seconds(60));
  REQUIRE(cluster.settle());
  const Height parts = cluster.branch(0).tip;
  cluster.filter = same_half;
  const auto grown = [&] {
    return cluster.branch(0).tip > parts.saturating_add(blocks) &&
           cluster.branch(2).tip > parts.saturating_add(blocks);
  };
  REQUIRE(cluster.run_until(grown, seconds(20 * static_cast<std::int64_t>(blocks))));
  cluster.filter = nullptr;
  return parts;
}

std::uint64_t rewinds(PowCluster& cluster) {
  std::uint64_t out = 0;
  for (std::uint32_t i = 0; i < 4; ++i) out += cluster.machine(i).rewinds.size();
  return out;
}

// What its people do: ledger and log go.
void begin_anew(PowCluster& cluster, std::uint32_t index) {
  cluster.crash(index);
  cluster.machine(index).ledger.clear();
  cluster.machine(index).disk.clear();
  cluster.machine(index).logged.clear();
  cluster.start(index);
}

}  // namespace

TEST_CASE("halves that were apart for less than a Rewind reaches come to one branch") {
  PowCluster cluster(short_reach());
  cluster.start_all();
  split(cluster, kReach * 2 / 3);
  REQUIRE(cluster.settle(seconds(120)));
  CHECK(rewinds(cluster) == 2);
  for (std::uint32_t i = 0; i < 4; ++i) CHECK_FALSE(cluster.branch(i).parted_at);
}

// More headers than one peer is asked for in its turn.
TEST_CASE("halves that were apart for 5000 blocks come to one branch") {
  PowOptions options;
  options.hashes_per_second = 0;
  options.memory_max = 128U << 20U;
  PowCluster cluster(options);
  cluster.filter = same_half;
  Branch left(cluster);
  Branch right(cluster);
  right.miner = 3;
  const auto grow = [&](Branch& branch, std::uint32_t first, int blocks) {
    for (int i = 0; i < blocks; ++i) {
      const Bytes block = pow::encode(branch.next());
      for (const std::uint32_t to : {first, first + 1})
        REQUIRE(cluster.deliver(to ^ 1U, to, block));
      cluster.run_for(milliseconds(100));
    }
  };
  left.seconds_between = 0;  // as close as the rule of the median lets them be
  right.seconds_between = 0;
  cluster.start_all();
  for (int i = 0; i < 50; ++i) {
    grow(left, 0, 100);
    grow(right, 2, 101);
  }
  REQUIRE(cluster.branch(0).tip == Height(5000));
  REQUIRE(cluster.branch(2).tip == Height(5050));
  cluster.filter = nullptr;
  CHECK(cluster.settle(seconds(120)));
  INFO(cluster.describe());
  CHECK(cluster.branch(0).tip == Height(5050));
  CHECK(cluster.machine(0).rewinds == std::vector<Height>{Height(0)});
}

TEST_CASE("beyond that the lighter side says where it left its peers, and anew it follows them") {
  PowCluster cluster(short_reach());
  cluster.start_all();
  const Height parts = split(cluster, 2 * kReach);
  // Everybody goes on, and both sides hear of each other.
  cluster.run_for(seconds(60));
  REQUIRE(rewinds(cluster) == 0);
  INFO(cluster.describe());
  const std::uint32_t lighter = cluster.branch(0).parted_at ? 0 : 2;
  const std::uint32_t heavier = 2 - lighter;
  for (const std::uint32_t i : {lighter, lighter + 1}) {
    REQUIRE(cluster.branch(i).parted_at == parts);
    CHECK(cluster.machine(i).halts.empty());
  }
  for (const std::uint32_t i : {heavier, heavier + 1}) REQUIRE_FALSE(cluster.branch(i).parted_at);
  // Nobody lied.
  for (std::uint32_t i = 0; i < 4; ++i) CHECK(cluster.machine(i).rejected.empty());

  // Whoever restarts says so again.
  cluster.crash(lighter);
  cluster.start(lighter);
  CHECK(cluster.run_until([&] { return cluster.branch(lighter).parted_at == parts; }, seconds(60)));

  begin_anew(cluster, lighter);
  begin_anew(cluster, lighter + 1);
  REQUIRE(cluster.settle(seconds(300)));
  for (std::uint32_t i = 0; i < 4; ++i) CHECK_FALSE(cluster.branch(i).parted_at);
}

TEST_CASE("the alarm changes sides with the work") {
  PowCluster cluster(short_reach());
  cluster.start_all();
  const Height parts = split(cluster, 2 * kReach);
  cluster.run_for(seconds(60));
  const std::uint32_t lighter = cluster.branch(0).parted_at ? 0 : 2;
  const std::uint32_t heavier = 2 - lighter;
  std::vector<Progress::Phase> said;
  cluster.on_output = [&](std::uint32_t machine, const Output& output) {
    const auto* progress = std::get_if<Progress>(&output);
    if (progress == nullptr || machine != lighter) return;
    if (progress->phase == Progress::Phase::reunited) said.push_back(progress->phase);
  };
  for (const std::uint32_t i : {heavier, heavier + 1}) {
    cluster.machine(i).hashes_per_second = 0;
    cluster.machine(i).working.reset();
  }
  CHECK(
      cluster.run_until([&] { return cluster.branch(heavier).parted_at == parts; }, seconds(3000)));
  cluster.run_for(seconds(30));
  CHECK_FALSE(cluster.branch(lighter).parted_at);
  CHECK(said.size() == 1);
}

TEST_CASE("headers of less work raise no alarm, however many there are and wherever they part") {
  const auto part = static_cast<std::size_t>(GENERATE(0, 100, 300));
  constexpr std::uint32_t kLiar = 0;
  constexpr std::uint32_t kVictim = 1;
  PowCluster cluster(short_reach());
  std::map<Digest, pow::FullBlock> seen;
  std::optional<pow::AskHeaders> asked;
  std::uint64_t questions = 0;
  cluster.filter = [&](std::uint32_t from, std::uint32_t to, const pow::Message& message) {
    if (const auto* block = std::get_if<pow::FullBlock>(&message)) {
      seen.emplace(block->header.id, *block);
    }
    const auto* question = std::get_if<pow::AskHeaders>(&message);
    if (question != nullptr && from == kVictim && to == kLiar) {
      asked = *question;
      ++questions;
    }
    return true;
  };
  for (std::uint32_t i = kVictim; i < 4; ++i) cluster.start(i);
  const auto long_enough = [&] { return cluster.machine(kVictim).head() > Height(600); };
  REQUIRE(cluster.run_until(long_enough, seconds(6000)));

  std::vector<pow::FullBlock> chain;
  for (Digest id = cluster.branch(kVictim).tip_id; !id.is_zero();) {
    chain.push_back(seen.at(id));
    id = chain.back().header.header.parent;
  }
  std::reverse(chain.begin(), chain.end());
  Branch honest(cluster);
  Branch cheap(cluster);
  HeaderServer liar;
  for (const pow::FullBlock& block : chain) {
    honest.follow(block);
    if (liar.headers.size() >= part) continue;
    cheap.follow(block);
    liar.headers.push_back(block.header);
  }
  // Blocks far apart make all that follow easy ones; in the end they have most of the work.
  cheap.miner = kLiar;
  const auto lighter = [&] {
    using crypto::work::scaled;
    return scaled(cheap.context().total_work, 10, 0) < scaled(honest.context().total_work, 9, 0);
  };
  while (cheap.context().time_s + 30 < cluster.wall().value() / 1000 && lighter()) {
    cheap.seconds_between = liar.headers.size() < part + 15 ? 30 : 1;
    liar.headers.push_back(cheap.next().header);
  }
  REQUIRE(liar.headers.size() > part + kReach);
  for (int tick = 0; tick < 3000; ++tick) {
    if (asked) {
      const pow::Headers answer = liar.answer(*std::exchange(asked, std::nullopt));
      REQUIRE(cluster.deliver(kLiar, kVictim, pow::encode(answer)));
    }
    cluster.run_for(milliseconds(20));
    REQUIRE_FALSE(cluster.branch(kVictim).parted_at);
  }
  // It was looked at, and is not looked at all the time.
  CHECK(questions > 10);
  CHECK(questions < 200);
}

TEST_CASE("a peer that is far behind on the same branch is no other chain, and does no wrong") {
  PowCluster cluster(short_reach());
  for (std::uint32_t i = 0; i < 3; ++i) cluster.start(i);
  REQUIRE(
      cluster.run_until([&] { return cluster.machine(0).head() > Height(100); }, seconds(1000)));
  cluster.crash(2);
  REQUIRE(
      cluster.run_until([&] { return cluster.machine(0).head() > Height(500); }, seconds(3000)));
  // It answers, and learns nothing.
  cluster.filter = [](std::uint32_t, std::uint32_t to, const pow::Message& message) {
    return to != 2 || std::holds_alternative<pow::AskHeaders>(message);
  };
  cluster.machine(2).hashes_per_second = 0;
  cluster.start(2);
  cluster.run_for(seconds(120));
  for (std::uint32_t i = 0; i < 3; ++i) {
    CHECK_FALSE(cluster.branch(i).parted_at);
    CHECK(cluster.machine(i).rejected.empty());
  }
  cluster.filter = nullptr;
  CHECK(cluster.run_until([&] { return cluster.machine(2).head() > Height(500); }, seconds(60)));
}
