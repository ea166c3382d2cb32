#include "tests/unit/consensus/cluster.hpp"

#include <catch2/catch.hpp>

namespace quorate::consensus::test {

namespace {

constexpr std::uint64_t kWallOrigin = 1'790'000'000'000;

Digest block_hash_of(const Digest& parent, const Digest& id) {
  return crypto::hash("quorate/test-block/1", {parent, id});
}
Digest checkpoint_digest_of(const Digest& block_hash) {
  return crypto::hash("quorate/test-state/1", {block_hash});
}

}  // namespace

Cluster::Cluster(ClusterOptions options)
    : options_(options),
      membership_(test_membership(options.members)),
      machines_(options.members),
      random_state_(options.seed * 0x9e3779b97f4a7c15U + 1) {
  for (std::uint32_t i = 0; i < options.members; ++i) signers_.emplace_back(test_key(i));
}

std::uint64_t Cluster::random(std::uint64_t below) {
  random_state_ ^= random_state_ << 13U;
  random_state_ ^= random_state_ >> 7U;
  random_state_ ^= random_state_ << 17U;
  return below == 0 ? 0 : random_state_ % below;
}

WallMs Cluster::wall() const {
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now_.since_origin);
  return WallMs(kWallOrigin + static_cast<std::uint64_t>(passed.count()));
}

void Cluster::at(Instant when, std::function<void()> run) {
  queue_.push(Scheduled{when, sequence_++, std::move(run)});
}

void Cluster::in_life(std::uint32_t replica, Duration delay, std::function<void()> run) {
  const std::uint64_t life = machine(replica).life;
  at(now_ + delay, [this, replica, life, run = std::move(run)] {
    const Machine& m = machine(replica);
    if (m.alive() && m.life == life) run();
  });
}

// ---- lives ----

void Cluster::start(std::uint32_t replica) {
  Machine& m = machine(replica);
  REQUIRE_FALSE(m.alive());
  Machine fresh;
  fresh.disk = std::move(m.disk);
  fresh.ledger = std::move(m.ledger);
  fresh.pool = std::move(m.pool);
  fresh.observer = m.observer;
  fresh.life = m.life + 1;
  m = std::move(fresh);
  EngineConfig config;
  config.membership = membership_;
  config.self = ReplicaId(replica);
  config.checkpoint_interval = options_.checkpoint_interval;
  config.proposals_in_flight = options_.proposals_in_flight;
  config.payload_bytes_max = kClusterPayloadMax;
  config.proposal_ahead_max = options_.proposal_ahead_max;
  config.view_timeout = options_.view_timeout;
  auto parts = make_engine(config, &signers_[replica], token_verifier_);
  REQUIRE(parts);
  m.engine = std::move(parts->engine);
  verifier_ = parts->message_verifier;
  Started started;
  started.durable = m.disk;
  started.applied = m.head();
  started.observer = m.observer;
  if (!m.ledger.empty()) {
    started.applied_id = m.ledger.back().id;
    started.block_hash = m.ledger.back().hash;
  }
  started.checkpoint_digest = checkpoint_digest_of(started.block_hash);
  disk_images_.erase(replica);
  step(replica, std::move(started));
  if (m.alive()) update_eligible(replica);
}

void Cluster::start_all() {
  for (std::uint32_t i = 0; i < options_.members; ++i) start(i);
}

void Cluster::crash(std::uint32_t replica) {
  Machine& m = machine(replica);
  m.engine.reset();
  m.unsynced.clear();
  m.held.clear();
  m.executing.clear();
}

bool Cluster::boundary(std::uint32_t replica) {
  Machine& m = machine(replica);
  ++m.boundaries;
  if (!m.crash_at || m.boundaries != *m.crash_at) return true;
  crash(replica);
  return false;
}

// ---- time ----

void Cluster::run_for(Duration duration) {
  run_until([] { return false; }, duration);
}

bool Cluster::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now_ + limit;
  while (!done()) {
    if (queue_.empty() || queue_.top().at > end) {
      now_ = end;
      return done();
    }
    const Scheduled next = queue_.top();
    queue_.pop();
    now_ = std::max(now_, next.at);
    next.run();
  }
  return true;
}

bool Cluster::converge(Height height, Duration limit) {
  return run_until(
      [this, height] {
        return std::all_of(machines_.begin(), machines_.end(), [height](const Machine& m) {
          return !m.alive() || (m.head() >= height && m.engine->status().sealed_to >= height);
        });
      },
      limit);
}

// ---- the host of one engine ----

void Cluster::input(std::uint32_t replica, Input input) { step(replica, std::move(input)); }

void Cluster::step(std::uint32_t replica, Input input) {
  Machine& m = machine(replica);
  const std::uint64_t life = m.life;
  std::vector<Output> outputs;
  m.engine->step(Event{now_, wall(), std::move(input)}, outputs);
  for (const Output& output : outputs) {
    if (on_output) on_output(replica, output);
    perform(replica, output);
    if (!m.alive() || m.life != life) return;
  }
  check_status(replica);
  plan_tick(replica);
}

void Cluster::plan_tick(std::uint32_t replica) {
  Machine& m = machine(replica);
  const std::optional<Instant> deadline = m.engine->next_deadline();
  if (!deadline || (m.tick_at && *m.tick_at <= *deadline && *m.tick_at >= now_)) return;
  const Instant when = std::max(*deadline, now_ + std::chrono::microseconds(1));
  m.tick_at = when;
  in_life(replica, when - now_, [this, replica, when] {
    if (machine(replica).tick_at != when) return;
    machine(replica).tick_at.reset();
    step(replica, Ticked{});
  });
}

void Cluster::perform(std::uint32_t replica, const Output& output) {
  Machine& m = machine(replica);
  if (const auto* persist = std::get_if<Persist>(&output)) {
    m.unsynced.push_back(*persist);
    const PersistToken token = persist->token;
    in_life(replica, options_.disk_delay, [this, replica, token] { synced(replica, token); });
  } else if (const auto* send = std::get_if<Send>(&output)) {
    m.held.push_back(*send);
    release(replica);
  } else if (const auto* request = std::get_if<RequestProposal>(&output)) {
    REQUIRE_FALSE(m.request);
    m.request = *request;
    // Proposals of dead views came to nothing.
    m.above.erase(m.above.lower_bound(request->height), m.above.end());
    in_life(replica, std::chrono::milliseconds(1), [this, replica] { propose(replica); });
  } else if (std::holds_alternative<CancelProposal>(output)) {
    REQUIRE(m.request);
    m.request.reset();
  } else if (const auto* validate = std::get_if<Validate>(&output)) {
    m.above.insert_or_assign(validate->height, validate->payload);
    const bool valid = validate->payload.empty() || validate->payload.front() != 0xff;
    const Digest id = validate->id;
    in_life(replica, Duration(0), [this, replica, id, valid] {
      step(replica, Validated{id, valid});
    });
  } else if (const auto* commit = std::get_if<Commit>(&output)) {
    REQUIRE(commit->height.value() == m.head().value() + m.executing.size() + 1);
    const auto proved = verifier_->verify_commit_certificate(commit->commit_certificate);
    REQUIRE(proved);
    REQUIRE(proved->id == commit->id);
    REQUIRE(proved->payload_digest == verifier_->payload_digest(commit->payload));
    m.executing.push_back(*commit);
    in_life(replica, options_.execute_delay, [this, replica] { executed(replica); });
  } else if (const auto* sealed = std::get_if<Sealed>(&output)) {
    const Digest digest =
        crypto::seal_signing_digest(membership_, sealed->height, sealed->block_hash);
    REQUIRE(crypto::verify_quorum(membership_, digest, sealed->seals, token_verifier_));
    REQUIRE(m.ledger.at(sealed->height.value() - 1).hash == sealed->block_hash);
    m.sealed[sealed->height] = sealed->seals;
  } else if (const auto* load = std::get_if<LoadPayload>(&output)) {
    PayloadLoaded answer{load->id, std::nullopt};
    for (const TestBlock& block : m.ledger) {
      if (block.id == load->id) {
        answer.body = PayloadLoaded::Body{block.payload, block.certificate};
      }
    }
    in_life(replica, Duration(0), [this, replica, answer] { step(replica, answer); });
  } else if (const auto* wanted = std::get_if<RequestSync>(&output)) {
    m.syncs.push_back(*wanted);
    sync(replica, *wanted);
  } else if (const auto* halt = std::get_if<Halt>(&output)) {
    m.halts.push_back(halt->reason);
  } else if (const auto* rejected = std::get_if<Rejected>(&output)) {
    m.rejected.push_back(*rejected);
  } else if (const auto* evidence = std::get_if<Evidence>(&output)) {
    m.evidence.push_back(*evidence);
  }
}

void Cluster::synced(std::uint32_t replica, PersistToken token) {
  Machine& m = machine(replica);
  while (!m.unsynced.empty() && m.unsynced.front().token <= token) {
    if (m.unsynced.front().snapshot) m.disk.clear();
    m.disk.push_back(m.unsynced.front().record);
    m.unsynced.erase(m.unsynced.begin());
  }
  m.durable = std::max(m.durable, token);
  disk_images_.erase(replica);
  if (!boundary(replica)) return;
  const std::uint64_t life = m.life;
  release(replica);
  if (m.alive() && m.life == life) step(replica, Persisted{token});
}

void Cluster::release(std::uint32_t replica) {
  Machine& m = machine(replica);
  while (!m.held.empty() && (!m.held.front().after || *m.held.front().after <= m.durable)) {
    const Send send = m.held.front();
    m.held.erase(m.held.begin());
    transmit(replica, send);
    if (!boundary(replica)) return;
  }
}

void Cluster::transmit(std::uint32_t from, const Send& send) {
  auto decoded = pbft::decode(send.message, {options_.members, kClusterPayloadMax});
  REQUIRE(decoded);
  REQUIRE(pbft::encode(decoded->epoch, decoded->message) == send.message);
  check_sent(from, decoded->message);
  if (on_send) on_send(from, send.to, send.message);
  for (std::uint32_t to = 0; to < options_.members; ++to) {
    if (to == from || (send.to && send.to->value() != to)) continue;
    ++messages_sent;
    if (filter && !filter(from, to, decoded->message)) continue;
    if (random(100) < options_.loss_percent) continue;
    const std::uint64_t copies = random(100) < options_.duplicate_percent ? 2 : 1;
    for (std::uint64_t i = 0; i < copies; ++i) {
      const Duration jitter(static_cast<std::int64_t>(
          random(static_cast<std::uint64_t>(options_.network_jitter.count()))));
      at(now_ + options_.network_delay + jitter, [this, from, to, bytes = send.message] {
        if (machine(to).alive()) REQUIRE(deliver(from, to, bytes));
      });
    }
  }
}

Result<void> Cluster::deliver(std::uint32_t from, std::uint32_t to, const Bytes& message) {
  QUORATE_TRY(auto verified, verifier_->verify(ReplicaId(from), message));
  step(to, MessageReceived{ReplicaId(from), std::move(verified)});
  return {};
}

// ---- work ----

void Cluster::submit(const Bytes& payload) {
  for (std::uint32_t i = 0; i < options_.members; ++i) {
    machine(i).pool.insert(payload);
    if (machine(i).alive()) {
      update_eligible(i);
      propose(i);
    }
  }
}

void Cluster::submit_many(std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    ++submitted_;
    crypto::Writer payload;
    payload.u8(0);
    payload.u32(submitted_);
    Bytes bytes = std::move(payload).take();
    bytes.resize(std::max(bytes.size(), options_.payload_bytes));
    submit(bytes);
  }
}

void Cluster::update_eligible(std::uint32_t replica) {
  Machine& m = machine(replica);
  if (m.eligible == !m.pool.empty()) return;
  m.eligible = !m.pool.empty();
  step(replica, PendingChanged{m.eligible});
}

void Cluster::propose(std::uint32_t replica) {
  Machine& m = machine(replica);
  if (!m.request) return;
  for (const Bytes& payload : m.pool) {
    const bool taken = std::any_of(m.above.begin(), m.above.end(), [&payload](const auto& entry) {
      return entry.second == payload;
    });
    if (taken) continue;
    ProposalReady ready{m.request->height, m.request->view, payload,
                        verifier_->payload_digest(payload)};
    m.above.insert_or_assign(ready.height, payload);
    m.request.reset();
    step(replica, std::move(ready));
    return;
  }
}

void Cluster::executed(std::uint32_t replica) {
  Machine& m = machine(replica);
  const Commit commit = m.executing.front();
  m.executing.erase(m.executing.begin());
  const Digest parent = m.ledger.empty() ? Digest{} : m.ledger.back().hash;
  TestBlock block{commit.id, block_hash_of(parent, commit.id), commit.payload,
                  commit.commit_certificate};
  const std::size_t index = m.ledger.size();
  if (index < agreed_.size()) {
    REQUIRE(agreed_[index].id == block.id);  // I1
    REQUIRE(agreed_[index].hash == block.hash);
  } else {
    agreed_.push_back(block);
  }
  m.pool.erase(commit.payload);
  m.above.erase(m.above.begin(), m.above.upper_bound(commit.height));
  m.ledger.push_back(block);
  const std::uint64_t life = m.life;
  step(replica, Executed{commit.height, commit.id, block.hash, checkpoint_digest_of(block.hash)});
  if (m.alive() && m.life == life) update_eligible(replica);
  if (m.alive() && m.life == life) propose(replica);
}

// Block catch-up as a host does it: some blocks from one peer at a time, as verified messages.
void Cluster::sync(std::uint32_t replica, const RequestSync& request) {
  const std::uint32_t peer =
      (replica + 1 + sync_turn_++ % (options_.members - 1)) % options_.members;
  in_life(replica, 2 * options_.network_delay, [this, replica, peer, request] {
    const std::uint64_t life = machine(replica).life;
    const std::vector<TestBlock> blocks = machine(peer).ledger;  // answers also while "down"
    const bool answers = machine(peer).alive();
    for (std::uint64_t i = request.above.value(); answers && i < blocks.size(); ++i) {
      if (i >= request.above.value() + 32) break;
      auto message = verifier_->verify_committed(blocks[i].certificate, blocks[i].payload);
      REQUIRE(message);
      step(replica, MessageReceived{ReplicaId(peer), std::move(*message)});
      if (!machine(replica).alive() || machine(replica).life != life) return;
    }
    step(replica, SyncFinished{machine(replica).engine->status().last_executed});
  });
}

}  // namespace quorate::consensus::test
