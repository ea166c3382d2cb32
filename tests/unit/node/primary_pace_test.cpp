#include "node/primary_pace.hpp"

#include <catch2/catch.hpp>

using namespace quorate;
using namespace quorate::node;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::size_t kFull = 100;  // transactions in a full block
constexpr std::size_t kInFlight = 8;

// A backup beside a primary that makes a block every so often, each of which is on its way for a
// while. Time goes in steps of 20 ms.
struct Bench {
  PrimaryPace pace{4, kInFlight};
  Instant now{seconds(1'000)};
  PacedWork work{true, 10'000};
  std::optional<Instant> suspected;

  struct Habit {
    std::size_t transactions = kFull;  // of each block
    Duration every = milliseconds(100);
    Duration takes = milliseconds(40);  // from proposal to execution
    bool all_known = false;             // what waits is what is on its way, and nothing else
  };

  Bench() {
    pace.set_view_timeout(seconds(10));
    pace.entered_view(now);
  }
  void enter_view() {
    pace.entered_view(now);
    on_its_way_.clear();
    height_ = executed_;  // what was on its way is proposed again
    suspected.reset();
  }
  void run(const Habit& habit, Duration time) {
    const Instant until = now + time;
    Instant propose_at = now;
    while (now < until) {
      while (!on_its_way_.empty() && now >= on_its_way_.front().due) execute();
      if (now >= propose_at) {
        propose(habit);
        propose_at = propose_at + habit.every;
      }
      if (now >= tick_at_) tick(habit);
      now = now + milliseconds(20);
    }
  }
  // Proposed, and nothing comes of it.
  void propose_far(std::uint64_t above) {
    pace.pre_prepared({Height(height_ + above), kFull, true}, now);
  }
  // Nothing waits, so that nobody looks.
  void pause(Duration time) {
    while (!on_its_way_.empty()) execute();
    now = now + time;
  }
  Duration patience(Instant since) const { return *suspected - since; }

 private:
  struct Block {
    Height height;
    std::size_t transactions;
    Instant due;
  };
  void propose(const Habit& habit) {
    ++height_;
    pace.pre_prepared({Height(height_), habit.transactions, habit.transactions == kFull}, now);
    on_its_way_.push_back({Height(height_), habit.transactions, now + habit.takes});
  }
  void execute() {
    const Block block = on_its_way_.front();
    on_its_way_.pop_front();
    executed_ = block.height.value();
    pace.executed({block.height, block.transactions, block.transactions == kFull, {}}, now);
  }
  void tick(const Habit& habit) {
    PacedWork waits = work;
    if (habit.all_known) {
      waits.ready = 0;
      for (const Block& block : on_its_way_) waits.ready += block.transactions;
    }
    pace.tick(waits, now);
    tick_at_ = now + PrimaryPace::kTick;
    if (pace.too_little() && !suspected) suspected = now;
  }

  std::uint64_t height_ = 0;
  std::uint64_t executed_ = 0;
  std::deque<Block> on_its_way_;
  Instant tick_at_;
};

// Two blocks of one transaction are on their way at all times: three a second.
constexpr Bench::Habit kDribble{1, milliseconds(333), milliseconds(666), false};

}  // namespace

TEST_CASE("a primary that keeps small blocks on their way is known by the rate of earlier views") {
  Bench bench;
  bench.run({}, seconds(20));
  REQUIRE_FALSE(bench.suspected);
  bench.enter_view();
  const Instant began = bench.now;
  bench.run(kDribble, seconds(20));
  REQUIRE(bench.suspected);
  CHECK(bench.patience(began) < seconds(7));
}

TEST_CASE("in the first view it is known by what it leaves for more than a minute") {
  Bench bench;
  const Instant began = bench.now;
  bench.run(kDribble, seconds(40));
  REQUIRE(bench.suspected);
  CHECK(bench.patience(began) >= PrimaryPace::kFirstWindow);
  CHECK(bench.patience(began) < PrimaryPace::kFirstWindow + seconds(2));

  Bench soon_done;
  soon_done.work = {false, 150};
  soon_done.run(kDribble, seconds(60));
  CHECK_FALSE(soon_done.suspected);
}

TEST_CASE("little is left where the primary is waited for, and that is enough to know it by") {
  Bench bench;
  bench.work = {false, 300};  // far less than two payloads
  bench.run(kDribble, seconds(40));
  CHECK(bench.suspected);
}

TEST_CASE("full blocks, and as many as may be, are not the primary's room") {
  for (const Bench::Habit& habit :
       {Bench::Habit{kFull, seconds(1), seconds(2), false},
        Bench::Habit{1, seconds(1), seconds(8) + milliseconds(500), false}}) {
    Bench bench;
    bench.run({}, seconds(20));
    bench.enter_view();
    bench.run(habit, seconds(10));  // until the pipe is as full as it gets
    bench.suspected.reset();
    bench.run(habit, seconds(60));
    CHECK_FALSE(bench.pace.too_little());
  }
}

TEST_CASE("a full block above a gap is on nobody's way") {
  Bench bench;
  bench.run({}, seconds(20));
  bench.enter_view();
  bench.propose_far(1'000);
  bench.run(kDribble, seconds(20));
  CHECK(bench.suspected);
}

TEST_CASE("where agreement is slow, small blocks that hold everything are not slow primaries") {
  for (const bool first : {true, false}) {
    Bench bench;
    if (!first) {
      bench.run({}, seconds(20));
      bench.enter_view();
    }
    bench.work.backlog = false;
    bench.run({70, seconds(1), seconds(3), true}, seconds(60));
    CHECK_FALSE(bench.suspected);
  }
}

TEST_CASE("a primary that knows less than others, as after lost relays, proposes what it knows") {
  Bench bench;
  bench.run({}, seconds(20));
  bench.enter_view();
  // Two fifths of the rate, in blocks with room, while a full mempool waits here.
  bench.work.ready = 100'000;
  bench.run({kFull * 2 / 5, milliseconds(100), milliseconds(150), false}, seconds(60));
  CHECK_FALSE(bench.suspected);

  Bench first;
  first.work.ready = 50'000;
  first.run({kFull - 1, milliseconds(100), milliseconds(150), false}, seconds(60));
  CHECK_FALSE(first.suspected);  // a thousand a second: less than a minute of work is left
}

TEST_CASE("a pause without work is no slow time, however suddenly it began") {
  Bench bench;
  bench.run({}, seconds(20));
  bench.enter_view();
  for (int i = 0; i < 10; ++i) {
    bench.run({}, seconds(2));
    bench.pause(seconds(60));
  }
  CHECK_FALSE(bench.suspected);
}

TEST_CASE("what waits for something else than the primary does not count") {
  Bench bench;
  bench.run({}, seconds(20));
  bench.enter_view();
  bench.work = {};
  bench.run(kDribble, seconds(60));
  CHECK_FALSE(bench.suspected);
}
