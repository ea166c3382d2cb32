#include "tests/sim/pow/pow_simulation.hpp"

#include <algorithm>
#include <numeric>

namespace quorate::sim::pow {
namespace {

Options with_parameters(const Options& options) {
  Options out = options;
  if (!out.parameters) out.parameters = drawn_parameters(options.seed);
  return out;
}

}  // namespace

ledger::ConsensusParameters drawn_parameters(std::uint64_t seed) {
  Prng prng(seed ^ 0x706f77U);
  ChainOptions chain;
  chain.interval_ms = 1000 * prng.between(1, 4);
  chain.depth = prng.between(1, 6);
  chain.half_life_s = 60 * prng.between(1, 4);
  ledger::ConsensusParameters out = parameters_of(chain);
  out.payload_bytes_max = 64U << 10U;
  out.payload_transactions_max = static_cast<std::uint32_t>(prng.between(4, 32));
  return out;
}

PowSimulation::PowSimulation(const Options& options)
    : Cluster(
          with_parameters(options), [](World& world) { return std::make_unique<PowChecks>(world); },
          [](NodeChecks& checks) -> ClientLedger& {
            return static_cast<PowChecks&>(checks).branches();
          }) {
  const auto& parameters = world().genesis.consensus.engine_parameters;
  interval_ = std::chrono::milliseconds(parameters.at("interval_ms"));
  depth_ = parameters.at("depth");
  hashes_per_second_ = pow::hashes_per_second(world().genesis.consensus);
  world().work = &checks().lottery();
  for (const auto& node : nodes()) {
    SimNode* its = node.get();
    miners_.push_back(std::make_unique<VirtualMiner>(
        world().timeline, checks().lottery(), prng().fork(), hashes_per_second_ / nodes().size(),
        [this, its](consensus::WorkToken token, const MinedBlock& block) {
          checks().on_mined(its->self(), block);
          its->deliver(node::WorkFound{token, block.header.nonce});
        }));
    its->set_miner(miners_.back().get());
  }
}

void PowSimulation::share_hash_rate(const std::vector<std::uint64_t>& shares,
                                    std::uint64_t hashes_per_second) {
  const std::uint64_t all = std::accumulate(shares.begin(), shares.end(), std::uint64_t{0});
  for (std::size_t i = 0; i < miners_.size(); ++i) {
    miners_[i]->set_hashes_per_second(all == 0 ? 0 : hashes_per_second * shares.at(i) / all);
  }
}

void PowSimulation::keep_busy() { Cluster::keep_busy(interval_ / 50, interval_ / 2); }

void PowSimulation::heal() {
  share_hash_rate(std::vector<std::uint64_t>(miners_.size(), 1), hashes_per_second_);
  for (const auto& node : nodes()) node->set_clock_skew(std::chrono::milliseconds(0));
  Cluster::heal();
}

bool PowSimulation::committed(const Digest& transaction) const {
  return checks().branches().furthest().model.executed_at(transaction).has_value();
}

// All at the same block.
bool PowSimulation::heads_agree(const std::vector<ReplicaId>& dead) const {
  const Digest& head = checks().branches().furthest().payload_id;
  return std::all_of(nodes().begin(), nodes().end(), [&](const auto& node) {
    return !expected_up(*node, dead) || node->replica().status().head.payload_id == head;
  });
}

Outcome PowSimulation::finish() {
  const SimNode* sample = nullptr;
  for (const auto& node : nodes()) {
    if (!world().correct(node->self()) || !node->up() || world().violation) continue;
    checks().final_chain(node->self(), node->replica(), node->ledger().chain());
    sample = node.get();
  }
  if (!world().violation && sample != nullptr) {
    checks().replay(sample->self(), sample->ledger().chain());
  }
  Outcome out;
  out.violation = world().violation;
  out.trace_hash = world().trace_hash;
  out.events = world().timeline.events_run();
  out.blocks = checks().height().value();
  out.transactions = checks().branches().furthest().model.transactions();
  out.virtual_time = world().timeline.now().since_origin;
  out.memory_max = checks().memory_max();
  out.memory_bound = checks().memory_bound();
  out.coverage = world().coverage;
  return out;
}

}  // namespace quorate::sim::pow
