#include "tests/sim/villain.hpp"

#include "crypto/base/assert.hpp"
#include "crypto/codec/writer.hpp"
#include "crypto/hash.hpp"

namespace quorate::sim {

namespace pbft = consensus::pbft;

namespace {

constexpr std::size_t kHeardMax = 256;

void put_signatures(crypto::Writer& out, const std::vector<crypto::ReplicaSignature>& signatures) {
  out.u32(static_cast<std::uint32_t>(signatures.size()));
  for (const crypto::ReplicaSignature& entry : signatures) {
    out.integer_of(entry.replica);
    out.raw(entry.signature);
  }
}

class Scripted final : public Strategy {
 public:
  explicit Scripted(Script script) : script_(std::move(script)) {}
  const char* name() const override { return "script"; }
  void say(Villain& villain, ReplicaId to, const Said& said) override {
    if (script_.say) return script_.say(villain, to, said);
    villain.pass(to, said);
  }
  bool hear(Villain& villain, const Frame& frame) override {
    return !script_.hear || script_.hear(villain, frame);
  }
  void tick(Villain& villain) override {
    if (script_.tick) script_.tick(villain);
  }

 private:
  Script script_;
};

}  // namespace

std::unique_ptr<Strategy> make_strategy(Script script) {
  return std::make_unique<Scripted>(std::move(script));
}

void Strategy::say(Villain& villain, ReplicaId to, const Said& said) { villain.pass(to, said); }

Villain::Villain(World& world, ReplicaId self, Prng prng, std::shared_ptr<Conspiracy> conspiracy,
                 std::unique_ptr<Strategy> strategy, Hooks hooks)
    : world_(world),
      self_(self),
      prng_(prng),
      conspiracy_(std::move(conspiracy)),
      strategy_(std::move(strategy)),
      hooks_(std::move(hooks)) {
  conspiracy_->members.insert(self);
}

ReplicaId Villain::primary(View view) const {
  return ReplicaId(static_cast<std::uint32_t>(view.value() % members()));
}

std::vector<ReplicaId> Villain::others() const {
  std::vector<ReplicaId> out;
  for (std::uint32_t i = 0; i < members(); ++i) {
    if (ReplicaId(i) != self_) out.emplace_back(i);
  }
  return out;
}

void Villain::send(ReplicaId to, const pbft::Message& message) {
  send_bytes(to, node::TrafficClass::consensus, pbft::encode(world_.membership.epoch, message));
}

void Villain::send_bytes(ReplicaId to, node::TrafficClass traffic, Bytes bytes) {
  hooks_.send(to, traffic, std::make_shared<const Bytes>(std::move(bytes)));
}

void Villain::broadcast(const pbft::Message& message) {
  for (const ReplicaId to : others()) send(to, message);
}

void Villain::acted(Happened what) {
  world_.coverage.add(what);
  world_.coverage.add(Happened::byzantine_action);
}

const crypto::Signer& Villain::key_of(ReplicaId replica) const {
  QUORATE_ASSERT(is_accomplice(replica));
  return *world_.validators.at(replica.value());
}

pbft::Core Villain::core(const pbft::Ballot& ballot) const {
  return {ballot,
          key_of(primary(ballot.view)).sign(pbft::core_signing_digest(world_.membership, ballot))};
}

pbft::Vote Villain::vote(pbft::VoteKind kind, const pbft::Ballot& ballot, ReplicaId by) const {
  return {kind, ballot, by,
          key_of(by).sign(pbft::vote_signing_digest(world_.membership, kind, ballot))};
}

pbft::Seal Villain::seal(Height height, const Digest& block_hash) const {
  return {height, block_hash, self_,
          key_of(self_).sign(crypto::seal_signing_digest(world_.membership, height, block_hash))};
}

pbft::CheckpointVote Villain::checkpoint(const pbft::CheckpointClaim& claim) const {
  return {claim, self_,
          key_of(self_).sign(pbft::checkpoint_signing_digest(world_.membership, claim))};
}

pbft::Suspect Villain::suspect(View view) const {
  const auto reason = consensus::SuspicionReason::progress;
  return {view, reason, self_,
          key_of(self_).sign(pbft::suspect_signing_digest(world_.membership, view, reason))};
}

pbft::ViewChangePtr Villain::view_change(pbft::ViewChange fields) const {
  fields.signature =
      key_of(fields.replica)
          .sign(pbft::view_change_signing_digest(world_.membership, pbft::stub_of(fields)));
  return std::make_shared<const pbft::ViewChange>(std::move(fields));
}

Bytes Villain::view_change_frame(const pbft::ViewChange& fields) const {
  crypto::Writer content;
  content.u8(fields.stable ? 1 : 0);
  if (fields.stable) {
    pbft::encode(content, fields.stable->claim);
    put_signatures(content, fields.stable->votes);
  }
  content.u32(static_cast<std::uint32_t>(fields.prepared.size()));
  for (const pbft::PreparedCertificate& certificate : fields.prepared) {
    pbft::encode(content, certificate.core);
    put_signatures(content, certificate.prepares);
  }
  const Digest digest = crypto::hash("quorate/view-change/1", {content.view()});
  const pbft::ViewChangeStub stub{fields.view, digest, fields.replica, {}};
  crypto::Writer out;
  out.u8(static_cast<std::uint8_t>(MessageKind::view_change));
  out.integer_of(world_.membership.epoch);
  out.integer_of(fields.view);
  out.raw(content.view());
  out.integer_of(fields.replica);
  out.raw(key_of(fields.replica).sign(pbft::view_change_signing_digest(world_.membership, stub)));
  return std::move(out).take();
}

pbft::NewViewPtr Villain::new_view(pbft::NewView fields) const {
  fields.signature =
      key_of(primary(fields.view))
          .sign(pbft::new_view_signing_digest(world_.membership, pbft::stub_of(fields)));
  return std::make_shared<const pbft::NewView>(std::move(fields));
}

pbft::PrePrepare Villain::other_proposal(const pbft::PrePrepare& first) const {
  pbft::PrePrepare out = first;
  out.body.header.time = first.body.header.time.saturating_add(1);
  pbft::Ballot ballot = first.core.ballot;
  ballot.id = pbft::proposal_id(world_.membership, out.body.header);
  out.core = core(ballot);
  return out;
}

Digest Villain::random_digest() {
  Digest out;
  for (std::uint8_t& byte : out.bytes) byte = static_cast<std::uint8_t>(prng_.next());
  return out;
}

void Villain::note_heard(const std::shared_ptr<const Bytes>& body) {
  heard_.push_back(body);
  if (heard_.size() > kHeardMax) heard_.pop_front();
}

}  // namespace quorate::sim
