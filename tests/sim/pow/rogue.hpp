// A Byzantine miner in a run. It has a replica's place in the network and that replica's hash rate,
// sees the chain as a correct replica does, and works on whatever a scenario wants. What it states
// is its own affair; what its work costs is not: easy bits are found soon, hard ones late. Judges
// the rules by readers of its own, since the product's are what is tested. One run owns it.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "consensus/pow/messages.hpp"
#include "crypto/work/header_rules.hpp"
#include "tests/sim/pow/pow_simulation.hpp"

namespace quorate::sim::pow {

class Rogue {
 public:
  // What it works on: at first what a correct miner would, with an empty payload.
  struct Plan {
    Header header;
    Bytes payload;
    // If it breaks a rule: until when nobody may take it.
    Instant outlawed_until{};
  };
  // `replica` is Byzantine from now on.
  Rogue(PowSimulation& simulation, ReplicaId replica);

  // Sees every plan, when work begins and again when the block is found.
  std::function<void(Plan&)> shape;
  // Takes what was found; otherwise everybody is told.
  std::function<void(const consensus::pow::FullBlock&)> on_found;

  ReplicaId self() const { return self_; }
  // To every replica that is up, to the own one as if from somebody else.
  void tell_all(const consensus::pow::Message& message);
  void tell_others(const consensus::pow::Message& message);
  // A header on top of a block that was found before, which keeps the rules.
  Header on_top_of(const Digest& parent);
  std::uint64_t random() { return prng_.next(); }

  // The median of the last eleven times up to a block, and the true time, in seconds.
  std::uint64_t median_time(const Digest& parent) const;
  std::uint64_t now_s() const;
  std::uint64_t future_limit_s() const { return rules_->future_limit_s(); }
  const crypto::work::HeaderRules& rules() const { return *rules_; }
  PowSimulation& simulation() { return simulation_; }

 private:
  Plan plan(const Header& header);
  void found();
  const crypto::work::Context& context(const Digest& id);
  void send(Machine to, ReplicaId from, const consensus::pow::Message& message);

  PowSimulation& simulation_;
  ReplicaId self_;
  Prng prng_;
  std::unique_ptr<crypto::work::HeaderRules> rules_;
  std::map<Digest, crypto::work::Context> contexts_;
  Plan plan_;  // the newest
};

}  // namespace quorate::sim::pow
