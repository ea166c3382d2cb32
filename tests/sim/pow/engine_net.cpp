#include "tests/sim/pow/engine_net.hpp"

#include <algorithm>
#include <deque>
#include <string_view>

#include "crypto/hash.hpp"
#include "node/engine_config.hpp"

namespace quorate::sim::pow {

using consensus::CancelWork;
using consensus::Commit;
using consensus::Halt;
using consensus::LoadCertificates;
using consensus::LoadPayload;
using consensus::Persist;
using consensus::Persisted;
using consensus::RequestProposal;
using consensus::Rewind;
using consensus::Send;
using consensus::StartWork;
using consensus::Validate;

namespace {

constexpr std::uint64_t kBeforeStartMs = 1'000;

ledger::Genesis make_genesis(const EngineNet::Setup& setup, KeyRing& keys,
                             std::vector<const crypto::Signer*>& signers) {
  ledger::Genesis out;
  out.chain_name = "engines";
  out.genesis_time = WallMs(1'700'000'000'000);
  out.consensus = parameters_of(setup.chain);
  for (std::uint32_t i = 0; i < setup.engines; ++i) {
    signers.push_back(&keys.make_signer(false));
    ledger::GenesisValidator validator;
    validator.name = "engine" + std::to_string(i);
    validator.validator_key = signers.back()->public_key();
    validator.node_key = keys.make_signer(false).public_key();
    validator.p2p = "127.0.0.1:" + std::to_string(30000 + i);
    out.validators.push_back(validator);
  }
  return out;
}

// What a ledger without accounts would make of this order.
Digest block_hash_of(const Digest& payload_id) {
  return crypto::sha256(ByteView(payload_id.bytes));
}

}  // namespace

// One engine and what it asks of a host.
struct EngineNet::Seat {
  ReplicaId self;
  std::unique_ptr<VirtualMiner> miner;
  consensus::EngineParts parts;
  std::vector<Commit> executed;  // by height - 1
  std::optional<Instant> tick_at;
  Duration delay{0};
  bool apart = false;
  bool keeps_back = false;
  Height shown;                                         // of its own blocks, those up to here
  std::deque<std::pair<Height, consensus::Send>> kept;  // those above, lowest first
};

EngineNet::EngineNet(const Setup& setup) : keys_(Prng(setup.seed * 7919 + 1), false) {
  Prng prng(setup.seed);
  std::vector<const crypto::Signer*> signers;
  genesis_ = make_genesis(setup, keys_, signers);
  const std::uint64_t rate = pow::hashes_per_second(genesis_.consensus) / setup.engines;
  for (std::uint32_t i = 0; i < setup.engines; ++i) {
    seats_.push_back(std::make_unique<Seat>());
    Seat& seat = *seats_.back();
    seat.self = ReplicaId(i);
    seat.delay = setup.delay;
    auto parts = consensus::make_engine(node::engine_config(genesis_, seat.self), signers[i], keys_,
                                        &lottery_);
    QUORATE_ASSERT(parts.has_value());
    seat.parts = std::move(*parts);
    seat.miner = std::make_unique<VirtualMiner>(
        timeline_, lottery_, prng.fork(), rate,
        [this, &seat](consensus::WorkToken token, const MinedBlock& block) {
          deliver(seat, consensus::WorkFound{token, block.header.nonce});
        });
  }
  for (const auto& seat : seats_) {
    consensus::Started started;
    started.genesis_hash = block_hash_of(Digest{});
    started.block_hash = started.genesis_hash;
    deliver(*seat, std::move(started));
  }
}

EngineNet::~EngineNet() = default;

void EngineNet::run_until(Instant when) {
  bool over = false;
  timeline_.at(when, [&over] { over = true; });
  while (!over && timeline_.run_next()) continue;
}

void EngineNet::step() { timeline_.run_next(); }

VirtualMiner& EngineNet::miner(std::size_t engine) { return *seats_.at(engine)->miner; }

void EngineNet::set_hashes_per_second(std::uint64_t rate) {
  for (const auto& seat : seats_) seat->miner->set_hashes_per_second(rate / seats_.size());
}

consensus::Status::Branch EngineNet::branch(std::size_t engine) const {
  return seats_.at(engine)->parts.engine->status().branch.value();
}

std::vector<const MinedBlock*> EngineNet::best_branch() const {
  std::vector<const MinedBlock*> out;
  for (auto block = lottery_.find(branch(0).tip_id); block != nullptr;
       block = lottery_.find(block->header.parent)) {
    out.push_back(block);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

void EngineNet::separate(std::size_t engine, bool apart) { seats_.at(engine)->apart = apart; }

void EngineNet::set_delay(std::size_t engine, Duration one_way) {
  seats_.at(engine)->delay = one_way;
}

void EngineNet::keep_back(std::size_t engine) { seats_.at(engine)->keeps_back = true; }

void EngineNet::show(std::size_t engine, Height highest) {
  Seat& seat = *seats_.at(engine);
  seat.shown = highest;
  for (; !seat.kept.empty() && seat.kept.front().first <= highest; seat.kept.pop_front()) {
    carry(seat, seat.kept.front().second);
  }
}

const PublicKey& EngineNet::key(std::size_t engine) const {
  return genesis_.validators.at(engine).validator_key;
}

// ---- a host ----

void EngineNet::later(Seat& seat, consensus::Input input, Duration delay) {
  timeline_.after(delay, [this, &seat, answer = std::move(input)] { deliver(seat, answer); });
}

void EngineNet::deliver(Seat& seat, consensus::Input input) {
  const Instant now = timeline_.now();
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now.since_origin);
  const WallMs wall(genesis_.genesis_time.value() + kBeforeStartMs +
                    static_cast<std::uint64_t>(elapsed.count()));
  std::vector<consensus::Output> outputs;
  seat.parts.engine->step({now, wall, std::move(input)}, outputs);
  for (const consensus::Output& output : outputs) {
    std::visit([&](const auto& concrete) { perform(seat, concrete); }, output);
  }
  keep_ticking(seat);
}

void EngineNet::keep_ticking(Seat& seat) {
  const auto deadline = seat.parts.engine->next_deadline();
  if (!deadline || (seat.tick_at && *seat.tick_at <= *deadline)) return;
  seat.tick_at = deadline;
  timeline_.at(*deadline, [this, &seat, at = *deadline] {
    if (seat.tick_at != at) return;
    seat.tick_at.reset();
    const auto due = seat.parts.engine->next_deadline();
    if (due && *due <= timeline_.now()) return deliver(seat, consensus::Ticked{});
    keep_ticking(seat);
  });
}

void EngineNet::perform(Seat& seat, const Persist& record) { later(seat, Persisted{record.token}); }

// Who keeps blocks back answers no questions either. Its own are the ones that it broadcasts whole.
void EngineNet::perform(Seat& seat, const Send& message) {
  if (!seat.keeps_back) return carry(seat, message);
  const bool own_block = !message.to && std::string_view(message.type) == "block";
  if (!own_block) return;
  const Height height = branch(seat.self.value()).tip;
  if (height <= seat.shown) return carry(seat, message);
  seat.kept.emplace_back(height, message);
}

void EngineNet::carry(Seat& seat, const Send& message) {
  for (const auto& other : seats_) {
    const bool meant = !message.to || *message.to == other->self;
    if (other->self == seat.self || !meant || other->apart || seat.apart) continue;
    auto verified = other->parts.message_verifier->verify(seat.self, message.message);
    QUORATE_ASSERT(verified.has_value());
    later(*other, consensus::MessageReceived{seat.self, std::move(*verified)},
          std::min(seat.delay, other->delay));
  }
}

void EngineNet::perform(Seat& seat, const RequestProposal& request) {
  const Bytes nothing = ledger::encode_payload({});
  const Digest digest = seat.parts.message_verifier->payload_digest(nothing);
  later(seat, consensus::ProposalReady{request.height, request.view, nothing, digest});
}

void EngineNet::perform(Seat& seat, const Validate& question) {
  later(seat, consensus::Validated{question.id, true});
}

void EngineNet::perform(Seat& seat, const Commit& commit) {
  QUORATE_ASSERT(commit.height.value() == seat.executed.size() + 1);
  seat.executed.push_back(commit);
  const Digest hash = block_hash_of(commit.id);
  later(seat, consensus::Executed{commit.height, commit.id, hash, hash, true});
}

void EngineNet::perform(Seat& seat, const Rewind& rewind) {
  ++rewinds_;
  seat.executed.resize(rewind.height.value());
  later(seat, consensus::Rewound{rewind.height});
}

void EngineNet::perform(Seat& seat, const StartWork& work) {
  seat.miner->start(work.token, work.puzzle);
}

void EngineNet::perform(Seat& seat, const CancelWork& work) { seat.miner->cancel(work.token); }

void EngineNet::perform(Seat& seat, const LoadPayload& wanted) {
  consensus::PayloadLoaded loaded{wanted.id, std::nullopt};
  for (const Commit& one : seat.executed) {
    if (one.id != wanted.id) continue;
    loaded.body = consensus::PayloadLoaded::Body{one.payload, one.commit_certificate};
  }
  later(seat, std::move(loaded));
}

void EngineNet::perform(Seat& seat, const LoadCertificates& range) {
  consensus::CertificatesLoaded loaded{range.first, {}};
  for (std::size_t i = range.first.value() - 1;
       i < seat.executed.size() && loaded.certificates.size() < range.count; ++i) {
    loaded.certificates.push_back(seat.executed[i].commit_certificate);
  }
  later(seat, std::move(loaded));
}

void EngineNet::perform(Seat&, const Halt&) {
  const bool an_engine_halted = false;
  QUORATE_ASSERT(an_engine_halted);
}

}  // namespace quorate::sim::pow
