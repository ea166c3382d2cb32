// why-stalled: asks every node, names the cause and the next thing to do. Exit 0 when nothing is
// stalled, 1 when something is.
#include <iostream>

#include "rpc/json/ledger_json.hpp"
#include "testnet/cluster.hpp"
#include "testnet/commands/commands.hpp"
#include "testnet/diagnosis/collect.hpp"
#include "testnet/output.hpp"

namespace quorate::testnet {

namespace {

// Longer than the view timeout of a quiet network: a view change that is about to end is no stall.
constexpr std::chrono::milliseconds kObservation{1500};

rpc::Json as_json(const NetworkFacts& facts, const Diagnosis& diagnosis) {
  rpc::Json findings = rpc::Json::array();
  for (const auto& each : diagnosis.findings) {
    findings.push_back({{"code", each.code},
                        {"cause", each.cause},
                        {"nodes", each.nodes},
                        {"text", each.text},
                        {"next", each.next}});
  }
  rpc::Json nodes = rpc::Json::array();
  for (const auto& node : facts.nodes) {
    rpc::Json entry = {{"name", node.name},
                       {"reachable", node.status.reachable},
                       {"height", node.status.height},
                       {"height_before", node.height_before},
                       {"view", node.status.view},
                       {"promise_view", node.status.promise_view},
                       {"waiting", node.waiting},
                       {"version", node.version},
                       {"clock_ahead_ms", nullptr},
                       {"write_ms", nullptr}};
    if (node.clock_ahead_ms) entry["clock_ahead_ms"] = *node.clock_ahead_ms;
    if (node.write_ms) entry["write_ms"] = *node.write_ms;
    nodes.push_back(std::move(entry));
  }
  return {{"condition", to_string(diagnosis.condition)},
          {"summary", diagnosis.summary},
          {"observed_ms", facts.observed_ms},
          {"quorum", facts.quorum},
          {"findings", std::move(findings)},
          {"nodes", std::move(nodes)}};
}

void print(const Diagnosis& diagnosis, const CommonOptions& common) {
  const bool stalled = diagnosis.condition == Condition::stalled;
  std::cout << "  " << (stalled ? "" : std::string(tick(common.plain)) + " ") << diagnosis.summary
            << "\n";
  for (const auto& each : diagnosis.findings) {
    std::cout << "  " << (each.cause ? "cause: " : "also:  ") << each.text << "\n";
    if (!each.next.empty() && !common.quiet) std::cout << "         Next: " << each.next << "\n";
  }
}

}  // namespace

Result<int> run_why_stalled(const CommonOptions& common) {
  QUORATE_TRY(const auto cluster, Cluster::open(common.data));
  const auto facts = collect_facts(cluster, kObservation);
  const auto diagnosis = diagnose(facts);
  if (common.json) {
    std::cout << as_json(facts, diagnosis).dump(2, ' ', false, rpc::Json::error_handler_t::replace)
              << "\n";
  } else {
    print(diagnosis, common);
  }
  return diagnosis.condition == Condition::stalled ? 1 : 0;
}

}  // namespace quorate::testnet
