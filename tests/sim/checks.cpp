#include "tests/sim/checks.hpp"

#include "crypto/hash.hpp"
#include "tests/sim/certificate_check.hpp"
#include "tests/sim/replay.hpp"

namespace quorate::sim {
namespace {

std::string at(ReplicaId replica, Height height) {
  return "replica " + std::to_string(replica.value()) + ", height " +
         std::to_string(height.value()) + ": ";
}

// What one replica may hold: votes in the doubled window for two views, bodies in the window, what
// catch-up has fetched, and a mempool of what the clients have under way. About four times what is
// seen, and the same for a run of any length, so that what piles up does not pass.
std::size_t memory_bound_of(const World& world) {
  const auto& parameters = world.genesis.consensus;
  const std::size_t window = 2 * parameters.checkpoint_interval;
  const std::size_t n = world.genesis.validators.size();
  const std::size_t block = parameters.payload_transactions_max * 256U + 512U;
  const std::size_t votes = 2 * window * n * 2 * 2 * 150U;
  const std::size_t bodies = (window + 2 * parameters.proposals_in_flight) * block;
  const std::size_t catch_up = 64 * block;
  return votes + bodies + catch_up + (256U << 10U);
}

// The canary in which an account has a coin that the genesis does not know of.
ledger::Genesis model_genesis(const World& world) {
  ledger::Genesis out = world.genesis;
  if (world.options.canary == Canary::minted_money) --out.accounts.front().balance;
  return out;
}

}  // namespace

Checks::Checks(World& world)
    : world_(world),
      wire_(world,
            [this](Height height) -> std::optional<Digest> {
              if (height.value() >= agreed_.size()) return std::nullopt;
              return agreed_[height.value()].checkpoint_digest;
            }),
      model_(model_genesis(world)),
      agreed_(1),
      floors_(world.options.replicas),
      memory_bound_(memory_bound_of(world)) {}

void Checks::on_ordered(ReplicaId replica, const ledger::OrderedBlock& block) {
  const auto [seen, added] = ordered_.emplace(block.height, block.payload_id);
  if (!added && seen->second != block.payload_id) {
    world_.violate("I1", at(replica, block.height) + "ordered another proposal than others did");
  }
  wire_.note_payload(block.payload_id, block.payload);
  wire_.on_committed(block.height, block.payload_id, block.commit_certificate);
}

void Checks::on_executed(ReplicaId replica, const ledger::ExecutedBlock& block) {
  const Height height = block.header.height;
  const std::size_t index = height.value();
  if (world_.diverges(replica)) return;
  if (index > agreed_.size()) {
    return world_.violate("contract", at(replica, height) + "a height was left out");
  }
  if (index == agreed_.size()) {
    agreed_.push_back({block.payload_id, block.block_hash, block.header.state_root,
                       block.checkpoint_digest, true});
    if (auto wrong = model_.apply(block)) world_.violate("I4", at(replica, height) + *wrong);
    return;
  }
  const Agreed& agreed = agreed_[index];
  if (agreed.payload_id != block.payload_id) {
    world_.violate("I1", at(replica, height) + "executed another proposal than others did");
  } else if (agreed.block_hash != block.block_hash) {
    world_.violate("I1", at(replica, height) + "computed another block than others did");
  } else if (agreed.state_root != block.header.state_root) {
    world_.violate("I7", at(replica, height) + "computed another state root than others did");
  }
}

void Checks::on_sealed(ReplicaId replica, Height height,
                       const std::vector<crypto::ReplicaSignature>& seals) {
  if (height.value() >= agreed_.size()) {
    return world_.violate("I5", at(replica, height) + "sealed before it was executed");
  }
  const auto fault = certificate_fault(world_, height, agreed_[height.value()].block_hash, seals);
  if (fault) world_.violate("I5", at(replica, height) + *fault);
}

void Checks::on_rewound(ReplicaId replica, Height height) {
  world_.violate("I10", at(replica, height) + "a ledger went back");
}

void Checks::after_step(ReplicaId replica, const node::Replica& stepped, const Durable& durable) {
  const consensus::Status status = stepped.status().consensus;
  Floor& floor = floors_.at(replica.value());
  if (status.low_watermark < floor.low_watermark || status.last_executed < floor.last_executed ||
      status.promise_view < floor.promise) {
    world_.violate("I10",
                   at(replica, status.last_executed) + "a watermark, height or promise went back");
  }
  floor.low_watermark = status.low_watermark;
  floor.last_executed = status.last_executed;
  floor.promise = status.promise_view;
  if (!durable.disk.sync_pending()) {
    floor.durable_low_watermark = floor.low_watermark;
    floor.durable_promise = floor.promise;
  }
  // Only what a quorum signed may be believed; it runs ahead of execution by the window at most.
  const std::uint64_t window = 2 * world_.genesis.consensus.checkpoint_interval;
  if (status.highest_evidence > height().saturating_add(2 * window)) {
    world_.violate("contract", at(replica, status.last_executed) + "believes in height " +
                                   std::to_string(status.highest_evidence.value()));
  }
  std::size_t memory = stepped.memory_bytes();
  if (world_.options.canary == Canary::hoarder && replica.value() == 1) memory += 1U << 30U;
  memory_max_ = std::max(memory_max_, memory);
  if (memory > memory_bound_) {
    world_.violate("I8", at(replica, status.last_executed) + "holds " + std::to_string(memory) +
                             " bytes, the bound is " + std::to_string(memory_bound_));
  }
}

// What was only in memory may be forgotten; what was durable may not. Blocks are durable before
// the replica hears of them, so the executed height never goes back.
void Checks::on_crash(ReplicaId replica) {
  Floor& floor = floors_.at(replica.value());
  floor.low_watermark = floor.durable_low_watermark;
  floor.promise = floor.durable_promise;
}

void Checks::final_chain(ReplicaId replica, const ledger::Chain& chain) {
  if (auto wrong = model_.compare(*chain.state())) {
    world_.violate("I4", at(replica, chain.head().height) + *wrong);
  }
  if (chain.state()->root() != agreed_.at(chain.head().height.value()).state_root) {
    world_.violate("I7", at(replica, chain.head().height) + "ends with another state root");
  }
  for (Height height(1); height <= chain.head().height; height = height.next()) {
    const auto certificate = chain.certificate(height);
    if (!certificate) continue;  // seals are not synced, and a laggard may never collect them
    const Bytes header = ledger::encode(certificate->header);
    Bytes hashed;
    for (const char letter : std::string("quorate/block/1")) {
      hashed.push_back(static_cast<std::uint8_t>(letter));
    }
    hashed.push_back(0);
    hashed.insert(hashed.end(), header.begin(), header.end());
    if (crypto::sha256(hashed) != agreed_[height.value()].block_hash) {
      return world_.violate("I5", at(replica, height) + "the certificate has another header");
    }
    const auto fault =
        certificate_fault(world_, height, agreed_[height.value()].block_hash, certificate->seals);
    if (fault) return world_.violate("I5", at(replica, height) + *fault);
  }
}

void Checks::judge_culprits(bool forked) {
  const std::set<ReplicaId> named = culprits();
  for (const ReplicaId replica : named) {
    if (!world_.correct(replica)) continue;
    world_.violate("I12", "the wire log blames replica " + std::to_string(replica.value()) +
                              ", which is correct");
  }
  if (!forked || named.size() > world_.membership.faults()) return;
  world_.violate("I12", "there was a fork, and the wire log blames only " +
                            std::to_string(named.size()) + " replicas for it");
}

void Checks::replay(const ledger::Chain& chain) {
  ledger::Genesis genesis = world_.genesis;
  if (world_.options.canary == Canary::other_replay) ++genesis.accounts.front().balance;
  const auto wrong = replay_fault(
      genesis, chain, [this](Height height) { return agreed_[height.value()].block_hash; });
  if (wrong) world_.violate("I7", *wrong);
}

}  // namespace quorate::sim
