// Works on a block that stands on the tip: asks the host for a payload, makes the header, has the
// host search a nonce. A new tip voids the work. Work that clients bring does not wait for the next
// tip: while it waits, a fresh payload is asked for every kRefresh. The header's time follows the
// clock. Owned by the engine's thread.
//
// Invariants: at most one RequestProposal is open; StartWork is only ever for the present tip.
#pragma once

#include <optional>

#include "consensus/pow/commit_tracker.hpp"
#include "consensus/pow/engine_state.hpp"

namespace quorate::consensus::pow {

class Mining {
 public:
  Mining(EngineState& state, const CommitTracker& commits) : state_(state), commits_(commits) {}

  // `allowed`: nothing heavier than `tip` is being fetched.
  void advance(const Block& tip, bool allowed);
  void on_proposal(const ProposalReady& proposal);
  // The block, if the nonce solves the present puzzle.
  std::optional<FullBlock> on_work(const WorkFound& found);

  bool mining() const { return work_.has_value(); }
  std::optional<Instant> next_deadline() const;

 private:
  struct Request {
    Digest parent;
    Height height;
  };
  struct Work {
    WorkToken token;
    crypto::work::Header header;
    Payload payload;
    Instant started;  // with this header
    Instant made;     // with this payload
  };
  bool may_mine() const;
  std::optional<std::vector<Digest>> blocks_ahead(const Block& tip) const;
  void request(const Block& tip);
  void start(crypto::work::Header header, Payload payload, Instant made);
  void stop();
  void follow_clock(const Block& tip);
  crypto::work::Header make_header(const Block& parent, const Digest& payload_digest,
                                   const Digest& exec_ref) const;
  Duration clock_step() const;

  EngineState& state_;
  const CommitTracker& commits_;
  std::optional<Request> request_;
  std::optional<Work> work_;
  WorkToken last_token_;
};

}  // namespace quorate::consensus::pow
