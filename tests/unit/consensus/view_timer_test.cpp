// How long a replica bears with a view: what the time is made of, when it stands still, and what a
// status page says about it.
#include <catch2/catch.hpp>

#include "consensus/pbft/commit_latency.hpp"
#include "tests/unit/consensus/solo.hpp"

namespace quorate::consensus::test {

using pbft::CommitLatency;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::size_t suspects_sent(const Solo& solo) { return solo.sent<pbft::Suspect>().size(); }

// Orders a height so slowly that accepting and committing it lie `latency` apart, and it is not
// accepted before `wait` is over: the check of its payload takes so long, unless its time lies
// ahead by so many milliseconds.
void order_slowly(Solo& solo, std::uint64_t height, Duration latency, Duration wait = {},
                  std::uint64_t ahead_ms = 0) {
  const auto proposal = solo.pre_prepare(height, {1}, solo.wall.saturating_add(ahead_ms));
  solo.receive(0, proposal);
  if (wait > Duration(0)) solo.advance_time(wait);
  solo.settle();
  solo.advance_time(latency);
  for (const std::uint32_t i : {2U, 3U}) solo.receive(i, solo.prepare(i, proposal));
  solo.settle();
  for (const std::uint32_t i : {0U, 2U, 3U}) solo.receive(i, solo.commit(i, proposal));
  solo.settle();
  if (height % 8 != 0) return;
  for (const std::uint32_t i : {0U, 2U, 3U}) {
    solo.receive(i, solo.checkpoint(i, height, Solo::checkpoint_digest(Height(height))));
  }
  solo.settle();
}

// Null heights 1..count, as view 1 takes them over, executed without a transaction.
void commit_null(Solo& solo, const pbft::NewViewPtr& opened, std::size_t index) {
  const pbft::Ballot& ballot = opened->proposals[index].ballot;
  for (const std::uint32_t i : {0U, 1U, 2U}) {
    solo.receive(i, solo.vote(i, pbft::VoteKind::commit, ballot));
  }
  solo.persist_all();
  solo.input(Executed{ballot.height, ballot.id, Solo::block_hash(ballot.height),
                      Solo::checkpoint_digest(ballot.height), true});
}

}  // namespace

TEST_CASE("the measure of patience is what 99 of the last heights stay within") {
  CommitLatency latency;
  for (int i = 1; i < 100; ++i) latency.add(milliseconds(i));
  REQUIRE_FALSE(latency.p99());
  for (int i = 100; i <= 200; ++i) latency.add(milliseconds(i));
  REQUIRE(latency.p99() == Duration(milliseconds(198)));
  for (std::size_t i = 0; i < CommitLatency::kSamplesMax; ++i) latency.add(milliseconds(7));
  REQUIRE(latency.p99() == Duration(milliseconds(7)));  // what is long ago is forgotten
}

TEST_CASE("the view timeout follows the commit latency between half and ten times the default") {
  struct Case {
    Duration latency;
    Duration timeout;
  };
  for (const Case& each :
       {Case{milliseconds(5), milliseconds(500)}, Case{milliseconds(300), milliseconds(1'200)},
        Case{seconds(4), seconds(10)}}) {
    Solo solo(1);
    solo.start_voting();
    REQUIRE(solo.engine().status().view_timeout == seconds(1));
    for (std::uint64_t height = 1; height <= 99; ++height) {
      order_slowly(solo, height, each.latency);
      solo.outputs.clear();
    }
    REQUIRE(solo.engine().status().last_executed == Height(99));
    REQUIRE(solo.engine().status().view_timeout == seconds(1));
    for (std::uint64_t height = 100; height <= 104; ++height) {
      order_slowly(solo, height, each.latency);
    }
    REQUIRE(solo.engine().status().view_timeout == each.timeout);
  }
}

TEST_CASE("the check of a payload counts towards patience, the wait for a time ahead does not") {
  Solo busy(1);
  busy.start_voting();
  for (std::uint64_t height = 1; height <= 104; ++height) {
    order_slowly(busy, height, milliseconds(100), milliseconds(400));
    busy.outputs.clear();
  }
  REQUIRE(busy.engine().status().view_timeout == seconds(2));

  Solo ahead(1);
  ahead.start_voting();
  for (std::uint64_t height = 1; height <= 104; ++height) {
    order_slowly(ahead, height, milliseconds(5), milliseconds(900), 10'900);  // 10 s are allowed
    ahead.outputs.clear();
  }
  REQUIRE(ahead.engine().status().last_executed == Height(104));
  REQUIRE(ahead.engine().status().view_timeout == milliseconds(500));
}

TEST_CASE("a block without transactions is no progress for a client that waits") {
  Solo solo(3);
  solo.start_voting();
  const auto far = solo.pre_prepare(3, {3});
  const auto opened = solo.new_view(1, {solo.view_change(0, 1), solo.view_change(1, 1),
                                        solo.view_change(2, 1, {solo.prepared(far, {1, 2})})});
  solo.receive(1, opened);
  solo.settle();
  solo.input(PendingChanged{true});
  solo.outputs.clear();
  solo.advance_time(milliseconds(600));
  commit_null(solo, opened, 0);
  solo.advance_time(milliseconds(200));
  commit_null(solo, opened, 1);
  REQUIRE(solo.engine().status().last_executed == Height(2));
  REQUIRE(suspects_sent(solo) == 0);
  solo.advance_time(milliseconds(200));
  REQUIRE(suspects_sent(solo) == 1);
}

TEST_CASE("time stands still while the ledger executes, and goes on where it stood") {
  Solo solo(3);
  solo.start_voting();
  const auto far = solo.pre_prepare(3, {3});
  const auto opened = solo.new_view(1, {solo.view_change(0, 1), solo.view_change(1, 1),
                                        solo.view_change(2, 1, {solo.prepared(far, {1, 2})})});
  solo.receive(1, opened);
  solo.settle();
  solo.input(PendingChanged{true});
  solo.outputs.clear();
  solo.advance_time(milliseconds(600));
  const pbft::Ballot& ballot = opened->proposals[0].ballot;
  for (const std::uint32_t i : {0U, 1U, 2U}) {
    solo.receive(i, solo.vote(i, pbft::VoteKind::commit, ballot));
  }
  REQUIRE(std::string(solo.engine().status().untimed) == "the ledger executes");
  solo.advance_time(seconds(30));
  REQUIRE(suspects_sent(solo) == 0);
  solo.persist_all();
  solo.input(Executed{ballot.height, ballot.id, Solo::block_hash(ballot.height),
                      Solo::checkpoint_digest(ballot.height), true});
  REQUIRE(std::string(solo.engine().status().untimed).empty());
  solo.advance_time(milliseconds(399));
  REQUIRE(suspects_sent(solo) == 0);
  solo.advance_time(milliseconds(1));
  REQUIRE(suspects_sent(solo) == 1);
}

TEST_CASE("the oldest work goes to everybody again twice per timeout, for as long as it waits") {
  Solo solo(1);
  solo.start_voting();
  solo.input(PendingChanged{true});
  for (int i = 0; i < 100; ++i) solo.advance_time(milliseconds(100));
  REQUIRE(solo.all<RelayPending>().size() == 20);
}

TEST_CASE("the level of the timeout stops at its maximum, so that it can fall from there") {
  Solo solo(2);
  solo.start_voting();
  for (std::uint64_t view = 1; view <= 40; ++view) {
    solo.receive(0, solo.view_change(0, view));
    solo.receive(3, solo.view_change(3, view));
    solo.persist_all();
  }
  const Status status = solo.engine().status();
  REQUIRE(status.promise_view == View(40));
  REQUIRE(status.view_timeout == seconds(60));
  REQUIRE(status.timeout_level == 6);  // 2^6 s is the first above a minute
}

TEST_CASE("proposal after proposal with an old time is a reason to suspect, a restart's are not") {
  for (const std::uint64_t count : {4U, 5U}) {  // four may be in flight
    Solo solo(1);
    solo.start_voting();
    for (std::uint64_t height = 1; height <= count; ++height) {
      const WallMs old(solo.wall.value() - 10'001);
      const auto proposal = solo.pre_prepare(height, {1}, old);
      solo.receive(0, proposal);
      solo.settle();
    }
    REQUIRE(solo.votes_sent(pbft::VoteKind::prepare) == count);  // never a reason not to vote
    REQUIRE(suspects_sent(solo) == (count > 4 ? 1 : 0));
    if (count <= 4) continue;
    REQUIRE(solo.sent<pbft::Suspect>().front().reason == SuspicionReason::late_proposals);
    solo.receive(0, solo.pre_prepare(6, {1}));
    solo.settle();
    REQUIRE(solo.engine().status().suspicions.empty());
  }
}

TEST_CASE("late proposals are no reason any more when there is nothing left to propose") {
  Solo solo(1);
  solo.start_voting();
  solo.wall = solo.wall.saturating_add(60'000);
  for (std::uint64_t height = 1; height <= 7; ++height) {
    const WallMs old(solo.wall.value() - 20'000);
    const auto proposal = solo.pre_prepare(height, {1}, old);
    solo.receive(0, proposal);
    solo.settle();
    for (const std::uint32_t from : {2U, 3U}) solo.receive(from, solo.prepare(from, proposal));
    for (const std::uint32_t from : {0U, 2U, 3U}) solo.receive(from, solo.commit(from, proposal));
    solo.settle();
  }
  REQUIRE(solo.engine().status().last_executed == Height(7));
  REQUIRE(suspects_sent(solo) > 0);
  solo.advance_time(seconds(10));
  solo.settle();
  solo.outputs.clear();
  for (int i = 0; i < 20; ++i) {
    solo.advance_time(seconds(1));
    solo.settle();
  }
  REQUIRE(suspects_sent(solo) == 0);
  // One liar alone moves nobody out of the view of an idle chain.
  solo.receive(3, solo.suspect(3, 0));
  solo.settle();
  REQUIRE(solo.sent<pbft::ViewChangePtr>().empty());
}

TEST_CASE("a VIEW-CHANGE is repeated four times per timeout, at least every second") {
  Solo solo(1);
  solo.start_voting();
  solo.receive(2, solo.suspect(2, 0));
  solo.receive(3, solo.suspect(3, 0));
  solo.persist_all();
  solo.outputs.clear();
  for (int i = 0; i < 20; ++i) solo.advance_time(milliseconds(100));
  // The level rose with the view that brought nothing: T is two seconds, a quarter of it half one.
  REQUIRE(solo.sent<pbft::ViewChangePtr>().size() == 4);
}

TEST_CASE("the status names who is against the view, who left it, and what is waited for") {
  Solo solo(1);
  solo.start_voting();
  REQUIRE(std::string(solo.engine().status().untimed) == "no work waits");
  solo.input(PendingChanged{true});
  solo.receive(3, solo.suspect(3, 0));
  Status status = solo.engine().status();
  REQUIRE(status.suspicions.size() == 1);
  REQUIRE(status.suspicions.front().replica == ReplicaId(3));
  REQUIRE(status.suspicions.front().until == solo.now + seconds(10));
  REQUIRE(status.timers.front().name == std::string("progress"));
  REQUIRE(status.timers.front().due == solo.now + seconds(1));
  REQUIRE_FALSE(status.changing);
  solo.receive(2, solo.view_change(2, 3));
  solo.persist_all();
  status = solo.engine().status();
  REQUIRE(status.changing);
  REQUIRE(status.promise_view == View(1));
  REQUIRE(status.view_changes.size() == 2);
  REQUIRE(status.view_changes[0].replica == ReplicaId(1));
  REQUIRE(status.view_changes[1].view == View(3));
  REQUIRE(std::string(status.untimed) == "the view is changing");
}

}  // namespace quorate::consensus::test
