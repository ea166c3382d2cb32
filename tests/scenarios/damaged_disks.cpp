// Disks that forgot, and keys that run twice. Whoever may have signed what it no longer knows
// follows from then on, says why, and never votes again.
#include "ledger/memory_store.hpp"
#include "tests/scenarios/scenario.hpp"

namespace quorate::scenarios {
namespace {

// What one machine signs from now on.
class Signatures {
 public:
  Signatures(Stage& stage, std::uint32_t machine, ReplicaId replica) {
    stage.rule([this, machine, replica, &stage](const Passing& passing) {
      if (passing.from == machine && passing.message != nullptr &&
          signed_by(*passing.message, replica, stage)) {
        ++count_;
      }
      return kPass;
    });
  }
  std::uint64_t count() const { return count_; }

 private:
  static bool signed_by(const pbft::Message& message, ReplicaId replica, Stage& stage) {
    const auto primary = [&](View view) { return ReplicaId(stage.primary_of(view)) == replica; };
    if (const auto* m = std::get_if<pbft::PrePrepare>(&message)) {
      return primary(m->core.ballot.view);
    }
    if (const auto* m = std::get_if<pbft::NewViewPtr>(&message)) return primary((*m)->view);
    if (const auto* m = std::get_if<pbft::ViewChangePtr>(&message)) return (*m)->replica == replica;
    if (const auto* m = std::get_if<pbft::Vote>(&message)) return m->replica == replica;
    if (const auto* m = std::get_if<pbft::Seal>(&message)) return m->replica == replica;
    if (const auto* m = std::get_if<pbft::CheckpointVote>(&message)) return m->replica == replica;
    if (const auto* m = std::get_if<pbft::Suspect>(&message)) return m->replica == replica;
    return false;
  }

  std::uint64_t count_ = 0;
};

// Runs for a while in which the others make blocks and this machine must sign nothing, and must
// say why.
void expect_observer(Stage& stage, sim::Machine machine, ReplicaId replica) {
  Signatures signatures(stage, machine.value(), replica);
  const Height before = stage.height();
  const auto status = [&] { return stage.simulation().node(machine).replica().status().consensus; };
  stage.await("it follows only", seconds(10), [&] { return status().observer; });
  stage.run_for(seconds(5));
  if (!stage.ok()) return;
  stage.expect(signatures.count() == 0, "it signed something");
  stage.expect(!status().observer_reason.empty(), "it does not say why it does not vote");
  stage.expect(stage.height() > before, "the others stopped");
  stage.finale();
}

std::uint32_t busy_backup(Stage& stage) {
  stage.begin({4, 4, 4});
  stage.clients().load(milliseconds(25));
  const std::uint32_t backup = stage.n() - 1;
  // No one talks to it but the others, so that no client waits for somebody who only follows.
  stage.clients().talk_to(stage.all_but({backup}));
  sim::Prng prng(stage.number());
  stage.run_for(milliseconds(300) + prng.duration(Duration(0), milliseconds(20)));
  return backup;
}

// The crash tears the last record that was not synced. That is what crashes do: it goes on voting.
void s36_torn_tail(Stage& stage) {
  const std::uint32_t backup = busy_backup(stage);
  stage.node(backup).disk().tear_at_crash();
  stage.node(backup).order_crash(sim::CrashPoint::before_sync);
  stage.await("the crash", seconds(2), [&] { return !stage.up(backup); });
  if (!stage.ok()) return;
  stage.start(backup);
  Signatures signatures(stage, backup, ReplicaId(backup));
  stage.await("it votes again", seconds(10), [&] { return signatures.count() > 0; });
  stage.expect(!stage.status(backup).observer, "a torn tail made it an observer");
  stage.finale();
}

// A bit flips or the end is missing in what was synced and sent: that is amnesia. Not the very end:
// whose message has not left yet may be lost.
void s36_damaged_middle(Stage& stage) {
  enum : std::uint64_t { flipped, cut_off };
  const std::uint32_t backup = busy_backup(stage);
  stage.crash(backup);
  stage.simulation().make_amnesiac(ReplicaId(backup));
  sim::Disk& disk = stage.node(backup).disk();
  Bytes file = disk.file();
  const std::size_t sent = disk.synced_bytes() * 3 / 4;
  sim::Prng prng(stage.number());
  if (stage.number() % 2 == flipped) {
    file[prng.below(sent)] ^= static_cast<std::uint8_t>(1U << prng.below(8));
  } else {
    file.resize(prng.below(sent));
  }
  disk.overwrite(std::move(file));
  stage.start(backup);
  expect_observer(stage, sim::Machine(backup), ReplicaId(backup));
}

// The disk is an older copy of itself, with its ledger or without.
void s37_old_copy(Stage& stage) {
  const std::uint32_t backup = busy_backup(stage);
  const sim::Disk::Contents votes = stage.node(backup).disk().contents();
  auto ledger = stage.node(backup).ledger().copy();
  stage.run_for(seconds(1));
  stage.crash(backup);
  stage.simulation().make_amnesiac(ReplicaId(backup));
  stage.node(backup).disk().restore(votes);
  if (stage.number() % 2 == 0) stage.node(backup).ledger().restore(std::move(ledger));
  stage.start(backup);
  expect_observer(stage, sim::Machine(backup), ReplicaId(backup));
}

// The verdict is on its disk: it stays one who follows when everybody who knew better has
// forgotten.
void s37_witnesses_restart(Stage& stage) {
  const std::uint32_t backup = busy_backup(stage);
  const sim::Disk::Contents votes = stage.node(backup).disk().contents();
  stage.run_for(milliseconds(200));
  stage.crash(backup);
  stage.simulation().make_amnesiac(ReplicaId(backup));
  stage.node(backup).disk().restore(votes);
  stage.start(backup);
  stage.await("it follows only", seconds(10), [&] { return stage.status(backup).observer; });
  const std::string reason = stage.status(backup).observer_reason;
  stage.run_for(seconds(1));
  for (std::uint32_t i = 0; i < stage.n(); ++i) stage.crash(i);
  if (!stage.ok()) return;
  for (std::uint32_t i = 0; i < stage.n(); ++i) stage.start(i);
  expect_observer(stage, sim::Machine(backup), ReplicaId(backup));
  stage.expect(stage.status(backup).observer_reason == reason, "it gives another reason");
}

// A copy of the whole machine starts beside the first, which goes on.
void s37_clone(Stage& stage) {
  const std::uint32_t backup = busy_backup(stage);
  const sim::Machine clone = stage.simulation().add_clone(ReplicaId(backup));
  stage.run_for(milliseconds(200));
  stage.simulation().start(clone);
  expect_observer(stage, clone, ReplicaId(backup));
}

// The same key on an empty disk, with its ledger or without.
void s38_wiped(Stage& stage) {
  const std::uint32_t backup = busy_backup(stage);
  stage.crash(backup);
  stage.simulation().make_amnesiac(ReplicaId(backup));
  stage.node(backup).disk().wipe(true);
  if (stage.number() % 2 == 0) {
    stage.node(backup).ledger().restore(std::make_unique<ledger::MemoryStore>());
  }
  stage.start(backup);
  expect_observer(stage, sim::Machine(backup), ReplicaId(backup));
}

}  // namespace

std::vector<Scenario> damaged_disk_scenarios() {
  const std::vector<std::uint32_t> sizes = {4, 7};
  return {
      {"S36", "the vote log's unsynced tail is torn", sizes, 6, s36_torn_tail},
      {"S36", "the vote log is damaged in the middle", sizes, 6, s36_damaged_middle},
      {"S37", "a disk restored from an older copy", sizes, 2, s37_old_copy},
      {"S37b", "an older copy, and then everybody restarts", sizes, 1, s37_witnesses_restart},
      {"S37", "a clone started beside the original", sizes, 1, s37_clone},
      {"S38", "a wiped disk with the old key", sizes, 2, s38_wiped},
  };
}

}  // namespace quorate::scenarios
