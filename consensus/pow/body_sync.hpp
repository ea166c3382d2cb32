// Fetches the payloads of branches that would outweigh the tip, from below, several at a time from
// different peers, within a window of count and bytes; and again those of valid blocks whose
// payload was given up before the ledger took it. Whoever stays silent is followed by the next
// peer. A block that was only just announced is waited for a moment: its miner sends it to
// everybody. Owned by the engine's thread.
#pragma once

#include <map>
#include <optional>

#include "consensus/pow/commit_tracker.hpp"
#include "consensus/pow/engine_state.hpp"

namespace quorate::consensus::pow {

class BodySync {
 public:
  BodySync(EngineState& state, const CommitTracker& commits) : state_(state), commits_(commits) {}

  // This peer showed the header.
  void note_source(ReplicaId peer, const Digest& id);
  void advance();
  std::optional<Instant> next_deadline() const;

  // Blocks are coming in that this replica lacks, faster than they are mined: mining on its own tip
  // would be in vain.
  bool catching_up() const { return catching_up_; }
  // The block is here. Only one that was missing shows that anything comes in.
  void on_body(const Digest& id);
  std::size_t memory_bytes() const { return asked_.size() * 128; }

 private:
  // Mining stands still for at most so long when nothing comes in, and then for a twentieth of the
  // time.
  static constexpr Duration kPatience = std::chrono::seconds(10);
  struct Question {
    std::optional<ReplicaId> peer;  // who was asked last; before that, who showed the header
    std::uint32_t tries = 0;
    Instant until;  // when it is asked for, or asked for again
  };
  bool behind() const;
  void account();
  void ask_for_missing();
  std::vector<const Block*> missing() const;
  void forget(const std::vector<const Block*>& missing);
  std::size_t per_peer() const;
  void send(ReplicaId peer, const AskBlocks& batch);
  ReplicaId choose_peer(const Question& question);

  EngineState& state_;
  const CommitTracker& commits_;
  std::map<Digest, Question> asked_;
  std::uint32_t turn_ = 0;
  // How long mining may stand still for what is missing: spent while it does, earned by what comes.
  // A life begins with all of it, for whoever returns has most to catch up with.
  Duration patience_ = kPatience;
  Instant accounted_;
  bool catching_up_ = false;
  std::optional<Instant> due_;
};

}  // namespace quorate::consensus::pow
