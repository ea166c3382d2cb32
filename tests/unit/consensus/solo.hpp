// One engine, played by hand: the test makes every message of the others and answers every output.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "consensus/factory.hpp"
#include "consensus/pbft/messages.hpp"
#include "consensus/pbft/new_view.hpp"
#include "tests/unit/consensus/test_keys.hpp"

namespace quorate::consensus::test {

class Solo {
 public:
  explicit Solo(std::uint32_t self, std::uint32_t members = 4,
                std::uint64_t checkpoint_interval = 8)
      : membership_(test_membership(members)), self_(self) {
    for (std::uint32_t i = 0; i < members; ++i) signers_.emplace_back(test_key(i));
    config_.membership = membership_;
    config_.self = ReplicaId(self);
    config_.checkpoint_interval = checkpoint_interval;
    config_.proposals_in_flight = 4;
    config_.payload_bytes_max = 4096;
    renew();
  }

  // A new life; the vote log and ledger are whatever `started` says.
  void renew(bool with_key = true) {
    const TokenSigner* key = with_key ? &signers_.at(self_) : nullptr;
    auto parts = make_engine(config_, key, token_verifier_);
    QUORATE_ASSERT(parts.has_value());
    engine_ = std::move(parts->engine);
    verifier_ = parts->message_verifier;
    outputs.clear();
    tokens_persisted_ = 0;
  }
  void start(Started started = {}) { input(std::move(started)); }
  // Starts, syncs the first record and answers the start-up check for all others.
  void start_voting(Started started = {}) {
    start(std::move(started));
    persist_all();
    for (std::uint32_t i = 0; i < membership_.size(); ++i) {
      if (i != self_) receive(i, answer_to_start());
    }
    outputs.clear();
  }

  void input(Input event) { engine_->step(Event{now, wall, std::move(event)}, outputs); }
  // False when the verifier refuses the message.
  bool receive(std::uint32_t from, const pbft::Message& message) {
    return receive_bytes(from, pbft::encode(membership_.epoch, message));
  }
  bool receive_bytes(std::uint32_t from, const Bytes& bytes) {
    auto verified = verifier_->verify(ReplicaId(from), bytes);
    if (!verified) return false;
    input(MessageReceived{ReplicaId(from), *verified});
    return true;
  }
  // Reports every record handed out so far as durable.
  void persist_all() {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto* persist = std::get_if<Persist>(&outputs[i]);
      if (persist == nullptr || persist->token.value() <= tokens_persisted_) continue;
      tokens_persisted_ = persist->token.value();
      if (persist->snapshot) log.clear();
      log.push_back(persist->record);
      input(Persisted{PersistToken(tokens_persisted_)});
    }
  }
  // Answers Validate, Persist and Commit until nothing is left to answer.
  void settle(bool valid = true) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Output output = outputs[i];
      if (const auto* validate = std::get_if<Validate>(&output)) {
        input(Validated{validate->id, valid});
      } else if (const auto* persist = std::get_if<Persist>(&output)) {
        if (persist->token.value() > tokens_persisted_) persist_all();
      } else if (const auto* commit = std::get_if<Commit>(&output)) {
        if (commit->height.value() > executed_) {
          executed_ = commit->height.value();
          input(Executed{commit->height, commit->id, hash_of(commit->height),
                         state_of(commit->height)});
        }
      }
    }
  }

  static Digest block_hash(Height height) {
    return crypto::hash("quorate/test-block/1", {as_bytes(std::to_string(height.value()))});
  }
  static Digest checkpoint_digest(Height height) {
    return crypto::hash("quorate/test-state/1", {as_bytes(std::to_string(height.value()))});
  }

  // ---- messages of others ----
  pbft::PrePrepare pre_prepare(std::uint64_t height, const Bytes& payload,
                               std::optional<WallMs> time = std::nullopt,
                               std::uint64_t view = 0) const {
    const auto primary = static_cast<std::uint32_t>(view % membership_.size());
    pbft::ProposalHeader header;
    header.height = Height(height);
    header.time = time.value_or(wall);
    header.proposer = membership_.validators[primary];
    header.orig_view = View(view);
    header.payload_digest = pbft::payload_digest(payload);
    return pre_prepare(header, payload, primary, view);
  }
  pbft::PrePrepare pre_prepare(const pbft::ProposalHeader& header, const Bytes& payload,
                               std::uint32_t primary, std::uint64_t view) const {
    const pbft::Ballot ballot{View(view), header.height, pbft::proposal_id(membership_, header)};
    const pbft::Core core{ballot,
                          signers_[primary].sign(pbft::core_signing_digest(membership_, ballot))};
    return {core, {header, std::make_shared<const Bytes>(payload)}};
  }
  pbft::Vote vote(std::uint32_t replica, pbft::VoteKind kind, const pbft::Ballot& ballot) const {
    const Digest digest = pbft::vote_signing_digest(membership_, kind, ballot);
    return {kind, ballot, ReplicaId(replica), signers_[replica].sign(digest)};
  }
  pbft::Vote prepare(std::uint32_t replica, const pbft::PrePrepare& m) const {
    return vote(replica, pbft::VoteKind::prepare, m.core.ballot);
  }
  pbft::Vote commit(std::uint32_t replica, const pbft::PrePrepare& m) const {
    return vote(replica, pbft::VoteKind::commit, m.core.ballot);
  }
  pbft::Seal seal(std::uint32_t replica, std::uint64_t height, const Digest& hash) const {
    const Digest digest = crypto::seal_signing_digest(membership_, Height(height), hash);
    return {Height(height), hash, ReplicaId(replica), signers_[replica].sign(digest)};
  }
  pbft::CheckpointVote checkpoint(std::uint32_t replica, std::uint64_t height,
                                  const Digest& digest) const {
    const pbft::CheckpointClaim claim{Height(height), digest, Height::max()};
    return {claim, ReplicaId(replica),
            signers_[replica].sign(pbft::checkpoint_signing_digest(membership_, claim))};
  }
  pbft::CommitCertificate certificate(const pbft::PrePrepare& m,
                                      const std::vector<std::uint32_t>& signers) const {
    pbft::CommitCertificate out;
    out.view = m.core.ballot.view;
    out.height = m.core.ballot.height;
    out.header = m.body.header;
    for (const std::uint32_t replica : signers) {
      out.commits.push_back({ReplicaId(replica), commit(replica, m).signature});
    }
    return out;
  }
  pbft::CheckpointProof proof(std::uint64_t height, const Digest& digest,
                              const std::vector<std::uint32_t>& signers) const {
    pbft::CheckpointProof out;
    for (const std::uint32_t replica : signers) {
      const pbft::CheckpointVote signed_vote = checkpoint(replica, height, digest);
      out.claim = signed_vote.claim;
      out.votes.push_back({ReplicaId(replica), signed_vote.signature});
    }
    return out;
  }
  pbft::PreparedCertificate prepared(const pbft::PrePrepare& m,
                                     const std::vector<std::uint32_t>& signers) const {
    pbft::PreparedCertificate out{m.core, {}};
    for (const std::uint32_t replica : signers) {
      out.prepares.push_back({ReplicaId(replica), prepare(replica, m).signature});
    }
    return out;
  }
  pbft::Suspect suspect(std::uint32_t replica, std::uint64_t view) const {
    pbft::Suspect out{View(view), SuspicionReason::progress, ReplicaId(replica), {}};
    out.signature =
        signers_[replica].sign(pbft::suspect_signing_digest(membership_, out.view, out.reason));
    return out;
  }
  pbft::ViewChangePtr view_change(std::uint32_t replica, std::uint64_t view,
                                  std::vector<pbft::PreparedCertificate> prepared = {},
                                  std::optional<pbft::CheckpointProof> stable = {}) const {
    auto out = std::make_shared<pbft::ViewChange>();
    out->view = View(view);
    out->stable = std::move(stable);
    out->prepared = std::move(prepared);
    out->replica = ReplicaId(replica);
    out->signature =
        signers_[replica].sign(pbft::view_change_signing_digest(membership_, pbft::stub_of(*out)));
    return out;
  }
  // With the proposals of `ballots`, right or wrong.
  pbft::NewViewPtr new_view(std::uint64_t view, std::vector<pbft::ViewChangePtr> view_changes,
                            const std::vector<pbft::Ballot>& ballots) const {
    const auto primary = static_cast<std::uint32_t>(view % membership_.size());
    auto out = std::make_shared<pbft::NewView>();
    out->view = View(view);
    out->view_changes = std::move(view_changes);
    for (const pbft::Ballot& ballot : ballots) {
      out->proposals.push_back(
          {ballot, signers_[primary].sign(pbft::core_signing_digest(membership_, ballot))});
    }
    out->signature =
        signers_[primary].sign(pbft::new_view_signing_digest(membership_, pbft::stub_of(*out)));
    return out;
  }
  // As a correct primary makes it.
  pbft::NewViewPtr new_view(std::uint64_t view,
                            const std::vector<pbft::ViewChangePtr>& view_changes) const {
    const auto plan = pbft::compute_new_view(membership_, View(view), view_changes);
    QUORATE_ASSERT(plan.has_value());
    return new_view(view, view_changes, plan->ballots);
  }
  pbft::StatusReport status_report() const {
    pbft::StatusReport out;
    out.view_changes = pbft::ReplicaSet(membership_.size());
    out.suspects = pbft::ReplicaSet(membership_.size());
    out.heard.resize(membership_.size());
    return out;
  }
  pbft::StatusReport answer_to_start(std::vector<pbft::Witness> witnesses = {}) const {
    pbft::StatusReport out = status_report();
    out.life = Started{}.life;
    out.witnesses = std::move(witnesses);
    return out;
  }
  // Brings a backup through one height with the votes of the others.
  void order(std::uint64_t height, const Bytes& payload) {
    const pbft::PrePrepare proposal = pre_prepare(height, payload);
    receive(0, proposal);
    settle();
    for (std::uint32_t i = 1; i < membership_.size(); ++i) {
      if (i != self_) receive(i, prepare(i, proposal));
    }
    settle();
    for (std::uint32_t i = 0; i < membership_.size(); ++i) {
      if (i != self_) receive(i, commit(i, proposal));
    }
    settle();
  }

  // ---- what the engine said ----
  template <class Out>
  std::vector<Out> all() const {
    std::vector<Out> found;
    for (const Output& output : outputs) {
      if (const auto* match = std::get_if<Out>(&output)) found.push_back(*match);
    }
    return found;
  }
  template <class M>
  std::vector<M> sent() const {
    std::vector<M> found;
    for (const Send& send : all<Send>()) {
      const auto decoded = pbft::decode(send.message, {membership_.size(), 4096});
      QUORATE_ASSERT(decoded.has_value());
      if (const auto* match = std::get_if<M>(&decoded->message)) found.push_back(*match);
    }
    return found;
  }
  std::size_t votes_sent(pbft::VoteKind kind) const {
    std::size_t count = 0;
    for (const pbft::Vote& vote : sent<pbft::Vote>()) count += vote.kind == kind ? 1 : 0;
    return count;
  }

  Engine& engine() { return *engine_; }
  const MessageVerifier& verifier() const { return *verifier_; }
  const crypto::Membership& membership() const { return membership_; }
  const TokenSigner& signer(std::uint32_t replica) const { return signers_.at(replica); }
  void advance_time(Duration by) {
    now = now + by;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(by).count();
    wall = WallMs(wall.value() + static_cast<std::uint64_t>(ms));
    input(Ticked{});
  }

  // What executing a height gives.
  std::function<Digest(Height)> hash_of = block_hash;
  std::function<Digest(Height)> state_of = checkpoint_digest;
  std::vector<Output> outputs;
  std::vector<Bytes> log;  // what is durable
  Instant now;
  WallMs wall{1'790'000'000'000};

 private:
  crypto::Membership membership_;
  std::uint32_t self_;
  EngineConfig config_;
  TokenVerifier token_verifier_;
  std::vector<TokenSigner> signers_;
  std::unique_ptr<Engine> engine_;
  std::shared_ptr<const MessageVerifier> verifier_;
  std::uint64_t tokens_persisted_ = 0;
  std::uint64_t executed_ = 0;
};

}  // namespace quorate::consensus::test
