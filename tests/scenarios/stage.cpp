#include "tests/scenarios/stage.hpp"

namespace quorate::scenarios {
namespace {

constexpr Duration kOpening = seconds(30);

std::vector<ReplicaId> replica_ids(const std::set<std::uint32_t>& numbers) {
  return {numbers.begin(), numbers.end()};
}

}  // namespace

// ---- the run ----

void Stage::prepare(const Setup& setup) {
  sim::Options options;
  options.seed = casting_.seed;
  options.replicas = casting_.replicas;
  options.trace = casting_.trace;
  options.faults = false;
  options.parameters.emplace();
  options.parameters->checkpoint_interval = setup.checkpoint_interval;
  options.parameters->proposals_in_flight = setup.proposals_in_flight;
  options.parameters->payload_bytes_max = 64U << 10U;
  options.parameters->payload_transactions_max = setup.payload_transactions_max;
  simulation_ = std::make_unique<sim::Simulation>(options);
  simulation_->on_notice([this](sim::Machine machine, const node::Notice& notice) {
    const ReplicaId replica = world().identity(machine);
    if (world().correct(replica)) on_notice(replica.value(), notice);
  });
  clients_ = std::make_unique<Clients>(*simulation_);
}

void Stage::begin(const Setup& setup) {
  if (!simulation_) prepare(setup);
  simulation_->start_all();
  await("every replica may vote", kOpening,
        [this] { return all_correct([this](auto i) { return !status(i).starting; }); });
}

void Stage::finale(Duration bound, const std::set<std::uint32_t>& dead) {
  if (!ok()) return;
  clients_->stop_load();
  for (const std::uint32_t replica : dead) crash(replica);
  simulation_->heal(replica_ids(dead));
  clients_->talk_to(all_but(dead));
  const Instant deadline = now() + bound;
  const bool done = run_until(bound, [&] { return clients_->all_done(); });
  if (ok() && !done) world().violate("I9", "clients still wait for transactions");
  simulation_->converge(deadline - now(), replica_ids(dead));
  if (ok()) simulation_->finish();
}

void Stage::expect(bool holds, const std::string& what) {
  if (!holds) world().violate("focus", what);
}

// ---- time ----

void Stage::await(const std::string& what, Duration at_most,
                  const std::function<bool()>& comes_true) {
  if (run_until(at_most, comes_true) || !ok()) return;
  const auto limit = std::chrono::duration_cast<milliseconds>(at_most).count();
  expect(false, "not within " + std::to_string(limit) + " ms: " + what);
}

void Stage::await_executed(const ledger::TransactionPtr& transaction, Duration at_most) {
  await("a transaction is executed everywhere", at_most, [&] {
    const auto at = simulation_->checks().model().executed_at(transaction->id);
    return at && all_correct([&](std::uint32_t i) { return head(i) >= *at; });
  });
}

void Stage::after(Duration time, std::function<void()> action) {
  world().timeline.after(time, std::move(action));
}

// ---- replicas ----

std::set<std::uint32_t> Stage::correct_ones() {
  std::set<std::uint32_t> out;
  for (std::uint32_t i = 0; i < n(); ++i) {
    if (correct(i) && up(i)) out.insert(i);
  }
  return out;
}

bool Stage::all_correct(const std::function<bool(std::uint32_t)>& holds) {
  const auto replicas = correct_ones();
  return std::all_of(replicas.begin(), replicas.end(), holds);
}

bool Stage::all_in(View view) {
  return all_correct([&](std::uint32_t i) { return status(i).view >= view; });
}

void Stage::start(std::uint32_t replica) {
  if (ok() && !up(replica)) simulation_->start(ReplicaId(replica));
}

void Stage::crash(std::uint32_t replica) {
  if (ok() && up(replica)) simulation_->crash(ReplicaId(replica));
}

void Stage::corrupt(std::uint32_t replica, sim::Misdeed misdeed) {
  simulation_->make_byzantine(ReplicaId(replica), sim::make_strategy(misdeed));
}

void Stage::corrupt(std::uint32_t replica, sim::Script script) {
  simulation_->make_byzantine(ReplicaId(replica), sim::make_strategy(std::move(script)));
}

std::set<std::uint32_t> Stage::last_ones() const {
  std::set<std::uint32_t> out;
  for (std::uint32_t i = 0; i < faults(); ++i) out.insert(n() - 1 - i);
  return out;
}

// ---- what was seen ----

std::size_t Stage::times_left(std::uint32_t replica) const {
  return static_cast<std::size_t>(std::count_if(
      left_.begin(), left_.end(), [&](const ViewNote& note) { return note.replica == replica; }));
}

std::optional<Digest> Stage::executed_id(Height height) const {
  const auto found = executed_.find(height);
  if (found == executed_.end()) return std::nullopt;
  return found->second;
}

bool Stage::has_evidence(std::uint32_t holder, std::uint32_t culprit) const {
  return std::any_of(evidence_.begin(), evidence_.end(), [&](const Proof& proof) {
    return proof.holder == holder && proof.culprit == culprit;
  });
}

void Stage::on_notice(std::uint32_t replica, const node::Notice& notice) {
  using Kind = node::Notice::Kind;
  using Phase = consensus::Progress::Phase;
  for (const Watcher& watcher : watchers_) watcher(replica, notice);
  if (notice.kind == Kind::block_executed) {
    executed_.emplace(notice.height, notice.block->payload_id);
  } else if (notice.kind == Kind::equivocation) {
    evidence_.push_back({replica, notice.peer->value(), notice.proof});
  } else if (notice.kind == Kind::progress && notice.phase == Phase::view_left) {
    left_.push_back({replica, notice.view, now(), notice.text});
  } else if (notice.kind == Kind::progress && notice.phase == Phase::view_entered) {
    entered_.push_back({replica, notice.view, now(), {}});
  }
}

// ---- network ----

Stage::RuleId Stage::rule(Rule rule) {
  return simulation_->network().add_rule([this, rule = std::move(rule)](const sim::Letter& letter) {
    const pbft::DecodeLimits limits{n(), world().genesis.consensus.payload_bytes_max};
    return rule({letter.from.value(), letter.to.value(), letter.frame.traffic,
                 interpreter_.decode(letter.frame, limits)});
  });
}

Stage::RuleId Stage::lose(std::function<bool(const Passing&)> which) {
  return rule([which = std::move(which)](const Passing& passing) {
    return which(passing) ? kLost : kPass;
  });
}

Stage::RuleId Stage::split(const std::vector<std::set<std::uint32_t>>& groups) {
  std::vector<std::size_t> group_of;
  for (std::uint32_t i = 0; i < world().machines.size(); ++i) {
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

}  // namespace quorate::scenarios
