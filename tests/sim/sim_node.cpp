#include "tests/sim/sim_node.hpp"

#include "consensus/pbft/messages.hpp"

namespace quorate::sim {

namespace pbft = consensus::pbft;

namespace {

constexpr Duration kCheckPerTransaction = std::chrono::microseconds(50);
constexpr Duration kVillainTick = std::chrono::milliseconds(50);
constexpr std::int64_t kClockSkewMs = 300;
constexpr std::uint32_t kIdleTicksMax = 1000;

constexpr std::uint64_t kBeforeStartMs = 86'400'000;  // the genesis is a day old

}  // namespace

SimNode::SimNode(World& world, NodeChecks& checks, Network& network, Machine machine, Prng prng,
                 Hooks hooks)
    : world_(world),
      checks_(checks),
      network_(network),
      machine_(machine),
      self_(world.identity(machine)),
      prng_(prng),
      hooks_(std::move(hooks)),
      disk_(world, machine, prng_.fork(),
            {[this](consensus::PersistToken token) { deliver(node::VotesPersisted{token}); },
             [this] { passes(Boundary::append); },
             [this] {
               if (passes(Boundary::synced)) {
                 crash();
                 return true;
               }
               return crash_here(CrashPoint::after_sync, Happened::crash_after_sync);
             }}),
      ledger_(world, machine, prng_.fork(),
              {[this](node::ReplicaInput input) { deliver(std::move(input)); },
               [this](const ledger::ExecutedBlock& block, const ledger::OrderedBlock& ordered) {
                 if (!world_.correct(self_)) return;
                 checks_.on_ordered(self_, ordered);
                 checks_.on_executed(self_, block);
                 hooks_.executed(machine_, block);
               },
               [this](Height height, const std::vector<crypto::ReplicaSignature>& seals) {
                 if (world_.correct(self_)) checks_.on_sealed(self_, height, seals);
               },
               [this] {
                 if (passes(Boundary::executed)) {
                   crash();
                   return true;
                 }
                 return crash_here(CrashPoint::after_execution, Happened::crash_after_execution);
               },
               [this] {
                 dying_ = true;
                 if (world_.diverging.erase(self_) != 0) checks_.on_ledger_replaced(self_);
               },
               [this](const ledger::Rewound& rewound) {
                 if (world_.correct(self_)) checks_.on_rewound(self_, rewound.head.height);
               }}),
      clock_(world.genesis.genesis_time.saturating_add(kBeforeStartMs),
             static_cast<std::int64_t>(prng_.below(2 * kClockSkewMs))),
      engine_config_(world.engine_config) {
  engine_config_.self = self_;
}

SimNode::~SimNode() = default;

void SimNode::start() {
  const Disk::Opened votes = disk_.open();
  if (!votes.observer_reason.empty()) {
    world_.coverage.add(Happened::observer);
    if (world_.correct(self_)) {
      return world_.violate("contract", "the disk of replica " + std::to_string(self_.value()) +
                                            " kept less than was synced: " + votes.observer_reason);
    }
  }
  ledger_.open();
  if (world_.violation) return;
  auto parts = consensus::make_engine(engine_config_, world_.validators.at(self_.value()),
                                      world_.keys, world_.work);
  if (!parts) return world_.violate("contract", "no engine: " + parts.error().detail);
  verifier_ = parts->message_verifier;
  const std::uint64_t history = parts->traits.history;

  node::ReplicaConfig replica_config;
  replica_config.genesis = world_.genesis;
  replica_config.self = self_;
  replica_config.mempool.bytes_max = 1U << 20U;
  replica_ = std::make_unique<node::Replica>(
      std::move(replica_config), std::move(*parts),
      node::Ports{*this, disk_, ledger_, *this, *this, *this, miner_});
  halted_.reset();
  network_.attach(machine_, [this](const Frame& frame) { receive(frame); });

  const ledger::Chain& chain = ledger_.chain();
  const auto header = chain.header(chain.head().height);
  QUORATE_ASSERT(header.has_value());
  node::ReplicaStarted started;
  started.vote_log = votes.records;
  started.head = chain.head();
  started.checkpoint_digest = ledger::checkpoint_digest(*header);
  started.state = chain.state();
  started.newest = node::newest_blocks(chain, history).value();
  started.observer = !votes.observer_reason.empty();
  started.observer_reason = votes.observer_reason;
  started.executed_before = ledger_.executed_before();
  started.life = std::uint64_t{machine_.value()} << 32U | (life_ + 1);  // a clone has another
  deliver(std::move(started));
  if (up() && world_.correct(self_)) checks_.on_start(self_, *replica_);
}

void SimNode::set_slow(bool slow) {
  disk_.set_slow(slow);
  ledger_.set_slow(slow);
}

void SimNode::thaw_clock() {
  clock_.thaw(world_.timeline.now());
  tick_at_.reset();
  if (up()) schedule_tick();
}

void SimNode::deliver(node::ReplicaInput input) {
  if (!up() || dying_ || world_.violation) return;
  if (const auto* connected = std::get_if<node::PeerConnected>(&input)) {
    connected_.insert(connected->peer);
  } else if (const auto* gone = std::get_if<node::PeerDisconnected>(&input)) {
    connected_.erase(gone->peer);
  }
  world_.trace("step", machine_.value(), input.index());
  const Instant real = world_.timeline.now();
  replica_->step({clock_.now(real), clock_.wall(real), std::move(input)});
  crash_if_ordered();
  if (!up()) return;
  if (world_.correct(self_)) {
    checks_.after_step(self_, *replica_, {disk_, ledger_.chain()});
  }
  schedule_tick();
}

void SimNode::schedule_tick() {
  const auto deadline = replica_->next_deadline();
  if (!deadline || (tick_at_ && *tick_at_ <= *deadline)) return;
  const auto real = clock_.real_time_of(*deadline);
  if (!real) return;
  if (*real <= world_.timeline.now() && ++idle_ticks_ > kIdleTicksMax) {
    return world_.violate("contract", "replica " + std::to_string(self_.value()) +
                                          " has a deadline that never moves on");
  }
  if (*real > world_.timeline.now()) idle_ticks_ = 0;
  tick_at_ = deadline;
  world_.timeline.at(*real, [this, life = life_, at = *deadline] {
    if (life != life_ || tick_at_ != at) return;
    tick_at_.reset();
    const auto due = replica_->next_deadline();
    if (due && *due <= clock_.now(world_.timeline.now())) return deliver(node::ReplicaTicked{});
    schedule_tick();
  });
}

// ---- ports ----

void SimNode::send(std::optional<ReplicaId> to, node::TrafficClass traffic, Bytes body) {
  if (dying_ || world_.violation) return;
  world_.trace("send", machine_.value(), to ? to->value() : 99, body.size());
  const auto shared = std::make_shared<const Bytes>(std::move(body));
  if (villain_) return say(to, traffic, shared);
  if (traffic == node::TrafficClass::consensus) {
    if (world_.correct(self_)) {
      checks_.on_send(self_, *shared, {disk_, ledger_.chain()});
    } else {
      checks_.on_untrusted_send(*shared);
    }
  }
  if (to) {
    if (connected_.count(*to) != 0) send_frame(*to, traffic, shared);
    return;
  }
  const bool dies = ordered_crash_ == CrashPoint::in_broadcast && connected_.size() > 1;
  std::size_t reaches = dies ? prng_.between(1, connected_.size() - 1) : connected_.size();
  for (const ReplicaId peer : connected_) {
    if (reaches-- == 0) break;
    send_frame(peer, traffic, shared);
  }
  if (dies) {
    world_.coverage.add(Happened::crash_in_broadcast);
    dying_ = true;
    disk_.power_off();
  }
}

// To every machine that holds the recipient's key.
void SimNode::send_frame(ReplicaId to, node::TrafficClass traffic,
                         const std::shared_ptr<const Bytes>& body) {
  if (dying_) return;
  const Frame frame{self_, machine_, traffic, body};
  network_.send(Machine(to.value()), frame);
  for (std::size_t i = world_.membership.size(); i < world_.machines.size(); ++i) {
    const Machine copy(static_cast<std::uint32_t>(i));
    if (world_.identity(copy) == to) network_.send(copy, frame);
  }
  passes(Boundary::frame);
}

void SimNode::disconnect(ReplicaId peer, const std::string& reason) {
  if (!world_.correct(self_) || !world_.correct(peer)) return;
  world_.violate("I11", "replica " + std::to_string(self_.value()) + " throws out replica " +
                            std::to_string(peer.value()) + ": " + reason);
}

node::VerifyContext SimNode::verify_context() const {
  return {world_.membership.chain_id, world_.membership, verifier_.get(), &world_.keys};
}

void SimNode::check(Digest id, Height height, Bytes payload) {
  auto transactions = node::verify_payload(verify_context(), payload);
  const std::size_t count = transactions ? transactions->size() : 1;
  node::PayloadChecked out{id, height, std::nullopt};
  if (transactions) out.transactions = std::move(*transactions);
  world_.timeline.after(kCheckPerTransaction * static_cast<int>(count + 1),
                        [this, life = life_, answer = std::move(out)] {
                          if (life == life_) deliver(answer);
                        });
}

void SimNode::admitted(node::Ticket ticket, std::vector<std::optional<node::Refusal>> results) {
  hooks_.admitted(machine_, ticket, results);
}

void SimNode::notice(const node::Notice& notice) {
  using Kind = node::Notice::Kind;
  hooks_.noticed(machine_, notice);
  if (world_.correct(self_)) checks_.on_notice(self_, notice);
  switch (notice.kind) {
    case Kind::sync_started:
      world_.coverage.add(Happened::catch_up);
      world_.trace("sync started", machine_.value(), notice.height.value());
      break;
    case Kind::progress: note_progress(notice); break;
    case Kind::equivocation:
      world_.coverage.add(Happened::evidence);
      if (!world_.correct(self_) || !world_.correct(*notice.peer)) break;
      world_.violate("I2", "replica " + std::to_string(self_.value()) +
                               " holds evidence against replica " +
                               std::to_string(notice.peer->value()) + ": " + notice.text);
      break;
    case Kind::diverged:
    case Kind::halted:
      halted_ = notice.text;
      if (!world_.correct(self_)) break;
      if (notice.kind == Kind::diverged && world_.diverges(self_)) break;
      world_.violate("halt", "replica " + std::to_string(self_.value()) + ": " + notice.text);
      break;
    default: break;
  }
}

void SimNode::note_progress(const node::Notice& notice) {
  using Phase = consensus::Progress::Phase;
  if (*notice.phase == Phase::checkpoint_stable) {
    world_.coverage.add(Happened::checkpoint);
    world_.trace("checkpoint stable", machine_.value(), notice.height.value());
  }
  if (*notice.phase == Phase::view_entered && world_.correct(self_)) {
    world_.coverage.add(Happened::view_change);
    world_.trace("view entered", machine_.value(), notice.view.value());
  }
  if (*notice.phase == Phase::view_left) {
    world_.trace("view left", machine_.value(), notice.view.value());
  }
  if (*notice.phase == Phase::proposed &&
      notice.height.value() >= ledger_.chain().head().height.value() + 3) {
    world_.coverage.add(Happened::heights_in_flight);
  }
}

void SimNode::receive(const Frame& frame) {
  const bool consensus_frame = frame.traffic == node::TrafficClass::consensus;
  if (villain_) {
    if (consensus_frame) villain_->note_heard(frame.body);
    if (!villain_->strategy().hear(*villain_, frame)) return;
  }
  auto message =
      node::verify_peer_message(verify_context(), frame.from, frame.traffic, *frame.body);
  if (!message) {
    if (frame.tampered || !world_.correct(frame.from)) {
      world_.coverage.add(Happened::refused_frame);
      return;
    }
    return world_.violate("contract", "a frame of replica " + std::to_string(frame.from.value()) +
                                          " does not verify: " + message.error().detail);
  }
  if (world_.correct(self_) && consensus_frame) checks_.on_verified(*frame.body);
  if (world_.options.canary == Canary::second_vote && machine_ == Machine(1)) send_second_vote();
  deliver(node::PeerMessageReceived{frame.from, std::move(*message)});
}

// ---- a villain ----

void SimNode::set_villain(std::shared_ptr<Conspiracy> conspiracy,
                          std::unique_ptr<Strategy> strategy) {
  villain_ = std::make_unique<Villain>(
      world_, self_, prng_.fork(), std::move(conspiracy), std::move(strategy),
      Villain::Hooks{
          [this](ReplicaId to, node::TrafficClass traffic, std::shared_ptr<const Bytes> body) {
            if (connected_.count(to) == 0) return;
            if (traffic == node::TrafficClass::consensus) {
              checks_.on_untrusted_send(*body);
            }
            send_frame(to, traffic, body);
          },
          [this]() -> const node::Replica& { return *replica_; }});
  keep_ticking(++villainy_);
}

void SimNode::keep_ticking(std::uint64_t villainy) {
  world_.timeline.after(kVillainTick, [this, villainy] {
    if (!villain_ || villainy != villainy_) return;
    if (up() && !world_.violation) villain_->strategy().tick(*villain_);
    keep_ticking(villainy);
  });
}

void SimNode::say(std::optional<ReplicaId> to, node::TrafficClass traffic,
                  const std::shared_ptr<const Bytes>& body) {
  Said said{traffic, body, peek(traffic, *body), nullptr};
  if (traffic == node::TrafficClass::consensus) {
    villain_->note_heard(body);
    auto decoded =
        pbft::decode(*body, {world_.membership.size(), world_.genesis.consensus.payload_bytes_max});
    if (decoded) {
      said.message = std::make_shared<const pbft::Message>(std::move(decoded->message));
    }
  }
  if (to) return villain_->strategy().say(*villain_, *to, said);
  const std::set<ReplicaId> peers = connected_;
  for (const ReplicaId peer : peers) villain_->strategy().say(*villain_, peer, said);
}

// ---- crashes ----

// True when the machine dies right here.
bool SimNode::passes(Boundary boundary) {
  const std::uint64_t count = ++passed_.at(static_cast<std::size_t>(boundary));
  if (!crash_after_ || crash_after_->first != boundary || count < crash_after_->second) {
    return false;
  }
  dying_ = true;
  disk_.power_off();
  return true;
}

bool SimNode::crash_here(CrashPoint point, Happened what) {
  if (ordered_crash_ != point) return false;
  world_.coverage.add(what);
  crash();
  return true;
}

void SimNode::crash_if_ordered() {
  if (dying_) return crash();
  if (!ordered_crash_) return;
  if (*ordered_crash_ == CrashPoint::now) return crash();
  if (*ordered_crash_ == CrashPoint::before_sync && disk_.sync_pending()) {
    crash_here(CrashPoint::before_sync, Happened::crash_before_sync);
  } else if (*ordered_crash_ == CrashPoint::in_execution && ledger_.executing()) {
    crash_here(CrashPoint::in_execution, Happened::crash_in_execution);
  }
}

void SimNode::crash() {
  world_.trace("crash", machine_.value());
  world_.coverage.add(Happened::crash);
  crashed_at_ = ledger_.chain().head().height;
  ++life_;
  ordered_crash_.reset();
  crash_after_.reset();
  dying_ = false;
  tick_at_.reset();
  idle_ticks_ = 0;
  replica_.reset();
  verifier_.reset();
  connected_.clear();
  network_.detach(machine_);
  disk_.crash();
  ledger_.crash();
  if (world_.correct(self_)) checks_.on_crash(self_);
  hooks_.crashed(machine_);
}

// The canary that votes for two proposals in one slot.
void SimNode::send_second_vote() {
  const Height height = replica_->status().head.height;
  if (height.value() < 10) return;
  pbft::Ballot ballot{replica_->status().consensus.view, height, Digest{}};
  ballot.id.bytes[0] = 1;
  pbft::Vote vote{pbft::VoteKind::prepare, ballot, self_, {}};
  vote.signature =
      world_.validators.at(self_.value())
          ->sign(pbft::vote_signing_digest(world_.membership, pbft::VoteKind::prepare, ballot));
  const Bytes message = pbft::encode(Epoch(0), vote);
  checks_.on_untrusted_send(message);
}

}  // namespace quorate::sim
