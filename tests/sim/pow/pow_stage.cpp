#include "tests/sim/pow/pow_stage.hpp"

namespace quorate::sim::pow {
namespace {

constexpr Duration kStagePatience = std::chrono::seconds(900);

}  // namespace

void Stage::begin(const Setup& setup) {
  Options options;
  options.pow = true;
  options.seed = setup.seed;
  options.replicas = setup.replicas;
  options.faults = false;
  options.trace = trace_;
  ChainOptions chain;
  chain.depth = setup.depth;
  chain.half_life_s = setup.half_life_s;
  options.parameters = parameters_of(chain);
  options.parameters->payload_bytes_max = 64U << 10U;
  options.parameters->payload_transactions_max = 32;
  simulation_ = std::make_unique<PowSimulation>(options);
  simulation_->world().engine_config.ahead_max = setup.ahead_max;
  for (const auto& node : simulation_->nodes()) node->engine_config().ahead_max = setup.ahead_max;
  simulation_->start_all();
  simulation_->keep_busy();
}

void Stage::expect(bool holds, const std::string& what) {
  if (ok() && !holds) simulation_->world().violate("scenario", what);
}

void Stage::await(const std::string& what, const std::function<bool()>& comes_true) {
  if (!simulation_->run_until(comes_true, kStagePatience))
    expect(false, "never came true: " + what);
}

void Stage::reach(Height height) {
  await("height " + std::to_string(height.value()),
        [&] { return simulation_->height() >= height; });
}

void Stage::split() {
  simulation_->network().partition({{Machine(0), Machine(1)}, {Machine(2), Machine(3)}});
}

const Outcome& Stage::end() {
  if (ok()) {
    simulation_->quiet();
    simulation_->heal();
    simulation_->converge(kStagePatience);
  }
  outcome_ = simulation_->finish();
  return outcome_;
}

Height Stage::head(std::uint32_t replica) {
  SimNode& node = simulation_->node(ReplicaId(replica));
  return node.up() ? node.replica().status().head.height : Height(0);
}

consensus::Status::Branch Stage::branch(std::uint32_t replica) {
  SimNode& node = simulation_->node(ReplicaId(replica));
  return node.up() ? node.replica().status().consensus.branch.value_or(consensus::Status::Branch{})
                   : consensus::Status::Branch{};
}

std::uint64_t Stage::work(std::uint32_t replica) {
  return simulation_->checks().lottery().work(branch(replica).tip_id);
}

std::uint64_t Stage::rewinds(std::uint32_t replica) const {
  return simulation_->checks().rewinds(ReplicaId(replica));
}

bool Stage::halted(std::uint32_t replica) {
  return simulation_->node(ReplicaId(replica)).halted().has_value();
}

}  // namespace quorate::sim::pow
