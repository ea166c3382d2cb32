#include "tests/unit/consensus/pow_cluster.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "consensus/pow/durable_state.hpp"
#include "crypto/work/bits.hpp"

namespace quorate::consensus::test {

namespace {

constexpr std::uint32_t kPayloadMax = 1U << 16U;
constexpr WallMs kGenesisTime(1'790'000'000'000);

std::vector<std::uint32_t> transactions_of(const Bytes& payload) {
  std::vector<std::uint32_t> out;
  crypto::Reader in(payload);
  for (std::uint32_t left = in.count(0, 1U << 20U, 4); left > 0; --left) out.push_back(in.u32());
  return out;
}

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
  config.payload_bytes_max = kPayloadMax;
  config.parameters = crypto::work::to_named(rules_.parameters());
  config.genesis_time = kGenesisTime;
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

void PowCluster::persist(std::uint32_t index, const Persist& record) {
  machines_[index].unsynced.push_back(record);
  for (const auto& block : blocks_of(record)) {
    parents_[block.header.id] = block.header.header.parent;
  }
  in_life(index, options_.disk_delay, [this, index, token = record.token] {
    PowMachine& machine = machines_[index];
    while (!machine.unsynced.empty() && machine.unsynced.front().token <= token) {
      if (!boundary(index)) return;
      const Persist written = std::move(machine.unsynced.front());
      machine.unsynced.erase(machine.unsynced.begin());
      if (written.snapshot) machine.disk.clear();
      machine.disk.push_back(written.record);
      if (written.snapshot) machine.logged.clear();
      for (const auto& block : blocks_of(written)) {
        machine.logged.insert(block.header.id);
        ever_logged_.insert(block.header.id);
      }
    }
    machine.durable = std::max(machine.durable, token);
    step(index, Persisted{token});
    if (machine.alive()) release(index);
  });
}

std::vector<pow::FullBlock> PowCluster::blocks_of(const Persist& record) const {
  std::vector<Bytes> records{record.record};
  if (!record.snapshot) {
    records.insert(records.begin(), pow::encode_snapshot(membership_.chain_id, {}));
  }
  auto blocks = pow::replay(records, membership_.chain_id, kPayloadMax);
  REQUIRE(blocks);
  return std::move(*blocks);
}

void PowCluster::release(std::uint32_t index) {
  PowMachine& machine = machines_[index];
  std::vector<Send> still;
  std::vector<Send> held = std::move(machine.held);
  machine.held.clear();
  for (Send& send : held) {
    if (send.after && *send.after > machine.durable) {
      still.push_back(std::move(send));
      continue;
    }
    if (!boundary(index)) return;
    transmit(index, send);
  }
  machine.held.insert(machine.held.begin(), still.begin(), still.end());
}

void PowCluster::transmit(std::uint32_t from, const Send& send) {
  const auto decoded = pow::decode(send.message, kPayloadMax);
  REQUIRE(decoded);
  REQUIRE(pow::encode(*decoded) == send.message);
  check_durable(from, *decoded);
  for (std::uint32_t to = 0; to < options_.members; ++to) {
    if (to == from || (send.to && send.to->value() != to)) continue;
    ++sent[send.type];
    if (filter && !filter(from, to, *decoded)) continue;
    if (options_.loss_percent != 0 && random(100) < options_.loss_percent) continue;
    Duration delay = options_.network_delay;
    if (options_.network_jitter > Duration(0)) {
      delay += Duration(static_cast<std::int64_t>(
          random(static_cast<std::uint64_t>(options_.network_jitter.count()))));
    }
    at(now_ + delay, [this, from, to, message = send.message] {
      if (machines_[to].alive()) REQUIRE(deliver(from, to, message));
    });
  }
}

// An own block is on the disk before anybody hears of it.
void PowCluster::check_durable(std::uint32_t from, const pow::Message& message) const {
  std::vector<pow::Identified> shown;
  if (const auto* news = std::get_if<pow::Announce>(&message)) shown = news->headers;
  if (const auto* answer = std::get_if<pow::Headers>(&message)) shown = answer->headers;
  if (const auto* block = std::get_if<pow::FullBlock>(&message)) shown = {block->header};
  for (const pow::Identified& header : shown) {
    if (header.header.miner == test_key(from)) {
      REQUIRE(ever_logged_.count(header.id) != 0);
    }
  }
}

Result<void> PowCluster::deliver(std::uint32_t from, std::uint32_t to, const Bytes& message) {
  QUORATE_TRY(auto verified, verifier_->verify(ReplicaId(from), message));
  step(to, MessageReceived{ReplicaId(from), std::move(verified)});
  return {};
}

// ---- mining ----

void PowCluster::propose(std::uint32_t index, const RequestProposal& request) {
  PowMachine& machine = machines_[index];
  std::set<std::uint32_t> waiting = machine.pool;
  for (const Digest& id : request.ahead) {
    REQUIRE(machine.known.count(id) != 0);
    for (const std::uint32_t transaction : transactions_of(machine.known[id].second)) {
      waiting.erase(transaction);
    }
  }
  crypto::Writer payload;
  payload.u32(static_cast<std::uint32_t>(waiting.size()));
  for (const std::uint32_t transaction : waiting) payload.u32(transaction);
  payload.raw(Bytes(options_.padding));
  Bytes bytes = std::move(payload).take();
  const Digest digest = verifier_->payload_digest(bytes);
  in_life(index, Duration(0), [this, index, request, bytes, digest] {
    step(index, ProposalReady{request.height, request.view, bytes, digest});
  });
}

void PowCluster::work(std::uint32_t index, const StartWork& start) {
  PowMachine& machine = machines_[index];
  machine.working = start.token;
  if (machine.hashes_per_second <= 0) return;
  const auto header = crypto::work::decode_header(start.puzzle);
  REQUIRE(header);
  const double chance =
      (static_cast<double>(random(1U << 30U)) + 1) / static_cast<double>(1U << 30U);
  const double mean =
      static_cast<double>(crypto::work::expected_hashes(header->bits)) / machine.hashes_per_second;
  const auto wait = Duration(static_cast<std::int64_t>(-std::log(chance) * mean * 1e9));
  in_life(index, wait, [this, index, token = start.token, header = *header] {
    if (machines_[index].working != token) return;
    machines_[index].working.reset();
    step(index, WorkFound{token, lottery_.draw(header)});
  });
}

// ---- the ledger ----

Digest PowCluster::hash_at(const PowMachine& machine, Height height) const {
  if (height == Height(0)) return pow_genesis_hash();
  return machine.ledger.at(height.value() - 1).hash;
}

void PowCluster::check_commit(const PowMachine& machine, const Commit& commit) const {
  const auto proved = verifier_->verify_commit_certificate(commit.commit_certificate);
  REQUIRE(proved);
  REQUIRE(proved->height == commit.height);
  REQUIRE(proved->id == commit.id);
  REQUIRE(proved->payload_digest == verifier_->payload_digest(commit.payload));
  REQUIRE(machine.committed.next() == commit.height);
  REQUIRE_FALSE(machine.rewinding);
  const auto branch = *machine.engine->status().branch;
  REQUIRE(branch.tip.value() >= commit.height.value() + options_.depth - 1);
  // Those k that make it deep are on the disk; what stands above them may be on its way there.
  std::vector<Digest> branch_down{branch.tip_id};
  while (branch_down.back() != commit.id) {
    branch_down.push_back(parents_.at(branch_down.back()));
  }
  for (std::size_t i = 0; i < options_.depth; ++i) {
    REQUIRE(machine.logged.count(branch_down.at(branch_down.size() - 1 - i)) != 0);
  }
}

void PowCluster::commit(std::uint32_t index, const Commit& ordered) {
  PowMachine& machine = machines_[index];
  check_commit(machine, ordered);
  machine.committed = ordered.height;
  machine.executing.push_back(ordered);
  in_life(index, options_.execute_delay, [this, index] { execute(index); });
}

void PowCluster::execute(std::uint32_t index) {
  PowMachine& machine = machines_[index];
  if (machine.executing.empty()) return;  // withdrawn
  const Commit ordered = machine.executing.front();
  machine.executing.erase(machine.executing.begin());
  REQUIRE(ordered.height == machine.head().next());
  const auto header = crypto::work::decode_header(ordered.commit_certificate);
  REQUIRE(header);
  REQUIRE(header->parent == (machine.ledger.empty() ? Digest{} : machine.ledger.back().id));
  const Digest before = hash_at(machine, machine.head());
  const Digest hash = pow_block_hash(before, ordered.payload);
  machine.ledger.push_back({ordered.id, hash, ordered.payload, ordered.commit_certificate});
  for (const std::uint32_t transaction : transactions_of(ordered.payload)) {
    REQUIRE(machine.pool.erase(transaction) == 1);  // once in a branch
  }
  forget_payloads(index);
  step(index, Executed{ordered.height, ordered.id, hash, hash, false});
}

// As a host does, which knows nothing of how deep a branch may begin.
void PowCluster::forget_payloads(std::uint32_t index) {
  PowMachine& machine = machines_[index];
  std::erase_if(machine.known, [&](const auto& entry) {
    return entry.second.first.saturating_add(options_.depth) <= machine.head();
  });
}

void PowCluster::rewind(std::uint32_t index, const Rewind& back) {
  PowMachine& machine = machines_[index];
  REQUIRE_FALSE(machine.rewinding);
  REQUIRE(back.height < machine.committed);
  machine.rewinds.push_back(back.height);
  machine.rewinding = back.height;
  in_life(index, 3 * options_.execute_delay, [this, index] {
    PowMachine& later = machines_[index];
    const Height height = *later.rewinding;
    later.executing.clear();
    REQUIRE(later.head() >= height);
    while (later.head() > height) {
      for (const std::uint32_t transaction : transactions_of(later.ledger.back().payload)) {
        later.pool.insert(transaction);
      }
      later.ledger.pop_back();
    }
    later.committed = height;
    later.rewinding.reset();
    step(index, Rewound{height});
  });
}

void PowCluster::load(std::uint32_t index, const LoadPayload& load) {
  in_life(index, std::chrono::milliseconds(1), [this, index, id = load.id] {
    PayloadLoaded answer{id, std::nullopt};
    for (const PowBlock& block : machines_[index].ledger) {
      if (block.id == id) answer.body = PayloadLoaded::Body{block.payload, block.certificate};
    }
    step(index, std::move(answer));
  });
}

void PowCluster::load(std::uint32_t index, const LoadCertificates& load) {
  in_life(index, std::chrono::milliseconds(1), [this, index, load] {
    CertificatesLoaded answer{load.first, {}};
    const PowMachine& machine = machines_[index];
    for (std::uint64_t at = load.first.value();
         at <= machine.ledger.size() && answer.certificates.size() < load.count; ++at) {
      answer.certificates.push_back(machine.ledger[at - 1].certificate);
    }
    step(index, std::move(answer));
  });
}

// ---- by hand ----

pow::FullBlock Branch::next(const Bytes& payload,
                            const std::function<void(crypto::work::Header&)>& shape) {
  const crypto::work::HeaderRules& rules = cluster_.rules();
  crypto::work::Header header;
  header.chain_id = rules.chain_id();
  header.parent = context_.id;
  header.height = context_.height.next();
  header.payload_digest = cluster_.verifier().payload_digest(payload);
  const std::uint64_t known = context_.height.value();
  const std::uint64_t depth = rules.parameters().depth;
  header.exec_ref = hashes_.at(known > depth ? known - depth : 0);
  header.time_s = std::max(rules.earliest_time(context_), context_.time_s + seconds_between);
  header.bits = rules.next_bits(context_);
  header.miner = test_key(miner);
  if (shape) shape(header);
  header.nonce = cluster_.lottery().draw(header);
  const pow::Identified identified = pow::identify(header);
  if (const auto extended = rules.extend(context_, header, identified.id)) {
    context_ = *extended;
    hashes_.push_back(pow_block_hash(hashes_.back(), payload));
  }
  return {identified, std::make_shared<const Bytes>(payload)};
}

void Branch::follow(const pow::FullBlock& block) {
  const auto extended = cluster_.rules().extend(context_, block.header.header, block.header.id);
  REQUIRE(extended);
  context_ = *extended;
  hashes_.push_back(pow_block_hash(hashes_.back(), *block.payload));
}

}  // namespace quorate::consensus::test
