// More faults than the protocol tolerates. It may stop or be split then, but it must not hide it.
#include "tests/scenarios/scenario.hpp"
#include "tests/sim/two_faced.hpp"

namespace quorate::scenarios {
namespace {

// f+1 replicas, the primary among them, tell two halves of the others different things. The chain
// forks, and the signatures name f+1 of them and nobody else (I12).
void s43_too_many_villains(Stage& stage) {
  stage.prepare({8, 4, 1});
  for (const char* broken : {"I1", "I4", "I6", "I7", "halt"}) stage.world().tolerate(broken);
  const std::uint32_t villains = stage.faults() + 1;
  std::set<std::uint32_t> side;
  std::set<std::uint32_t> other_side;
  for (std::uint32_t i = villains; i < stage.n(); ++i) (i % 2 == 0 ? side : other_side).insert(i);
  for (std::uint32_t i = 0; i < villains; ++i) stage.corrupt(i, sim::two_faced(other_side));
  stage.begin();
  // The sides do not hear each other: that is all that the villains need.
  stage.lose([&](const Passing& passing) {
    return (side.count(passing.from) != 0 && other_side.count(passing.to) != 0) ||
           (other_side.count(passing.from) != 0 && side.count(passing.to) != 0);
  });
  std::map<Height, std::set<Digest>> executed;
  stage.watch([&](std::uint32_t, const node::Notice& notice) {
    if (notice.kind == node::Notice::Kind::block_executed) {
      executed[notice.height].insert(notice.block->payload_id);
    }
  });
  stage.clients().submit_to_all(stage.clients().make_next());
  stage.await("a fork", seconds(5), [&] { return executed[Height(1)].size() > 1; });
  const std::set<ReplicaId> culprits = stage.simulation().checks().culprits();
  if (!stage.ok()) return;
  stage.expect(culprits.size() >= villains, "fewer than f+1 are named");
  for (const ReplicaId culprit : culprits) {
    stage.expect(!stage.correct(culprit.value()), "a correct replica is blamed");
  }
}

// Half of the replicas compute another state from some height on. Nobody can prove a block any
// more, the chain stops within a window, and everybody says why.
void s30_nondeterminism(Stage& stage) {
  constexpr std::uint64_t kInterval = 4;
  stage.prepare({kInterval, 4, 4});
  for (const char* broken : {"I1", "I5", "I7", "halt"}) stage.world().tolerate(broken);
  const Height from(6);
  for (std::uint32_t i = stage.n() / 2; i < stage.n(); ++i) {
    stage.node(i).ledger().tamper_with([from](ledger::OrderedBlock& block) {
      if (block.height >= from && !block.transactions.empty()) block.transactions.pop_back();
    });
  }
  stage.begin();
  std::map<Height, std::set<Digest>> executed;
  Height sealed;
  stage.watch([&](std::uint32_t, const node::Notice& notice) {
    if (notice.kind == node::Notice::Kind::block_executed) {
      executed[notice.height].insert(notice.block->payload_id);
    }
    if (notice.kind == node::Notice::Kind::block_sealed) sealed = std::max(sealed, notice.height);
  });
  stage.clients().load(milliseconds(10));
  stage.await("everybody stops and says so", seconds(30), [&] {
    return stage.all_correct([&](auto i) { return stage.node(i).halted().has_value(); });
  });
  stage.run_for(seconds(20));
  if (!stage.ok()) return;
  stage.expect(sealed < from, "a block was proved that half of the replicas do not have");
  stage.expect(stage.height().value() <= 2 * kInterval + kInterval, "the chain did not stop");
  for (const auto& [height, ids] : executed) stage.expect(ids.size() == 1, "the order forked");
}

}  // namespace

std::vector<Scenario> beyond_model_scenarios() {
  return {
      {"S30",
       "half of the replicas compute another state",
       {4, 5, 6, 7, 10},
       1,
       s30_nondeterminism},
      {"S43", "f+1 Byzantine replicas", {4, 7, 10}, 1, s43_too_many_villains},
  };
}

}  // namespace quorate::scenarios
