#include "testnet/compare/measure_real.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "testnet/compare/counters.hpp"
#include "testnet/compare/ladder.hpp"
#include "testnet/compare/node_costs.hpp"
#include "testnet/compare/proof_size.hpp"
#include "testnet/load/accounts.hpp"

namespace quorate::testnet::comparison {

namespace {

constexpr double kConfirmStep = 0.9;
constexpr int kConfirmMost = 4;

double share_demanded(Engine engine) {
  return engine == Engine::pbft ? kShareByVotes : kShareByWork;
}

// What one testnet gave in one run.
struct LoadRun {
  std::vector<Rung> curve;
  double sustained = 0;
  bool at_least = false;
  double longest = 0;  // seconds of the longest rung
  // To finality: one at a time, and at the lowest rate.
  std::optional<Percentiles> alone;
  Percentiles together;
  double rate = 0;  // the lowest
  std::optional<Cost> cost;
  std::optional<ProofSize> proof;
};

class LoadMeasurement {
 public:
  LoadMeasurement(const RealContext& context, Engine engine, std::string title,
                  const TemporaryNetwork& network, Generator& generator)
      : context_(context),
        engine_(engine),
        title_(std::move(title)),
        load_(engine == Engine::pbft ? context.plan.pbft_load : context.plan.pow_load),
        network_(network),
        generator_(generator) {}

  Result<LoadRun> run() {
    if (load_.idle_transactions > 0) {
      context_.progress.detail(title_ + ": one transfer at a time");
      QUORATE_TRY(const IdleResult idle, generator_.measure_idle(load_.idle_transactions));
      QUORATE_CHECK(check_interrupt());
      out_.alone = idle.latency_ms;
    }
    // The same for both engines, which is why this machine's probes decide and not the testnet's.
    const double ceiling = context_.model.machine.probes.ceiling(network_.cluster().size());
    const double first = std::max(1.0, std::floor(context_.plan.first_share * ceiling));
    Ladder ladder(first, load_.factor, load_.rungs_max);
    while (const auto rate = ladder.next()) {
      QUORATE_TRY(const bool sustained, rung(std::floor(*rate), load_.rung));
      ladder.record(sustained);
    }
    out_.sustained = std::floor(ladder.best());
    out_.at_least = ladder.open_end();
    if (load_.confirm > 0) QUORATE_CHECK(confirm());
    QUORATE_TRY(const CheckResult check, generator_.check());
    const bool sound =
        check.roots_equal && check.supply_unchanged && check.acknowledged <= check.committed;
    if (!sound) {
      return fail(Errc::corrupt, title_ +
                                     ": the nodes' states contradict each other or what was "
                                     "acknowledged, so nothing measured here counts");
    }
    out_.proof = measure_proof(network_.cluster(), engine_, context_.plan.chain);
    std::sort(out_.curve.begin(), out_.curve.end(),
              [](const Rung& a, const Rung& b) { return a.offered < b.offered; });
    return std::move(out_);
  }

 private:
  // The rate that the ladder found, for long; less if it does not hold.
  Result<void> confirm() {
    for (int i = 0; i < kConfirmMost && out_.sustained > 0; ++i) {
      QUORATE_TRY(const bool held, rung(std::floor(out_.sustained), load_.confirm));
      if (held) return {};
      out_.sustained *= kConfirmStep;
    }
    out_.sustained = 0;
    return {};
  }

  Result<bool> rung(double rate, double seconds) {
    char rounded[32];
    std::snprintf(rounded, sizeof(rounded), ": %.0f tx/s", rate);
    context_.progress.detail(title_ + rounded);
    const auto begin = std::chrono::steady_clock::now();
    const NodeCosts before = sample_costs(network_.cluster());
    QUORATE_TRY(const PointResult point, generator_.measure_point(rate, seconds));
    QUORATE_CHECK(check_interrupt());
    NodeCosts used = sample_costs(network_.cluster()) - before;
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (!flat_p99_ms_) first_rung(point, of_the_load(std::move(used), seconds / took));
    const Outcome outcome{rate, point.committed, point.latency_ms.p99, point.unfinished};
    const bool sustained = is_sustained(outcome, *flat_p99_ms_, share_demanded(engine_));
    out_.curve.push_back({rate, point.committed, point.latency_ms.p50, point.latency_ms.p99,
                          sustained, point.totals.sent, point.finals});
    out_.longest = std::max(out_.longest, seconds);
    context_.model.machine.steal = std::max(context_.model.machine.steal, point.steal);
    return sustained;
  }

  // Mining goes on while the last payments grow deep, which is not their cost: only as much of it
  // counts as of the time in which payments were sent.
  static NodeCosts of_the_load(NodeCosts used, double share) {
    const auto mining = used.cpu_s.find(kinds_of_work().front());
    if (mining != used.cpu_s.end()) mining->second *= share;
    used.hashes *= share;
    return used;
  }

  // The lowest rate, which is the same for both engines: cost is compared here.
  void first_rung(const PointResult& point, const NodeCosts& used) {
    flat_p99_ms_ = point.latency_ms.p99;
    out_.together = point.latency_ms;
    out_.rate = point.offered;
    if (point.finals == 0) return;
    const auto transactions = static_cast<double>(point.finals);
    Cost cost;
    cost.setting = setting();
    cost.rate = point.offered;
    cost.us_per_tx = 1e6 * used.all_cpu_s() / transactions;
    for (const std::string& kind : kinds_of_work()) {
      const auto found = used.cpu_s.find(kind);
      if (found == used.cpu_s.end() || found->second <= 0) continue;
      cost.parts.push_back({kind, 1e6 * found->second / transactions});
    }
    cost.hashes_per_tx = used.hashes / transactions;
    cost.joules_per_tx = used.all_cpu_s() * context_.model.watts_per_core / transactions;
    if (used.machine_joules) cost.rapl_joules_per_tx = *used.machine_joules / transactions;
    cost.p2p_bytes_per_tx = used.p2p_bytes / transactions;
    cost.p2p_messages_per_tx = used.p2p_messages / transactions;
    out_.cost = std::move(cost);
  }

  Setting setting() const {
    return {engine_, Origin::measured, static_cast<std::uint32_t>(network_.cluster().size()), 0};
  }

  const RealContext& context_;
  const Engine engine_;
  const std::string title_;
  const RealLoad& load_;
  const TemporaryNetwork& network_;
  Generator& generator_;
  std::optional<double> flat_p99_ms_;
  LoadRun out_;
};

Result<LoadRun> one_real_run(const RealContext& context, Engine engine, std::uint32_t nodes,
                             std::size_t run) {
  const Plan& plan = context.plan;
  const std::string title = run_title(plan, engine, nodes, run);
  context.progress.step(title + ": up", expected_load(plan, engine));
  QUORATE_TRY(const auto network,
              TemporaryNetwork::start(network_plan(plan, engine, nodes), false, context.timeout));
  const RealLoad& load = engine == Engine::pbft ? plan.pbft_load : plan.pow_load;
  GeneratorOptions options;
  options.drain_timeout = std::chrono::seconds(static_cast<int>(load.drain));
  QUORATE_TRY(const auto generator, Generator::create(network->cluster(), options));
  return LoadMeasurement(context, engine, title, *network, *generator).run();
}

Latency latency_row(const Setting& setting, std::uint32_t depth, double rate,
                    const std::vector<Percentiles>& runs) {
  std::vector<double> p50, p95, p99;
  for (const Percentiles& run : runs) {
    p50.push_back(run.p50);
    p95.push_back(run.p95);
    p99.push_back(run.p99);
  }
  return {setting,
          depth,
          rate,
          figure_of(std::move(p50)),
          figure_of(std::move(p95)),
          figure_of(std::move(p99))};
}

// Several runs as medians.
void add(Model& model, Setting setting, std::vector<LoadRun> runs) {
  if (runs.empty()) return;
  std::vector<double> sustained;
  std::vector<Percentiles> alone, together;
  bool at_least = false;
  for (const LoadRun& run : runs) {
    sustained.push_back(run.sustained);
    at_least = at_least || run.at_least;
    if (run.alone) alone.push_back(*run.alone);
    together.push_back(run.together);
  }
  LoadRun& first = runs.front();
  model.throughput.push_back(
      {setting, std::move(first.curve), figure_of(std::move(sustained)), at_least, first.longest});
  const std::uint32_t depth = setting.engine == Engine::pow ? model.chain.depth : 0;
  if (!alone.empty()) model.latency.push_back(latency_row(setting, depth, 0, alone));
  model.latency.push_back(latency_row(setting, depth, first.rate, together));
  if (first.cost) model.costs.push_back(std::move(*first.cost));
  if (first.proof) model.proofs.push_back(std::move(*first.proof));
}

}  // namespace

NetworkPlan network_plan(const Plan& plan, Engine engine, std::uint32_t nodes) {
  NetworkPlan out;
  out.engine = to_string(engine);
  out.nodes = nodes;
  out.load_accounts = kLoadAccountsDefault;
  if (engine != Engine::pow) return out;
  out.engine_parameters = {{"interval_ms", plan.chain.interval_ms},
                           {"depth", plan.chain.depth},
                           {"half_life_s", plan.chain.half_life_s}};
  out.mining.duty_percent = plan.chain.duty_percent;
  return out;
}

Result<void> check_interrupt() {
  if (Generator::interrupted()) return fail(Errc::timeout, "interrupted");
  return {};
}

std::string run_title(const Plan& plan, Engine engine, std::uint32_t nodes, std::size_t run) {
  const std::string which =
      plan.runs > 1 ? std::to_string(run + 1) + "/" + std::to_string(plan.runs) + " " : "";
  return which + title(engine) + ", " + std::to_string(nodes) + " nodes";
}

// Runs of the two engines take turns, so that a machine that grows slower is no engine's fault.
Result<void> measure_load(const RealContext& context) {
  for (const std::uint32_t nodes : context.plan.real_nodes) {
    std::array<std::vector<LoadRun>, 2> runs;
    for (std::size_t run = 0; run < context.plan.runs; ++run) {
      for (const Engine engine : {Engine::pbft, Engine::pow}) {
        QUORATE_CHECK(check_interrupt());
        QUORATE_TRY(auto done, one_real_run(context, engine, nodes, run));
        runs.at(static_cast<std::size_t>(engine)).push_back(std::move(done));
      }
    }
    for (const Engine engine : {Engine::pbft, Engine::pow}) {
      add(context.model, {engine, Origin::measured, nodes, 0},
          std::move(runs.at(static_cast<std::size_t>(engine))));
    }
  }
  return {};
}

}  // namespace quorate::testnet::comparison
