// Networks in virtual time of which a part crashes, lies or is cut off.
#include <algorithm>

#include "crypto/certificate/quorum.hpp"
#include "testnet/compare/lying_members.hpp"
#include "testnet/compare/measure_simulated.hpp"

namespace quorate::testnet::comparison {

namespace {

using sim::timed::Fault;
using sim::timed::FaultKind;
using sim::timed::Measurement;
using sim::timed::Scene;

constexpr double kJobSeconds = 2;
constexpr std::uint32_t kLiarsAmongMax = 16;
// About what the links of that simulation take, from 0.05 to 2.
constexpr double kLiarsDelayMs = 1;
// A longer look is of no use: what an engine does about a fault shows in its first seconds, or in
// some dozen blocks.
struct Script {
  double at = 0;
  double lasts = 0;
  double after = 0;
};
Script script_for(const Plan& plan, Engine engine) {
  if (engine == Engine::pbft) return {1, 3, 2};
  const double interval = static_cast<double>(plan.chain.interval_ms) / 1e3;
  return {5 * interval, 30 * interval, std::max(10.0, 10 * interval)};
}

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e9; }

// The first so many, without replica 0, who leads at first.
std::vector<ReplicaId> replicas(std::uint32_t first, std::uint32_t count) {
  std::vector<ReplicaId> out;
  for (std::uint32_t i = 0; i < count; ++i) out.emplace_back(first + i);
  return out;
}

class FaultRuns {
 public:
  FaultRuns(const SimulatedContext& context, std::vector<Job>& jobs,
            std::vector<std::function<void()>>& collect)
      : context_(context), plan_(context.plan), jobs_(jobs), collect_(collect) {}

  void add_all() {
    std::vector<std::uint32_t> sizes = {plan_.sizes.front().nodes};
    for (const SimulatedSize& size : plan_.sizes) {
      if (size.nodes == 16) sizes.push_back(size.nodes);
    }
    for (const std::uint32_t nodes : sizes) {
      const std::uint32_t f = crypto::faults_tolerated(nodes);
      for (const Engine engine : {Engine::pbft, Engine::pow}) {
        crash(engine, nodes, f);
        crash(engine, nodes, f + 1);
      }
      lying_primary(nodes);
    }
    for (const SimulatedSize& size : plan_.sizes) {
      if (size.nodes > kLiarsAmongMax) continue;
      const std::uint32_t f = crypto::faults_tolerated(size.nodes);
      lie(size.nodes, f);
      lie(size.nodes, f + 1);
    }
    cut(Engine::pbft, 10);
    for (const double seconds : plan_.cuts_s) cut(Engine::pow, seconds);
  }

 private:
  Scene scene(Engine engine, std::uint32_t nodes, const Script& script) const {
    return make_scene(plan_, context_.costs, engine, nodes, plan_.delays_ms.front(),
                      script.at + script.lasts + script.after, plan_.seed);
  }
  Setting setting(Engine engine, std::uint32_t nodes) const {
    return {engine, Origin::simulated, nodes, plan_.delays_ms.front()};
  }

  void crash(Engine engine, std::uint32_t nodes, std::uint32_t count) {
    const Script script = script_for(plan_, engine);
    Fault fault;
    fault.replicas = replicas(1, count);
    add(engine, nodes, count, script, fault,
        std::to_string(count) + " of " + std::to_string(nodes) + " crashed");
  }

  void lying_primary(std::uint32_t nodes) {
    Fault fault;
    fault.kind = FaultKind::equivocate;
    fault.replicas = replicas(0, 1);
    add(Engine::pbft, nodes, 1, script_for(plan_, Engine::pbft), fault, "the primary lies");
  }

  void lie(std::uint32_t nodes, std::uint32_t liars) {
    const auto row = std::make_shared<std::optional<LiarsRow>>();
    jobs_.push_back({"PBFT: " + std::to_string(liars) + " of " + std::to_string(nodes) + " lie",
                     kJobSeconds, [row, nodes, liars, seed = plan_.seed]() -> Result<void> {
                       QUORATE_TRY(const LyingMembers found, try_liars(nodes, liars, seed));
                       const Setting setting{Engine::pbft, Origin::simulated, nodes, kLiarsDelayMs};
                       *row = LiarsRow{setting,       liars,        crypto::faults_tolerated(nodes),
                                       found.forked,  found.blocks, found.named,
                                       found.wronged, found.goes_on};
                       return {};
                     }});
    collect_.push_back([&model = context_.model, row] {
      if (*row) model.liars.push_back(**row);
    });
  }

  void add(Engine engine, std::uint32_t nodes, std::uint32_t count, const Script& script,
           Fault fault, const std::string& what) {
    fault.at = virtual_seconds(script.at);
    fault.until = virtual_seconds(script.at + script.lasts);
    Scene staged = scene(engine, nodes, script);
    staged.faults = {fault};
    const Slot slot =
        add_run(jobs_, std::string(title(engine)) + ": " + what, kJobSeconds, std::move(staged));
    FaultRow row;
    row.setting = setting(engine, nodes);
    row.what = what;
    row.faulty = count;
    collect_.push_back([&model = context_.model, slot, row, lasts = script.lasts]() mutable {
      if (!*slot) return;
      const Measurement& run = **slot;
      const auto& executed = run.executed_during.front();
      row.blocks = *std::max_element(executed.begin(), executed.end());
      row.longest_stop_s = seconds(run.longest_stop);
      row.reversed = run.reversed;
      row.goes_on = row.longest_stop_s < lasts / 2;
      model.faults.push_back(row);
    });
  }

  void cut(Engine engine, double lasts) {
    const std::uint32_t nodes = plan_.sizes.front().nodes;
    const std::uint32_t half = nodes / 2;
    Script script = script_for(plan_, engine);
    script.lasts = lasts;
    Fault fault;
    fault.kind = FaultKind::partition;
    fault.replicas = replicas(0, half);
    fault.at = virtual_seconds(script.at);
    fault.until = virtual_seconds(script.at + lasts);
    Scene staged = scene(engine, nodes, script);
    staged.faults = {fault};
    const Slot slot = add_run(jobs_, std::string(title(engine)) + ": cut in halves", kJobSeconds,
                              std::move(staged));
    Partition row;
    row.setting = setting(engine, nodes);
    row.sides = std::to_string(half) + " | " + std::to_string(nodes - half);
    row.cut_s = lasts;
    collect_.push_back([&model = context_.model, slot, row, half]() mutable {
      if (!*slot) return;
      const Measurement& run = **slot;
      const auto& executed = run.executed_during.front();
      const auto middle = executed.begin() + static_cast<std::ptrdiff_t>(half);
      row.blocks = {*std::max_element(executed.begin(), middle),
                    *std::max_element(middle, executed.end())};
      row.reversed = run.reversed;
      row.deepest = run.deepest_withdrawal;
      row.lost_for_good = run.lost_for_good;
      if (run.resumed_after.front()) row.resumed_s = seconds(*run.resumed_after.front());
      model.partitions.push_back(row);
    });
  }

  const SimulatedContext& context_;
  const Plan& plan_;
  std::vector<Job>& jobs_;
  std::vector<std::function<void()>>& collect_;
};

}  // namespace

void add_fault_runs(const SimulatedContext& context, std::vector<Job>& jobs,
                    std::vector<std::function<void()>>& collect) {
  FaultRuns(context, jobs, collect).add_all();
}

}  // namespace quorate::testnet::comparison
