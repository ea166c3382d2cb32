// What the parts of the engine share: the views and watermarks, the durable state, the message log
// and the outbox. Each part (normal case, checkpointing, ...) adds what only it needs.
// Owned by the engine's thread.
#pragma once

#include <string>

#include "consensus/pbft/commit_latency.hpp"
#include "consensus/pbft/durable_state.hpp"
#include "consensus/pbft/evidence.hpp"
#include "consensus/pbft/evidence_filter.hpp"
#include "consensus/pbft/message_log.hpp"
#include "consensus/pbft/outbox.hpp"
#include "consensus/pbft/settings.hpp"
#include "crypto/base/mutant.hpp"
#include "crypto/signer.hpp"

namespace quorate::consensus::pbft {

// What is left to a validator whose votes may be lost.
inline constexpr std::string_view kRetired =
    ". This node follows the chain and never votes again, unless the newer files are brought back; "
    "a chain of n validators bears (n-1)/3 such, and only a new genesis replaces a validator";

struct ReplicaState {
  ReplicaState(Settings configured, const crypto::Signer* key)
      : settings(std::move(configured)), signer(key), outbox(settings.membership.epoch) {}

  const Settings settings;
  const crypto::Signer* signer;
  Instant now;  // of the event being handled
  WallMs wall;
  Outbox outbox;
  MessageLog log;
  EvidenceFilter evidence;
  CommitLatency commit_latency;
  // Holds active_view, promise_view, P and everything this replica signed. Changed by record().
  DurableState durable;

  Height low;           // h: the stable checkpoint, durable here
  Height stable_known;  // the highest stable checkpoint known, perhaps not executed here yet
  Height epoch_last = Height::max();  // no vote above it in this epoch
  Height last_committed;              // Commit was emitted for every height up to it
  Height last_executed;
  // A ledger that was replaced had executed up to here: heights that are executed again.
  Height executed_before;
  std::uint64_t life = 0;  // tells this life's questions from an earlier one's
  bool log_open = false;   // the vote log has its first record
  bool starting = true;    // no vote before a quorum was asked what it remembers of this replica
  bool halted = false;     // a contradiction: nothing more is done
  bool observer = false;   // follows and executes, never votes
  std::string observer_reason;
  bool eligible = false;                    // client work waits in the host
  std::optional<View> equivocation_proved;  // the newest view whose primary was caught

  View view() const { return durable.active_view; }
  ReplicaId primary() const { return settings.primary(view()); }
  ReplicaId self() const { return *settings.self; }
  bool is_primary() const { return settings.self && settings.is_self(primary()); }
  Height high() const { return std::min(low.saturating_add(settings.window()), epoch_last); }

  bool executes_again() const { return last_executed < executed_before; }
  bool may_sign() const {
    return settings.self && signer != nullptr && !observer && !halted && !starting && log_open &&
           !executes_again();
  }
  // The voting permission of every PRE-PREPARE, PREPARE and COMMIT.
  bool may_vote(const SlotKey& key) const {
    return may_sign() && key.view == view() &&
           (view() >= durable.promise_view || QUORATE_MUTANT(vote_below_promise)) &&
           key.height > low && (key.height <= high() || QUORATE_MUTANT(vote_above_window));
  }
  // Messages for it are kept: above the watermark, not too far, and of a view that can be next.
  bool buffers(const SlotKey& key) const {
    return key.height > low &&
           (key.height <= low.saturating_add(settings.buffer_window()) ||
            QUORATE_MUTANT(far_heights_buffered)) &&
           (key.view == view() || key.view == view().saturating_add(1) ||
            key.view == durable.promise_view || QUORATE_MUTANT(far_views_buffered));
  }
  bool keeps_body(Height height) const {
    return height > last_executed && height <= last_executed.saturating_add(settings.body_window());
  }

  Signature sign(const Digest& digest) const { return signer->sign(digest); }

  void record(const Record& entry, DurableAction then = {}) {
    durable.apply(entry);
    outbox.persist(encode_record(entry), false, std::move(then));
  }
  void progress(Progress::Phase phase, Height height) {
    outbox.emit(Progress{phase, height, view(), ""});
  }
  void reject(ReplicaId from, std::string reason) {
    outbox.emit(Rejected{from, std::move(reason)});
  }
  // Two verified messages of `culprit` that no correct replica signs both.
  void accuse(ReplicaId culprit, std::string what, const Witness& first, const Witness& second) {
    outbox.emit(Evidence{culprit, std::move(what),
                         encode_evidence(settings.membership.epoch, first, second)});
  }
  void accuse_all(const std::vector<std::pair<Vote, Vote>>& pairs) {
    for (const auto& [first, second] : pairs) {
      accuse(first.replica,
             "two votes for height " + std::to_string(first.ballot.height.value()) + " in view " +
                 std::to_string(first.ballot.view.value()),
             first, second);
    }
  }
  // A contradiction or a damaged record: this replica neither votes nor executes any further.
  void halt(std::string reason) {
    if (halted) return;
    halted = true;
    observe(reason);
    outbox.emit(Halt{std::move(reason)});
  }
  // A quorum proved another result than this ledger's at `height`. Replacing the ledger helps
  // against damage; if executing the chain again gives the same, the program is at fault.
  void diverge(Height height, const std::string& what) {
    if (halted) return;
    const std::string reason = what + " at height " + std::to_string(height.value());
    if (height <= executed_before) {
      return halt(reason +
                  ", and executing the chain again led there again: this program computes "
                  "another state than the others; run the release that they run");
    }
    halted = true;
    observe(reason);
    outbox.emit(Diverged{height, std::max(last_committed, executed_before), reason});
  }
  // This key may have signed what its vote log does not know: an observer for good, since whoever
  // could tell so again may forget it too. Nothing but the log itself lifts the verdict, when the
  // newer one is brought back.
  void retire(const std::string& found) {
    if (observer) return;
    const std::string reason = found + std::string(kRetired);
    if (!QUORATE_MUTANT(retirement_forgotten)) record(RetiredRecord{reason});
    observe(reason);
  }
  // Follows and executes on, but signs nothing any more; status() says why.
  void observe(std::string reason) {
    if (!observer) observer_reason = std::move(reason);
    observer = true;
  }
};

}  // namespace quorate::consensus::pbft
