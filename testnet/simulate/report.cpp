#include "testnet/simulate/report.hpp"

#include <cstdio>

#include "crypto/certificate/quorum.hpp"
#include "testnet/output.hpp"
#include "testnet/simulate/costs.hpp"

namespace quorate::testnet {

namespace {

using Json = nlohmann::json;
using sim::timed::kMessageTypes;
using sim::timed::MessageType;
using Kind = StoryEntry::Kind;

constexpr std::size_t kNamesMax = 6;

double seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e9; }

std::string text(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), format, value);
  return buffer;
}

std::string names(const std::set<std::uint32_t>& replicas) {
  if (replicas.size() > kNamesMax) return std::to_string(replicas.size()) + " replicas";
  std::string out;
  for (const std::uint32_t replica : replicas) {
    out += (out.empty() ? "node" : ", node") + std::to_string(replica);
  }
  return out;
}

std::string story_text(const SimulationReport& report) {
  std::vector<std::vector<std::string>> rows;
  for (const StoryEntry& line : report.record.story()) {
    std::string when = text("%.3f", seconds(line.first));
    if (line.last - line.first >= std::chrono::milliseconds(1)) {
      when += "-" + text("%.3f", seconds(line.last));
    }
    rows.push_back({when + " s", in_words(line, report.scene.replicas)});
  }
  if (!rows.empty()) return table(rows);
  return report.scene.work ? "  nothing went wrong\n"
                           : "  nothing went wrong and no view changed\n";
}

// Most bytes first.
std::vector<std::size_t> types_by_bytes(const Recorder& record) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < kMessageTypes; ++i) {
    if (record.traffic().at(i).messages > 0) out.push_back(i);
  }
  std::stable_sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) {
    return record.traffic().at(a).bytes > record.traffic().at(b).bytes;
  });
  return out;
}

std::string traffic_text(const SimulationReport& report) {
  const double blocks = std::max<double>(1, static_cast<double>(report.record.blocks()));
  std::vector<std::vector<std::string>> rows = {
      {"message", "sent", "per block", "bytes per block"}};
  Traffic all;
  const auto row = [&rows, blocks](const std::string& name, const Traffic& traffic) {
    rows.push_back({name, std::to_string(traffic.messages),
                    text("%.1f", static_cast<double>(traffic.messages) / blocks),
                    text("%.0f", static_cast<double>(traffic.bytes) / blocks)});
  };
  for (const std::size_t type : types_by_bytes(report.record)) {
    const Traffic& traffic = report.record.traffic().at(type);
    all.messages += traffic.messages;
    all.bytes += traffic.bytes;
    row(std::string(to_string(static_cast<MessageType>(type))), traffic);
  }
  row("all", all);
  return table(rows);
}

bool all_agree(const SimulationReport& report) { return !report.end.violation.has_value(); }

std::string end_text(const SimulationReport& report) {
  std::set<std::uint32_t> at_head, behind, down;
  for (std::uint32_t i = 0; i < report.end.nodes.size(); ++i) {
    const auto& node = report.end.nodes[i];
    (!node.up ? down : node.height == report.end.height ? at_head : behind).insert(i);
  }
  std::string out = "  end: " + std::to_string(at_head.size()) + " of " +
                    std::to_string(report.end.nodes.size()) + " replicas at height " +
                    std::to_string(report.end.height.value());
  if (!behind.empty()) out += "; behind: " + names(behind);
  if (!down.empty()) out += "; down: " + names(down);
  return out + (all_agree(report) ? "; every block the same everywhere\n" : "\n");
}

std::string engine_text(const SimulationReport& report) {
  const std::uint32_t n = report.scene.replicas;
  if (!report.scene.work) {
    return "f=" + std::to_string(crypto::faults_tolerated(n)) + ", quorum " +
           std::to_string(crypto::quorum_size(n));
  }
  const auto& chain = report.scene.work->chain;
  return "proof of work, a block each " +
         format_duration(std::chrono::milliseconds(chain.interval_ms)) + ", final at depth " +
         std::to_string(chain.depth);
}

Percentiles deep_ms(const SimulationReport& report, std::uint32_t depth) {
  std::vector<double> out;
  const auto found = report.record.deep().find(depth);
  if (found == report.record.deep().end()) return percentiles(std::move(out));
  for (const auto& entry : found->second) {
    if (entry.due >= report.scene.length / 5) out.push_back(seconds(entry.when - entry.due) * 1e3);
  }
  return percentiles(std::move(out));
}

// "1: 7, 4: 2"
std::string histogram(const std::map<std::uint64_t, std::uint64_t>& counts) {
  std::string out;
  for (const auto& [depth, count] : counts) {
    out += (out.empty() ? "" : ", ") + std::to_string(depth) + ": " + std::to_string(count);
  }
  return out.empty() ? "none" : out;
}

std::uint64_t withdrawn_transactions(const SimulationReport& report) {
  std::uint64_t out = 0;
  for (const auto& one : report.record.work().withdrawals()) out += one.transactions;
  return out;
}

std::string work_text(const SimulationReport& report) {
  const sim::timed::WorkEnd& work = *report.end.work;
  std::string out = "  mined " + std::to_string(work.blocks.size()) + " blocks, " +
                    std::to_string(report.stale()) + " stale (" +
                    text("%.1f", report.stale_rate() * 100) + " %)";
  for (const std::uint32_t depth : report.scene.work->depths) {
    out += "\n  depth " + std::to_string(depth) + " after p50 " +
           text("%.1f", deep_ms(report, depth).p50 / 1e3) + " s, p99 " +
           text("%.1f", deep_ms(report, depth).p99 / 1e3) + " s";
  }
  out += "\n  branches left, by blocks: " + histogram(report.record.work().switches());
  out += "\n  rewinds of ledgers: " + std::to_string(report.record.work().withdrawals().size()) +
         ", " + std::to_string(withdrawn_transactions(report)) + " transactions withdrawn";
  return out + "; reversed for their client: " + std::to_string(work.reversed) +
         ", not final again: " + std::to_string(work.lost_for_good);
}

Json work_json(const SimulationReport& report) {
  const sim::timed::WorkEnd& work = *report.end.work;
  const auto& chain = report.scene.work->chain;
  std::vector<std::uint64_t> by_miner(report.scene.replicas);
  for (const auto& block : report.record.work().blocks()) ++by_miner.at(block.miner);
  Json switches = Json::object();
  for (const auto& [depth, count] : report.record.work().switches()) {
    switches[std::to_string(depth)] = count;
  }
  Json to_depth = Json::object();
  for (const std::uint32_t depth : report.scene.work->depths) {
    const Percentiles one = deep_ms(report, depth);
    to_depth[std::to_string(depth)] = {{"p50", one.p50}, {"p95", one.p95}, {"p99", one.p99}};
  }
  return {{"interval_ms", chain.interval_ms},
          {"depth", chain.depth},
          {"half_life_s", chain.half_life_s},
          {"mined", work.blocks.size()},
          {"mined_by_node", by_miner},
          {"stale", report.stale()},
          {"stale_rate", report.stale_rate()},
          {"branches_left_by_blocks", std::move(switches)},
          {"rewinds", report.record.work().withdrawals().size()},
          {"transactions_withdrawn", withdrawn_transactions(report)},
          {"reversed", work.reversed},
          {"lost_for_good", work.lost_for_good},
          {"depth_latency_ms", std::move(to_depth)}};
}

}  // namespace

std::string in_words(const StoryEntry& line, std::uint32_t nodes) {
  const std::string view = std::to_string(line.view);
  const std::string who = names(line.replicas);
  switch (line.kind) {
    case Kind::fault:
      if (who.empty()) return line.text;
      return who + (line.replicas.size() == 1 ? " " : ": each ") + line.text;
    case Kind::suspected:
      return who + (line.replicas.size() == 1 ? " suspects" : " suspect") +
             " the primary of view " + view + ", node" + std::to_string(line.view % nodes);
    case Kind::left: return "VIEW-CHANGE to view " + view + " by " + who;
    case Kind::opened: return who + " opens view " + view + " with its NEW-VIEW";
    case Kind::entered: return "view " + view + " entered by " + who;
    case Kind::evidence: return who + " can prove that node" + view + " equivocates";
    case Kind::synced:
      return who + (line.replicas.size() == 1 ? " fetches" : " fetch") + " blocks it missed";
    case Kind::halted: return who + " halts: " + line.text;
    case Kind::resumed: return "blocks again, after a stop of " + line.text;
    case Kind::reorganised:
      return who + (line.replicas.size() == 1 ? " leaves " : ": each leaves ") +
             std::to_string(line.view) + " blocks for a branch of more work";
    case Kind::rewound:
      return who + (line.replicas.size() == 1 ? " goes" : " go") + " back to height " + view +
             ": " + line.text + (line.replicas.size() == 1 ? "" : " each") + " withdrawn";
  }
  return {};
}

double SimulationReport::committed_per_second() const {
  const Duration warm = scene.length / 5;
  const auto count = std::count_if(
      record.finals().begin(), record.finals().end(),
      [&](const auto& entry) { return entry.when >= warm && entry.when <= scene.length; });
  return static_cast<double>(count) / seconds(scene.length - warm);
}

Percentiles SimulationReport::latency_ms() const {
  std::vector<double> out;
  for (const auto& entry : record.finals()) {
    if (entry.due >= scene.length / 5) out.push_back(seconds(entry.when - entry.due) * 1e3);
  }
  return percentiles(std::move(out));
}

Duration SimulationReport::longest_stop() const {
  const Duration since_last = end.unfinished > 0 ? end.ended - record.last_block() : Duration(0);
  return std::max(record.longest_stop(), since_last);
}

std::string to_text(const SimulationReport& report) {
  const auto& scene = report.scene;
  const std::uint32_t n = scene.replicas;
  const Percentiles latency = report.latency_ms();
  std::string out = "  " + std::to_string(n) + " replicas (" + engine_text(report) + "), " +
                    report.options.network + ", seed " + std::to_string(scene.seed) + ", " +
                    format_duration(scene.length) + " at " + std::to_string(scene.rate) +
                    " tx/s\n\n";
  out += story_text(report) + "\n";
  out += "  committed " + std::to_string(report.record.finals().size()) + " of " +
         std::to_string(report.end.offered) + " transactions, " +
         text("%.0f", report.committed_per_second()) + " tx/s; " +
         std::to_string(report.record.blocks()) + " blocks of " +
         text("%.1f", static_cast<double>(report.record.finals().size()) /
                          std::max<double>(1, static_cast<double>(report.record.blocks()))) +
         "\n";
  out += "  latency p50 " + text("%.2f", latency.p50) + " ms, p95 " + text("%.2f", latency.p95) +
         ", p99 " + text("%.2f", latency.p99) + ", longest " + text("%.2f", latency.max) +
         "; longest time without a block " + format_duration(report.longest_stop()) + "\n";
  if (scene.work) {
    out += work_text(report);
  } else {
    out += "  views: the highest is " + std::to_string(report.record.highest_view());
  }
  out += "; messages lost: " + std::to_string(report.record.lost_messages()) + "\n";
  out += end_text(report) + "\n" + traffic_text(report);
  return out;
}

std::size_t SimulationReport::stale() const {
  return end.work->blocks.size() - end.work->on_best.size();
}

double SimulationReport::stale_rate() const {
  return static_cast<double>(stale()) /
         std::max<double>(1, static_cast<double>(end.work->blocks.size()));
}

Json to_json(const SimulationReport& report) {
  Json traffic = Json::object();
  for (const std::size_t type : types_by_bytes(report.record)) {
    const Traffic& one = report.record.traffic().at(type);
    traffic[std::string(to_string(static_cast<MessageType>(type)))] = {{"messages", one.messages},
                                                                       {"bytes", one.bytes}};
  }
  Json story = Json::array();
  for (const StoryEntry& line : report.record.story()) {
    story.push_back({{"from_s", seconds(line.first)},
                     {"to_s", seconds(line.last)},
                     {"replicas", line.replicas},
                     {"what", in_words(line, report.scene.replicas)}});
  }
  Json nodes = Json::array();
  for (const auto& node : report.end.nodes) {
    nodes.push_back({{"up", node.up},
                     {"height", node.height.value()},
                     {"view", node.view.value()},
                     {"voting", node.voting},
                     {"not_ready_reason", node.not_ready_reason}});
  }
  Json cpu = Json::array();
  for (const Duration used : report.end.cpu) cpu.push_back(seconds(used));
  const Percentiles latency = report.latency_ms();
  return {{"engine", report.options.engine},
          {"nodes", report.scene.replicas},
          {"seed", report.scene.seed},
          {"virtual_seconds", seconds(report.end.ended)},
          {"offered", report.end.offered},
          {"committed", report.record.finals().size()},
          {"unfinished", report.end.unfinished},
          {"committed_tps", report.committed_per_second()},
          {"blocks", report.record.blocks()},
          {"latency_ms",
           {{"p50", latency.p50},
            {"p95", latency.p95},
            {"p99", latency.p99},
            {"p99_9", latency.p999},
            {"max", latency.max}}},
          {"longest_stop_s", seconds(report.longest_stop())},
          {"highest_view", report.record.highest_view()},
          {"messages_lost", report.record.lost_messages()},
          {"messages", std::move(traffic)},
          {"story", std::move(story)},
          {"replicas", std::move(nodes)},
          {"agreement", all_agree(report)},
          {"work", report.scene.work ? work_json(report) : Json(nullptr)},
          {"violation", report.end.violation ? Json(*report.end.violation) : Json(nullptr)},
          {"cpu_s", cpu},
          {"events", report.end.events},
          {"costs", to_json(report.scene.costs)},
          {"replay", replay_command(report.options, report.scene.costs)}};
}

}  // namespace quorate::testnet
