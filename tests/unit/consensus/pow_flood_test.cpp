// What peers may send without having done work for it: the allowances hold, and whoever is honest
// never meets them.
#include <catch2/catch.hpp>

#include "consensus/pow/admission.hpp"
#include "consensus/pow/message_verifier.hpp"
#include "tests/unit/consensus/pow_cluster.hpp"

using namespace quorate;
using namespace quorate::consensus;
using namespace quorate::consensus::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Of unsigned messages a host takes so many a second from one peer (node::VerifyPoolConfig).
constexpr std::uint64_t kUnsignedPerSecond = 512;

// By sender, receiver and second.
using Rates = std::map<std::tuple<std::uint32_t, std::uint32_t, std::int64_t>, std::uint64_t>;

std::uint64_t greatest(const Rates& rates) {
  std::uint64_t out = 0;
  for (const auto& [place, count] : rates) out = std::max(out, count);
  return out;
}

}  // namespace

TEST_CASE("every message but a whole block counts as one that costs its sender nothing") {
  PowCluster cluster({});
  Branch branch(cluster);
  const pow::FullBlock block = branch.next();
  const auto is_unsigned = [&](const pow::Message& message) {
    return (*cluster.verifier().verify(ReplicaId(1), pow::encode(message)))->is_unsigned();
  };
  CHECK(is_unsigned(pow::AskHeaders{{{Height(0), Digest{}}}}));
  CHECK(is_unsigned(pow::AskBlocks{{block.header.id}}));
  CHECK(is_unsigned(pow::Headers{false, {block.header}}));
  CHECK(is_unsigned(pow::Announce{{block.header}}));
  CHECK_FALSE(is_unsigned(block));
}

TEST_CASE("a catch-up of thousands of blocks stays far below every allowance") {
  PowOptions options;
  options.network_delay = std::chrono::microseconds(300);
  options.network_jitter = std::chrono::microseconds(100);
  options.execute_delay = std::chrono::microseconds(100);
  options.memory_max = 128U << 20U;
  // With one to ask, or with three.
  const auto helpers = static_cast<std::uint32_t>(GENERATE(1, 3));
  constexpr std::uint32_t kNew = 3;
  PowCluster cluster(options);
  for (std::uint32_t i = 0; i < helpers; ++i) cluster.start(i);
  REQUIRE(cluster.run_until([&] { return cluster.machine(0).head() >= Height(3000); },
                            seconds(20'000)));
  Rates rates;
  cluster.filter = [&](std::uint32_t from, std::uint32_t to, const pow::Message& message) {
    const auto second = cluster.now().since_origin / seconds(1);
    if (!std::holds_alternative<pow::FullBlock>(message)) ++rates[{from, to, second}];
    return true;
  };
  cluster.start(kNew);
  const Instant began = cluster.now();
  REQUIRE(
      cluster.run_until([&] { return cluster.machine(kNew).head() >= Height(2990); }, seconds(60)));
  const Duration took = cluster.now() - began;
  CAPTURE(took.count(), helpers);
  CHECK(took < seconds(20));
  CHECK(greatest(rates) < kUnsignedPerSecond * 2 / 3);
  for (std::uint32_t i = 0; i <= helpers; ++i) {
    const std::uint32_t machine = i < helpers ? i : kNew;
    CHECK(cluster.machine(machine).rejected.empty());
  }
}

TEST_CASE(
    "blocks that nobody asked for are dropped above their allowance, and their sender told of") {
  PowOptions options;
  options.hashes_per_second = 0;
  PowCluster cluster(options);
  std::uint64_t outputs = 0;
  cluster.on_output = [&](std::uint32_t, const Output&) { ++outputs; };
  cluster.start(0);
  cluster.run_for(milliseconds(10));
  Branch branch(cluster);
  const pow::FullBlock old = branch.next();
  REQUIRE(cluster.deliver(1, 0, pow::encode(old)));
  cluster.run_for(milliseconds(100));
  REQUIRE(cluster.branch(0).tip == Height(1));
  const std::uint64_t most = pow::Admission::kBurst + pow::Admission::kExcessReported;
  for (std::uint64_t i = 0; i <= most; ++i) REQUIRE(cluster.deliver(1, 0, pow::encode(old)));
  REQUIRE(cluster.machine(0).rejected.size() == 1);
  CHECK(cluster.machine(0).rejected[0].from == ReplicaId(1));
  CHECK(cluster.machine(0).rejected[0].reason.find("nobody asked for") != std::string::npos);
  // Not even a new one of the same peer is looked at; those of others are, and soon its own again.
  const pow::FullBlock second = branch.next();
  outputs = 0;
  REQUIRE(cluster.deliver(1, 0, pow::encode(second)));
  CHECK(outputs == 0);
  REQUIRE(cluster.deliver(2, 0, pow::encode(second)));
  cluster.run_for(seconds(1));
  CHECK(cluster.branch(0).tip == Height(2));
  REQUIRE(cluster.deliver(1, 0, pow::encode(branch.next())));
  cluster.run_for(seconds(1));
  CHECK(cluster.branch(0).tip == Height(3));
}
