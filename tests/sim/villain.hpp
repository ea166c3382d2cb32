// A Byzantine replica: a real node::Replica whose frames pass through a Strategy before they leave.
// The strategy may withhold, change or add to them, with its own key and those of its accomplices;
// keys of correct replicas are out of its reach. Owned by the run's one thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "consensus/pbft/messages.hpp"
#include "node/replica.hpp"
#include "tests/sim/letter.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

// A frame that the honest half of a villain wants one replica to get.
struct Said {
  node::TrafficClass traffic;
  std::shared_ptr<const Bytes> body;
  Peek peek;
  // The same for all recipients of one broadcast.
  std::shared_ptr<const consensus::pbft::Message> message;  // null unless of class consensus
};

class Villain;

class Strategy {
 public:
  virtual ~Strategy() = default;
  virtual const char* name() const = 0;
  // Instead of saying `said` to `to`. The default says it.
  virtual void say(Villain& villain, ReplicaId to, const Said& said);
  // False: the honest half does not get the frame.
  virtual bool hear(Villain&, const Frame&) { return true; }
  // Twenty times a second.
  virtual void tick(Villain&) {}
};

// What the Byzantine replicas of a run know together: their keys, and what they told whom.
struct Conspiracy {
  std::set<ReplicaId> members;
  // The two proposals of a slot, one for each half of the replicas.
  using Proposals = std::pair<consensus::pbft::PrePrepare, consensus::pbft::PrePrepare>;
  std::map<std::pair<View, Height>, Proposals> doubles;
};

class Villain {
 public:
  struct Hooks {
    std::function<void(ReplicaId to, node::TrafficClass, std::shared_ptr<const Bytes>)> send;
    std::function<const node::Replica&()> replica;
  };
  Villain(World& world, ReplicaId self, Prng prng, std::shared_ptr<Conspiracy> conspiracy,
          std::unique_ptr<Strategy> strategy, Hooks hooks);

  Strategy& strategy() { return *strategy_; }
  void set_strategy(std::unique_ptr<Strategy> strategy) { strategy_ = std::move(strategy); }

  // ---- for strategies ----
  ReplicaId self() const { return self_; }
  World& world() { return world_; }
  Prng& prng() { return prng_; }
  Conspiracy& conspiracy() { return *conspiracy_; }
  const node::Replica& replica() const { return hooks_.replica(); }
  std::uint32_t members() const { return world_.membership.size(); }
  ReplicaId primary(View view) const;
  bool is_accomplice(ReplicaId replica) const { return conspiracy_->members.contains(replica); }
  // Everybody but itself.
  std::vector<ReplicaId> others() const;

  void pass(ReplicaId to, const Said& said) { hooks_.send(to, said.traffic, said.body); }
  void send(ReplicaId to, const consensus::pbft::Message& message);
  void send_bytes(ReplicaId to, node::TrafficClass traffic, Bytes bytes);
  void broadcast(const consensus::pbft::Message& message);
  // Notes a misdeed for the counters.
  void acted(Happened what);

  // Signs with the key of an accomplice (or its own).
  consensus::pbft::Core core(const consensus::pbft::Ballot& ballot) const;  // by primary(view)
  consensus::pbft::Vote vote(consensus::pbft::VoteKind kind, const consensus::pbft::Ballot& ballot,
                             ReplicaId by) const;
  consensus::pbft::Seal seal(Height height, const Digest& block_hash) const;
  consensus::pbft::CheckpointVote checkpoint(const consensus::pbft::CheckpointClaim& claim) const;
  consensus::pbft::Suspect suspect(View view) const;
  // Takes the fields as they are and signs anew.
  consensus::pbft::ViewChangePtr view_change(consensus::pbft::ViewChange fields) const;
  // The same as a whole frame, also where the product's encoder refuses: signers may stand twice.
  Bytes view_change_frame(const consensus::pbft::ViewChange& fields) const;
  consensus::pbft::NewViewPtr new_view(consensus::pbft::NewView fields) const;
  // Another proposal for the same slot: the same payload at another time, so another id.
  consensus::pbft::PrePrepare other_proposal(const consensus::pbft::PrePrepare& first) const;
  Digest random_digest();

  // Consensus frames said or heard lately, oldest first, for those who repeat them.
  const std::deque<std::shared_ptr<const Bytes>>& heard() const { return heard_; }
  void note_heard(const std::shared_ptr<const Bytes>& body);

 private:
  const crypto::Signer& key_of(ReplicaId replica) const;

  World& world_;
  ReplicaId self_;
  Prng prng_;
  std::shared_ptr<Conspiracy> conspiracy_;
  std::unique_ptr<Strategy> strategy_;
  Hooks hooks_;
  std::deque<std::shared_ptr<const Bytes>> heard_;
};

// ---- the strategies there are ----

enum class Misdeed : std::uint8_t {
  equivocate,          // two proposals for a slot, a vote for each, two VIEW-CHANGEs
  withhold,            // to some or to all, bodies or votes
  replay,              // old frames again, to anybody
  forge_view_change,   // an entry dropped, changed, added; another checkpoint
  forge_new_view,      // O or V other than they must be; two NEW-VIEWs for one view
  lie_in_checkpoints,  // other digests in CHECKPOINT and SEAL
  flood,               // future views and heights, garbage, requests
  huge_views,          // 2^63, 2^64-1
  mutate,              // any field of any message, signed again or not
  slow,                // proposes as late as it can get away with
  mute,                // says nothing
  count_
};
inline constexpr std::size_t kMisdeedCount = static_cast<std::size_t>(Misdeed::count_);
const char* to_string(Misdeed misdeed);
std::unique_ptr<Strategy> make_strategy(Misdeed misdeed);
// Another of them every now and then.
std::unique_ptr<Strategy> make_mixture();

// Hands every frame and tick to functions, for scripts. An empty function passes frames on.
struct Script {
  std::function<void(Villain&, ReplicaId to, const Said&)> say;
  std::function<bool(Villain&, const Frame&)> hear;
  std::function<void(Villain&)> tick;
};
std::unique_ptr<Strategy> make_strategy(Script script);

}  // namespace quorate::sim
