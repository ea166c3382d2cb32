#include "tests/sim/sim_node.hpp"

#include "consensus/pbft/messages.hpp"

namespace quorate::sim {
namespace {

constexpr Duration kCheckPerTransaction = std::chrono::microseconds(50);
constexpr std::int64_t kClockSkewMs = 300;
constexpr std::uint64_t kBeforeStartMs = 86'400'000;  // the genesis is a day old
constexpr std::uint32_t kIdleTicksMax = 1000;

}  // namespace

SimNode::SimNode(World& world, Checks& checks, Network& network, ReplicaId self, Prng prng,
                 Hooks hooks)
    : world_(world),
      checks_(checks),
      network_(network),
      self_(self),
      prng_(prng),
      hooks_(std::move(hooks)),
      disk_(world, self.value(), prng_.fork(),
            {[this](consensus::PersistToken token) { deliver(node::VotesPersisted{token}); },
             [this] { return crash_here(CrashPoint::after_sync, Happened::crash_after_sync); }}),
      ledger_(world, self.value(), prng_.fork(),
              {[this](node::ReplicaInput input) { deliver(std::move(input)); },
               [this](const ledger::ExecutedBlock& block, const ledger::OrderedBlock& ordered) {
                 checks_.on_ordered(self_, ordered);
                 checks_.on_executed(self_, block);
                 hooks_.executed(self_, block);
               },
               [this](Height height, const std::vector<crypto::ReplicaSignature>& seals) {
                 checks_.on_sealed(self_, height, seals);
               },
               [this] {
                 return crash_here(CrashPoint::after_execution, Happened::crash_after_execution);
               }}),
      clock_skew_ms_(static_cast<std::int64_t>(prng_.below(2 * kClockSkewMs)) - kClockSkewMs) {}

SimNode::~SimNode() = default;

void SimNode::start() {
  ledger_.open();
  if (world_.violation) return;
  consensus::EngineConfig config;
  const auto& parameters = world_.genesis.consensus;
  config.membership = world_.membership;
  config.self = self_;
  config.checkpoint_interval = parameters.checkpoint_interval;
  config.proposals_in_flight = parameters.proposals_in_flight;
  config.payload_bytes_max = parameters.payload_bytes_max;
  auto parts = consensus::make_engine(config, world_.validators.at(self_.value()), world_.keys);
  if (!parts) return world_.violate("contract", "no engine: " + parts.error().detail);
  verifier_ = parts->message_verifier;

  node::ReplicaConfig replica_config;
  replica_config.genesis = world_.genesis;
  replica_config.self = self_;
  replica_config.mempool.bytes_max = 1U << 20U;
  replica_ =
      std::make_unique<node::Replica>(std::move(replica_config), std::move(*parts),
                                      node::Ports{*this, disk_, ledger_, *this, *this, *this});
  network_.attach(self_, [this](const Frame& frame) { receive(frame); });

  const ledger::Chain& chain = ledger_.chain();
  const auto header = chain.header(chain.head().height);
  QUORATE_ASSERT(header.has_value());
  node::ReplicaStarted started;
  started.vote_log = disk_.image();
  started.head = chain.head();
  started.checkpoint_digest = ledger::checkpoint_digest(*header);
  started.state = chain.state();
  deliver(std::move(started));
}

void SimNode::set_slow(bool slow) {
  disk_.set_slow(slow);
  ledger_.set_slow(slow);
}

void SimNode::deliver(node::ReplicaInput input) {
  if (!up() || dying_ || world_.violation) return;
  if (const auto* connected = std::get_if<node::PeerConnected>(&input)) {
    connected_.insert(connected->peer);
  } else if (const auto* gone = std::get_if<node::PeerDisconnected>(&input)) {
    connected_.erase(gone->peer);
  }
  world_.trace("step", self_.value(), input.index());
  replica_->step({world_.timeline.now(), wall(), std::move(input)});
  crash_if_ordered();
  if (!up()) return;
  checks_.after_step(self_, *replica_, disk_.sync_pending());
  schedule_tick();
}

WallMs SimNode::wall() const {
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(world_.timeline.now().since_origin);
  return WallMs(world_.genesis.genesis_time.value() + kBeforeStartMs +
                static_cast<std::uint64_t>(elapsed.count() + kClockSkewMs + clock_skew_ms_));
}

void SimNode::schedule_tick() {
  const auto deadline = replica_->next_deadline();
  if (!deadline || (tick_at_ && *tick_at_ <= *deadline)) return;
  if (*deadline <= world_.timeline.now() && ++idle_ticks_ > kIdleTicksMax) {
    return world_.violate("contract", "replica " + std::to_string(self_.value()) +
                                          " has a deadline that never moves on");
  }
  if (*deadline > world_.timeline.now()) idle_ticks_ = 0;
  tick_at_ = deadline;
  world_.timeline.at(*deadline, [this, life = life_, at = *deadline] {
    if (life != life_ || tick_at_ != at) return;
    tick_at_.reset();
    const auto due = replica_->next_deadline();
    if (due && *due <= world_.timeline.now()) return deliver(node::ReplicaTicked{});
    schedule_tick();
  });
}

// ---- ports ----

void SimNode::send(std::optional<ReplicaId> to, node::TrafficClass traffic, Bytes body) {
  if (dying_ || world_.violation) return;
  world_.trace("send", self_.value(), to ? to->value() : 99, body.size());
  if (traffic == node::TrafficClass::consensus) {
    checks_.on_send(self_, body, {disk_, ledger_.chain()});
  }
  const Frame frame{self_, traffic, std::make_shared<const Bytes>(std::move(body))};
  if (to) {
    if (connected_.count(*to) != 0) network_.send(*to, frame);
    return;
  }
  const bool dies = ordered_crash_ == CrashPoint::in_broadcast && connected_.size() > 1;
  std::size_t reaches = dies ? prng_.between(1, connected_.size() - 1) : connected_.size();
  for (const ReplicaId peer : connected_) {
    if (reaches-- == 0) break;
    network_.send(peer, frame);
  }
  if (dies) {
    world_.coverage.add(Happened::crash_in_broadcast);
    dying_ = true;
  }
}

void SimNode::disconnect(ReplicaId peer, const std::string& reason) {
  world_.violate("contract", "replica " + std::to_string(self_.value()) + " throws out replica " +
                                 std::to_string(peer.value()) + ": " + reason);
}

void SimNode::check(Digest id, Height height, Bytes payload) {
  const node::VerifyContext context{world_.membership.chain_id, world_.membership, verifier_.get(),
                                    &world_.keys};
  auto transactions = node::verify_payload(context, payload);
  const std::size_t count = transactions ? transactions->size() : 1;
  node::PayloadChecked out{id, height, std::nullopt};
  if (transactions) out.transactions = std::move(*transactions);
  world_.timeline.after(kCheckPerTransaction * static_cast<int>(count + 1),
                        [this, life = life_, answer = std::move(out)] {
                          if (life == life_) deliver(answer);
                        });
}

void SimNode::admitted(node::Ticket ticket, std::vector<std::optional<node::Refusal>> results) {
  hooks_.admitted(self_, ticket, results);
}

void SimNode::notice(const node::Notice& notice) {
  using Kind = node::Notice::Kind;
  hooks_.noticed(self_, notice);
  switch (notice.kind) {
    case Kind::sync_started:
      world_.coverage.add(Happened::catch_up);
      world_.trace("sync started", self_.value(), notice.height.value());
      break;
    case Kind::progress:
      if (*notice.phase == consensus::Progress::Phase::checkpoint_stable) {
        world_.coverage.add(Happened::checkpoint);
        world_.trace("checkpoint stable", self_.value(), notice.height.value());
      }
      if (*notice.phase == consensus::Progress::Phase::view_entered) {
        world_.coverage.add(Happened::view_change);
        world_.trace("view entered", self_.value(), notice.view.value());
      }
      if (*notice.phase == consensus::Progress::Phase::proposed &&
          notice.height.value() >= ledger_.chain().head().height.value() + 3) {
        world_.coverage.add(Happened::heights_in_flight);
      }
      break;
    case Kind::equivocation:
      world_.violate("I2", "replica " + std::to_string(self_.value()) +
                               " holds evidence against replica " +
                               std::to_string(notice.peer->value()) + ": " + notice.text);
      break;
    case Kind::halted:
      world_.violate("halt", "replica " + std::to_string(self_.value()) + ": " + notice.text);
      break;
    default: break;
  }
}

void SimNode::receive(const Frame& frame) {
  const node::VerifyContext context{world_.membership.chain_id, world_.membership, verifier_.get(),
                                    &world_.keys};
  auto message = node::verify_peer_message(context, frame.from, frame.traffic, *frame.body);
  if (!message) {
    return world_.violate("contract", "a frame of replica " + std::to_string(frame.from.value()) +
                                          " does not verify: " + message.error().detail);
  }
  if (world_.options.canary == Canary::second_vote && self_.value() == 1) send_second_vote();
  deliver(node::PeerMessageReceived{frame.from, std::move(*message)});
}

// ---- crashes ----

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
  world_.trace("crash", self_.value());
  world_.coverage.add(Happened::crash);
  crashed_at_ = ledger_.chain().head().height;
  ++life_;
  ordered_crash_.reset();
  dying_ = false;
  tick_at_.reset();
  idle_ticks_ = 0;
  replica_.reset();
  verifier_.reset();
  connected_.clear();
  network_.detach(self_);
  disk_.crash();
  ledger_.crash();
  checks_.on_crash(self_);
  hooks_.crashed(self_);
}

// The canary that votes for two proposals in one slot.
void SimNode::send_second_vote() {
  const Height height = replica_->status().head.height;
  if (height.value() < 10) return;
  consensus::pbft::Ballot ballot{replica_->status().consensus.view, height, Digest{}};
  ballot.id.bytes[0] = 1;
  consensus::pbft::Vote vote{consensus::pbft::VoteKind::prepare, ballot, self_, {}};
  vote.signature = world_.validators.at(self_.value())
                       ->sign(consensus::pbft::vote_signing_digest(
                           world_.membership, consensus::pbft::VoteKind::prepare, ballot));
  const Bytes message = consensus::pbft::encode(Epoch(0), vote);
  checks_.on_send(self_, message, {disk_, ledger_.chain()});
}

}  // namespace quorate::sim
