// Which plots a model gives.
#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

#include "testnet/compare/plots.hpp"
#include "testnet/compare/text.hpp"

namespace quorate::testnet::comparison {

namespace {

constexpr std::array<Engine, 2> kEngines = {Engine::pbft, Engine::pow};

// Solid, dashed, ...: by the place of the delay in the list.
std::string delay_name(Engine engine, double delay_ms) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%s, %g ms between nodes", title(engine), delay_ms);
  return buffer;
}

// One series for each engine and delay, over the number of nodes, of what was simulated.
template <class Entry, class Wanted, class Value>
void add_by_nodes(Plot& plot, const std::vector<Entry>& entries, Wanted wanted, Value value) {
  std::set<double> delays;
  std::set<double> sizes;
  for (const Entry& one : entries) {
    if (one.setting.origin != Origin::simulated || !wanted(one)) continue;
    delays.insert(one.setting.delay_ms);
    sizes.insert(one.setting.nodes);
  }
  plot.x_ticks.assign(sizes.begin(), sizes.end());
  for (const Engine engine : kEngines) {
    for (const double delay : delays) {
      const auto dash = static_cast<unsigned>(std::distance(delays.begin(), delays.find(delay)));
      Series series{delay_name(engine, delay), to_string(engine), true, dash, {}};
      for (const Entry& one : entries) {
        const Setting& setting = one.setting;
        const bool fits = setting.engine == engine && setting.delay_ms == delay &&
                          setting.origin == Origin::simulated && wanted(one);
        if (fits) series.points.push_back({static_cast<double>(setting.nodes), value(one), {}});
      }
      if (!series.points.empty()) plot.series.push_back(std::move(series));
    }
  }
}

Plot load_curve(const Model& model) {
  Plot out;
  out.section = "throughput";
  out.id = "load-curve";
  out.title = "The more is sent, the longer it takes";
  out.description =
      "The 99th percentile of the time to finality over the rate of payments sent, on real "
      "testnets. A curve that bends upwards has passed what the engine sustains.";
  out.x_label = "payments sent per second";
  out.y_label = "99 of 100 payments are final within";
  out.y_is_time = true;
  out.log_x = out.log_y = true;
  for (const Throughput& one : model.throughput) {
    if (one.setting.origin != Origin::measured) continue;
    Series series{std::string(title(one.setting.engine)) + ", " + setting_text(one.setting),
                  to_string(one.setting.engine),
                  true,
                  one.setting.nodes > 4 ? 1U : 0U,
                  {}};
    for (const Rung& rung : one.curve) series.points.push_back({rung.offered, rung.p99_ms, {}});
    out.series.push_back(std::move(series));
  }
  return out;
}

Plot throughput_by_nodes(const Model& model) {
  Plot out;
  out.section = "throughput";
  out.id = "throughput-by-nodes";
  out.title = "Throughput of larger networks: the highest of a few rates that stayed flat";
  out.description =
      "The highest rate that stayed flat, over the number of nodes, simulated. Few rates are "
      "tried, "
      "the same for all sizes, so networks at one height differ by less than a step between rates.";
  out.x_label = "nodes";
  out.y_label = "payments per second";
  out.log_x = out.log_y = true;
  add_by_nodes(
      out, model.throughput, [](const Throughput& one) { return one.sustained.median > 0; },
      [](const Throughput& one) { return one.sustained.median; });
  return out;
}

Plot latency_by_nodes(const Model& model) {
  Plot out;
  out.section = "latency";
  out.id = "latency-by-nodes";
  out.title = "Time to finality by size and distance";
  out.description =
      "The median time to finality over the number of nodes, simulated, for several delays between "
      "nodes. By votes it follows the delay; by work it follows the block interval.";
  out.x_label = "nodes";
  out.y_label = "half of the payments are final within";
  out.y_is_time = true;
  out.log_x = out.log_y = true;
  const std::uint32_t depth = model.chain.depth;
  add_by_nodes(
      out, model.latency,
      [depth](const Latency& one) {
        return one.depth == (one.setting.engine == Engine::pbft ? 0 : depth);
      },
      [](const Latency& one) { return one.p50_ms.median; });
  return out;
}

Plot messages_by_nodes(const Model& model) {
  Plot out;
  out.section = "messages";
  out.id = "messages-by-nodes";
  out.title = "Messages to agree on one block";
  out.description =
      "Messages to agree on one block over the number of nodes, simulated. Votes grow with the "
      "square of the number of nodes.";
  out.x_label = "nodes";
  out.y_label = "messages";
  out.log_x = out.log_y = true;
  add_by_nodes(
      out, model.traffic, [](const Traffic&) { return true; },
      [](const Traffic& one) { return one.messages_per_block; });
  Series formula{"PBFT by formula", "third", true, 1, {}, false};
  std::set<std::uint32_t> seen;
  for (const Traffic& one : model.traffic) {
    if (one.formula_per_block <= 0 || !seen.insert(one.setting.nodes).second) continue;
    formula.points.push_back({static_cast<double>(one.setting.nodes), one.formula_per_block, {}});
  }
  if (!formula.points.empty()) out.series.push_back(std::move(formula));
  return out;
}

Plot stale_by_nodes(const Model& model) {
  Plot out;
  out.section = "messages";
  out.id = "stale-by-nodes";
  out.title = "Blocks mined in vain";
  out.description =
      "The share of mined blocks that another block overtook, over the number of nodes, simulated. "
      "Delay costs proof of work security; votes lose nothing.";
  out.x_label = "nodes";
  out.y_label = "stale, percent";
  out.log_x = true;
  add_by_nodes(
      out, model.traffic, [](const Traffic& one) { return one.setting.engine == Engine::pow; },
      [](const Traffic& one) { return 100 * one.stale_rate; });
  return out;
}

Plot taken_back(const Model& model) {
  Plot out;
  out.section = "partition";
  out.id = "taken-back";
  out.title = "Final payments that a partition undid";
  out.description =
      "Payments that had been final for their payee and were taken back after halves of the "
      "network had been cut off from each other for so long.";
  out.x_label = "seconds cut off";
  out.y_label = "payments undone";
  for (const Engine engine : kEngines) {
    for (const Origin origin : {Origin::measured, Origin::simulated}) {
      Series series{std::string(title(engine)) + ", " + to_string(origin),
                    to_string(engine),
                    origin == Origin::simulated,
                    0,
                    {}};
      for (const Partition& one : model.partitions) {
        if (one.setting.engine != engine || one.setting.origin != origin) continue;
        series.points.push_back({one.cut_s, static_cast<double>(one.reversed), {}});
      }
      if (!series.points.empty()) out.series.push_back(std::move(series));
    }
  }
  return out;
}

Plot reversal(const Model& model) {
  Plot out;
  out.section = "attack";
  out.id = "reversal";
  out.title = "How often an attacker takes back a payment";
  out.description =
      "The chance that a private fork reverses a payment over the attacker's share of the hash "
      "rate: lines by the exact formula, points as tried out against the real engine. PBFT has no "
      "such curve: it is zero up to a third of the members that lie.";
  out.x_label = "attacker's share of the hash rate, percent";
  out.y_label = "percent of payments";
  out.log_y = true;
  constexpr std::array<const char*, 3> kLooks = {"pbft", "pow", "third"};
  std::set<std::uint32_t> depths;
  for (const AttackPoint& one : model.attack) depths.insert(one.depth);
  std::size_t look = 0;
  for (const std::uint32_t depth : depths) {
    const std::string name = std::to_string(depth) + " blocks deep";
    const char* css = kLooks.at(look++ % kLooks.size());
    Series exact{name + ", formula", css, true, 1, {}, false};
    Series tried{name + ", tried out", css, false, 0, {}};
    for (const AttackPoint& one : model.attack) {
      if (one.depth != depth) continue;
      exact.points.push_back({100 * one.share, 100 * one.exact, {}});
      if (one.trials == 0 || one.succeeded == 0) continue;  // the table has them
      const Interval found = wilson(one.succeeded, one.trials);
      tried.points.push_back(
          {100 * one.share,
           100 * static_cast<double>(one.succeeded) / static_cast<double>(one.trials),
           Interval{100 * found.low, 100 * found.high}});
    }
    out.series.push_back(std::move(exact));
    if (!tried.points.empty()) out.series.push_back(std::move(tried));
  }
  return out;
}

Plot selfish_revenue_plot(const Model& model) {
  Plot out;
  out.section = "selfish";
  out.id = "selfish-revenue";
  out.title = "What a selfish miner gets";
  out.description =
      "The share of the blocks that count which go to a miner who keeps his blocks back, over his "
      "share of the hash rate: lines by formula, points as tried out with the real engines. Above "
      "the grey line he gets more than he should.";
  out.x_label = "share of the hash rate, percent";
  out.y_label = "percent of the blocks";
  Series fair{"honest mining", "third", true, 2, {}, false};
  for (const double ties : {0.0, 0.5}) {
    const char* css = ties > 0 ? "pow" : "pbft";
    const std::string name = ties > 0 ? "wins half of the ties" : "loses every tie";
    Series formula{name + ", formula", css, true, 1, {}, false};
    Series tried{name + ", tried out", css, false, 0, {}};
    for (const SelfishPoint& one : model.selfish) {
      if (one.ties_won != ties) continue;
      formula.points.push_back({100 * one.share, 100 * one.formula, {}});
      if (ties == 0) fair.points.push_back({100 * one.share, 100 * one.share, {}});
      if (one.blocks == 0) continue;
      tried.points.push_back(
          {100 * one.share, 100 * one.revenue,
           Interval{100 * (one.revenue - one.off_by), 100 * (one.revenue + one.off_by)}});
    }
    if (!formula.points.empty()) out.series.push_back(std::move(formula));
    if (!tried.points.empty()) out.series.push_back(std::move(tried));
  }
  if (!fair.points.empty()) out.series.push_back(std::move(fair));
  return out;
}

}  // namespace

std::vector<Plot> plots_of(const Model& model) {
  std::vector<Plot> out = {load_curve(model),       throughput_by_nodes(model),
                           latency_by_nodes(model), messages_by_nodes(model),
                           stale_by_nodes(model),   taken_back(model),
                           reversal(model),         selfish_revenue_plot(model)};
  std::erase_if(out, [](const Plot& plot) { return plot.series.empty(); });
  return out;
}

std::optional<Bars> cost_bars(const Model& model) {
  if (model.costs.empty()) return std::nullopt;
  Bars out;
  out.section = "cost";
  out.id = "cost-bars";
  out.title = "Processor time for one payment";
  out.description =
      "Processor time of all nodes for one payment, at the same rate for both engines, by what "
      "their threads do.";
  out.x_label = "microseconds";
  for (const Cost& cost : model.costs) {
    for (const CpuPart& part : cost.parts) {
      if (std::find(out.parts.begin(), out.parts.end(), part.what) == out.parts.end()) {
        out.parts.push_back(part.what);
      }
    }
  }
  for (const Cost& cost : model.costs) {
    Bar bar{std::string(title(cost.setting.engine)) + ", " + std::to_string(cost.setting.nodes) +
                " nodes",
            std::vector<double>(out.parts.size(), 0)};
    for (const CpuPart& part : cost.parts) {
      const auto place = std::find(out.parts.begin(), out.parts.end(), part.what);
      bar.parts[static_cast<std::size_t>(place - out.parts.begin())] = part.us_per_tx;
    }
    out.bars.push_back(std::move(bar));
  }
  return out;
}

}  // namespace quorate::testnet::comparison
