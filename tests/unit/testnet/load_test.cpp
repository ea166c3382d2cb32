#include <catch2/catch.hpp>
#include <fstream>
#include <set>

#include "crypto/verifier.hpp"
#include "testnet/load/accounts.hpp"
#include "testnet/load/collector.hpp"
#include "testnet/load/report.hpp"
#include "testnet/load/statistics.hpp"
#include "testnet/load/workload.hpp"
#include "tests/support/temporary_folder.hpp"

namespace quorate::testnet {

namespace {

Digest some_chain() {
  Digest id;
  id.bytes.fill(7);
  return id;
}

std::vector<LoadAccount> some_accounts(std::uint32_t count) {
  std::vector<LoadAccount> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto key = load_account_key(i);
    const auto address = crypto::address_of(key.public_key());
    out.push_back({std::move(key), address, 1});
  }
  return out;
}

FinalBlock block_of(const std::vector<Digest>& ids, LoadClock::time_point at) {
  FinalBlock block;
  block.verified = at;
  block.transaction_ids = ids;
  return block;
}

}  // namespace

TEST_CASE("percentiles are nearest ranks") {
  std::vector<double> values;
  for (int i = 1000; i >= 1; --i) values.push_back(i);
  const auto found = percentiles(values);
  CHECK(found.count == 1000);
  CHECK(found.min == 1);
  CHECK(found.p50 == 500);
  CHECK(found.p95 == 950);
  CHECK(found.p99 == 990);
  CHECK(found.p999 == 999);
  CHECK(found.max == 1000);
  CHECK(percentiles({}).count == 0);
  CHECK(median({3}) == 3);
}

TEST_CASE("a workload is verifiable transfers whose nonces follow each other per account") {
  auto accounts = some_accounts(4);
  accounts[1].next_nonce = 9;
  const auto first = Workload::sign(some_chain(), accounts, 10);
  const auto second = Workload::sign(some_chain(), accounts, 3);
  const crypto::Ed25519Verifier verifier;
  std::map<PublicKey, std::vector<std::uint64_t>> nonces;
  std::set<Digest> ids;
  for (const auto* work : {&first, &second}) {
    for (std::size_t k = 0; k < work->size(); ++k) {
      const auto raw = from_hex(work->hex(k));
      REQUIRE(raw.has_value());
      const auto verified = ledger::verify_transaction(some_chain(), *raw, verifier);
      REQUIRE(verified.has_value());
      CHECK((*verified)->id == work->id(k));
      CHECK(work->find(work->id(k)) == k);
      const auto& transaction = (*verified)->signed_transaction.transaction;
      nonces[transaction.sender].push_back(transaction.nonce);
      ids.insert(work->id(k));
    }
  }
  CHECK(ids.size() == 13);
  CHECK(nonces[accounts[0].key.public_key()] == std::vector<std::uint64_t>{1, 2, 3, 4});
  CHECK(nonces[accounts[1].key.public_key()] == std::vector<std::uint64_t>{9, 10, 11, 12});
  CHECK(nonces[accounts[3].key.public_key()] == std::vector<std::uint64_t>{1, 2});
  CHECK(accounts[3].next_nonce == 3);
  CHECK_FALSE(first.find(Digest{}).has_value());
}

TEST_CASE("latency counts from when a transaction was due, not from when it was sent") {
  auto accounts = some_accounts(2);
  const auto work = Workload::sign(some_chain(), accounts, 4);
  const auto start = LoadClock::time_point(std::chrono::seconds(100));
  const Schedule schedule{start, 1000};  // due at 0, 1, 2 and 3 ms
  Collector collector(work, schedule, nullptr);
  collector.on_final(
      block_of({work.id(0), work.id(1), Digest{}}, start + std::chrono::milliseconds(11)));
  // Once more, as another node might tell it: the first time counts.
  collector.on_final(block_of({work.id(0)}, start + std::chrono::milliseconds(500)));
  CHECK(collector.finals() == 2);
  CHECK(collector.latencies_ms(start, start + std::chrono::seconds(1)) ==
        std::vector<double>{11, 10});
  CHECK(collector.unfinished(4) == std::vector<std::size_t>{2, 3});
  CHECK(collector.unfinished(3) == std::vector<std::size_t>{2});
  CHECK(collector.final_between(start, start + std::chrono::milliseconds(11)) == 0);
  CHECK(collector.final_between(start, start + std::chrono::milliseconds(12)) == 2);
}

TEST_CASE("what is withdrawn is not final, until it is so again, and is counted") {
  auto accounts = some_accounts(2);
  const auto work = Workload::sign(some_chain(), accounts, 4);
  const LoadClock::time_point start{std::chrono::seconds(100)};
  Collector collector(work, Schedule{start, 1000}, nullptr);
  const auto block = [&](std::uint64_t height, std::size_t k, int milliseconds) {
    auto out = block_of({work.id(k)}, start + std::chrono::milliseconds(milliseconds));
    out.height = height;
    return out;
  };
  collector.on_final(block(7, 0, 100));
  collector.on_final(block(8, 1, 200));
  collector.on_final(block(9, 2, 300));
  CHECK(collector.sustained_rate() == Approx(10));
  collector.on_withdrawn(8);
  CHECK(collector.finals() == 1);
  CHECK(collector.reversed() == 2);
  CHECK(collector.unfinished(4) == std::vector<std::size_t>{1, 2, 3});
  CHECK(collector.sustained_rate() == 0);
  collector.on_final(block(8, 2, 400));
  CHECK(collector.finals() == 2);
  CHECK(collector.reversed() == 2);
}

TEST_CASE("only proved success is acknowledged on disk, each transaction once") {
  const TemporaryFolder folder;
  auto accounts = some_accounts(2);
  const auto work = Workload::sign(some_chain(), accounts, 3);
  const auto ack = AckFile::open(folder.path() / "acks");
  REQUIRE(ack.has_value());
  Collector collector(work, Schedule{LoadClock::time_point{}, 1}, ack->get());
  auto block = block_of({work.id(0), work.id(1), work.id(2)},
                        LoadClock::time_point(std::chrono::seconds(1)));
  block.receipts = {{work.id(0), ledger::Outcome::succeeded, {}, 0},
                    {work.id(1), ledger::Outcome::failed, ledger::Reason::insufficient_funds, 0},
                    {work.id(2), ledger::Outcome::skipped, ledger::Reason::nonce_too_high, 0}};
  collector.on_final(block);
  collector.on_final(block);
  CHECK(collector.finals() == 2);
  CHECK(collector.failed() == 1);
  CHECK(collector.ack_error().empty());
  std::ifstream in(folder.path() / "acks");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  CHECK(lines == std::vector<std::string>{to_0x(work.id(0))});
}

TEST_CASE("the report's ratio is the best committed rate over the ceiling, and it must be sound") {
  LoadReport report;
  report.nodes = 4;
  report.probes.cores = 2;
  report.probes.verify_us = 50;
  report.ceiling = report.probes.ceiling(report.nodes);
  CHECK(report.ceiling == Approx(10'000));
  PointResult slow;
  slow.committed = 1000;
  PointResult fast;
  fast.committed = 5000;
  report.points = {slow, fast, slow};
  report.check = {7, true, 10, 10, true};
  CHECK(report.ceil_ratio() == Approx(0.5));
  CHECK(report.sound());
  CHECK(to_json(report)["ceil_ratio"] == Approx(0.5));
  CHECK_THAT(summary(report), Catch::Contains("saturation: above 5000 tx/s = 0.50 of CEIL"));
  report.points[0].offered = 2000;
  CHECK(to_json(report)["saturated"] == true);
  CHECK_THAT(summary(report), Catch::Contains("saturation: 5000 tx/s = 0.50 of CEIL"));
  report.check.acknowledged = 11;  // more than the chain has
  CHECK_FALSE(report.sound());
  report.check = {7, false, 10, 10, true};
  CHECK_FALSE(report.sound());
}

}  // namespace quorate::testnet
