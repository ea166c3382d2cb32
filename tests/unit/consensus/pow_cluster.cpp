#include "tests/unit/consensus/pow_cluster.hpp"

#include <catch2/catch.hpp>

namespace quorate::consensus::test {

namespace {

constexpr WallMs kGenesisTime(1'790'000'000'000);

crypto::work::Parameters parameters_of(const PowOptions& options) {
  crypto::work::Parameters out;
  out.depth = static_cast<std::uint32_t>(options.depth);
  return out;
}

}  // namespace

Digest pow_genesis_hash() { return crypto::hash("quorate/test-genesis/1", {}); }

Digest pow_block_hash(const Digest& before, const Bytes& payload) {
  return crypto::hash("quorate/test-block/1", {before, payload});
}

PowCluster::PowCluster(PowOptions options)
    : options_(options),
      membership_(test_membership(options.members)),
      rules_(parameters_of(options), membership_.chain_id, kGenesisTime, membership_.validators),
      machines_(options.members),
      random_state_(options.seed * 0x9e3779b97f4a7c15ULL + 1) {
  for (std::uint32_t i = 0; i < options.members; ++i) {
    signers_.emplace_back(test_key(i));
    machines_[i].hashes_per_second = options.hashes_per_second;
  }
  verifier_ = make_engine(config_of(0), nullptr, token_verifier_, &lottery_)->message_verifier;
}

EngineConfig PowCluster::config_of(std::uint32_t index) const {
  EngineConfig config;
  config.engine = "pow";
  config.membership = membership_;
  config.self = ReplicaId(index);
  config.payload_bytes_max = kPowPayloadMax;
  config.parameters = crypto::work::to_named(rules_.parameters());
  config.genesis_time = kGenesisTime;
  config.rewind_max = options_.rewind_max;
  config.ahead_max = options_.ahead_max;
  return config;
}

WallMs PowCluster::wall() const {
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now_.since_origin);
  return WallMs(kGenesisTime.value() + static_cast<std::uint64_t>(passed.count()));
}

std::uint64_t PowCluster::random(std::uint64_t below) {
  random_state_ ^= random_state_ << 13U;
  random_state_ ^= random_state_ >> 7U;
  random_state_ ^= random_state_ << 17U;
  return random_state_ % below;
}

// ---- time ----

void PowCluster::at(Instant when, std::function<void()> run) {
  queue_.push({when, sequence_++, std::move(run)});
}

void PowCluster::in_life(std::uint32_t index, Duration delay, std::function<void()> run) {
  const std::uint64_t life = machine(index).life;
  at(now_ + delay, [this, index, life, run = std::move(run)] {
    if (machine(index).alive() && machine(index).life == life) run();
  });
}

void PowCluster::run_for(Duration duration) {
  run_until([] { return false; }, duration);
}

bool PowCluster::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now_ + limit;
  while (!done()) {
    if (queue_.empty() || queue_.top().at > end) {
      now_ = end;
      return done();
    }
    const Scheduled next = queue_.top();
    queue_.pop();
    now_ = next.at;
    next.run();
  }
  return true;
}

bool PowCluster::reached(Height height) const {
  for (const PowMachine& machine : machines_) {
    if (machine.alive() && machine.head() < height) return false;
  }
  return true;
}

std::string PowCluster::describe() {
  std::string out;
  for (std::uint32_t i = 0; i < options_.members; ++i) {
    PowMachine& machine = machines_[i];
    out += "\n  machine " + std::to_string(i) + ": ";
    if (!machine.alive()) {
      out += "down";
      continue;
    }
    const Status::Branch branch = *machine.engine->status().branch;
    out += "ledger " + std::to_string(machine.head().value()) + ", tip " +
           std::to_string(branch.tip.value()) + " " + to_hex(branch.tip_id).substr(0, 8) +
           ", best header " + std::to_string(branch.best_header.value()) + ", rewinds " +
           std::to_string(machine.rewinds.size()) + (machine.rewinding ? ", rewinding" : "");
    for (const std::string& halt : machine.halts) out += ", halted: " + halt;
    for (const Rejected& rejected : machine.rejected) out += ", rejected: " + rejected.reason;
  }
  return out;
}

bool PowCluster::settle(Duration limit) {
  const auto same = [this] {
    const PowMachine* first = nullptr;
    for (std::uint32_t i = 0; i < options_.members; ++i) {
      PowMachine& machine = machines_[i];
      if (!machine.alive()) continue;
      if (machine.rewinding || !machine.executing.empty()) return false;
      if (first == nullptr) first = &machine;
      if (machine.engine->status().branch->tip_id != first->engine->status().branch->tip_id ||
          machine.head() != first->head() ||
          (machine.head() > Height(0) && machine.ledger.back().id != first->ledger.back().id)) {
        return false;
      }
    }
    return true;
  };
  return run_until(same, limit);
}

// ---- lives ----

void PowCluster::start(std::uint32_t index) {
  PowMachine& machine = machines_.at(index);
  REQUIRE_FALSE(machine.alive());
  auto parts = make_engine(config_of(index), &signers_[index], token_verifier_, &lottery_);
  REQUIRE(parts);
  machine.engine = std::move(parts->engine);
  ++machine.life;
  machine.boundaries = 0;
  machine.unsynced.clear();
  machine.durable = PersistToken(0);
  machine.held.clear();
  machine.executing.clear();
  machine.rewinding.reset();
  machine.committed = machine.head();
  machine.known.clear();
  machine.working.reset();
  machine.tick_at.reset();
  Started started;
  started.durable = machine.disk;
  started.applied = machine.head();
  if (!machine.ledger.empty()) started.applied_id = machine.ledger.back().id;
  started.block_hash = hash_at(machine, machine.head());
  const std::uint64_t kept = std::min<std::uint64_t>(machine.ledger.size(), parts->traits.history);
  for (std::size_t i = machine.ledger.size() - kept; i < machine.ledger.size(); ++i) {
    started.certificates.push_back(machine.ledger[i].certificate);
    started.block_hashes.push_back(machine.ledger[i].hash);
  }
  started.genesis_hash = hash_at(machine, Height(0));
  started.life = machine.life;
  step(index, started);
}

void PowCluster::start_all() {
  for (std::uint32_t i = 0; i < options_.members; ++i) start(i);
}

// What was not synced is lost.
void PowCluster::crash(std::uint32_t index) {
  PowMachine& machine = machines_.at(index);
  machine.engine.reset();
  machine.crash_at.reset();
}

bool PowCluster::boundary(std::uint32_t index) {
  PowMachine& machine = machines_[index];
  if (machine.crash_at && machine.boundaries >= *machine.crash_at) {
    crash(index);
    return false;
  }
  ++machine.boundaries;
  return true;
}

void PowCluster::submit(std::uint32_t count) {
  for (; count > 0; --count, ++submitted_) {
    for (PowMachine& machine : machines_) machine.pool.insert(submitted_);
  }
  for (std::uint32_t i = 0; i < options_.members; ++i) {
    if (machines_[i].alive()) step(i, PendingChanged{true});
  }
}

// ---- the host ----

void PowCluster::step(std::uint32_t index, Input input) {
  PowMachine& machine = machines_[index];
  if (!machine.alive()) return;
  const std::uint64_t life = machine.life;
  std::vector<Output> outputs;
  machine.engine->step({now_, wall(), std::move(input)}, outputs);
  for (const Output& output : outputs) {
    if (!machine.alive() || machine.life != life) return;
    perform(index, output);
  }
  if (!machine.alive() || machine.life != life) return;
  REQUIRE(machine.engine->memory_bytes() <= options_.memory_max);
  plan_tick(index);
}

void PowCluster::plan_tick(std::uint32_t index) {
  PowMachine& machine = machines_[index];
  const auto due = machine.engine->next_deadline();
  if (!due || (machine.tick_at && *machine.tick_at <= *due && *machine.tick_at > now_)) return;
  machine.tick_at = std::max(*due, now_ + std::chrono::microseconds(1));
  in_life(index, *machine.tick_at - now_, [this, index, planned = *machine.tick_at] {
    if (machines_[index].tick_at != planned) return;
    machines_[index].tick_at.reset();
    step(index, Ticked{});
  });
}

void PowCluster::perform(std::uint32_t index, const Output& output) {
  PowMachine& machine = machines_[index];
  if (on_output) on_output(index, output);
  if (const auto* record = std::get_if<Persist>(&output)) {
    persist(index, *record);
  } else if (const auto* send = std::get_if<Send>(&output)) {
    machine.held.push_back(*send);
    release(index);
  } else if (const auto* request = std::get_if<RequestProposal>(&output)) {
    propose(index, *request);
  } else if (const auto* validate = std::get_if<Validate>(&output)) {
    const bool valid = !judge || judge(validate->payload);
    // Many threads check: in any order.
    const Duration takes = std::chrono::milliseconds(1 + static_cast<std::int64_t>(random(20)));
    in_life(index, takes, [this, index, v = *validate, valid] {
      if (valid) machines_[index].known[v.id] = {v.height, v.payload};
      forget_payloads(index);
      step(index, Validated{v.id, valid});
    });
  } else if (const auto* ordered = std::get_if<Commit>(&output)) {
    commit(index, *ordered);
  } else if (const auto* back = std::get_if<Rewind>(&output)) {
    rewind(index, *back);
  } else if (const auto* start_work = std::get_if<StartWork>(&output)) {
    work(index, *start_work);
  } else if (const auto* cancel = std::get_if<CancelWork>(&output)) {
    if (machine.working == cancel->token) machine.working.reset();
  } else if (const auto* payload = std::get_if<LoadPayload>(&output)) {
    load(index, *payload);
  } else if (const auto* range = std::get_if<LoadCertificates>(&output)) {
    load(index, *range);
  } else if (const auto* order = std::get_if<TentativeOrder>(&output)) {
    machine.tentative = order->ids;
    REQUIRE(order->certificates.size() == order->ids.size());
  } else if (const auto* halt = std::get_if<Halt>(&output)) {
    machine.halts.push_back(halt->reason);
  } else if (const auto* rejected = std::get_if<Rejected>(&output)) {
    machine.rejected.push_back(*rejected);
  }
}

}  // namespace quorate::consensus::test
