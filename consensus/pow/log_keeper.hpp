// Keeps the log and the memory for payloads bounded: a snapshot of the blocks that still matter
// when the records have outgrown them, and the payloads of executed blocks and of branches that
// fell far behind dropped. Owned by the engine's thread.
#pragma once

#include "consensus/pow/commit_tracker.hpp"
#include "consensus/pow/engine_state.hpp"

namespace quorate::consensus::pow {

// Payloads of so many executed heights stay in memory for peers that ask.
inline constexpr std::uint64_t kServedHeights = 64;

// Hands the block to the log; the token of its record tells when it would survive a crash.
void make_durable(EngineState& state, const Block& block, StoredBody& body);

class LogKeeper {
 public:
  LogKeeper(EngineState& state, const CommitTracker& commits) : state_(state), commits_(commits) {}

  // The first record of a new log.
  void open();
  // The log was read: so many records, so many bytes.
  void restore(const std::vector<Bytes>& records);
  void advance();

 private:
  void log_withdrawn();
  void drop_bodies();
  void make_room();
  void write_snapshot();
  bool needed(const Digest& id, const StoredBody& body) const;
  std::size_t logged_bytes() const;

  EngineState& state_;
  const CommitTracker& commits_;
  std::size_t log_bytes_ = 0;  // since the last snapshot, that included
  std::size_t look_at_ = 0;    // how large it grows before it is looked at again
  Height collected_;
  std::uint64_t rewinds_ = 0;  // of which log_withdrawn has taken note
};

}  // namespace quorate::consensus::pow
