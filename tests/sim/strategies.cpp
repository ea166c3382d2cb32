// What Byzantine replicas do. Each strategy leaves everything it does not care about as it is, so
// that the network goes on and the misdeed meets a protocol at work.
#include <array>

#include "consensus/pbft/new_view.hpp"
#include "tests/sim/mutation.hpp"
#include "tests/sim/villain.hpp"

namespace quorate::sim {

namespace pbft = consensus::pbft;

namespace {

template <class T>
const T* content(const Said& said) {
  return said.message ? std::get_if<T>(said.message.get()) : nullptr;
}

// One half of the replicas, another one for each slot.
bool in_second_half(ReplicaId replica, View view, Height height) {
  return (replica.value() + view.value() + height.value()) % 2 == 1;
}

class Equivocate final : public Strategy {
 public:
  const char* name() const override { return "equivocate"; }
  void say(Villain& villain, ReplicaId to, const Said& said) override {
    if (const auto* proposal = content<pbft::PrePrepare>(said)) {
      return propose(villain, to, said, *proposal);
    }
    if (const auto* vote = content<pbft::Vote>(said)) return vote_twice(villain, to, said, *vote);
    const auto* view_change = content<pbft::ViewChangePtr>(said);
    if (view_change == nullptr || (*view_change)->replica != villain.self() ||
        !in_second_half(to, (*view_change)->view, Height(0)) || (*view_change)->prepared.empty()) {
      return villain.pass(to, said);
    }
    pbft::ViewChange other = **view_change;
    other.prepared.pop_back();
    villain.acted(Happened::equivocation);
    villain.send(to, villain.view_change(std::move(other)));
  }

 private:
  // Whoever of the accomplices shows a proposal, each replica sees that of its half alone.
  static void propose(Villain& villain, ReplicaId to, const Said& said,
                      const pbft::PrePrepare& shown) {
    const pbft::Ballot& ballot = shown.core.ballot;
    auto& doubles = villain.conspiracy().doubles;
    auto known = doubles.find({ballot.view, ballot.height});
    if (known == doubles.end()) {
      if (villain.primary(ballot.view) != villain.self()) return villain.pass(to, said);
      known = doubles
                  .emplace(std::pair(ballot.view, ballot.height),
                           std::pair(shown, villain.other_proposal(shown)))
                  .first;
    }
    const auto& [first, second] = known->second;
    const bool other = in_second_half(to, ballot.view, ballot.height);
    if (other) villain.acted(Happened::equivocation);
    villain.send(to, other ? second : first);
    support(villain, to, other ? second.core.ballot : first.core.ballot);
  }
  // Everything that the accomplices can give to this proposal, at once.
  static void support(Villain& villain, ReplicaId to, const pbft::Ballot& ballot) {
    for (const ReplicaId accomplice : villain.conspiracy().members) {
      if (accomplice == to) continue;
      if (accomplice != villain.self()) {
        villain.send(to, villain.vote(pbft::VoteKind::prepare, ballot, accomplice));
      }
      villain.send(to, villain.vote(pbft::VoteKind::commit, ballot, accomplice));
    }
  }
  static void vote_twice(Villain& villain, ReplicaId to, const Said& said, const pbft::Vote& vote) {
    if (vote.replica != villain.self()) return villain.pass(to, said);
    const bool second = in_second_half(to, vote.ballot.view, vote.ballot.height);
    const auto& doubles = villain.conspiracy().doubles;
    const auto known = doubles.find({vote.ballot.view, vote.ballot.height});
    pbft::Ballot other = vote.ballot;
    if (known != doubles.end()) {
      other = (second ? known->second.second : known->second.first).core.ballot;
    } else if (second && villain.prng().one_in(4)) {
      other.id = villain.random_digest();
    }
    if (other.id == vote.ballot.id) return villain.pass(to, said);
    villain.acted(Happened::equivocation);
    villain.send(to, villain.vote(vote.kind, other, villain.self()));
  }
};

// Silent about some kinds, to some replicas, for a while.
class Withhold final : public Strategy {
 public:
  const char* name() const override { return "withhold"; }
  void say(Villain& villain, ReplicaId to, const Said& said) override {
    if (!drawn_) draw(villain);
    const bool kept = kinds_.at(static_cast<std::size_t>(said.peek.kind)) &&
                      (from_all_ || (victims_ >> (to.value() % 64) & 1U) != 0);
    if (!kept) return villain.pass(to, said);
    villain.acted(Happened::withheld);
  }
  void tick(Villain& villain) override {
    if (villain.prng().one_in(10)) draw(villain);
  }

 private:
  void draw(Villain& villain) {
    Prng& prng = villain.prng();
    drawn_ = true;
    kinds_.fill(false);
    switch (prng.below(4)) {
      case 0: kinds_.fill(true); break;
      case 1: kinds_.at(prng.between(1, kMessageKinds - 1)) = true; break;
      case 2:  // bodies
        kinds_.at(static_cast<std::size_t>(MessageKind::pre_prepare)) = true;
        kinds_.at(static_cast<std::size_t>(MessageKind::data)) = true;
        break;
      default:
        for (bool& kind : kinds_) kind = prng.one_in(3);
        break;
    }
    from_all_ = prng.one_in(3);
    victims_ = prng.next();
  }

  bool drawn_ = false;
  std::array<bool, kMessageKinds> kinds_{};
  bool from_all_ = false;
  std::uint64_t victims_ = 0;
};

class Replay final : public Strategy {
 public:
  const char* name() const override { return "replay"; }
  void tick(Villain& villain) override {
    Prng& prng = villain.prng();
    for (int i = 0; i < 4 && !villain.heard().empty(); ++i) {
      const auto& frame = villain.heard().at(prng.below(villain.heard().size()));
      const auto others = villain.others();
      villain.acted(Happened::replayed);
      villain.send_bytes(others[prng.below(others.size())], node::TrafficClass::consensus, *frame);
    }
  }
};

class ForgeViewChange final : public Strategy {
 public:
  const char* name() const override { return "forge_view_change"; }
  void say(Villain& villain, ReplicaId to, const Said& said) override {
    const auto* own = content<pbft::ViewChangePtr>(said);
    if (own == nullptr || (*own)->replica != villain.self()) return villain.pass(to, said);
    pbft::ViewChange forged = **own;
    forge(villain, forged);
    villain.acted(Happened::forged_view_change);
    villain.send_bytes(to, said.traffic, villain.view_change_frame(forged));
  }
  // Nobody needs to wait for a reason.
  void tick(Villain& villain) override {
    if (!villain.prng().one_in(40)) return;
    pbft::ViewChange forged;
    forged.view =
        villain.replica().status().consensus.view.saturating_add(villain.prng().between(1, 3));
    forged.replica = villain.self();
    villain.acted(Happened::forged_view_change);
    villain.broadcast(villain.view_change(std::move(forged)));
  }

 private:
  static void forge(Villain& villain, pbft::ViewChange& m) {
    Prng& prng = villain.prng();
    const bool any = !m.prepared.empty();
    switch (prng.below(7)) {
      case 0:  // forgets what was prepared
        m.prepared.clear();
        break;
      case 1:
        if (any) m.prepared.erase(m.prepared.begin());
        break;
      case 2:  // another proposal under the same signatures
        if (any) m.prepared.back().core.ballot.id = villain.random_digest();
        break;
      case 3:  // an older checkpoint, or none
        m.stable.reset();
        break;
      case 4:  // a view that was not that one
        if (any) {
          pbft::Ballot& ballot = m.prepared.back().core.ballot;
          ballot.view = ballot.view.saturating_add(1);
        }
        break;
      case 5:  // a height that nobody prepared
        if (any) {
          m.prepared.push_back(m.prepared.back());
          pbft::Ballot& ballot = m.prepared.back().core.ballot;
          ballot.height = ballot.height.saturating_add(1);
        }
        break;
      default:  // one signer twice
        if (any && !m.prepared.back().prepares.empty()) {
          m.prepared.back().prepares.back() = m.prepared.back().prepares.front();
        }
        break;
    }
  }
};

class ForgeNewView final : public Strategy {
 public:
  const char* name() const override { return "forge_new_view"; }
  void say(Villain& villain, ReplicaId to, const Said& said) override {
    const auto* own = content<pbft::NewViewPtr>(said);
    if (own == nullptr || villain.primary((*own)->view) != villain.self()) {
      return villain.pass(to, said);
    }
    if (shape_view_ != (*own)->view) {
      shape_view_ = (*own)->view;
      shape_ = villain.prng().below(9);
    }
    const bool half = in_second_half(to, shape_view_, Height(0));
    pbft::NewView forged = **own;
    if (shape_ == 8) {  // two valid ones for one view
      if (half) choose_others(villain, forged);
    } else if (half || villain.prng().one_in(2)) {
      forge(villain, forged, shape_);
    }
    villain.acted(Happened::forged_new_view);
    villain.send(to, villain.new_view(std::move(forged)));
  }

 private:
  static void forge(Villain& villain, pbft::NewView& m, std::uint64_t shape) {
    const bool any = !m.proposals.empty();
    switch (shape) {
      case 0:  // an entry less
        if (any) m.proposals.pop_back();
        break;
      case 1:  // another proposal
        if (any) {
          pbft::Ballot ballot = m.proposals.front().ballot;
          ballot.id = villain.random_digest();
          m.proposals.front() = villain.core(ballot);
        }
        break;
      case 2: {  // an entry more
        pbft::Ballot ballot{m.view, Height(1), villain.random_digest()};
        if (any) ballot.height = m.proposals.back().ballot.height.saturating_add(1);
        m.proposals.push_back(villain.core(ballot));
        break;
      }
      case 3:  // nothing where there was something
        if (any) {
          pbft::Ballot ballot = m.proposals.back().ballot;
          ballot.id = pbft::null_id(villain.world().membership, ballot.height);
          m.proposals.back() = villain.core(ballot);
        }
        break;
      case 4:  // fewer than a quorum
        m.view_changes.pop_back();
        break;
      case 5:  // one of them twice
        m.view_changes.back() = m.view_changes.front();
        break;
      case 6:  // for another view, which it also leads
        m.view = m.view.saturating_add(villain.members());
        break;
      default:  // starts above the first height
        if (any) m.proposals.erase(m.proposals.begin());
        break;
    }
  }
  // The same view from other VIEW-CHANGEs, with the O that they demand.
  static void choose_others(Villain& villain, pbft::NewView& m) {
    std::map<ReplicaId, pbft::ViewChangePtr> known;
    for (const auto& entry : m.view_changes) known.emplace(entry->replica, entry);
    const pbft::DecodeLimits limits{villain.members(),
                                    villain.world().genesis.consensus.payload_bytes_max};
    for (const auto& frame : villain.heard()) {
      if (peek(node::TrafficClass::consensus, *frame).kind != MessageKind::view_change) continue;
      const auto decoded = pbft::decode(*frame, limits);
      if (!decoded) continue;
      const auto& entry = std::get<pbft::ViewChangePtr>(decoded->message);
      if (entry->view == m.view) known.emplace(entry->replica, entry);
    }
    const std::size_t quorum = m.view_changes.size();
    m.view_changes.clear();
    for (auto it = known.rbegin(); it != known.rend() && m.view_changes.size() < quorum; ++it) {
      m.view_changes.insert(m.view_changes.begin(), it->second);
    }
    const auto plan = pbft::compute_new_view(villain.world().membership, m.view, m.view_changes);
    if (!plan) return;
    m.proposals.clear();
    for (const pbft::Ballot& ballot : plan->ballots) m.proposals.push_back(villain.core(ballot));
  }

  View shape_view_;
  std::uint64_t shape_ = 0;
};

class LieInCheckpoints final : public Strategy {
 public:
  const char* name() const override { return "lie_in_checkpoints"; }
  void say(Villain& villain, ReplicaId to, const Said& said) override {
    if (const auto* vote = content<pbft::CheckpointVote>(said)) {
      if (vote->replica != villain.self()) return villain.pass(to, said);
      pbft::CheckpointClaim claim = vote->claim;
      if (villain.prng().one_in(3)) {
        claim.epoch_last = claim.height;
      } else {
        claim.digest = villain.random_digest();
      }
      villain.acted(Happened::checkpoint_lie);
      return villain.send(to, villain.checkpoint(claim));
    }
    const auto* seal = content<pbft::Seal>(said);
    if (seal == nullptr || seal->replica != villain.self()) return villain.pass(to, said);
    villain.acted(Happened::checkpoint_lie);
    villain.send(to, villain.seal(seal->height, villain.random_digest()));
  }
};

// Signed votes, requests and reports about what is not, and plain garbage.
class Flood : public Strategy {
 public:
  const char* name() const override { return "flood"; }
  void tick(Villain& villain) override {
    const auto others = villain.others();
    for (int i = 0; i < 24; ++i) {
      villain.acted(Happened::flood);
      send_one(villain, others[villain.prng().below(others.size())]);
    }
  }

 private:
  static void send_one(Villain& villain, ReplicaId to) {
    Prng& prng = villain.prng();
    const auto status = villain.replica().status().consensus;
    const View view = status.view.saturating_add(prng.below(40));
    const Height height = status.low_watermark.saturating_add(prng.between(1, 200));
    const pbft::Ballot ballot{view, height, villain.random_digest()};
    switch (prng.below(9)) {
      case 0:
        return villain.send(to, villain.vote(pbft::VoteKind::prepare, ballot, villain.self()));
      case 1: return villain.send(to, villain.vote(pbft::VoteKind::commit, ballot, villain.self()));
      case 2: return villain.send(to, villain.suspect(view));
      case 3: {
        pbft::ViewChange view_change;
        view_change.view = view.next();
        view_change.replica = villain.self();
        return villain.send(to, villain.view_change(std::move(view_change)));
      }
      case 4: return villain.send(to, villain.seal(height, villain.random_digest()));
      case 5:
        return villain.send(to,
                            villain.checkpoint({height, villain.random_digest(), Height::max()}));
      case 6: return villain.send(to, pbft::Fetch{villain.random_digest()});
      case 7:
        return villain.send_bytes(to, node::TrafficClass::sync,
                                  node::encode_blocks_request(Height(prng.between(1, 300))));
      default: {
        Bytes garbage(prng.between(1, 300));
        for (std::uint8_t& byte : garbage) byte = static_cast<std::uint8_t>(prng.next());
        const auto traffic = static_cast<node::TrafficClass>(prng.between(1, 3));
        return villain.send_bytes(to, traffic, std::move(garbage));
      }
    }
  }
};

class HugeViews final : public Strategy {
 public:
  const char* name() const override { return "huge_views"; }
  void tick(Villain& villain) override {
    Prng& prng = villain.prng();
    if (!prng.one_in(4)) return;
    static constexpr std::array<std::uint64_t, 4> kHuge = {std::uint64_t{1} << 63U,
                                                           ~std::uint64_t{0}, ~std::uint64_t{0} - 1,
                                                           (std::uint64_t{1} << 63U) - 1};
    const std::uint64_t huge = kHuge.at(prng.below(kHuge.size()));
    villain.acted(Happened::huge_view);
    switch (prng.below(5)) {
      case 0: return villain.broadcast(villain.suspect(View(huge)));
      case 1: {
        pbft::ViewChange view_change;
        view_change.view = View(huge);
        view_change.replica = villain.self();
        return villain.broadcast(villain.view_change(std::move(view_change)));
      }
      case 2:
        return villain.broadcast(villain.vote(
            pbft::VoteKind::commit, {View(huge), Height(huge), Digest{}}, villain.self()));
      case 3:
        return villain.broadcast(
            villain.checkpoint({Height(huge), villain.random_digest(), Height::max()}));
      default: return villain.broadcast(villain.seal(Height(huge), villain.random_digest()));
    }
  }
};

class Mutate final : public Strategy {
 public:
  const char* name() const override { return "mutate"; }
  void say(Villain& villain, ReplicaId to, const Said& said) override {
    if (!said.message || !villain.prng().one_in(5)) return villain.pass(to, said);
    villain.acted(Happened::mutation);
    villain.send_bytes(to, said.traffic, mutated(villain, *said.message));
  }
};

class Slow final : public Strategy {
 public:
  const char* name() const override { return "slow"; }
  void say(Villain& villain, ReplicaId to, const Said& said) override {
    const auto* proposal = content<pbft::PrePrepare>(said);
    if (proposal == nullptr || villain.primary(proposal->core.ballot.view) != villain.self()) {
      return villain.pass(to, said);
    }
    villain.acted(Happened::slow_primary);
    World& world = villain.world();
    const Duration wait = world.engine_config.view_timeout * 9 / 10;
    // The villain outlives the event: it stays as it is, or its machine sends nothing any more.
    world.timeline.after(wait, [alive = std::weak_ptr<int>(alive_), &villain, to, said] {
      if (alive.lock()) villain.pass(to, said);
    });
  }

 private:
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

class Mute final : public Strategy {
 public:
  const char* name() const override { return "mute"; }
  void say(Villain& villain, ReplicaId, const Said&) override { villain.acted(Happened::withheld); }
};

class Mixture final : public Strategy {
 public:
  const char* name() const override { return current_ ? current_->name() : "mixture"; }
  void say(Villain& villain, ReplicaId to, const Said& said) override {
    current(villain).say(villain, to, said);
  }
  bool hear(Villain& villain, const Frame& frame) override {
    return current(villain).hear(villain, frame);
  }
  void tick(Villain& villain) override {
    if (villain.prng().one_in(16)) current_.reset();
    current(villain).tick(villain);
  }

 private:
  Strategy& current(Villain& villain) {
    if (!current_) {
      current_ = make_strategy(static_cast<Misdeed>(villain.prng().below(kMisdeedCount)));
    }
    return *current_;
  }
  std::unique_ptr<Strategy> current_;
};

}  // namespace

const char* to_string(Misdeed misdeed) {
  switch (misdeed) {
    case Misdeed::equivocate: return "equivocate";
    case Misdeed::withhold: return "withhold";
    case Misdeed::replay: return "replay";
    case Misdeed::forge_view_change: return "forge_view_change";
    case Misdeed::forge_new_view: return "forge_new_view";
    case Misdeed::lie_in_checkpoints: return "lie_in_checkpoints";
    case Misdeed::flood: return "flood";
    case Misdeed::huge_views: return "huge_views";
    case Misdeed::mutate: return "mutate";
    case Misdeed::slow: return "slow";
    case Misdeed::mute: return "mute";
    case Misdeed::count_: break;
  }
  return "?";
}

std::unique_ptr<Strategy> make_strategy(Misdeed misdeed) {
  switch (misdeed) {
    case Misdeed::equivocate: return std::make_unique<Equivocate>();
    case Misdeed::withhold: return std::make_unique<Withhold>();
    case Misdeed::replay: return std::make_unique<Replay>();
    case Misdeed::forge_view_change: return std::make_unique<ForgeViewChange>();
    case Misdeed::forge_new_view: return std::make_unique<ForgeNewView>();
    case Misdeed::lie_in_checkpoints: return std::make_unique<LieInCheckpoints>();
    case Misdeed::flood: return std::make_unique<Flood>();
    case Misdeed::huge_views: return std::make_unique<HugeViews>();
    case Misdeed::mutate: return std::make_unique<Mutate>();
    case Misdeed::slow: return std::make_unique<Slow>();
    case Misdeed::mute:
    case Misdeed::count_: break;
  }
  return std::make_unique<Mute>();
}

std::unique_ptr<Strategy> make_mixture() { return std::make_unique<Mixture>(); }

}  // namespace quorate::sim
