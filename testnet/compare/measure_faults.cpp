#include <algorithm>

#include "testnet/compare/chance.hpp"
#include "testnet/compare/ladder.hpp"
#include "testnet/compare/measure_real.hpp"
#include "testnet/compare/node_costs.hpp"

namespace quorate::testnet::comparison {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kStatusAnswerMax{1000};
constexpr double kCutAfter = 1;     // second of the load
constexpr double kInFlight = 0.5;   // what was on its way then has arrived so much later
constexpr double kChurnAway = 0.5;  // nodes that are away on average while one after another dies

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// What is done to the network while a load runs. Acts once each, in order; the first failure stays.
class Script {
 public:
  using Act = std::function<Result<void>()>;
  void at(double seconds, Act act) { steps_.push_back({seconds, std::move(act)}); }
  // Asked at every tick once all acts are done, until it says true.
  void until(std::function<bool()> done) { watch_ = std::move(done); }

  void tick(double seconds) {
    while (!failure_ && next_ < steps_.size() && steps_[next_].seconds <= seconds) {
      if (const auto done = steps_[next_++].act(); !done) failure_ = done.error();
      acted_ = Clock::now();
    }
    if (failure_ || next_ < steps_.size() || !watch_ || watched_s_ || !watch_()) return;
    watched_s_ = seconds_since(acted_);
  }
  // From the last act until what was watched for; nothing when it never came.
  std::optional<double> watched_s() const { return watched_s_; }
  Result<void> outcome() const {
    if (failure_) return tl::unexpected(*failure_);
    return {};
  }

 private:
  struct Step {
    double seconds;
    Act act;
  };
  std::vector<Step> steps_;
  std::size_t next_ = 0;
  std::function<bool()> watch_;
  Clock::time_point acted_ = Clock::now();
  std::optional<double> watched_s_;
  std::optional<Error> failure_;
};

// What one testnet gave in one run.
struct FaultRun {
  Recovery new_node;
  Recovery killed;
  std::optional<Recovery> churn;
  Partition partition;
};

class FaultMeasurement {
 public:
  FaultMeasurement(const RealContext& context, Engine engine, std::string title,
                   TemporaryNetwork& network)
      : context_(context),
        engine_(engine),
        title_(std::move(title)),
        faults_(engine == Engine::pbft ? context.plan.pbft_faults : context.plan.pow_faults),
        network_(network) {}

  Result<FaultRun> run() {
    QUORATE_CHECK(network_.kill(last()));
    GeneratorOptions options;
    options.drain_timeout = std::chrono::seconds(static_cast<int>(faults_.drain));
    options.each_tick = [this](double seconds) { script_.tick(seconds); };
    QUORATE_TRY(generator_, Generator::create(cluster(), options));
    FaultRun out;
    QUORATE_TRY(out.new_node, new_node());
    QUORATE_TRY(out.killed, kill_leader());
    if (faults_.churns > 0) {
      QUORATE_TRY(out.churn, churn());
    }
    QUORATE_TRY(out.partition, partition());
    QUORATE_TRY(const CheckResult check, generator_->check());
    if (!check.roots_equal || !check.supply_unchanged) {
      return fail(Errc::corrupt, title_ + ": after the faults the nodes' states differ");
    }
    return out;
  }

 private:
  const Cluster& cluster() const { return network_.cluster(); }
  std::size_t last() const { return cluster().size() - 1; }
  Setting setting() const {
    return {engine_, Origin::measured, static_cast<std::uint32_t>(cluster().size()), 0};
  }
  NodeStatus status(std::size_t node) const { return cluster().status(node, kStatusAnswerMax); }
  std::uint64_t greatest_height() const {
    std::uint64_t out = 0;
    for (const std::size_t node : cluster().in_state(RunState::alive)) {
      out = std::max(out, status(node).height);
    }
    return out;
  }
  // Who leads by votes; where blocks are mined all have the same hash rate, and anybody will do.
  std::size_t leader() const { return cluster().primary().value_or(0); }

  Result<PointResult> under_load(const std::string& what, double seconds) {
    context_.progress.detail(title_ + ": " + what);
    QUORATE_TRY(PointResult point, generator_->measure_point(faults_.rate, seconds));
    QUORATE_CHECK(check_interrupt());
    QUORATE_CHECK(script_.outcome());
    context_.model.machine.steal = std::max(context_.model.machine.steal, point.steal);
    return point;
  }

  Recovery recovery(const char* what, double seconds, const PointResult& point) const {
    Recovery out;
    out.setting = setting();
    out.what = what;
    out.seconds = figure_of({seconds});
    const auto sent = static_cast<double>(std::max<std::uint64_t>(1, point.totals.sent));
    out.rate_share = static_cast<double>(point.finals) / sent;
    return out;
  }

  // A node that was away from the first block on has everything to fetch.
  Result<Recovery> new_node() {
    QUORATE_TRY(const PointResult point, under_load("a node is away", faults_.absence));
    const std::uint64_t target = greatest_height();
    const auto begin = Clock::now();
    QUORATE_CHECK(network_.start(last()));
    QUORATE_CHECK(cluster().wait_height(last(), target, context_.timeout));
    Recovery out = recovery(kNewNode, seconds_since(begin), point);
    out.blocks = target;
    out.transactions = point.finals;
    return out;
  }

  Result<Recovery> kill_leader() {
    const std::size_t node = leader();
    script_ = Script();
    // By then a chain by work makes its first payments final too.
    const double at = faults_.kill / 2;
    script_.at(at, [this, node] { return network_.kill(node); });
    QUORATE_TRY(const PointResult point, under_load("the leader is killed", faults_.kill));
    script_ = Script();
    QUORATE_CHECK(network_.start(node));
    Recovery out = longest_stop(kLeaderKilled, at, point);
    if (engine_ == Engine::pow) {
      compute_chance(out, 1);
    } else if (!point.final_at_s.empty() && point.final_at_s.front() < at) {
      // As long before, with the leader.
      out.usual_s = longest_gap_s(point.final_at_s, point.final_at_s.front(), at);
    }
    return out;
  }

  Result<Recovery> churn() {
    script_ = Script();
    for (std::size_t i = 0; i < faults_.churns; ++i) {
      const std::size_t node = i % cluster().size();
      const double begin = static_cast<double>(i) * faults_.churn;
      script_.at(begin, [this, node] { return network_.kill(node); });
      script_.at(begin + faults_.churn / 2, [this, node] { return network_.start(node); });
    }
    const double seconds = static_cast<double>(faults_.churns) * faults_.churn;
    QUORATE_TRY(const PointResult point, under_load("one node after the other dies", seconds));
    script_ = Script();
    Recovery out =
        longest_stop(kChurn, point.final_at_s.empty() ? 0 : point.final_at_s.front(), point);
    if (engine_ == Engine::pow) compute_chance(out, kChurnAway);
    return out;
  }

  // From that second on, until the load ended or its last payment was final.
  Recovery longest_stop(const char* what, double from, const PointResult& point) const {
    const double last = point.final_at_s.empty() ? 0 : point.final_at_s.back();
    const double until = std::max(last, point.seconds);
    Recovery out = recovery(what, longest_gap_s(point.final_at_s, from, until), point);
    out.watched_s = until - from;
    return out;
  }

  // All miners have the same hash rate, and difficulty follows in minutes only.
  void compute_chance(Recovery& to, double miners_away) const {
    const double mean = static_cast<double>(context_.plan.chain.interval_ms) / 1e3;
    const auto miners = static_cast<double>(cluster().size());
    to.by_chance = longest_gap_by_chance(mean * miners / (miners - miners_away), to.watched_s);
    to.by_chance_with_all = longest_gap_by_chance(mean, to.watched_s);
    if (to.by_chance_with_all) to.usual_s = to.by_chance_with_all->mean_s;
  }

  Result<Partition> partition() {
    const std::size_t half = cluster().size() / 2;
    std::vector<std::size_t> left, right;
    for (std::size_t node = 0; node < cluster().size(); ++node) {
      (node < half ? left : right).push_back(node);
    }
    Partition out;
    out.setting = setting();
    out.sides = std::to_string(left.size()) + " | " + std::to_string(right.size());
    out.cut_s = faults_.cut;
    std::uint64_t at_cut = 0;
    script_ = Script();
    script_.at(kCutAfter, [&] { return network_.partition({left, right}); });
    script_.at(kCutAfter + kInFlight, [&]() -> Result<void> {
      at_cut = greatest_height();
      return {};
    });
    script_.at(kCutAfter + faults_.cut, [&] {
      for (const std::size_t node : {left.front(), right.front()}) {
        const std::uint64_t height = status(node).height;
        out.blocks.push_back(height > at_cut ? height - at_cut : 0);
      }
      at_heal_ = greatest_height();
      return network_.partition({});
    });
    script_.until([this] { return together(); });
    const NodeCosts before = sample_costs(cluster());
    QUORATE_TRY(const PointResult point, under_load("halves cannot reach each other",
                                                    kCutAfter + faults_.cut + faults_.after));
    const NodeCosts changed = sample_costs(cluster()) - before;
    out.resumed_s = script_.watched_s();
    script_ = Script();
    out.reversed = static_cast<std::uint64_t>(std::max(0.0, changed.reversed));
    out.deepest = static_cast<std::uint64_t>(std::max(0.0, changed.withdrawn));
    out.lost_for_good = std::min(point.unfinished, out.reversed);
    return out;
  }

  // By votes: everybody has a block that came after healing. By work: everybody prefers one branch.
  bool together() const {
    std::string tip;
    for (std::size_t node = 0; node < cluster().size(); ++node) {
      const NodeStatus now = status(node);
      if (!now.reachable) return false;
      if (!now.branch) {
        if (now.height <= at_heal_) return false;
        continue;
      }
      if (!tip.empty() && tip != now.branch->tip_id) return false;
      tip = now.branch->tip_id;
    }
    return true;
  }

  const RealContext& context_;
  const Engine engine_;
  const std::string title_;
  const RealFaults& faults_;
  TemporaryNetwork& network_;
  Script script_;
  std::unique_ptr<Generator> generator_;
  std::uint64_t at_heal_ = 0;
};

Result<FaultRun> one_run(const RealContext& context, Engine engine, std::uint32_t nodes,
                         std::size_t run) {
  const std::string title = run_title(context.plan, engine, nodes, run);
  context.progress.step(title + ", faults: up", expected_faults(context.plan, engine));
  QUORATE_TRY(const auto network, TemporaryNetwork::start(network_plan(context.plan, engine, nodes),
                                                          true, context.timeout));
  return FaultMeasurement(context, engine, title, *network).run();
}

// Of several runs: the first one, with the times of all.
void add(std::vector<Recovery>& to, const std::vector<const Recovery*>& runs) {
  if (runs.empty()) return;
  Recovery out = *runs.front();
  std::vector<double> seconds;
  for (const Recovery* run : runs) seconds.push_back(run->seconds.median);
  out.seconds = figure_of(std::move(seconds));
  to.push_back(std::move(out));
}

void add(Model& model, const std::vector<FaultRun>& runs) {
  std::vector<const Recovery*> killed, churn, new_node;
  for (const FaultRun& run : runs) {
    killed.push_back(&run.killed);
    new_node.push_back(&run.new_node);
    if (run.churn) churn.push_back(&*run.churn);
    model.partitions.push_back(run.partition);
  }
  add(model.recovery, killed);
  add(model.recovery, churn);
  add(model.recovery, new_node);
}

}  // namespace

Result<void> measure_faults(const RealContext& context) {
  for (const std::uint32_t nodes : context.plan.real_nodes) {
    for (const Engine engine : {Engine::pbft, Engine::pow}) {
      std::vector<FaultRun> runs;
      for (std::size_t run = 0; run < context.plan.runs; ++run) {
        QUORATE_CHECK(check_interrupt());
        QUORATE_TRY(auto done, one_run(context, engine, nodes, run));
        runs.push_back(std::move(done));
      }
      add(context.model, runs);
    }
  }
  return {};
}

}  // namespace quorate::testnet::comparison
