#include "node/primary_watch.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/node/core_fixture.hpp"

using namespace quorate;
using namespace quorate::node;
using namespace quorate::node::testing;
using consensus::SuspicionReason;
using std::chrono::milliseconds;

namespace primary_watch_test {
namespace {

constexpr std::size_t kPayloadMax = 10;

WatchLimits limits() {
  WatchLimits out;
  out.payload_transactions_max = kPayloadMax;
  out.payload_bytes_max = 64U << 10U;
  out.pool_transactions_max = 50;
  out.pool_bytes_max = 128U << 10U;
  return out;
}

// A backup's days: time in steps of 50 ms, looks whenever one is due.
struct Bench {
  PrimaryWatch watch{limits()};
  PrimaryWatch::Look look;
  Instant now;
  std::size_t relays = 0;
  std::vector<consensus::PrimarySuspected> suspicions;
  std::uint64_t height = 0;

  Bench() {
    look.view_timeout = milliseconds(1'000);
    look.judging = true;
    watch.entered_view(now);
  }
  void waits(std::uint64_t order) {
    look.oldest = Mempool::Oldest{order, transaction({1, 1})};
    look.pool.ready = 1;
  }
  void pass(std::int64_t ms) {
    for (std::int64_t left = ms; left > 0; left -= 50) {
      now = now + milliseconds(50);
      watch.look(look, now);
      relays += watch.take_relay() ? 1U : 0U;
      if (const auto found = watch.take_suspicion(now)) suspicions.push_back(*found);
    }
  }
  // A block of so many transactions, the median of which waited `delay` for its proposal.
  void block(std::size_t transactions, std::int64_t delay_ms, std::int64_t agreement_ms,
             std::uint64_t newest_order = 0) {
    PrimaryWatch::Block out;
    out.height = Height(++height);
    out.transactions = transactions;
    out.payload_bytes = 200 * transactions;
    out.departed.newest_order = newest_order;
    out.departed.ready_since.assign(transactions, now + milliseconds(-delay_ms));
    watch.pre_prepared(out.height, now);
    now = now + milliseconds(agreement_ms);
    watch.executed(std::move(out), now);
  }
};

}  // namespace

TEST_CASE("a transaction left out of blocks with room makes the primary suspect, after relays") {
  Bench bench;
  bench.waits(7);
  bench.pass(200);
  REQUIRE(bench.relays == 1);  // the view is new
  for (int i = 0; i < 20; ++i) {
    bench.block(3, 5, 5);
    bench.pass(200);
  }
  REQUIRE(bench.suspicions.empty());  // enough blocks, not enough time
  REQUIRE(bench.relays >= 8);         // every half timeout
  for (int i = 0; i < 10; ++i) {
    bench.block(3, 5, 5);
    bench.pass(200);
  }
  REQUIRE_FALSE(bench.suspicions.empty());
  REQUIRE(bench.suspicions.front().reason == SuspicionReason::censorship);
  const std::size_t said = bench.suspicions.size();
  bench.pass(3'000);
  REQUIRE(bench.suspicions.size() == said + 3);  // once a second while it holds
  bench.waits(8);                                // it was proposed at last
  bench.pass(3'000);
  REQUIRE(bench.suspicions.size() == said + 3);
}

TEST_CASE("full blocks of younger transactions are forgiven until a full mempool is through") {
  Bench bench;
  bench.waits(7);
  bench.pass(100);
  const std::uint64_t forgiven = 2 * (1 + 50 / kPayloadMax);
  for (std::uint64_t i = 0; i + 1 < forgiven; ++i) {
    bench.block(kPayloadMax, 5, 300, 100 + i);
    bench.pass(1'000);
  }
  REQUIRE(bench.suspicions.empty());
  bench.block(kPayloadMax, 5, 300, 300);
  bench.pass(1'000);
  REQUIRE(bench.suspicions.size() == 1);
  REQUIRE(bench.suspicions.front().reason == SuspicionReason::censorship);
}

TEST_CASE("full blocks of older transactions are the queue, not censorship") {
  Bench bench;
  bench.waits(700);
  for (std::uint64_t i = 1; i < 60; ++i) {
    bench.block(kPayloadMax, 5'000, 5, i);
    bench.pass(100);
  }
  REQUIRE(bench.suspicions.empty());
}

TEST_CASE("time in which nothing can be expected of the primary does not count") {
  Bench bench;
  bench.waits(7);
  for (int i = 0; i < 100; ++i) {
    bench.look.judging = i % 10 == 0;  // mostly executing, fetching, or at a full window
    bench.block(3, 5, 5);
    bench.pass(100);
  }
  REQUIRE(bench.suspicions.empty());
}

TEST_CASE("a new view starts the time anew, and its primary is told of the oldest") {
  Bench bench;
  bench.waits(7);
  for (int i = 0; i < 20; ++i) {
    bench.block(3, 5, 5);
    bench.pass(200);
  }
  bench.look.view = View(1);
  bench.watch.entered_view(bench.now);
  const std::size_t before = bench.relays;
  bench.pass(100);
  REQUIRE(bench.relays == before + 1);
  for (int i = 0; i < 20; ++i) {
    bench.block(3, 5, 5);
    bench.pass(200);
  }
  REQUIRE(bench.suspicions.empty());
}

TEST_CASE("a primary that answers everything, but late, is suspected within ten seconds") {
  Bench bench;
  bench.waits(1);
  for (std::uint64_t i = 1; bench.suspicions.empty() && i < 12; ++i) {
    bench.waits(i);  // each is proposed in the end
    bench.block(3, 450, 20);
    bench.pass(850);
  }
  REQUIRE_FALSE(bench.suspicions.empty());
  REQUIRE(bench.suspicions.front().reason == SuspicionReason::throughput);
  REQUIRE(bench.now < Instant{} + milliseconds(10'000));
}

TEST_CASE("full blocks are no excuse when everybody waits for the next one") {
  for (const bool pipelined : {false, true}) {
    Bench bench;
    for (std::uint64_t i = 1; i < 15; ++i) {
      bench.waits(i);
      bench.block(kPayloadMax, 20'000, 20);
      // The next one is on its way already, and takes its time: nobody waits for the primary.
      if (pipelined) bench.watch.pre_prepared(Height(bench.height + 1), bench.now);
      bench.pass(850);
    }
    REQUIRE(bench.suspicions.empty() == pipelined);
  }
}

TEST_CASE("where latency varies much, so may the primary's") {
  Bench bench;
  bench.look.view_timeout = milliseconds(4'000);
  for (std::uint64_t i = 1; i < 40; ++i) {
    bench.waits(i);
    bench.block(3, 950, 20);  // below a quarter of it
    bench.pass(950);
  }
  REQUIRE(bench.suspicions.empty());
}

TEST_CASE("what waited for more than two timeouts was unknown to the primary, not delayed by it") {
  Bench bench;
  for (std::uint64_t i = 1; i < 40; ++i) {
    bench.waits(i);
    bench.block(3, 2'100, 20);
    bench.pass(850);
  }
  REQUIRE(bench.suspicions.empty());
}

TEST_CASE("a slow network and slow disks are not the primary's delay") {
  Bench bench;
  for (std::uint64_t i = 1; i < 40; ++i) {
    bench.waits(i);
    bench.block(3, 900, 600);  // whatever takes long here takes long for everybody
    bench.pass(200);
  }
  REQUIRE(bench.suspicions.empty());
}

TEST_CASE("one slow answer among quick ones is forgiven, and so is what waits behind full blocks") {
  Bench bench;
  for (std::uint64_t i = 1; i < 60; ++i) {
    bench.waits(i);
    bench.block(3, i % 3 == 0 ? 900 : 5, 5);
    bench.pass(200);
  }
  for (std::uint64_t i = 60; i < 100; ++i) {
    bench.waits(i);
    bench.block(i % 2 == 0 ? kPayloadMax : 3, 3'000, 5);
    bench.pass(100);
  }
  REQUIRE(bench.suspicions.empty());
}

TEST_CASE("transactions that the primary may not know do not count while it keeps everybody busy") {
  for (const bool busy : {false, true}) {
    Bench bench;
    for (std::uint64_t i = 1; i < 60; ++i) {
      bench.waits(i);
      bench.block(3, 900, 60);  // old here: its relay was lost under the load
      if (busy) bench.watch.pre_prepared(Height(bench.height + 1), bench.now);
      bench.pass(300);
    }
    REQUIRE(bench.suspicions.empty() == busy);
  }
}

TEST_CASE("an idle chain suspects nobody, also after slow answers") {
  Bench bench;
  for (std::uint64_t i = 1; i < 4; ++i) {
    bench.waits(i);
    bench.block(3, 900, 5);
    bench.pass(100);
  }
  bench.look.oldest.reset();
  bench.look.pool = {};
  bench.pass(60'000);
  REQUIRE(bench.suspicions.empty());
}

TEST_CASE("under a backlog a primary far below earlier views is suspected, if all wait for it") {
  const auto run = [](Bench& bench, std::int64_t every_ms, int blocks, bool pipe_full) {
    for (int i = 0; i < blocks; ++i) {
      bench.waits(bench.height + 1);
      bench.look.pool.ready = 5 * kPayloadMax;
      bench.block(kPayloadMax, 100, 100);
      // A proposal that is not executed yet: the ledger or the agreement is what is slow.
      if (pipe_full) bench.watch.pre_prepared(Height(bench.height + 1), bench.now);
      bench.pass(every_ms);
    }
  };
  for (const bool pipe_full : {false, true}) {
    Bench bench;
    for (std::uint64_t view = 1; view <= 3; ++view) {
      run(bench, 100, 100, false);
      bench.look.view = View(view);
      bench.watch.entered_view(bench.now);
    }
    REQUIRE(bench.suspicions.empty());
    run(bench, 500, 30, pipe_full);  // slow from its first block on
    REQUIRE(bench.suspicions.empty() == pipe_full);
    if (!pipe_full) REQUIRE(bench.suspicions.front().reason == SuspicionReason::throughput);
  }
  Bench first;  // without an earlier view there is nothing to compare with
  run(first, 100, 100, false);
  run(first, 500, 30, false);
  REQUIRE(first.suspicions.empty());
}

}  // namespace primary_watch_test
