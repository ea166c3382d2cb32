// View changes in which somebody lies: VIEW-CHANGEs with forged contents, NEW-VIEWs that leave out,
// replace or invent, views that nobody will ever reach.
#include "consensus/pbft/new_view.hpp"
#include "tests/scenarios/observers.hpp"
#include "tests/scenarios/scenario.hpp"
#include "tests/scenarios/villains.hpp"

namespace quorate::scenarios {
namespace {

// Whose VIEW-CHANGEs the NEW-VIEWs are made of.
class Authors {
 public:
  explicit Authors(Stage& stage) {
    stage.rule([this](const Passing& passing) {
      const auto* message = new_view_of(passing);
      if (message == nullptr) return kPass;
      for (const auto& entry : message->view_changes) who_.insert(entry->replica.value());
      return kPass;
    });
  }
  bool contains(std::uint32_t replica) const { return who_.count(replica) != 0; }

 private:
  std::set<std::uint32_t> who_;
};

void lose_commits_of_first_view(Stage& stage) {
  stage.lose([](const Passing& passing) {
    const auto* vote = commit_of(passing);
    return vote != nullptr && vote->ballot.view == View(0);
  });
}

// Two heights are committed by one replica, which then falls silent. The primary equivocates at the
// third; and it and its accomplices tell half of the others that they prepared nothing. Whatever
// the next primary is told, it must propose the two.
void s06_equivocating_view_change(Stage& stage) {
  stage.prepare({8, 4, 1});
  const std::uint32_t committer = stage.n() - 1;
  sim::Script script;
  script.say = [](sim::Villain& villain, ReplicaId to, const sim::Said& said) {
    const bool second_half = to.value() % 2 == 1;
    const auto* proposal = content<pbft::PrePrepare>(said);
    if (proposal != nullptr && villain.self() == ReplicaId(0) && second_half &&
        proposal->core.ballot.view == View(0) && proposal->core.ballot.height > Height(2)) {
      return villain.send(to, villain.other_proposal(*proposal));
    }
    const auto* view_change = own_view_change(villain, said);
    if (view_change == nullptr || !second_half) return villain.pass(to, said);
    pbft::ViewChange other = *view_change;
    other.prepared.clear();
    villain.send(to, villain.view_change(std::move(other)));
  };
  for (std::uint32_t i = 0; i < stage.faults(); ++i) stage.corrupt(i == 0 ? 0 : i + 1, script);
  stage.begin();
  Proposals proposals(stage);
  NewViews new_views(stage);
  Prepared prepared(stage);
  std::set<Digest> told;  // what the primary's VIEW-CHANGEs for view 1 contain
  stage.rule([&](const Passing& passing) {
    const auto* message = view_change_of(passing);
    if (message != nullptr && message->replica == ReplicaId(0) && message->view == View(1)) {
      told.insert(pbft::stub_of(*message).content);
    }
    return kPass;
  });
  stage.lose([committer](const Passing& passing) {
    const auto* vote = commit_of(passing);
    return vote != nullptr && vote->ballot.view == View(0) && passing.to != committer;
  });
  const auto muted = stage.lose([committer](const Passing& passing) {
    return passing.from == committer && prepare_of(passing) == nullptr;
  });
  for (int i = 0; i < 2; ++i) stage.clients().submit_to_all(stage.clients().make_next());
  const std::size_t honest = stage.n() - stage.faults();
  stage.await("one replica commits two heights", milliseconds(900), [&] {
    return stage.head(committer) == Height(2) && prepared.count(View(0), Height(1)) == honest &&
           prepared.count(View(0), Height(2)) == honest;
  });
  stage.end_rule(muted);
  stage.cut({committer});
  for (int i = 0; i < 2; ++i) stage.clients().submit_to_all(stage.clients().make_next());
  stage.await("another view executes them", seconds(60), [&] {
    return stage.all_correct([&](auto i) { return stage.head(i) >= Height(2); });
  });
  if (!stage.ok()) return;
  stage.expect(told.size() > 1, "the primary told everybody the same");
  for (const Height height : {Height(1), Height(2)}) {
    stage.expect(stage.executed_id(height) == proposals.at(height), "something else was committed");
  }
  stage.finale();
}

// One invalid part makes a VIEW-CHANGE worth nothing, and takes nothing from the valid ones.
pbft::ViewChange forged(const sim::Villain& villain, sim::World& world, pbft::ViewChange fields,
                        std::uint64_t how) {
  pbft::PreparedCertificate& first = fields.prepared.front();
  switch (how) {
    case 1:  // a core that its view's primary never signed
      first.core.signature =
          world.validators.at(villain.self().value())
              ->sign(pbft::core_signing_digest(world.membership, first.core.ballot));
      break;
    case 2:  // one signer twice
      first.prepares.back() = first.prepares.front();
      break;
    case 3:  // without the checkpoint, what is prepared lies outside the window
      fields.stable.reset();
      break;
    case 4:  // a checkpoint short of a quorum
      fields.stable->votes.pop_back();
      break;
    case 5:  // a checkpoint that the signatures are not about
      fields.stable->claim.digest.bytes[0] ^= 1U;
      break;
    case 6:  // one height twice
      fields.prepared.push_back(first);
      break;
    case 7:  // a PREPARE that somebody else signed
      first.prepares.front().signature =
          villain.vote(pbft::VoteKind::prepare, first.core.ballot, villain.self()).signature;
      break;
    default: break;
  }
  return fields;
}
constexpr std::uint64_t kForgeries = 8;

void s11_forged_view_change(Stage& stage) {
  stage.prepare({4, 4, 1});
  const std::uint64_t how = stage.number();
  sim::Script script;
  script.say = [&stage, how](sim::Villain& villain, ReplicaId to, const sim::Said& said) {
    const auto* view_change = own_view_change(villain, said);
    if (view_change == nullptr) return villain.pass(to, said);
    if (view_change->prepared.empty() || !view_change->stable) return;
    Bytes frame = villain.view_change_frame(forged(villain, stage.world(), *view_change, how));
    if (how == 0) frame.back() ^= 1U;  // the signature itself
    villain.send_bytes(to, said.traffic, std::move(frame));
  };
  for (const std::uint32_t villain : stage.last_ones()) stage.corrupt(villain, script);
  stage.begin();
  const Height stable(8);
  for (std::uint64_t h = 1; h <= stable.value(); ++h) {
    stage.clients().submit_to_all(stage.clients().make_next());
    stage.await("a block", seconds(2), [&] { return stage.height() == Height(h); });
  }
  stage.await("a stable checkpoint", seconds(2), [&] {
    return stage.all_correct([&](auto i) { return stage.status(i).low_watermark == stable; });
  });
  Proposals proposals(stage);
  Prepared prepared(stage);
  Authors authors(stage);
  lose_commits_of_first_view(stage);
  for (int i = 0; i < 2; ++i) stage.clients().submit_to_all(stage.clients().make_next());
  const std::uint64_t refused = stage.world().coverage[sim::Happened::refused_frame];
  stage.await("the prepared heights commit in a later view", seconds(30), [&] {
    return stage.all_correct([&](auto i) { return stage.head(i) >= Height(10); });
  });
  if (!stage.ok()) return;
  stage.expect(stage.world().coverage[sim::Happened::refused_frame] > refused,
               "nothing was refused");
  for (const std::uint32_t villain : stage.last_ones()) {
    stage.expect(!authors.contains(villain), "a forged VIEW-CHANGE was used");
  }
  for (const Height height : {Height(9), Height(10)}) {
    stage.expect(stage.executed_id(height) == proposals.at(height), "something else was committed");
  }
  stage.finale();
}

// What the villain makes of the NEW-VIEW that it should send.
pbft::NewView distorted(const sim::Villain& villain, const crypto::Membership& membership,
                        pbft::NewView fields, std::uint64_t how) {
  const View view = fields.view;
  const auto null_core = [&](Height height) {
    return villain.core({view, height, pbft::null_id(membership, height)});
  };
  switch (how) {
    case 0: fields.proposals.erase(fields.proposals.begin()); break;      // an entry dropped
    case 1: fields.proposals[0] = null_core(Height(1)); break;            // prepared, made empty
    case 2: fields.proposals.push_back(null_core(Height(4))); break;      // one too many
    case 3: fields.proposals.erase(fields.proposals.begin() + 1); break;  // the empty one left out
    case 4: {                                                             // another digest
      Digest other;
      other.bytes.fill(7);
      fields.proposals[2] = villain.core({view, Height(3), other});
      break;
    }
    case 5: fields.view_changes.pop_back(); break;                            // V short of a quorum
    case 6: fields.view_changes.back() = fields.view_changes.front(); break;  // one of V twice
    case 7: {  // one for another view
      pbft::ViewChange other;
      other.view = view.next();
      other.replica = villain.self();
      for (auto& entry : fields.view_changes) {
        if (entry->replica == villain.self()) entry = villain.view_change(other);
      }
      break;
    }
    default: fields.proposals.clear(); break;
  }
  return fields;
}
constexpr std::uint64_t kDistortions = 9;

// Heights 1 and 3 are prepared, 2 is not: the right NEW-VIEW proposes the two and an empty block
// between them. The next primary sends another one. Nobody follows, and the view after keeps all.
void s12_forged_new_view(Stage& stage) {
  stage.prepare({8, 4, 1});
  const std::uint64_t how = stage.number();
  sim::Script script;
  script.say = [&stage, how](sim::Villain& villain, ReplicaId to, const sim::Said& said) {
    const auto* message = content<pbft::NewViewPtr>(said);
    if (message == nullptr || (*message)->view != View(1)) return villain.pass(to, said);
    if ((*message)->proposals.size() != 3) return;
    villain.send(to,
                 villain.new_view(distorted(villain, stage.world().membership, **message, how)));
  };
  stage.corrupt(1, script);
  stage.begin();
  Proposals proposals(stage);
  NewViews new_views(stage);
  Prepared prepared(stage);
  lose_commits_of_first_view(stage);
  stage.lose([](const Passing& passing) {
    const auto* vote = prepare_of(passing);
    return vote != nullptr && vote->ballot.view == View(0) && vote->ballot.height == Height(2);
  });
  for (int i = 0; i < 3; ++i) stage.clients().submit_to_all(stage.clients().make_next());
  const std::size_t honest = stage.n() - 1;
  stage.await("heights 1 and 3 are prepared", milliseconds(900), [&] {
    return prepared.count(View(0), Height(1)) == honest &&
           prepared.count(View(0), Height(3)) == honest;
  });
  stage.await("view 2", seconds(30), [&] { return stage.all_in(View(2)); });
  stage.await("the heights", seconds(30), [&] {
    return stage.all_correct([&](auto i) { return stage.head(i) >= Height(3); });
  });
  if (!stage.ok()) return;
  for (const ViewNote& note : stage.entered()) {
    stage.expect(note.view != View(1), "somebody followed the forged NEW-VIEW");
  }
  stage.expect(stage.world().coverage[sim::Happened::refused_frame] > 0, "nothing was refused");
  stage.expect(
      new_views.proposed(View(2), Height(2)) == pbft::null_id(stage.world().membership, Height(2)),
      "the gap is not an empty block");
  for (const Height height : {Height(1), Height(3)}) {
    stage.expect(stage.executed_id(height) == proposals.at(height), "something else was committed");
  }
  stage.finale();
}

// Only the next primary prepared a height. It makes two valid NEW-VIEWs of different VIEW-CHANGEs,
// one with that height and one without, and gives each to one half.
void s13_two_new_views(Stage& stage) {
  stage.prepare({8, 4, 1});
  auto collected = std::make_shared<std::map<ReplicaId, pbft::ViewChangePtr>>();
  sim::Script script;
  script.hear = [&stage, collected](sim::Villain&, const sim::Frame& frame) {
    if (frame.traffic != node::TrafficClass::consensus) return true;
    const auto decoded = pbft::decode(*frame.body, {stage.n(), 64U << 10U});
    if (!decoded) return true;
    const auto* message = std::get_if<pbft::ViewChangePtr>(&decoded->message);
    if (message != nullptr && (*message)->view == View(1)) {
      collected->emplace((*message)->replica, *message);
    }
    return true;
  };
  script.say = [&stage, collected](sim::Villain& villain, ReplicaId to, const sim::Said& said) {
    if (const auto* own = own_view_change(villain, said)) {
      if (own->view == View(1))
        collected->emplace(own->replica, *content<pbft::ViewChangePtr>(said));
    }
    const auto* message = content<pbft::NewViewPtr>(said);
    if (message == nullptr || (*message)->view != View(1)) return villain.pass(to, said);
    const bool with_own = to.value() % 2 == 0;
    pbft::NewView fields;
    fields.view = View(1);
    for (const auto& [replica, view_change] : *collected) {
      const bool own = replica == villain.self();
      const std::size_t room =
          stage.quorum() - (with_own && !own && replica < villain.self() ? 1 : 0);
      if ((own && !with_own) || fields.view_changes.size() >= room) continue;
      fields.view_changes.push_back(view_change);
    }
    if (fields.view_changes.size() < stage.quorum()) return;  // asked again later
    const auto plan = compute_new_view(stage.world().membership, View(1), fields.view_changes);
    QUORATE_ASSERT(plan.has_value());
    for (const pbft::Ballot& ballot : plan->ballots)
      fields.proposals.push_back(villain.core(ballot));
    villain.send(to, villain.new_view(fields));
  };
  stage.corrupt(1, script);
  stage.begin();
  std::set<std::size_t> sizes;  // of the proposals in the NEW-VIEWs of view 1
  stage.rule([&](const Passing& passing) {
    const auto* message = new_view_of(passing);
    if (message != nullptr && message->view == View(1)) sizes.insert(message->proposals.size());
    return kPass;
  });
  stage.lose([](const Passing& passing) {
    const auto* vote = prepare_of(passing);
    return vote != nullptr && vote->ballot.view == View(0) && passing.to != 1;
  });
  stage.clients().submit_to_all(stage.clients().make_next());
  stage.await("two NEW-VIEWs", seconds(10), [&] { return sizes.size() == 2; });
  stage.clients().load(milliseconds(20));
  stage.await("blocks in spite of it", seconds(30), [&] { return stage.height() >= Height(20); });
  stage.finale();
}

// Faulty replicas ask for views that nobody will ever reach.
void s14_huge_views(Stage& stage) {
  stage.prepare();
  for (const std::uint32_t villain : stage.last_ones()) {
    stage.corrupt(villain, sim::Misdeed::huge_views);
  }
  stage.begin();
  stage.clients().load(milliseconds(50));
  stage.run_for(seconds(12));
  stage.expect(stage.world().coverage[sim::Happened::huge_view] > 20, "nobody asked for anything");
  stage.expect(stage.left().empty() && stage.entered().empty(), "a view changed");
  stage.finale();
  stage.expect(stage.left().empty() && stage.entered().empty(), "a view changed");
}

}  // namespace

std::vector<Scenario> byzantine_view_change_scenarios() {
  const std::vector<std::uint32_t> sizes = {4, 5, 6, 7, 10};
  return {
      {"S06", "an equivocating primary equivocates in its VIEW-CHANGE too", sizes, 1,
       s06_equivocating_view_change},
      {"S11", "VIEW-CHANGEs with one invalid part", sizes, kForgeries, s11_forged_view_change},
      {"S12", "the next primary forges its NEW-VIEW", sizes, kDistortions, s12_forged_new_view},
      {"S13", "two NEW-VIEWs for one view", sizes, 1, s13_two_new_views},
      {"S14", "faulty replicas announce huge views", sizes, 1, s14_huge_views},
  };
}

}  // namespace quorate::scenarios
