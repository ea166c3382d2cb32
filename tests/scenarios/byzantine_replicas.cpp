// Faulty replicas that are no primaries, or not always: twins, floods, lies about checkpoints, and
// any field of any message changed.
#include "tests/scenarios/observers.hpp"
#include "tests/scenarios/scenario.hpp"
#include "tests/scenarios/villains.hpp"

namespace quorate::scenarios {
namespace {

// One replica runs twice, and in each of eight rounds the network falls apart in another way. What
// twins do covers equivocation, double votes and amnesia [Twins].
void s07_twins(Stage& stage) {
  enum : std::uint64_t { first_primary, next_primary, last_backup };
  stage.prepare({8, 4, 2});
  sim::Prng prng(stage.number());
  const std::uint64_t role = stage.number() % 3;
  stage.simulation().add_twin(
      ReplicaId(role == last_backup ? stage.n() - 1 : static_cast<std::uint32_t>(role)));
  stage.begin();
  stage.clients().load(milliseconds(40), 2);
  const auto machines = static_cast<std::uint32_t>(stage.world().machines.size());
  for (int round = 0; round < 8 && stage.ok(); ++round) {
    std::vector<std::set<std::uint32_t>> groups(prng.between(1, 3));
    for (std::uint32_t i = 0; i < machines; ++i) groups[prng.below(groups.size())].insert(i);
    const auto split = stage.split(groups);
    stage.run_for(milliseconds(prng.between(1, 4) * 350));
    stage.end_rule(split);
  }
  stage.finale();
}

// What the flooder sends is signed well and about views and heights to come: anything, or votes for
// one height after the other, or in one view after the other.
enum class Flood : std::uint64_t { anything, heights, views };

pbft::Ballot flooded_ballot(sim::Villain& villain, Flood kind) {
  sim::Prng& prng = villain.prng();
  const auto status = villain.replica().status().consensus;
  const std::uint64_t views = kind == Flood::views ? 1'000'000 : kind == Flood::heights ? 2 : 40;
  const std::uint64_t heights = kind == Flood::heights ? 1'000'000 : kind == Flood::views ? 4 : 300;
  return {status.view.saturating_add(prng.below(views)),
          status.low_watermark.saturating_add(prng.between(1, heights)), villain.random_digest()};
}

void flood(sim::Villain& villain, int count, Flood kind) {
  for (int i = 0; i < count; ++i) {
    const pbft::Ballot ballot = flooded_ballot(villain, kind);
    pbft::ViewChange view_change;
    view_change.view = ballot.view.next();
    view_change.replica = villain.self();
    switch (villain.prng().below(kind == Flood::anything ? 5 : 2)) {
      case 0:
        villain.broadcast(villain.vote(pbft::VoteKind::prepare, ballot, villain.self()));
        break;
      case 1:
        villain.broadcast(villain.vote(pbft::VoteKind::commit, ballot, villain.self()));
        break;
      case 2:
        villain.broadcast(villain.checkpoint({ballot.height, ballot.id, Height::max()}));
        break;
      case 3: villain.broadcast(villain.view_change(view_change)); break;
      default: villain.broadcast(villain.seal(ballot.height, ballot.id)); break;
    }
  }
}

// How long blocks take from their proposal until the first primary has their certificate.
class Latency {
 public:
  explicit Latency(Stage& stage) {
    stage.watch([this, &stage](std::uint32_t replica, const node::Notice& notice) {
      if (replica != 0) return;
      if (notice.kind == node::Notice::Kind::block_sealed) {
        const auto found = proposed_.find(notice.height);
        if (found == proposed_.end()) return;
        sum_ += stage.now() - found->second;
        ++count_;
      } else if (notice.kind == node::Notice::Kind::progress &&
                 notice.phase == consensus::Progress::Phase::proposed) {
        proposed_.emplace(notice.height, stage.now());
      }
    });
  }
  // Since the last question.
  Duration mean() {
    const Duration out = count_ == 0 ? Duration(0) : sum_ / count_;
    sum_ = Duration(0);
    count_ = 0;
    return out;
  }

 private:
  std::map<Height, Instant> proposed_;
  Duration sum_{0};
  std::int64_t count_ = 0;
};

// Memory stays within its bounds (I8), nobody leaves the view, and blocks come as before.
void s28_flood(Stage& stage) {
  const std::uint64_t messages = stage.full() ? 1'000'000 : 20'000;
  const auto kind = static_cast<Flood>(stage.number());
  stage.prepare();
  std::uint64_t sent = 0;
  bool floods = false;
  sim::Script script;
  script.tick = [&](sim::Villain& villain) {
    if (!floods || sent >= messages) return;
    flood(villain, 100, kind);
    sent += 100U * (stage.n() - 1);
  };
  for (const std::uint32_t villain : stage.last_ones()) stage.corrupt(villain, script);
  stage.begin();
  Latency latency(stage);
  stage.clients().load(milliseconds(20));
  stage.run_for(seconds(3));
  const Duration before = latency.mean();
  floods = true;
  stage.await("the flood", hours(1), [&] { return sent >= messages; });
  if (!stage.ok()) return;
  stage.expect(latency.mean() < 2 * before, "blocks take longer under the flood");
  stage.expect(stage.left().empty(), "a view changed");
  stage.finale();
}

// f replicas sign other checkpoints than they should: the others' become stable without them.
void s29_lying_checkpoints(Stage& stage) {
  stage.prepare({4, 4, 4});
  for (const std::uint32_t villain : stage.last_ones()) {
    stage.corrupt(villain, sim::Misdeed::lie_in_checkpoints);
  }
  stage.begin();
  stage.clients().load(milliseconds(10));
  stage.await("ten stable checkpoints", seconds(30), [&] {
    return stage.all_correct([&](auto i) { return stage.status(i).low_watermark >= Height(40); });
  });
  stage.expect(stage.world().coverage[sim::Happened::checkpoint_lie] > 0, "nobody lied");
  stage.expect(stage.left().empty(), "a view changed");
  stage.finale();
}

// f replicas claim heights that are not there. A claim is no evidence: nobody looks for them, and
// nobody trusts a primary longer for it.
void x06_claimed_heights(Stage& stage) {
  stage.prepare();
  std::uint64_t claims = 0;
  sim::Script script;
  script.say = [&](sim::Villain& villain, ReplicaId to, const sim::Said& said) {
    const auto* report = content<pbft::StatusReport>(said);
    if (report == nullptr) return villain.pass(to, said);
    pbft::StatusReport lie = *report;
    for (Height* claimed : {&lie.last_executed, &lie.last_committed, &lie.sealed_to}) {
      *claimed = claimed->saturating_add(1'000'000);
    }
    ++claims;
    villain.send(to, lie);
  };
  for (const std::uint32_t villain : stage.last_ones()) stage.corrupt(villain, script);
  stage.begin();
  bool asked = false;
  stage.rule([&](const Passing& passing) {
    asked = asked || (passing.traffic == node::TrafficClass::sync && stage.correct(passing.from));
    return kPass;
  });
  stage.clients().load(milliseconds(20));
  stage.run_for(seconds(5));
  stage.expect(claims > 0, "nobody claimed anything");
  stage.expect(!asked, "somebody looked for the blocks");
  stage.expect(stage.left().empty(), "a view changed");
  stage.finale();
}

// Any field of any message, changed and signed again where the key is at hand.
void s44_mutations(Stage& stage) {
  stage.prepare();
  sim::Prng prng(stage.number());
  std::set<std::uint32_t> villains;
  while (villains.size() < stage.faults()) {
    villains.insert(static_cast<std::uint32_t>(prng.below(stage.n())));
  }
  for (const std::uint32_t villain : villains) stage.corrupt(villain, sim::Misdeed::mutate);
  stage.begin();
  stage.clients().load(milliseconds(25));
  stage.run_for(milliseconds(prng.between(500, 2500)));
  stage.finale();
}

}  // namespace

std::vector<Scenario> byzantine_replica_scenarios() {
  const std::vector<std::uint32_t> sizes = {4, 5, 6, 7, 10};
  return {
      {"S07", "twins, and eight rounds of partitions", {4, 7}, 30, s07_twins, true},
      {"S28", "a flood of messages about views and heights to come", {4, 7}, 3, s28_flood},
      {"S29", "f replicas lie in their checkpoints", sizes, 1, s29_lying_checkpoints},
      {"X06", "claimed heights", {4, 7}, 1, x06_claimed_heights},
      {"S44", "any field of any message changed", {4, 5, 6, 7}, 12, s44_mutations, true},
  };
}

}  // namespace quorate::scenarios
