#include "testnet/compare/lying_members.hpp"

#include <map>
#include <set>

#include "tests/sim/simulation.hpp"
#include "tests/sim/two_faced.hpp"

namespace quorate::testnet::comparison {

namespace {

constexpr Duration kStart = std::chrono::seconds(30);
constexpr Duration kApart = std::chrono::seconds(5);
constexpr Duration kAgree = std::chrono::seconds(120);
constexpr Duration kClientMin = std::chrono::milliseconds(5);
constexpr Duration kClientMax = std::chrono::milliseconds(50);

class LyingAttack {
 public:
  LyingAttack(std::uint32_t nodes, std::uint32_t liars, std::uint64_t seed)
      : nodes_(nodes), liars_(liars), simulation_(make_options(nodes, seed)) {
    for (std::uint32_t i = liars; i < nodes; ++i) (i % 2 == 0 ? one_half_ : other_half_).insert(i);
    for (std::uint32_t i = 0; i < liars; ++i) {
      simulation_.make_byzantine(ReplicaId(i), sim::make_strategy(sim::two_faced(other_half_)));
    }
    // With more liars than it tolerates the protocol promises nothing any more.
    if (!tolerated()) {
      for (const char* broken : {"I1", "I4", "I6", "I7", "halt"}) {
        simulation_.world().tolerate(broken);
      }
    }
    simulation_.on_notice([this](sim::Machine machine, const node::Notice& notice) {
      if (honest(machine.value())) heard(notice);
    });
  }

  Result<LyingMembers> run() {
    simulation_.start_all();
    simulation_.run_until([this] { return all_ready(); }, kStart);
    simulation_.network().add_rule([this](const sim::Letter& letter) {
      return apart(letter.from.value(), letter.to.value()) ? std::optional(sim::Fate{true, {}, {}})
                                                           : std::nullopt;
    });
    simulation_.Cluster::keep_busy(kClientMin, kClientMax);
    simulation_.run_for(kApart);
    out_.blocks = highest_;
    name_liars();
    if (tolerated()) agree_again();
    if (const auto& broken = simulation_.world().violation) {
      return fail(Errc::corrupt, broken->invariant + ": " + broken->detail);
    }
    return out_;
  }

 private:
  static sim::Options make_options(std::uint32_t nodes, std::uint64_t seed) {
    sim::Options out;
    out.seed = seed;
    out.replicas = nodes;
    out.faults = false;
    return out;
  }

  bool tolerated() { return liars_ <= simulation_.world().membership.faults(); }
  bool honest(std::uint32_t member) const { return member >= liars_; }
  bool apart(std::uint32_t from, std::uint32_t to) const {
    return (one_half_.contains(from) && other_half_.contains(to)) ||
           (other_half_.contains(from) && one_half_.contains(to));
  }
  bool all_ready() {
    for (std::uint32_t i = liars_; i < nodes_; ++i) {
      if (simulation_.status(ReplicaId(i)).starting) return false;
    }
    return true;
  }

  void heard(const node::Notice& notice) {
    if (notice.kind != node::Notice::Kind::block_executed) return;
    auto& ids = executed_[notice.height];
    ids.insert(notice.block->payload_id);
    out_.forked = out_.forked || ids.size() > 1;
    highest_ = std::max(highest_, notice.height.value());
  }

  void name_liars() {
    for (const ReplicaId member : simulation_.checks().culprits()) {
      ++(honest(member.value()) ? out_.wronged : out_.named);
    }
  }

  void agree_again() {
    simulation_.network().clear_rules();
    simulation_.quiet();
    simulation_.heal();
    out_.goes_on = simulation_.converge(kAgree);
    if (simulation_.ok()) simulation_.finish();
  }

  const std::uint32_t nodes_;
  const std::uint32_t liars_;
  sim::Simulation simulation_;
  std::set<std::uint32_t> one_half_, other_half_;
  std::map<Height, std::set<Digest>> executed_;
  std::uint64_t highest_ = 0;
  LyingMembers out_;
};

}  // namespace

Result<LyingMembers> try_liars(std::uint32_t nodes, std::uint32_t liars, std::uint64_t seed) {
  return LyingAttack(nodes, liars, seed).run();
}

}  // namespace quorate::testnet::comparison
