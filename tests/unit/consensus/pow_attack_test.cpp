// One proof-of-work engine among peers who lie, withhold, flood, or work on invalid blocks.
#include <catch2/catch.hpp>

#include "tests/unit/consensus/pow_cluster.hpp"

using namespace quorate;
using namespace quorate::consensus;
using namespace quorate::consensus::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

PowOptions quiet() {
  PowOptions options;
  options.hashes_per_second = 0;
  return options;
}

// Machine 0 runs; its peers are played by the test, and what it tells them is kept.
struct Bench {
  explicit Bench(PowOptions options = quiet()) : cluster(options) {
    cluster.filter = [this](std::uint32_t, std::uint32_t to, const pow::Message& message) {
      told.emplace_back(to, message);
      return false;
    };
    cluster.start(0);
    cluster.run_for(milliseconds(10));
  }
  Result<void> deliver(std::uint32_t from, const pow::Message& message) {
    auto done = cluster.deliver(from, 0, pow::encode(message));
    cluster.run_for(milliseconds(20));
    return done;
  }
  void show(const pow::FullBlock& block, std::uint32_t from = 1) { REQUIRE(deliver(from, block)); }
  // Whom it asked for which blocks since the last call.
  std::map<Digest, std::set<std::uint32_t>> asked() {
    std::map<Digest, std::set<std::uint32_t>> out;
    for (const auto& [to, message] : told) {
      if (const auto* ask = std::get_if<pow::AskBlocks>(&message)) {
        for (const Digest& id : ask->ids) out[id].insert(to);
      }
    }
    told.clear();
    return out;
  }
  Digest tip() { return cluster.branch(0).tip_id; }
  PowMachine& machine() { return cluster.machine(0); }

  PowCluster cluster;
  std::vector<std::pair<std::uint32_t, pow::Message>> told;
};

Bytes payload_of(std::uint8_t mark) { return {0, 0, 0, 0, mark}; }

}  // namespace

TEST_CASE("an invalid payload condemns its block and what stands on it, and the rest wins") {
  Bench bench;
  bench.cluster.judge = [](const Bytes& payload) { return payload.back() != 0xff; };
  Branch honest(bench.cluster);
  const pow::FullBlock first = honest.next();
  Branch bad = honest;
  bad.miner = 2;
  bench.show(first);
  const pow::FullBlock poison = bad.next(payload_of(0xff));
  bench.show(poison, 2);
  bench.show(bad.next(), 2);
  bench.show(bad.next(), 2);
  CHECK(bench.tip() == first.header.id);
  REQUIRE(bench.machine().rejected.size() == 3);
  CHECK(bench.machine().rejected[0].from == ReplicaId(2));
  const pow::FullBlock second = honest.next();
  bench.show(second);
  CHECK(bench.tip() == second.header.id);
  bench.show(poison, 2);
  CHECK(bench.tip() == second.header.id);
}

TEST_CASE("a payload that is not the header's says nothing about the block") {
  Bench bench;
  Branch branch(bench.cluster);
  const pow::FullBlock block = branch.next();
  pow::FullBlock mutated = block;
  mutated.payload = std::make_shared<const Bytes>(payload_of(1));
  const auto refused = bench.deliver(2, mutated);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::bad_signature);
  bench.show(block);
  CHECK(bench.tip() == block.header.id);
}

TEST_CASE("headers whose payloads nobody gives do not move the tip, and every peer is asked") {
  Bench bench;
  Branch branch(bench.cluster);
  const pow::FullBlock first = branch.next();
  bench.show(first);
  Branch withheld = branch;
  pow::Announce news;
  for (int i = 0; i < 5; ++i) news.headers.push_back(withheld.next().header);
  bench.asked();
  REQUIRE(bench.deliver(2, news));
  bench.cluster.run_for(seconds(15));
  CHECK(bench.tip() == first.header.id);
  CHECK(bench.cluster.branch(0).best_header == Height(6));
  const auto asked = bench.asked();
  REQUIRE(asked.size() == 5);
  for (const auto& [id, peers] : asked) CHECK(peers.size() == 3);
  // Somebody else's lighter branch, which is there, wins meanwhile.
  branch.miner = 3;
  const pow::FullBlock second = branch.next();
  bench.show(second, 3);
  CHECK(bench.tip() == second.header.id);
}

TEST_CASE("payloads may come in any order") {
  Bench bench;
  Branch branch(bench.cluster);
  std::vector<pow::FullBlock> blocks;
  pow::Announce news;
  for (int i = 0; i < 6; ++i) {
    blocks.push_back(branch.next());
    news.headers.push_back(blocks.back().header);
  }
  REQUIRE(bench.deliver(1, news));
  for (std::size_t i = blocks.size(); i-- > 0;) bench.show(blocks[i], 2);
  CHECK(bench.tip() == blocks.back().header.id);
  bench.cluster.run_for(seconds(1));
  CHECK(bench.machine().head() == Height(4));  // three deep
}

TEST_CASE("blocks without a known parent wait, boundedly, and join when it comes") {
  Bench bench;
  Branch branch(bench.cluster);
  std::vector<pow::FullBlock> blocks;
  for (int i = 0; i < 8; ++i) blocks.push_back(branch.next());
  for (std::size_t i = blocks.size() - 1; i > 0; --i) bench.show(blocks[i]);
  CHECK(bench.cluster.branch(0).tip == Height(0));
  CHECK(bench.cluster.branch(0).orphans == 7);
  bench.show(blocks[0]);
  CHECK(bench.tip() == blocks.back().header.id);
  CHECK(bench.cluster.branch(0).orphans == 0);

  Branch detached = branch;
  detached.next();
  for (int i = 0; i < 50; ++i) bench.show(detached.next(), 2);
  CHECK(bench.cluster.branch(0).orphans == 10);  // of one peer
}

TEST_CASE("headers that break the rules of their place are refused") {
  Bench bench;
  Branch branch(bench.cluster);
  bench.show(branch.next());
  const auto refused = [&](const std::function<void(crypto::work::Header&)>& shape) {
    Branch wrong = branch;
    const pow::FullBlock block = wrong.next(Bytes(4), shape);
    const std::size_t before = bench.machine().rejected.size();
    const auto verified = bench.deliver(2, block);
    return !verified || bench.machine().rejected.size() > before;
  };
  CHECK(refused([](auto& header) { header.bits = 0x1f00fffe; }));
  CHECK(refused([](auto& header) { header.bits = 0x207fffff; }));
  CHECK(refused([](auto& header) { header.time_s -= 1000; }));
  CHECK(refused([](auto& header) { header.height = header.height.next(); }));
  CHECK(refused([](auto& header) { header.miner = test_key(9); }));
  CHECK(refused([](auto& header) { header.chain_id.bytes[0] ^= 1U; }));
  CHECK(refused([](auto& header) { header.version = 2; }));
  CHECK_FALSE(refused([](auto&) {}));

  pow::FullBlock unproved = branch.next();
  unproved.header.header.nonce += 1;
  const auto verified = bench.deliver(2, pow::FullBlock(unproved));
  REQUIRE_FALSE(verified);
  CHECK(verified.error().detail.find("work") != std::string::npos);
}

TEST_CASE("a block from the future is held until its time has come") {
  Bench bench;
  Branch branch(bench.cluster);
  branch.seconds_between = 40;
  const pow::FullBlock block = branch.next();
  bench.show(block);
  CHECK(bench.cluster.branch(0).tip == Height(0));
  CHECK(bench.machine().rejected.empty());
  bench.cluster.run_for(seconds(30));
  CHECK(bench.tip() == block.header.id);
}

TEST_CASE("a peer that answers with headers that join nothing is reported, and the next is asked") {
  Bench bench;
  Branch branch(bench.cluster);
  branch.next();
  pow::Headers lie;
  lie.more = true;
  lie.headers.push_back(branch.next().header);
  bench.told.clear();
  REQUIRE(bench.deliver(1, lie));
  REQUIRE(bench.machine().rejected.size() == 1);
  CHECK(bench.machine().rejected[0].from == ReplicaId(1));
  bench.cluster.run_for(seconds(10));
  std::set<std::uint32_t> asked;
  for (const auto& [to, message] : bench.told) {
    if (std::holds_alternative<pow::AskHeaders>(message)) asked.insert(to);
  }
  CHECK(asked == std::set<std::uint32_t>{1, 2, 3});
}

namespace {

// What a miner who lies about results, or has other ones, puts into its headers.
void lie(crypto::work::Header& header) { header.exec_ref.bytes[0] ^= 1U; }

// Blocks that lie, under the names of these miners in turn; one a second, as their times say.
void show_lies(Bench& bench, Branch& branch, const std::vector<std::uint32_t>& miners,
               std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    branch.miner = miners[i % miners.size()];
    bench.show(branch.next(Bytes(4), lie));
    bench.cluster.run_for(milliseconds(980));
  }
}

}  // namespace

TEST_CASE("a miner who lies about results halts nobody, at any depth and under any name") {
  PowOptions options = quiet();
  options.depth = static_cast<std::uint64_t>(GENERATE(1, 2, 6));
  Bench bench(options);
  Branch branch(bench.cluster);
  for (int i = 0; i < 8; ++i) bench.show(branch.next());
  for (const auto& names : std::vector<std::vector<std::uint32_t>>{{2}, {1, 2, 3}}) {
    for (const std::uint32_t lies : {1U, 6U, 63U}) {
      show_lies(bench, branch, names, lies);
      branch.miner = 1;
      bench.show(branch.next());
      CHECK(bench.machine().halts.empty());
    }
  }
}

TEST_CASE("64 blocks of others in a row that name other results halt the replica") {
  PowOptions options = quiet();
  options.depth = static_cast<std::uint64_t>(GENERATE(1, 6, 70));
  const auto enough = static_cast<std::uint32_t>(std::max<std::uint64_t>(options.depth, 64));
  Bench bench(options);
  Branch branch(bench.cluster);
  for (int i = 0; i < 80; ++i) {
    bench.show(branch.next());
    bench.cluster.run_for(milliseconds(980));
  }
  show_lies(bench, branch, {1, 2, 3}, enough - 1);
  // An own block says nothing new.
  branch.miner = 0;
  bench.show(branch.next());
  CHECK(bench.machine().halts.empty());
  show_lies(bench, branch, {3}, 1);
  REQUIRE(bench.machine().halts.size() == 1);
  CHECK(bench.machine().halts[0].find("name other results") != std::string::npos);
}

TEST_CASE("blocks that are taken back and come again are in the log again") {
  Bench bench;
  std::vector<Branch> branches{Branch(bench.cluster)};  // by height
  const Bytes big(60'000);
  const auto grow = [&](Branch& on, std::uint32_t from) {
    bench.show(on.next(big), from);
    bench.cluster.run_for(milliseconds(980));
  };
  // Until a snapshot has left out what the ledger has.
  std::size_t records = 0;
  while (bench.machine().disk.size() >= records) {
    REQUIRE(branches.size() < 200);
    records = bench.machine().disk.size();
    branches.push_back(branches.back());
    grow(branches.back(), 1);
  }
  const Height top(branches.size() - 1);
  const Height shared = top.saturating_sub(8);
  REQUIRE(bench.machine().head() == top.saturating_sub(2));
  REQUIRE(bench.machine().logged.size() < 4);
  Branch other = branches.at(shared.value());
  other.miner = 2;
  for (int i = 0; i < 10; ++i) grow(other, 2);
  REQUIRE(bench.machine().rewinds == std::vector<Height>{shared});
  // Every Commit asks whether what makes it deep is in the log.
  for (int i = 0; i < 5; ++i) grow(branches.back(), 1);
  CHECK(bench.machine().rewinds == std::vector<Height>{shared, shared});
  CHECK(bench.machine().head() == top.saturating_add(3));
}

TEST_CASE("the ledger goes back only when it has executed what both branches share") {
  PowOptions options = quiet();
  options.execute_delay = seconds(10);
  Bench bench(options);
  Branch branch(bench.cluster);
  for (int i = 0; i < 5; ++i) bench.show(branch.next());
  Branch other = branch;
  other.miner = 2;
  for (int i = 0; i < 5; ++i) bench.show(branch.next());
  REQUIRE(bench.machine().executing.size() == 8);
  for (int i = 0; i < 7; ++i) bench.show(other.next(), 2);
  CHECK(bench.machine().rewinds.empty());
  bench.cluster.run_for(seconds(11));
  CHECK(bench.machine().rewinds == std::vector<Height>{Height(5)});
  bench.cluster.run_for(seconds(60));
  CHECK(bench.machine().head() == Height(10));
}

TEST_CASE("a restart chooses no branch before it has seen all that the log holds") {
  Bench bench;
  Branch branch(bench.cluster);
  for (int i = 0; i < 4; ++i) bench.show(branch.next());
  Branch other = branch;
  other.miner = 2;
  for (int i = 0; i < 6; ++i) bench.show(branch.next());
  for (int i = 0; i < 5; ++i) bench.show(other.next(), 2);
  bench.cluster.run_for(seconds(1));
  REQUIRE(bench.machine().head() == Height(8));
  const Digest tip = bench.tip();
  for (int i = 0; i < 20; ++i) {
    bench.cluster.crash(0);
    bench.cluster.start(0);
    bench.cluster.run_for(milliseconds(200));
    CHECK(bench.tip() == tip);
  }
  CHECK(bench.machine().rewinds.empty());
}

TEST_CASE("whoever asks too much is not answered for a while") {
  Bench bench;
  Branch branch(bench.cluster);
  pow::AskBlocks ask;
  const Bytes big(60'000);
  for (int i = 0; i < 8; ++i) {
    const pow::FullBlock block = branch.next(big);
    bench.show(block);
    ask.ids.push_back(block.header.id);
  }
  bench.told.clear();
  for (int i = 0; i < 500; ++i) REQUIRE(bench.cluster.deliver(2, 0, pow::encode(ask)));
  CHECK(bench.told.size() > 100);
  CHECK(bench.told.size() < 1000);  // of the 4000 that it asked for
}

TEST_CASE("a wrong nonce starts the search anew, and a late one counts for nothing") {
  PowOptions options = quiet();
  options.members = 1;
  PowCluster cluster(options);
  std::vector<StartWork> works;
  cluster.on_output = [&](std::uint32_t, const Output& output) {
    if (const auto* work = std::get_if<StartWork>(&output)) works.push_back(*work);
  };
  cluster.start(0);
  cluster.run_for(milliseconds(10));
  REQUIRE(works.size() == 1);
  const auto feed = [&](WorkToken token, std::uint64_t nonce) {
    cluster.input(0, WorkFound{token, nonce});
    cluster.run_for(milliseconds(10));
  };
  feed(works[0].token, 12345);
  REQUIRE(works.size() == 2);
  CHECK(cluster.branch(0).tip == Height(0));
  const auto header = crypto::work::decode_header(works[1].puzzle);
  REQUIRE(header);
  feed(works[0].token, cluster.lottery().draw(*header));
  CHECK(cluster.branch(0).tip == Height(0));
  feed(works[1].token, cluster.lottery().draw(*header));
  CHECK(cluster.branch(0).tip == Height(1));
  CHECK(cluster.branch(0).blocks_mined == 1);
}

TEST_CASE("new client work gets into the block that is being worked on, twice a second at most") {
  PowOptions options = quiet();
  options.members = 1;
  PowCluster cluster(options);
  std::vector<Digest> digests;
  cluster.on_output = [&](std::uint32_t, const Output& output) {
    if (const auto* work = std::get_if<StartWork>(&output)) {
      const auto header = crypto::work::decode_header(work->puzzle);
      if (digests.empty() || digests.back() != header->payload_digest) {
        digests.push_back(header->payload_digest);
      }
      // The header's time follows the clock.
      CHECK(header->time_s + 1 >= cluster.wall().value() / 1000);
    }
  };
  cluster.start(0);
  cluster.run_for(seconds(5));
  CHECK(digests.size() == 1);
  for (int i = 0; i < 20; ++i) {
    cluster.submit(1);
    cluster.run_for(milliseconds(50));
  }
  CHECK(digests.size() >= 2);
  CHECK(digests.size() <= 4);
}
