#include "testnet/compare/measure_simulated.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <set>

#include "testnet/compare/ladder.hpp"

namespace quorate::testnet::comparison {

namespace {

using sim::timed::Measurement;
using sim::timed::MessageType;
using sim::timed::Scene;
using Slots = std::vector<Slot>;

constexpr std::uint64_t kGigabit = 1'000'000'000;
constexpr std::int64_t kJitterDivisor = 20;  // of the delay
constexpr std::size_t kLadderRungs = 5;
constexpr double kLadderBlocks = 60;  // of one rung by votes, about
// Transactions per second of the lowest rung.
double ladder_first(Engine engine) { return engine == Engine::pbft ? 4000 : 500; }
// How much longer than on average a depth may take before a run ends.
constexpr double kDepthPatience = 1.6;

double interval_s(const Plan& plan) { return static_cast<double>(plan.chain.interval_ms) / 1e3; }

std::string titled(Engine engine, std::uint32_t nodes, double delay_ms) {
  char delay[32];
  std::snprintf(delay, sizeof(delay), "%g ms", delay_ms);
  return std::string(title(engine)) + ", " + std::to_string(nodes) + " simulated nodes, " + delay;
}

template <class Get>
Figure figure_over(const std::vector<const Measurement*>& runs, Get get) {
  std::vector<double> values;
  for (const Measurement* run : runs) values.push_back(get(*run));
  return figure_of(std::move(values));
}

// Of the runs in which the depth was reached at all.
Latency latency_row(const Setting& setting, std::uint32_t depth, double rate,
                    const std::vector<const sim::timed::Latency*>& runs) {
  Latency out;
  out.setting = setting;
  out.depth = depth;
  out.rate = rate;
  std::vector<double> p50, p95, p99;
  for (const sim::timed::Latency* run : runs) {
    if (run->count == 0) continue;
    p50.push_back(run->p50_ms);
    p95.push_back(run->p95_ms);
    p99.push_back(run->p99_ms);
  }
  out.p50_ms = figure_of(std::move(p50));
  out.p95_ms = figure_of(std::move(p95));
  out.p99_ms = figure_of(std::move(p99));
  return out;
}

void add_depth(Model& model, const Setting& setting, std::uint32_t depth, double rate,
               const std::vector<const Measurement*>& runs) {
  std::vector<const sim::timed::Latency*> latencies;
  for (const Measurement* run : runs) {
    const auto found = run->to_depth.find(depth);
    if (found != run->to_depth.end()) latencies.push_back(&found->second);
  }
  Latency row = latency_row(setting, depth, rate, latencies);
  if (row.p50_ms.runs > 0) model.latency.push_back(std::move(row));
}

// Of the first run; messages hardly depend on chance.
Traffic traffic_row(const Setting& setting, double rate,
                    const std::vector<const Measurement*>& runs) {
  const Measurement& first = *runs.front();
  Traffic out;
  out.setting = setting;
  out.rate = rate;
  out.blocks = first.blocks;
  const double blocks = std::max<double>(1, static_cast<double>(first.blocks));
  const double transactions =
      std::max<double>(1, static_cast<double>(first.end.offered - first.end.unfinished));
  const sim::timed::Traffic& relays =
      first.traffic.at(static_cast<std::size_t>(MessageType::transactions));
  out.messages_per_block = first.messages_per_block - static_cast<double>(relays.messages) / blocks;
  out.bytes_per_block = first.bytes_per_block - static_cast<double>(relays.bytes) / blocks;
  out.relays_per_tx = static_cast<double>(relays.messages) / transactions;
  out.messages_per_tx = first.messages_per_transaction;
  out.bytes_per_tx = first.bytes_per_transaction;
  const double n = setting.nodes;
  if (setting.engine == Engine::pbft) {
    out.formula_per_block = (n - 1) + (n - 1) * (n - 1) + 2 * n * (n - 1);
  }
  out.stale_rate = figure_over(runs, [](const Measurement& run) { return run.stale_rate; }).median;
  for (std::size_t i = 0; i < sim::timed::kMessageTypes; ++i) {
    const sim::timed::Traffic& one = first.traffic.at(i);
    if (one.messages == 0) continue;
    out.types.push_back({std::string(to_string(static_cast<MessageType>(i))),
                         static_cast<double>(one.messages) / blocks,
                         static_cast<double>(one.bytes) / blocks});
  }
  std::stable_sort(out.types.begin(), out.types.end(),
                   [](const TrafficType& a, const TrafficType& b) {
                     return a.bytes_per_block > b.bytes_per_block;
                   });
  return out;
}

void collect_cell(Model& model, const Setting& setting, double rate, const Slots& slots) {
  const auto runs = done(slots);
  if (runs.empty()) return;
  model.traffic.push_back(traffic_row(setting, rate, runs));
  const bool votes = setting.engine == Engine::pbft;
  std::vector<const sim::timed::Latency*> to_final;
  for (const Measurement* run : runs) to_final.push_back(&run->to_final);
  model.latency.push_back(latency_row(setting, votes ? 0 : model.chain.depth, rate, to_final));
  if (!votes) add_depth(model, setting, 1, rate, runs);
}

double expected_seconds(Engine engine, std::uint32_t nodes, double blocks) {
  return block_cost(nodes) * blocks * (engine == Engine::pbft ? 1 : kWorkBlockShare);
}

// ---- the rates of a simulated network ----

struct LadderEnd {
  std::vector<Rung> curve;
  double best = 0;
  bool at_least = false;
  double seconds = 0;
};

Result<LadderEnd> climb(Scene scene, double first, double share) {
  LadderEnd out;
  out.seconds = static_cast<double>(scene.length.count()) / 1e9;
  Ladder ladder(first, 2, kLadderRungs);
  std::optional<double> flat;
  while (const auto rate = ladder.next()) {
    scene.rate = static_cast<std::uint32_t>(*rate);
    const Measurement run = sim::timed::measure(scene);
    if (run.end.violation) return fail(Errc::corrupt, *run.end.violation);
    if (!flat) flat = run.to_final.p99_ms;
    const Outcome outcome{*rate, run.committed_per_second, run.to_final.p99_ms, run.end.unfinished};
    const bool sustained = is_sustained(outcome, *flat, share);
    out.curve.push_back({*rate, run.committed_per_second, run.to_final.p50_ms, run.to_final.p99_ms,
                         sustained, run.end.offered, run.end.offered - run.end.unfinished});
    ladder.record(sustained);
  }
  out.best = ladder.best();
  out.at_least = ladder.open_end();
  std::sort(out.curve.begin(), out.curve.end(),
            [](const Rung& a, const Rung& b) { return a.offered < b.offered; });
  return out;
}

}  // namespace

Duration virtual_seconds(double seconds) {
  return Duration(static_cast<Duration::rep>(std::llround(seconds * 1e9)));
}

Scene make_scene(const Plan& plan, const sim::timed::Costs& costs, Engine engine,
                 std::uint32_t nodes, double delay_ms, double seconds, std::uint64_t seed) {
  Scene out;
  out.replicas = nodes;
  out.seed = seed;
  out.costs = costs;
  for (const SimulatedSize& size : plan.sizes) {
    if (size.nodes == nodes) out.rate = size.rate;
  }
  out.length = virtual_seconds(seconds);
  const Duration delay = virtual_seconds(delay_ms / 1e3);
  out.links.delay.assign(nodes, std::vector<Duration>(nodes, delay));
  out.links.jitter = delay / kJitterDivisor;
  out.links.bits_per_second = kGigabit;
  if (engine == Engine::pbft) return out;
  out.work.emplace();
  out.work->chain.interval_ms = plan.chain.interval_ms;
  out.work->chain.depth = plan.chain.depth;
  out.work->chain.half_life_s = plan.chain.half_life_s;
  out.work->depths = {1, plan.chain.depth};
  out.drain = virtual_seconds(interval_s(plan) * plan.chain.depth * 10);
  return out;
}

Slot add_run(std::vector<Job>& jobs, std::string title, double expected_s, Scene scene) {
  auto slot = std::make_shared<std::optional<Measurement>>();
  jobs.push_back({title, expected_s, [slot, title, scene = std::move(scene)]() -> Result<void> {
                    Measurement run = sim::timed::measure(scene);
                    if (run.end.violation) {
                      return fail(Errc::corrupt, title + ": " + *run.end.violation);
                    }
                    *slot = std::move(run);
                    return {};
                  }});
  return slot;
}

std::vector<const Measurement*> done(const Slots& slots) {
  std::vector<const Measurement*> out;
  for (const Slot& slot : slots) {
    if (*slot) out.push_back(&**slot);
  }
  return out;
}

namespace {

// What is to run, and what becomes of the results.
class ScaleRuns {
 public:
  explicit ScaleRuns(const SimulatedContext& context)
      : context_(context), plan_(context.plan), model_(context.model) {}

  Result<void> run() {
    for (const SimulatedSize& size : plan_.sizes) add_size(size);
    for (const double delay : plan_.delays_ms) add_depths(delay);
    add_fault_runs(context_, jobs_, collect_);
    QUORATE_CHECK(
        run_jobs(std::move(jobs_), context_.limits(), context_.progress, model_.left_out));
    for (const auto& collect : collect_) collect();
    return {};
  }

 private:
  std::uint64_t seed(std::size_t run) const { return plan_.seed + run; }

  void add_size(const SimulatedSize& size) {
    for (const double delay : plan_.delays_ms) {
      add_cell(Engine::pbft, size, delay, size.pbft);
      add_cell(Engine::pow, size, delay, size.pow);
    }
    if (size.throughput) add_ladder(Engine::pbft, size.nodes, plan_.throughput_seconds);
    if (size.pow_throughput) {
      add_ladder(Engine::pow, size.nodes, plan_.pow_throughput_blocks * interval_s(plan_));
    }
  }

  void add_cell(Engine engine, const SimulatedSize& size, double delay, double seconds) {
    Slots slots;
    const std::uint32_t nodes = size.nodes;
    const double rate = size.rate;
    for (std::size_t run = 0; run < plan_.simulated_runs; ++run) {
      slots.push_back(add_run(
          jobs_, titled(engine, nodes, delay), expected_seconds(engine, nodes, seconds * rate),
          make_scene(plan_, context_.costs, engine, nodes, delay, seconds, seed(run))));
    }
    collect_.push_back(
        [this, slots, rate, setting = Setting{engine, Origin::simulated, nodes, delay}] {
          collect_cell(model_, setting, rate, slots);
        });
  }

  void add_ladder(Engine engine, std::uint32_t nodes, double seconds) {
    const double delay = plan_.delays_ms.front();
    const double share = engine == Engine::pbft ? kShareByVotes : kShareByWork;
    const std::string name = titled(engine, nodes, delay) + ": throughput";
    using End = std::shared_ptr<std::optional<LadderEnd>>;
    std::vector<End> ends;
    for (std::size_t run = 0; run < plan_.simulated_runs; ++run) {
      auto end = std::make_shared<std::optional<LadderEnd>>();
      ends.push_back(end);
      Scene scene = make_scene(plan_, context_.costs, engine, nodes, delay, seconds, seed(run));
      const double expected = kLadderRungs * (expected_seconds(engine, nodes, kLadderBlocks) +
                                              0.02 * nodes * std::max(1.0, seconds));
      jobs_.push_back(
          {name, expected,
           [end, share, first = ladder_first(engine), scene = std::move(scene)]() -> Result<void> {
             QUORATE_TRY(*end, climb(scene, first, share));
             return {};
           }});
    }
    const Setting setting{engine, Origin::simulated, nodes, delay};
    collect_.push_back([this, ends, setting] {
      Throughput out;
      out.setting = setting;
      std::vector<double> best;
      for (const End& end : ends) {
        if (!*end) continue;
        if (best.empty()) out.curve = (*end)->curve;
        best.push_back((*end)->best);
        out.at_least = out.at_least || (*end)->at_least;
        out.seconds = (*end)->seconds;
      }
      if (best.empty()) return;
      out.sustained = figure_of(std::move(best));
      model_.throughput.push_back(std::move(out));
    });
  }

  // By work, until the safe depths are reached.
  void add_depths(double delay) {
    const std::uint32_t nodes = plan_.sizes.front().nodes;
    std::set<std::uint32_t> depths;
    for (const SafeDepth& one : model_.safe_depths) depths.insert(one.depth);
    depths.erase(1);
    depths.erase(plan_.chain.depth);
    if (depths.empty()) return;
    Slots slots;
    for (std::size_t run = 0; run < plan_.simulated_runs; ++run) {
      Scene scene = make_scene(plan_, context_.costs, Engine::pow, nodes, delay,
                               plan_.pow_latency_seconds, seed(run));
      scene.work->depths.assign(depths.begin(), depths.end());
      scene.tail = virtual_seconds(*depths.rbegin() * interval_s(plan_) * kDepthPatience);
      slots.push_back(
          add_run(jobs_, titled(Engine::pow, nodes, delay) + ": deep blocks", 4, std::move(scene)));
    }
    const Setting setting{Engine::pow, Origin::simulated, nodes, delay};
    collect_.push_back([this, slots, setting, depths, rate = plan_.sizes.front().rate] {
      for (const std::uint32_t depth : depths) add_depth(model_, setting, depth, rate, done(slots));
    });
  }

  const SimulatedContext& context_;
  const Plan& plan_;
  Model& model_;
  std::vector<Job> jobs_;
  std::vector<std::function<void()>> collect_;
};

}  // namespace

Result<void> measure_scale(const SimulatedContext& context) {
  context.progress.step("simulating", context.plan.expected(Part::scale));
  return ScaleRuns(context).run();
}

}  // namespace quorate::testnet::comparison
