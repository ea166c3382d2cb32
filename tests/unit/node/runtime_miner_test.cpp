// Mining threads against a solver that the test controls. Also run under the thread sanitizer.
#include <atomic>
#include <catch2/catch.hpp>
#include <ctime>
#include <set>

#include "node/runtime/miner.hpp"
#include "tests/unit/node/net_fixture.hpp"

namespace quorate::node {
namespace {

using consensus::WorkToken;
using test::Watched;

// Puzzle: one byte b. Every nonce that is a multiple of 1000 solves it, unless b is 0.
class Solver final : public consensus::PuzzleSolver {
 public:
  struct Slice {
    std::uint8_t puzzle;
    std::uint64_t first;
    std::uint64_t count;
  };

  std::optional<std::uint64_t> search(ByteView puzzle, std::uint64_t first,
                                      std::uint64_t count) const override {
    slices.update([&](auto& all) { all.push_back({puzzle[0], first, count}); });
    if (on_search) on_search(puzzle[0]);
    if (puzzle[0] == 0) return std::nullopt;
    const std::uint64_t past = first % 1000;
    const std::uint64_t nonce = past == 0 ? first : first + (1000 - past);
    return nonce - first < count ? std::optional(nonce) : std::nullopt;
  }

  mutable Watched<std::vector<Slice>> slices;
  std::function<void(std::uint8_t)> on_search;
};

struct Bench {
  using FoundList = std::vector<std::pair<WorkToken, std::uint64_t>>;

  explicit Bench(MinerOptions options = {}, std::function<void(std::uint8_t)> on_search = nullptr) {
    auto made = std::make_shared<Solver>();
    made->on_search = std::move(on_search);
    solver = made;
    miner.emplace(solver, options, [this](WorkToken token, std::uint64_t nonce) {
      found.update([&](FoundList& all) { all.emplace_back(token, nonce); });
    });
  }
  bool wait_found(std::size_t count) {
    return found.wait([count](const FoundList& all) { return all.size() >= count; });
  }

  std::shared_ptr<const Solver> solver;
  Watched<FoundList> found;
  std::optional<MinerThreads> miner;
};

// Keeps whoever passes until it is opened.
class Gate {
 public:
  void pass() {
    arrived_.update([](int& count) { ++count; });
    open_.wait([](bool open) { return open; });
  }
  bool wait_arrival() {
    return arrived_.wait([](int count) { return count > 0; });
  }
  void open() {
    open_.update([](bool& open) { open = true; });
  }

 private:
  Watched<int> arrived_;
  Watched<bool> open_;
};

void burn(std::chrono::milliseconds time) {
  const auto now = [] {
    timespec at{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec);
  };
  const auto end = now() + time;
  while (now() < end) {
  }
}

}  // namespace

TEST_CASE("each puzzle is solved once, whichever of several threads is the first") {
  Bench bench({.threads = 3});
  for (std::uint64_t token = 1; token <= 50; ++token) {
    bench.miner->start(WorkToken(token), {1});
    REQUIRE(bench.wait_found(token));
  }
  bench.miner->stop();
  const auto found = bench.found.get();
  REQUIRE(found.size() == 50);
  for (std::uint64_t i = 0; i < 50; ++i) {
    CHECK(found[i].first == WorkToken(i + 1));
    CHECK(found[i].second % 1000 == 0);
  }
}

TEST_CASE("no nonce is tried twice, also when a puzzle comes again") {
  Bench bench({.threads = 2});
  bench.miner->start(WorkToken(1), {0});
  REQUIRE(bench.solver->slices.wait([](const auto& all) { return all.size() > 5; }));
  bench.miner->start(WorkToken(2), {0});
  REQUIRE(bench.solver->slices.wait([](const auto& all) { return all.size() > 15; }));
  bench.miner->stop();
  const auto slices = bench.solver->slices.get();
  std::set<std::pair<std::uint64_t, std::uint64_t>> taken;
  std::uint64_t total = 0;
  for (const auto& slice : slices) {
    taken.emplace(slice.first, slice.count);
    total += slice.count;
  }
  REQUIRE(taken.size() == slices.size());
  for (auto it = std::next(taken.begin()); it != taken.end(); ++it) {
    const auto& before = *std::prev(it);
    // The numbers begin somewhere and may pass zero once.
    if (it->first - before.first < (std::uint64_t{1} << 60U)) {
      CHECK(before.first + before.second <= it->first);
    }
  }
  CHECK(bench.miner->statistics().hashes == total);
  CHECK(bench.found.get().empty());
}

TEST_CASE("a solution of a puzzle that was replaced or cancelled meanwhile is nobody's") {
  Gate gate;
  Bench bench({}, [&gate](std::uint8_t puzzle) {
    if (puzzle == 7) gate.pass();
  });
  bench.miner->start(WorkToken(1), {7});
  REQUIRE(gate.wait_arrival());
  SECTION("replaced") { bench.miner->start(WorkToken(2), {1}); }
  SECTION("cancelled") {
    bench.miner->cancel(WorkToken(1));
    bench.miner->cancel(WorkToken(9));  // of no puzzle
  }
  gate.open();
  bench.miner->start(WorkToken(3), {1});
  REQUIRE(bench.found.wait(
      [](const auto& all) { return !all.empty() && all.back().first == WorkToken(3); }));
  for (const auto& [token, nonce] : bench.found.get()) CHECK(token != WorkToken(1));
}

TEST_CASE("after stop nothing is found, and stopping does not wait for a solution") {
  Gate gate;
  Bench bench({}, [&gate](std::uint8_t puzzle) {
    if (puzzle == 7) gate.pass();
  });
  bench.miner->start(WorkToken(1), {7});
  REQUIRE(gate.wait_arrival());
  std::thread opener([&gate] { gate.open(); });
  bench.miner->stop();
  opener.join();
  const std::size_t found = bench.found.get().size();
  bench.miner->start(WorkToken(2), {1});
  bench.miner->stop();
  CHECK(bench.found.get().size() == found);
}

TEST_CASE("a thread with a duty of ten percent sleeps nine times as long as it works") {
  constexpr auto kWork = std::chrono::milliseconds(4);
  Bench bench({.threads = 1, .duty_percent = 10}, [&](std::uint8_t) { burn(kWork); });
  const auto began = std::chrono::steady_clock::now();
  bench.miner->start(WorkToken(1), {0});
  REQUIRE(bench.solver->slices.wait([](const auto& all) { return all.size() >= 6; }));
  const auto took = std::chrono::steady_clock::now() - began;
  // Five slices are over, each with its rest.
  CHECK(took >= 5 * 10 * kWork);
}

TEST_CASE("a rest is no reason to stop late") {
  Bench bench({.threads = 1, .duty_percent = 1},
              [](std::uint8_t) { burn(std::chrono::milliseconds(200)); });
  bench.miner->start(WorkToken(1), {0});
  REQUIRE(bench.solver->slices.wait([](const auto& all) { return !all.empty(); }));
  const auto began = std::chrono::steady_clock::now();
  bench.miner->stop();
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(10));  // the rest: 20 s
}

TEST_CASE("instant mining waits for transactions, and takes its time") {
  std::atomic<bool> waiting{false};
  std::atomic<int> too_early{0};
  Bench bench({.threads = 1, .duty_percent = 100, .instant_mean = std::chrono::milliseconds(2)},
              [&](std::uint8_t) {
                if (!waiting) ++too_early;
              });
  bench.miner->start(WorkToken(1), {1});
  bench.miner->start(WorkToken(2), {1});
  CHECK(bench.miner->statistics().hashes == 0);
  waiting = true;
  bench.miner->pending(true);
  REQUIRE(bench.wait_found(1));
  CHECK(bench.found.get().front().first == WorkToken(2));
  for (std::uint64_t token = 3; token <= 22; ++token) {
    bench.miner->start(WorkToken(token), {1});
    REQUIRE(bench.wait_found(token - 1));
  }
  bench.miner->pending(false);
  waiting = false;
  bench.miner->start(WorkToken(23), {1});
  bench.miner->stop();
  CHECK(too_early == 0);
  CHECK(bench.found.get().size() == 21);
}

}  // namespace quorate::node
