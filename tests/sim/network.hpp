// The links between the machines: every ordered pair has its own delay, its own share of loss,
// duplication and reordering, and can be blocked in one direction alone. Rules see every letter and
// may lose, delay or rewrite it. A frame is verified when it arrives, by the product's own
// verify_peer_message; a correct replica never sends one that fails.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "node/peer_messages.hpp"
#include "tests/sim/letter.hpp"
#include "tests/sim/world.hpp"

namespace quorate::sim {

struct LinkFaults {
  Duration delay_min = std::chrono::microseconds(50);
  Duration delay_max = std::chrono::milliseconds(2);
  std::uint64_t spike_per_mille = 0;  // a delay of up to twenty times delay_max
  std::uint64_t loss_per_mille = 0;
  std::uint64_t duplicate_per_mille = 0;
  std::uint64_t reorder_per_mille = 0;
};

class Network {
 public:
  using Receive = std::function<void(const Frame&)>;
  using RuleId = std::uint64_t;
  Network(World& world, Prng prng);

  // A machine more, with the next number.
  void add_machine();

  void set_faults(const LinkFaults& faults) { faults_ = faults; }
  // Of one link, instead of the faults of all.
  void set_faults(Machine from, Machine to, const LinkFaults& faults);
  void clear_link_faults() { link_faults_.clear(); }
  // Blocks one direction of one link; the connection stays up, as with a pulled cable.
  void block(Machine from, Machine to, bool blocked = true);
  // Blocks everything between machines of different groups; whoever is in none is alone.
  void partition(const std::vector<std::vector<Machine>>& groups);
  // A cut machine neither hears nor is heard.
  void cut(Machine machine, bool is_cut) { cut_.at(machine.value()) = is_cut; }
  bool is_cut(Machine machine) const { return cut_.at(machine.value()); }
  // Ends blocks, cuts and the faults of single links. Rules stay.
  void unblock();
  // Rules are asked in the order they were added; the first that answers decides.
  RuleId add_rule(Rule rule);
  void remove_rule(RuleId id) { rules_.erase(id); }
  void clear_rules() { rules_.clear(); }

  // Frames in flight to an earlier life of a machine are lost with its connections.
  void attach(Machine machine, Receive receive);
  void detach(Machine machine);
  bool attached(Machine machine) const { return bool(receive_.at(machine.value())); }

  void send(Machine to, const Frame& frame);

 private:
  struct Link {
    Instant last_due;  // to keep order without reordering
    bool blocked = false;
  };
  Link& link(Machine from, Machine to) { return links_.at(from.value()).at(to.value()); }
  void carry(Duration extra, Machine to, const Frame& frame);
  void deliver_after(Duration delay, Machine to, const Frame& frame);

  World& world_;
  Prng prng_;
  LinkFaults faults_;
  std::map<std::pair<Machine, Machine>, LinkFaults> link_faults_;
  std::vector<bool> cut_;
  std::vector<Receive> receive_;
  std::vector<std::uint64_t> connection_;  // counts the lives of each machine
  std::vector<std::vector<Link>> links_;
  std::map<RuleId, Rule> rules_;
  RuleId next_rule_ = 1;
};

}  // namespace quorate::sim
