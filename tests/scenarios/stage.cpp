#include "tests/scenarios/stage.hpp"

namespace quorate::scenarios {
namespace {

constexpr Duration kConnect = milliseconds(2);
constexpr Duration kOpening = seconds(30);
constexpr std::uint64_t kEventsMax = 60'000'000;

}  // namespace

// ---- the run ----

void Stage::begin(const Setup& setup) {
  sim::Options options;
  options.seed = casting_.seed;
  options.replicas = casting_.replicas;
  options.trace = casting_.trace;
  options.parameters.emplace();
  options.parameters->checkpoint_interval = setup.checkpoint_interval;
  options.parameters->proposals_in_flight = setup.proposals_in_flight;
  options.parameters->payload_bytes_max = 64U << 10U;
  options.parameters->payload_transactions_max = setup.payload_transactions_max;
  prng_ = std::make_unique<sim::Prng>(casting_.seed * 1'000'003 + casting_.replicas);
  world_ = std::make_unique<sim::World>(options, *prng_);
  checks_ = std::make_unique<sim::Checks>(*world_);
  network_ = std::make_unique<sim::Network>(*world_, prng_->fork());
  network_->set_script([this](sim::Passage& passage) { on_passage(passage); });
  SimNode::Hooks hooks;
  hooks.crashed = [this](ReplicaId replica) { on_crash(replica); };
  hooks.admitted = [this](ReplicaId, node::Ticket, const auto& results) {
    clients_->admitted(results);
  };
  hooks.executed = [this](ReplicaId, const ledger::ExecutedBlock& block) {
    executed_.emplace(block.header.height, block.payload_id);
  };
  hooks.noticed = [this](ReplicaId replica, const node::Notice& notice) {
    on_notice(replica, notice);
  };
  for (std::uint32_t i = 0; i < n(); ++i) {
    nodes_.push_back(std::make_unique<SimNode>(*world_, *checks_, *network_, ReplicaId(i),
                                               prng_->fork(), hooks));
  }
  clients_ = std::make_unique<Clients>(*world_, checks_->model(), nodes_, prng_->fork());
  for (std::uint32_t i = 0; i < n(); ++i) start(i);
  await("every replica may vote", kOpening, [this] {
    for (std::uint32_t i = 0; i < n(); ++i) {
      if (status(i).starting) return false;
    }
    return true;
  });
}

void Stage::finale(Duration bound, const std::set<std::uint32_t>& dead) {
  if (!ok()) return;
  world_->trace("finale", 0);
  clients_->stop_load();
  rules_.clear();
  links({});
  for (std::uint32_t i = 0; i < n(); ++i) {
    if (dead.count(i) != 0 && up(i)) crash(i);
    if (dead.count(i) == 0 && !up(i)) start(i);
  }
  clients_->talk_to(all_but(dead));
  const ledger::TransactionPtr last = clients_->make_last();
  for (const std::uint32_t replica : all_but(dead)) clients_->submit(replica, last);
  const bool done = run_until(bound, [&] { return converged(last, dead); });
  if (ok() && !done) world_->violate("I9", describe_heads());
  for (std::uint32_t i = 0; i < n() && ok(); ++i) {
    if (up(i)) checks_->final_chain(ReplicaId(i), nodes_[i]->ledger().chain());
  }
  const auto first_up = std::find_if(nodes_.begin(), nodes_.end(),
                                     [](const auto& candidate) { return candidate->up(); });
  if (ok()) checks_->replay((*first_up)->ledger().chain());
}

bool Stage::converged(const ledger::TransactionPtr& last, const std::set<std::uint32_t>& dead) {
  if (!clients_->executed(last) || !clients_->all_done()) return false;
  for (std::uint32_t i = 0; i < n(); ++i) {
    if (dead.count(i) != 0) continue;
    if (!up(i) || head(i) != height()) return false;
    if (nodes_[i]->replica().mempool().status().ready != 0) return false;
  }
  return true;
}

std::string Stage::describe_heads() const {
  std::string out = "no convergence; height/view/promise/ready transactions:";
  for (const auto& node : nodes_) {
    if (!node->up()) {
      out += " down";
      continue;
    }
    const node::ReplicaStatus status = node->replica().status();
    out += " " + std::to_string(status.head.height.value()) + "/" +
           std::to_string(status.consensus.view.value()) + "/" +
           std::to_string(status.consensus.promise_view.value()) + "/" +
           std::to_string(node->replica().mempool().status().ready);
  }
  return out;
}

void Stage::expect(bool holds, const std::string& what) {
  if (!holds) world_->violate("focus", what);
}

// ---- time ----

void Stage::run_for(Duration time) {
  const Instant end = now() + time;
  world_->timeline.at(end, [] {});
  while (ok() && now() < end && world_->timeline.run_next()) continue;
}

bool Stage::run_until(Duration at_most, const std::function<bool()>& comes_true) {
  const Instant end = now() + at_most;
  world_->timeline.at(end, [] {});
  while (ok()) {
    if (comes_true()) return true;
    if (now() >= end || !world_->timeline.run_next()) return false;
    if (world_->timeline.events_run() > kEventsMax) world_->violate("stall", "too many events");
  }
  return false;
}

void Stage::await(const std::string& what, Duration at_most,
                  const std::function<bool()>& comes_true) {
  if (run_until(at_most, comes_true) || !ok()) return;
  const auto limit = std::chrono::duration_cast<milliseconds>(at_most).count();
  expect(false, "not within " + std::to_string(limit) + " ms: " + what);
}

void Stage::after(Duration time, std::function<void()> action) {
  world_->timeline.after(time, std::move(action));
}

// ---- replicas ----

View Stage::highest_view() const {
  View out(0);
  for (std::uint32_t i = 0; i < n(); ++i) {
    if (up(i)) out = std::max(out, status(i).view);
  }
  return out;
}

std::size_t Stage::times_left(std::uint32_t replica) const {
  return static_cast<std::size_t>(std::count_if(
      left_.begin(), left_.end(), [&](const ViewNote& note) { return note.replica == replica; }));
}

std::optional<Digest> Stage::executed_id(Height height) const {
  const auto found = executed_.find(height);
  if (found == executed_.end()) return std::nullopt;
  return found->second;
}

void Stage::start(std::uint32_t replica) {
  if (!ok() || up(replica)) return;
  nodes_[replica]->start();
  for (std::uint32_t peer = 0; peer < n(); ++peer) {
    if (peer != replica && up(peer)) connect(replica, peer);
  }
}

void Stage::crash(std::uint32_t replica) {
  if (ok() && up(replica)) nodes_[replica]->crash_now();
}

// Both ends notice, at different times; a replica that is down by then notices nothing.
void Stage::connect(std::uint32_t a, std::uint32_t b) {
  for (const auto& [self, peer] : {std::make_pair(a, b), std::make_pair(b, a)}) {
    after(prng_->duration(Duration(0), kConnect), [this, self = self, peer = peer] {
      if (up(self) && up(peer)) nodes_[self]->deliver(node::PeerConnected{ReplicaId(peer)});
    });
  }
}

void Stage::on_crash(ReplicaId replica) {
  for (std::uint32_t peer = 0; peer < n(); ++peer) {
    if (peer == replica.value()) continue;
    after(prng_->duration(Duration(0), kConnect), [this, peer, replica] {
      if (!up(replica.value())) nodes_[peer]->deliver(node::PeerDisconnected{replica});
    });
  }
}

void Stage::on_notice(ReplicaId replica, const node::Notice& notice) {
  for (const Watcher& watcher : watchers_) watcher(replica.value(), notice);
  using Phase = consensus::Progress::Phase;
  if (notice.kind != node::Notice::Kind::progress) return;
  if (*notice.phase == Phase::view_left) {
    left_.push_back({replica.value(), notice.view, now(), notice.text});
  } else if (*notice.phase == Phase::view_entered) {
    entered_.push_back({replica.value(), notice.view, now(), {}});
  }
}

// ---- network ----

Stage::RuleId Stage::rule(Rule rule) {
  rules_.emplace(next_rule_, std::move(rule));
  return next_rule_++;
}

Stage::RuleId Stage::lose(std::function<bool(const Passing&)> which) {
  return rule([which = std::move(which)](const Passing& passing) {
    return which(passing) ? kLost : kPass;
  });
}

Stage::RuleId Stage::split(const std::vector<std::set<std::uint32_t>>& groups) {
  std::vector<std::size_t> group_of;
  for (std::uint32_t i = 0; i < n(); ++i) {
    std::size_t group = groups.size() + i;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (groups[g].count(i) != 0) group = g;
    }
    group_of.push_back(group);
  }
  return lose([group_of](const Passing& passing) {
    return group_of[passing.from] != group_of[passing.to];
  });
}

std::set<std::uint32_t> Stage::all_but(const std::set<std::uint32_t>& replicas) const {
  std::set<std::uint32_t> out;
  for (std::uint32_t i = 0; i < n(); ++i) {
    if (replicas.count(i) == 0) out.insert(i);
  }
  return out;
}

void Stage::on_passage(sim::Passage& passage) {
  if (rules_.empty()) return;
  const pbft::DecodeLimits limits{n(), world_->genesis.consensus.payload_bytes_max};
  const Passing passing{passage.frame.from.value(), passage.to.value(), passage.frame.traffic,
                        interpreter_.decode(passage.frame, limits)};
  for (const auto& entry : rules_) {
    const Fate fate = entry.second(passing);
    passage.lost = passage.lost || fate.lost;
    passage.held += fate.held;
  }
}

}  // namespace quorate::scenarios
