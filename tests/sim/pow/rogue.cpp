#include "tests/sim/pow/rogue.hpp"

#include <algorithm>

#include "crypto/base/assert.hpp"
#include "ledger/types/block.hpp"

namespace quorate::sim::pow {
namespace {

namespace messages = consensus::pow;
namespace work = crypto::work;

constexpr std::size_t kMedianOf = 11;
constexpr std::uint64_t kBeforeStartS = 86'400;  // a simulated genesis is a day old (sim_node.cpp)

std::unique_ptr<work::HeaderRules> rules_of(const World& world) {
  const auto parameters = work::parse_parameters(world.genesis.consensus.engine_parameters);
  QUORATE_ASSERT(parameters.has_value());
  return std::make_unique<work::HeaderRules>(*parameters, world.membership.chain_id,
                                             world.genesis.genesis_time,
                                             world.membership.validators);
}

}  // namespace

Rogue::Rogue(PowSimulation& simulation, ReplicaId replica)
    : simulation_(simulation),
      self_(replica),
      prng_(simulation.prng().fork()),
      rules_(rules_of(simulation.world())) {
  simulation.world().conduct.at(replica.value()) = Conduct::byzantine;
  contexts_.emplace(Digest{}, rules_->genesis());
  simulation.miner(replica).take_over(
      [this](Header& header) {
        plan_ = plan(header);
        header = plan_.header;
      },
      [this] { found(); });
}

Rogue::Plan Rogue::plan(const Header& header) {
  Plan out{header, ledger::encode_payload({}), {}};
  if (shape) shape(out);
  out.header.payload_digest = messages::payload_digest(out.payload);
  out.header.nonce = header.nonce;
  return out;
}

void Rogue::found() {
  const Plan made = plan_;
  simulation_.checks().lottery().win_byzantine(made.header, simulation_.world().timeline.now(),
                                               made.outlawed_until);
  const messages::FullBlock block{messages::identify(made.header),
                                  std::make_shared<const Bytes>(made.payload)};
  if (on_found) return on_found(block);
  tell_all(block);
}

// ---- telling ----

void Rogue::send(Machine to, ReplicaId from, const messages::Message& message) {
  if (!simulation_.node(to).up()) return;
  const bool in_anothers_name = from != self_;
  const Frame frame{from, Machine(from.value()), node::TrafficClass::consensus,
                    std::make_shared<const Bytes>(messages::encode(message)), in_anothers_name};
  simulation_.network().send(to, frame);
}

void Rogue::tell_others(const messages::Message& message) {
  for (const auto& node : simulation_.nodes()) {
    if (node->self() != self_) send(node->machine(), self_, message);
  }
}

void Rogue::tell_all(const messages::Message& message) {
  tell_others(message);
  const auto other = static_cast<std::uint32_t>((self_.value() + 1) % simulation_.nodes().size());
  send(Machine(self_.value()), ReplicaId(other), message);
}

// ---- the chain ----

const work::Context& Rogue::context(const Digest& id) {
  std::vector<const MinedBlock*> missing;
  for (Digest at = id; contexts_.count(at) == 0; at = missing.back()->header.parent) {
    missing.push_back(simulation_.checks().lottery().find(at));
    QUORATE_ASSERT(missing.back() != nullptr);
  }
  while (!missing.empty()) {
    const MinedBlock& block = *missing.back();
    const auto extended = rules_->extend(contexts_.at(block.header.parent), block.header, block.id);
    QUORATE_ASSERT(extended.has_value());
    contexts_.emplace(block.id, *extended);
    missing.pop_back();
  }
  return contexts_.at(id);
}

Header Rogue::on_top_of(const Digest& parent) {
  const work::Context& below = context(parent);
  Header out;
  out.chain_id = rules_->chain_id();
  out.parent = parent;
  out.height = below.height.next();
  out.time_s = std::max(median_time(parent) + 1, now_s());
  out.bits = rules_->next_bits(below);
  out.miner = simulation_.world().membership.key(self_);
  return out;
}

std::uint64_t Rogue::median_time(const Digest& parent) const {
  std::vector<std::uint64_t> times;
  const Lottery& lottery = simulation_.checks().lottery();
  Digest at = parent;
  while (times.size() < kMedianOf && !at.is_zero()) {
    times.push_back(lottery.find(at)->header.time_s);
    at = lottery.find(at)->header.parent;
  }
  if (times.size() < kMedianOf) {
    times.push_back(simulation_.world().genesis.genesis_time.value() / 1000);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

std::uint64_t Rogue::now_s() const {
  const auto passed = std::chrono::duration_cast<std::chrono::seconds>(
      simulation_.world().timeline.now().since_origin);
  return simulation_.world().genesis.genesis_time.value() / 1000 + kBeforeStartS +
         static_cast<std::uint64_t>(passed.count());
}

}  // namespace quorate::sim::pow
