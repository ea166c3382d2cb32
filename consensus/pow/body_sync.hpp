// Fetches the payloads of branches that would outweigh the tip, from below, several at a time from
// different peers, within a window of count and bytes; and again those of valid blocks whose
// payload was given up before the ledger took it. Asked are those who have shown that they have it,
// in turn; whoever stays silent is followed by everybody in turn, whatever they have shown. A block
// that was only just announced is waited for a moment: its miner sends it to everybody. Owned by
// the engine's thread.
#pragma once

#include <map>
#include <optional>

#include "consensus/pow/commit_tracker.hpp"
#include "consensus/pow/engine_state.hpp"
#include "consensus/token_bucket.hpp"

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
  // This block was asked for, and its answer may still come.
  bool asked(const Digest& id) const {
    const auto question = asked_.find(id);
    return question != asked_.end() && question->second.tries > 0;
  }
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
  bool may_ask(ReplicaId peer);
  void send(ReplicaId peer, const AskBlocks& batch);
  std::optional<ReplicaId> choose_peer(const Question& question, Height height,
                                       std::map<ReplicaId, std::size_t>& busy);
  Height at_hand(ReplicaId peer);

  EngineState& state_;
  const CommitTracker& commits_;
  // How far up the heaviest branch a peer has shown to have it.
  struct Reach {
    Digest head;  // of the peer
    Digest best;
    Height height;
  };
  std::map<Digest, Question> asked_;
  std::map<ReplicaId, Reach> reach_;
  std::map<ReplicaId, TokenBucket> allowances_;
  std::uint32_t turn_ = 0;          // of everybody
  std::uint32_t holders_turn_ = 0;  // of those who have shown a block
  // How long mining may stand still for what is missing: spent while it does, earned by what comes.
  // A life begins with all of it, for whoever returns has most to catch up with.
  Duration patience_ = kPatience;
  Instant accounted_;
  bool catching_up_ = false;
  std::optional<Instant> due_;
};

}  // namespace quorate::consensus::pow
