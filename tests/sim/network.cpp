#include "tests/sim/network.hpp"

namespace quorate::sim {

Network::Network(World& world, Prng prng) : world_(world), prng_(prng) {
  for (std::size_t i = 0; i < world.machines.size(); ++i) add_machine();
}

void Network::add_machine() {
  cut_.push_back(false);
  receive_.emplace_back();
  connection_.push_back(0);
  for (auto& from : links_) from.emplace_back();
  links_.emplace_back(cut_.size());
}

void Network::set_faults(Machine from, Machine to, const LinkFaults& faults) {
  link_faults_.insert_or_assign({from, to}, faults);
}

void Network::block(Machine from, Machine to, bool blocked) { link(from, to).blocked = blocked; }

void Network::partition(const std::vector<std::vector<Machine>>& groups) {
  std::vector<std::size_t> group_of(cut_.size());
  for (std::size_t i = 0; i < group_of.size(); ++i) group_of[i] = groups.size() + i;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    for (const Machine machine : groups[group]) group_of.at(machine.value()) = group;
  }
  for (std::uint32_t from = 0; from < group_of.size(); ++from) {
    for (std::uint32_t to = 0; to < group_of.size(); ++to) {
      block(Machine(from), Machine(to), group_of[from] != group_of[to]);
    }
  }
}

void Network::unblock() {
  for (auto& from : links_) {
    for (Link& to : from) to.blocked = false;
  }
  cut_.assign(cut_.size(), false);
  link_faults_.clear();
}

Network::RuleId Network::add_rule(Rule rule) {
  rules_.emplace(next_rule_, std::move(rule));
  return next_rule_++;
}

void Network::attach(Machine machine, Receive receive) {
  receive_.at(machine.value()) = std::move(receive);
}

void Network::detach(Machine machine) {
  receive_.at(machine.value()) = nullptr;
  ++connection_.at(machine.value());
}

void Network::send(Machine to, const Frame& frame) {
  if (!attached(to)) return;
  if (is_cut(to) || is_cut(frame.source) || link(frame.source, to).blocked) {
    world_.coverage.add(Happened::partition);
    return;
  }
  if (rules_.empty()) return carry(Duration(0), to, frame);
  const Letter letter{frame.source, to, frame, peek(frame.traffic, *frame.body)};
  for (const auto& entry : rules_) {
    auto fate = entry.second(letter);
    if (!fate) continue;
    if (fate->lost) return;
    if (!fate->instead) return carry(fate->delay, to, frame);
    Frame other = frame;
    other.tampered = true;
    other.body = std::make_shared<const Bytes>(std::move(*fate->instead));
    return carry(fate->delay, to, other);
  }
  carry(Duration(0), to, frame);
}

void Network::carry(Duration extra, Machine to, const Frame& frame) {
  const auto own = link_faults_.find({frame.source, to});
  const LinkFaults& faults = own == link_faults_.end() ? faults_ : own->second;
  if (prng_.per_mille(faults.loss_per_mille)) {
    world_.coverage.add(Happened::loss);
    return;
  }
  const bool spike = prng_.per_mille(faults.spike_per_mille);
  if (spike) world_.coverage.add(Happened::delay);
  Duration delay =
      prng_.duration(faults.delay_min, spike ? faults.delay_max * 20 : faults.delay_max) + extra;

  Instant& last_due = link(frame.source, to).last_due;
  const Instant due = world_.timeline.now() + delay;
  if (extra > Duration(0) || prng_.per_mille(faults.reorder_per_mille)) {
    if (due < last_due) world_.coverage.add(Happened::reorder);
  } else {
    last_due = std::max(last_due, due);
    delay = last_due - world_.timeline.now();
  }
  deliver_after(delay, to, frame);
  if (prng_.per_mille(faults.duplicate_per_mille)) {
    world_.coverage.add(Happened::duplication);
    deliver_after(delay + prng_.duration(Duration(0), faults.delay_max * 3), to, frame);
  }
}

void Network::deliver_after(Duration delay, Machine to, const Frame& frame) {
  const std::uint64_t connection = connection_.at(to.value());
  world_.timeline.after(delay, [this, to, frame, connection] {
    if (connection != connection_.at(to.value()) || !attached(to)) return;
    // The copy outlives a crash of the receiver in the middle of it.
    const Receive receive = receive_.at(to.value());
    receive(frame);
  });
}

}  // namespace quorate::sim
