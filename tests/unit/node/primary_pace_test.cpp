#include "node/primary_pace.hpp"

#include <catch2/catch.hpp>

using namespace quorate;
using namespace quorate::node;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::size_t kFull = 100;  // transactions in a full block
constexpr std::size_t kInFlight = 8;

// How many numbers are in both (after, up_to] and (done, arrived].
std::size_t overlap(std::uint64_t after, std::uint64_t up_to, std::uint64_t done,
                    std::uint64_t arrived) {
  const std::uint64_t from = std::max(after, done);
  const std::uint64_t to = std::min(up_to, arrived);
  return to > from ? to - from : 0;
}

// A backup beside a primary that makes a block every so often, each of which is on its way for a
// while. Time goes in steps of 20 ms.
struct Bench {
  PrimaryPace pace{4, kInFlight};
  Instant now{seconds(1'000)};
  PacedWork work{true, 10'000};
  std::optional<Instant> suspected;
  std::size_t tells = 0;

  struct Habit {
    std::size_t transactions = kFull;  // of each block
    Duration every = milliseconds(100);
    Duration takes = milliseconds(40);  // from proposal to execution
    bool all_known = false;             // what waits is what is on its way, and nothing else
  };

  Bench() {
    pace.set_view_timeout(seconds(1));
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
    done_ += block.transactions;  // the oldest
    pace.executed({block.height, block.transactions, block.transactions == kFull, {}}, now);
  }
  void tick(const Habit& habit) {
    PacedWork waits = work;
    if (habit.all_known) {
      waits.ready = 0;
      for (const Block& block : on_its_way_) waits.ready += block.transactions;
    }
    const std::uint64_t arrived = done_ + waits.ready;
    waits.newest = arrived;
    waits.count = [this, arrived](std::uint64_t after, std::uint64_t up_to, std::size_t) {
      return overlap(after, up_to, done_, arrived);
    };
    pace.tick(waits, now);
    if (pace.take_tell()) {
      ++tells;
      pace.told(std::min(done_ + 1'000, arrived), now);
    }
    tick_at_ = now + PrimaryPace::kTick;
    if (pace.too_little() && !suspected) suspected = now;
  }

  std::uint64_t height_ = 0;
  std::uint64_t executed_ = 0;
  std::uint64_t done_ = 0;
  std::deque<Block> on_its_way_;
  Instant tick_at_;
};

// Two blocks of one transaction are on their way at all times: three a second.
constexpr Bench::Habit kDribble{1, milliseconds(333), milliseconds(666), false};

// A backup at one end of a slow line: transactions arrive here at a steady rate, and so much later
// they are here in a proposal of the primary at the other end, which makes one every 50 ms. Of
// those that waited before, the primary knows what it is told of. Time goes in steps of 10 ms.
struct Line {
  std::uint64_t rate = 0;              // transactions a second
  Duration lag{0};                     // from "ready here" to "proposal here"
  Duration takes{0};                   // from proposal to execution
  std::uint64_t capacity = 1'000'000;  // of the primary, a second
  bool heeds = true;                   // proposes what it is told of

  PrimaryPace pace{4, 32};
  Instant now{seconds(1'000)};
  Duration view_timeout = seconds(1);
  std::size_t tells = 0;
  std::uint64_t unknown = 0;  // wait here and not at the primary; they have the first numbers

  // So many a second under a backlog, which every later view is measured by.
  void saturate(std::uint64_t transactions) {
    pace.set_view_timeout(view_timeout);
    pace.entered_view(now);
    for (int i = 0; i < 100; ++i) {
      pace.pre_prepared({Height(++height_), transactions / 10, true}, now);
      now = now + milliseconds(100);
      pace.executed({Height(height_), transactions / 10, true, {}}, now);
      if (i % 5 == 0) pace.tick({true, 20'000}, now);
    }
    enter_view();
  }
  void enter_view() {
    pace.entered_view(now);
    for (const Block& block : on_its_way_) execute(block);
    on_its_way_.clear();
  }
  bool suspected_within(Duration time) {
    for (const Instant until = now + time; now < until; now = now + milliseconds(10)) {
      while (!on_its_way_.empty() && now >= on_its_way_.front().due) {
        execute(on_its_way_.front());
        on_its_way_.pop_front();
      }
      if (++steps_ % 5 == 0) propose();
      if (steps_ % 50 == 0) tick();
      if (pace.too_little()) return true;
    }
    return false;
  }

 private:
  struct Block {
    Height height;
    std::uint64_t fresh;
    std::uint64_t old;
    Instant due;
  };
  std::uint64_t arrived_at(std::uint64_t step) const { return rate * step / 100; }
  void propose() {
    const auto late = static_cast<std::uint64_t>(lag / milliseconds(10));
    const std::uint64_t known = steps_ > late ? arrived_at(steps_ - late) : 0;
    const bool heard = heard_at_ && now >= *heard_at_ + lag;
    const std::uint64_t old = heard && heeds ? told_ - old_proposed_ : 0;
    const std::uint64_t fresh = std::min(known - fresh_proposed_, capacity / 20);
    if (fresh + old == 0) return;
    old_proposed_ += old;
    fresh_proposed_ += fresh;
    pace.pre_prepared({Height(++height_), fresh + old, false}, now);
    on_its_way_.push_back({Height(height_), fresh, old, now + takes});
  }
  void execute(const Block& block) {
    fresh_done_ += block.fresh;
    old_done_ += block.old;
    pace.executed({block.height, block.fresh + block.old, false, {}}, now);
  }
  void tick() {
    const std::uint64_t arrived = arrived_at(steps_);
    PacedWork work{false, arrived - fresh_done_ + unknown - old_done_};
    work.newest = unknown + arrived;
    work.count = [&](std::uint64_t after, std::uint64_t up_to, std::size_t) {
      return overlap(after, up_to, old_done_, unknown) +
             overlap(after, up_to, unknown + fresh_done_, unknown + arrived);
    };
    pace.tick(work, now);
    if (!pace.take_tell()) return;
    ++tells;
    heard_at_ = now;
    told_ = std::min(unknown, old_done_ + 1'000);
    pace.told(told_ < unknown ? told_ : unknown + arrived, now);
  }

  std::uint64_t height_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t fresh_proposed_ = 0;
  std::uint64_t fresh_done_ = 0;
  std::uint64_t old_proposed_ = 0;
  std::uint64_t old_done_ = 0;
  std::uint64_t told_ = 0;
  std::optional<Instant> heard_at_;
  std::deque<Block> on_its_way_;
};

}  // namespace

TEST_CASE("no latency and no rate below the highest makes an honest primary slow") {
  constexpr std::uint64_t kSaturated = 5'000;
  for (const std::uint64_t percent : {5U, 10U, 20U, 34U}) {
    for (const auto lag : {20, 70, 150, 350, 650}) {
      Line line;
      line.rate = kSaturated * percent / 100;
      line.lag = milliseconds(lag);
      line.takes = milliseconds(lag);
      line.saturate(kSaturated);
      INFO(line.rate << " a second, " << lag << " ms");
      for (int view = 0; view < 10; ++view) {
        REQUIRE_FALSE(line.suspected_within(seconds(30)));
        line.enter_view();
      }
      CHECK(line.tells == 0);
    }
  }
}

TEST_CASE("over the slowest lines the view timeout says how much latency is no fault") {
  Line line;
  line.rate = 500;
  line.lag = line.takes = milliseconds(3'500);
  line.view_timeout = seconds(10);  // it follows what commits take
  line.saturate(5'000);
  CHECK_FALSE(line.suspected_within(seconds(120)));
}

TEST_CASE("what only the others know, as after lost relays, is told and then proposed") {
  Line line;
  line.rate = 500;
  line.lag = line.takes = milliseconds(150);
  line.unknown = 5'000;
  line.saturate(5'000);
  CHECK_FALSE(line.suspected_within(seconds(60)));
  CHECK(line.tells == 5);  // a thousand each time, and nothing once all are known

  Line deaf;
  deaf.rate = 500;
  deaf.lag = deaf.takes = milliseconds(150);
  deaf.unknown = 5'000;
  deaf.heeds = false;
  deaf.saturate(5'000);
  CHECK(deaf.suspected_within(seconds(7)));
}

TEST_CASE("a primary that proposes less than arrives is slow, whatever it takes first") {
  Line line;
  line.rate = 3'000;
  line.lag = line.takes = milliseconds(50);
  line.capacity = 1'000;
  line.saturate(5'000);
  CHECK(line.suspected_within(seconds(10)));
}

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
