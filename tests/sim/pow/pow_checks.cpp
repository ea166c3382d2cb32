#include "tests/sim/pow/pow_checks.hpp"

#include <algorithm>

#include "consensus/pow/log_keeper.hpp"
#include "consensus/pow/messages.hpp"
#include "consensus/pow/settings.hpp"
#include "tests/sim/replay.hpp"

namespace quorate::sim::pow {
namespace {

// By then a replica has validated again what it had on its disk.
constexpr Duration kRecovery = std::chrono::seconds(3);
// By then everybody has heard of a block.
constexpr Duration kHeardOf = std::chrono::seconds(15);

// By then it has the payload that breaks the rule, and aims elsewhere.
constexpr Duration kAimed = std::chrono::seconds(5);

// Headers of the newest heights, which an engine keeps; payloads that it serves and those above the
// ledger, with the branches beside them; the mempool. No more for a longer run once the headers are
// complete.
std::size_t memory_bound_of(const World& world, Height height) {
  constexpr std::size_t kHeaders = consensus::pow::TreeLimits{}.below + 267;
  constexpr std::size_t kHeaderBytes = 1024;
  const std::size_t block = world.genesis.consensus.payload_transactions_max * 256U + 512U;
  constexpr std::size_t kAboveAndBeside = 32;
  const std::size_t payloads =
      std::min<std::size_t>(height.value(), consensus::pow::kServedHeights) + kAboveAndBeside;
  return std::min<std::size_t>(height.value(), kHeaders) * kHeaderBytes + payloads * block +
         (256U << 10U);
}

std::uint64_t spends(const ledger::VerifiedTransaction& transaction) {
  std::uint64_t out = 0;
  for (const auto& operation : transaction.signed_transaction.transaction.operations) {
    out += std::get<ledger::Transfer>(operation).amount;
  }
  return out;
}

}  // namespace

PowChecks::PowChecks(World& world)
    : world_(world),
      branches_(world.genesis, world.options.replicas),
      depth_(world.genesis.consensus.engine_parameters.at("depth")) {
  for (std::uint32_t i = 0; i < world.options.replicas; ++i) seen_.emplace_back(lottery_, depth_);
}

void PowChecks::violate(const char* invariant, ReplicaId replica, const std::string& detail) {
  world_.violate(invariant, "replica " + std::to_string(replica.value()) + ": " + detail);
}

bool PowChecks::chooses_by_height(ReplicaId replica) const {
  return world_.options.canary == Canary::by_height && replica.value() == 1;
}

// ---- mining ----

void PowChecks::on_mined(ReplicaId replica, const MinedBlock& block) {
  world_.coverage.add(Happened::mined);
  world_.trace("mined", replica.value(), block.header.height.value(), brief(block.id));
  seen_.at(replica.value()).unsent.emplace(block.id, crypto::work::encode(block.header));
  if (world_.correct(replica)) judge_result(replica, block.header);
}

// Of the block depth + 1 heights below, which whoever mines on top must have executed.
void PowChecks::judge_result(ReplicaId replica, const Header& header) {
  const Height height = header.height.saturating_sub(depth_ + 1);
  const auto expected = branches_.hash_of(lottery_.ancestor(header.parent, height));
  if (!expected || header.exec_ref != *expected) {
    violate("W3", replica,
            "names another result than its ledger's at height " + std::to_string(height.value()));
  }
}

void PowChecks::on_send(ReplicaId sender, ByteView message, const Durable& durable) {
  auto& unsent = seen_.at(sender.value()).unsent;
  for (auto block = unsent.begin(); block != unsent.end();) {
    const Bytes& header = block->second;
    const bool inside =
        std::search(message.begin(), message.end(), header.begin(), header.end()) != message.end();
    if (!inside) {
      ++block;
      continue;
    }
    const bool executed = durable.chain.height_of_payload(block->first).has_value();
    if (!executed && !durable.disk.holds_bytes(header)) {
      violate("W5", sender, "announces an own block that is not on its disk");
    }
    block = unsent.erase(block);
  }
}

// ---- blocks ----

void PowChecks::on_ordered(ReplicaId replica, const ledger::OrderedBlock& block) {
  const MinedBlock* mined = lottery_.find(block.payload_id);
  const std::string at = "height " + std::to_string(block.height.value()) + ": ";
  if (mined == nullptr) return violate("W1", replica, at + "commits what nobody mined");
  if (crypto::work::encode(mined->header) != block.commit_certificate) {
    violate("W1", replica, at + "keeps another header than was mined");
  }
  if (mined->header.payload_digest != consensus::pow::payload_digest(block.payload)) {
    violate("W1", replica, at + "it is not the payload that the header names");
  }
  if (mined->header.height != block.height) violate("W1", replica, at + "it has another height");
  if (mined->header.parent != branches_.position(replica).payload_id) {
    violate("W1", replica, at + "it does not stand on the block before");
  }
  if (mined->deepest.value() < block.height.value() + depth_ - 1) {
    violate("W1", replica, at + "commits what is not " + std::to_string(depth_) + " deep");
  }
}

// Correct miners know what stands on the branch they work on.
void PowChecks::judge_repeats(ReplicaId replica, const ledger::ExecutedBlock& block) {
  for (std::uint32_t i = 0; i < world_.membership.size(); ++i) {
    const bool his = world_.membership.key(ReplicaId(i)) == block.header.proposer;
    if (his && !world_.correct(ReplicaId(i))) return;
  }
  const ModelLedger& before = branches_.position(replica).model;
  for (const ledger::TransactionPtr& transaction : block.transactions) {
    if (before.executed_at(transaction->id)) {
      violate("W3", replica,
              "height " + std::to_string(block.header.height.value()) +
                  " repeats a transaction of its branch");
    }
  }
}

void PowChecks::on_executed(ReplicaId replica, const ledger::ExecutedBlock& block) {
  if (!seen_.at(replica.value()).withdrawn.empty()) {
    violate("W4", replica, "goes on without having reported what its rewind withdrew");
  }
  judge_repeats(replica, block);
  if (auto wrong = branches_.execute(replica, block)) {
    violate("W3", replica, "height " + std::to_string(block.header.height.value()) + ": " + *wrong);
  }
}

void PowChecks::on_sealed(ReplicaId replica, Height, const std::vector<crypto::ReplicaSignature>&) {
  violate("contract", replica, "seals a block, where work decides");
}

// ---- rewinds ----

void PowChecks::on_rewound(ReplicaId replica, Height height) {
  Seen& seen = seen_.at(replica.value());
  const auto withdrawn = branches_.rewind(replica, height);
  ++seen.rewinds;
  world_.coverage.add(Happened::rewind);
  world_.trace("rewound", replica.value(), height.value(), withdrawn.size());
  if (const auto wrong = seen.order.rewound(height)) violate("W4", replica, *wrong);
  for (const BranchLedger::Node* block : withdrawn) {
    for (std::size_t i = 0; i < block->transactions.size(); ++i) {
      const ledger::TransactionPtr& transaction = block->transactions[i];
      seen.withdrawn.insert(transaction->id);
      if (block->effective[i]) seen.to_wait.push_back(transaction);
    }
  }
}

void PowChecks::on_notice(ReplicaId replica, const node::Notice& notice) {
  Seen& seen = seen_.at(replica.value());
  if (notice.kind == node::Notice::Kind::progress &&
      *notice.phase == consensus::Progress::Phase::branch_switched) {
    world_.coverage.add(Happened::branch_switch);
    ++seen.switches;
    world_.trace("branch switched", replica.value(), notice.height.value());
  }
  if (notice.kind != node::Notice::Kind::blocks_withdrawn) return;
  std::set<Digest> reported;
  for (const ledger::WithdrawnBlock& block : *notice.withdrawn) {
    for (const auto& transaction : block.transactions) reported.insert(transaction->id);
  }
  if (world_.options.canary == Canary::silent_rewind && !reported.empty()) {
    reported.erase(reported.begin());
  }
  if (reported != seen.withdrawn) {
    violate("W4", replica, "reports other transactions than its rewind withdrew");
  }
  seen.withdrawn.clear();
  seen.reported = true;
}

// What had taken effect and still can waits for its turn again, or another of its nonce does.
void PowChecks::demand_waiting(ReplicaId replica, const node::Replica& stepped) {
  Seen& seen = seen_.at(replica.value());
  for (const ledger::TransactionPtr& transaction : std::exchange(seen.to_wait, {})) {
    const ledger::Transaction& content = transaction->signed_transaction.transaction;
    const auto account = stepped.state()->account(transaction->sender);
    const std::uint64_t until = content.valid_until_height;
    const bool used = !account || account->nonce >= content.nonce;
    const bool expired = until != 0 && until <= stepped.status().head.height.value();
    if (used || expired || account->balance < spends(*transaction)) continue;
    world_.coverage.add(Happened::withdrawn_waits_again);
    const bool forgotten = world_.options.canary == Canary::forgotten_withdrawn;
    const bool waits =
        stepped.mempool().find(transaction->id) != nullptr ||
        stepped.mempool().next_nonce(transaction->sender, *stepped.state()) > content.nonce;
    if (waits && !forgotten) continue;
    violate("W4", replica, "forgets a transaction that its rewind withdrew and that is valid");
  }
}

// ---- fork choice ----

void PowChecks::on_start(ReplicaId replica, const node::Replica& started) {
  if (auto wrong = branches_.begin(replica, started.status().head)) {
    return violate("W3", replica, *wrong);
  }
  Seen& seen = seen_.at(replica.value());
  const BranchLedger::Node& position = branches_.position(replica);
  if (!chooses_by_height(replica)) seen.order.start(position.payload_id, position.height);
  const std::uint64_t floor = seen.durable_tip_work;
  world_.timeline.after(kRecovery, [this, replica, floor, life = seen.life] {
    const Seen& later = seen_.at(replica.value());
    if (later.life == life && later.tip_work < floor) {
      violate("W2", replica, "has lost blocks that were on its disk");
    }
  });
}

void PowChecks::judge_tip(ReplicaId replica, const consensus::Status::Branch& branch) {
  Seen& seen = seen_.at(replica.value());
  if (branch.tip_id == seen.tip) return;
  if (branch.tip_id != Digest{} && lottery_.find(branch.tip_id) == nullptr) {
    return violate("W1", replica, "prefers a branch that nobody mined");
  }
  const std::uint64_t work = lottery_.work(branch.tip_id);
  // Whoever sees less than the whole of a branch goes by where it leads.
  const bool near_sighted = world_.engine_config.ahead_max != 0;
  const bool leads_higher =
      near_sighted && work > 0 && lottery_.find(branch.tip_id)->leads_to > seen.tip_work;
  if (work < seen.tip_work && !leads_higher) {
    violate("W2", replica, "leaves a branch for one of less work");
  }
  const Digest shared = lottery_.fork(seen.tip, branch.tip_id);
  if (work == seen.tip_work) violate("W2", replica, "leaves a branch for one of the same work");
  for (Digest id = branch.tip_id; id != shared; id = lottery_.find(id)->header.parent) {
    if (lottery_.find(id)->outlawed_until <= world_.timeline.now()) continue;
    violate("W1", replica,
            "prefers a branch with a block that breaks a rule, at height " +
                std::to_string(lottery_.find(id)->header.height.value()));
  }
  seen.tip = branch.tip_id;
  seen.tip_work = work;
}

// The branch that it fetches and would mine on.
void PowChecks::judge_aim(ReplicaId replica, const consensus::Status::Branch& branch) {
  Seen& seen = seen_.at(replica.value());
  bool outlawed = false;
  if (branch.best_header_id != branch.tip_id && lottery_.find(branch.best_header_id) != nullptr) {
    const Digest shared = lottery_.fork(branch.tip_id, branch.best_header_id);
    for (Digest id = branch.best_header_id; id != shared; id = lottery_.find(id)->header.parent) {
      outlawed = outlawed || lottery_.find(id)->outlawed_until == kForever;
    }
  }
  const Instant now = world_.timeline.now();
  if (!outlawed) return seen.aims_at_outlawed.reset();
  if (!seen.aims_at_outlawed) seen.aims_at_outlawed = now;
  if (now - *seen.aims_at_outlawed < kAimed) return;
  violate("W2", replica, "aims for seconds at branches with a block that breaks a rule");
}

void PowChecks::judge_order(ReplicaId replica, const consensus::Status& status,
                            const Durable& durable) {
  Seen& seen = seen_.at(replica.value());
  const Digest before = seen.order.committed();
  if (const auto wrong = seen.order.step(status, std::exchange(seen.switches, 0))) {
    violate("W4", replica, *wrong);
  }
  const Digest committed = seen.order.committed();
  if (committed == before || lottery_.fork(before, committed) != before) return;
  // A commit. The last of those that make it deep is the newest that must be durable.
  const Height deep = status.last_committed.saturating_add(depth_ - 1);
  const MinedBlock* block = lottery_.find(lottery_.ancestor(seen.tip, deep));
  const bool executed = durable.chain.height_of_payload(block->id).has_value();
  if (!executed && !durable.disk.holds_bytes(crypto::work::encode(block->header))) {
    violate("W5", replica, "commits on top of a block that is not on its disk");
  }
}

void PowChecks::after_step(ReplicaId replica, const node::Replica& stepped,
                           const Durable& durable) {
  Seen& seen = seen_.at(replica.value());
  const node::ReplicaStatus whole = stepped.status();
  if (whole.blind_proposals != 0) {
    violate("contract", replica, "asks for a proposal above payloads that its host has forgotten");
  }
  consensus::Status status = whole.consensus;
  if (!status.branch) return violate("contract", replica, "does not say what it prefers");
  if (chooses_by_height(replica)) status.branch->tip_id = lottery_.highest();
  judge_tip(replica, *status.branch);
  if (world_.violation) return;  // the tip may be nobody's
  judge_aim(replica, *status.branch);
  judge_order(replica, status, durable);
  if (!durable.disk.sync_pending()) {
    seen.durable_tip_work = std::max(seen.durable_tip_work, seen.tip_work);
  }
  if (std::exchange(seen.reported, false)) demand_waiting(replica, stepped);
  std::size_t memory = stepped.memory_bytes();
  if (world_.options.canary == Canary::hoarder && replica.value() == 1) memory += 1U << 30U;
  memory_max_ = std::max(memory_max_, memory);
  memory_bound_ = memory_bound_of(world_, height());
  if (memory > memory_bound_) {
    violate("W6", replica,
            "holds " + std::to_string(memory) + " bytes, the bound is " +
                std::to_string(memory_bound_));
  }
}

// What was durable it has again soon (on_start); until then it prefers less.
void PowChecks::on_crash(ReplicaId replica) {
  Seen& seen = seen_.at(replica.value());
  ++seen.life;
  seen.order.stop();
  seen.switches = 0;
  seen.aims_at_outlawed.reset();
  seen.tip = Digest{};
  seen.tip_work = 0;
  seen.withdrawn.clear();
  seen.to_wait.clear();
  seen.reported = false;
}

std::uint64_t PowChecks::rewinds() const {
  std::uint64_t out = 0;
  for (const Seen& seen : seen_) out += seen.rewinds;
  return out;
}

// ---- the end ----

void PowChecks::final_chain(ReplicaId replica, const node::Replica& ended,
                            const ledger::Chain& chain) {
  const BranchLedger::Node& position = branches_.position(replica);
  if (chain.head().payload_id != position.payload_id ||
      (position.height > Height(0) && chain.state()->root() != position.state_root)) {
    violate("W3", replica, "ends with another state than its blocks give");
  }
  if (auto wrong = position.model.compare(*chain.state())) violate("W3", replica, *wrong);
  const Seen& seen = seen_.at(replica.value());
  const Digest tip = ended.status().consensus.branch->tip_id;
  if (!lottery_.descends(tip, position.payload_id)) {
    violate("W4", replica, "ends off the branch that it prefers");
  }
  for (const MinedBlock& block : lottery_.blocks()) {
    const bool heard_of = world_.timeline.now() - block.when >= kHeardOf &&
                          std::none_of(seen_.begin(), seen_.end(), [&](const Seen& one) {
                            return one.unsent.count(block.id) != 0;
                          });
    if (heard_of && !block.byzantine && block.work > seen.tip_work) {
      return violate("W2", replica, "does not prefer the branch of most work in the end");
    }
  }
}

void PowChecks::replay(ReplicaId replica, const ledger::Chain& chain) {
  const auto wrong = replay_fault(world_.genesis, chain, [&](Height height) {
    return branches_.hash_at(replica, height).value_or(Digest{});
  });
  if (wrong) world_.violate("W3", *wrong);
}

}  // namespace quorate::sim::pow
