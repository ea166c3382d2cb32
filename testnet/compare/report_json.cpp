#include "testnet/compare/report_json.hpp"

#include "testnet/compare/verdict.hpp"

namespace quorate::testnet::comparison {

namespace {

using Json = nlohmann::json;

template <class Value>
Json optional_json(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const Figure& figure) {
  return {{"median", figure.median}, {"low", figure.low},
          {"high", figure.high},     {"runs", figure.runs},
          {"values", figure.values}, {"confidence_percent", confidence_percent(figure.runs)}};
}

// What every entry begins with.
Json entry(const Setting& setting) {
  return {{"engine", to_string(setting.engine)},
          {"origin", to_string(setting.origin)},
          {"nodes", setting.nodes},
          {"delay_ms", setting.delay_ms}};
}

// Every kind of entry, known before the template below is read.
Json to_json(const Rung& one);
Json to_json(const Throughput& one);
Json to_json(const Latency& one);
Json to_json(const SafeDepth& one);
Json to_json(const Cost& one);
Json to_json(const Budget& one);
Json to_json(const TrafficType& one);
Json to_json(const Traffic& one);
Json to_json(const Partition& one);
Json to_json(const AttackPoint& one);
Json to_json(const SelfishPoint& one);
Json to_json(const FaultRow& one);
Json to_json(const LiarsRow& one);
Json to_json(const Recovery& one);
Json to_json(const ProofSize& one);
Json to_json(const LeftOut& one);
Json to_json(const Question& one);

template <class Entry>
Json array_of(const std::vector<Entry>& entries) {
  Json out = Json::array();
  for (const Entry& one : entries) out.push_back(to_json(one));
  return out;
}

Json to_json(const Rung& one) {
  return {{"offered_tps", one.offered}, {"committed_tps", one.committed}, {"p50_ms", one.p50_ms},
          {"p99_ms", one.p99_ms},       {"sustained", one.sustained},     {"sent", one.sent},
          {"final", one.finals}};
}

Json to_json(const Throughput& one) {
  Json out = entry(one.setting);
  out["sustained_tps"] = to_json(one.sustained);
  out["at_least"] = one.at_least;
  out["seconds"] = one.seconds;
  out["committed_counts"] = committed_counts(one.setting);
  out["curve"] = array_of(one.curve);
  return out;
}

Json to_json(const Latency& one) {
  Json out = entry(one.setting);
  out["depth"] = one.depth;
  out["rate_tps"] = one.rate;
  out["p50_ms"] = to_json(one.p50_ms);
  out["p95_ms"] = to_json(one.p95_ms);
  out["p99_ms"] = to_json(one.p99_ms);
  return out;
}

Json to_json(const SafeDepth& one) {
  return {{"attacker_share", one.attacker_share},
          {"bound", one.bound},
          {"depth", one.depth},
          {"nakamoto_depth", one.nakamoto}};
}

Json to_json(const Cost& one) {
  Json out = entry(one.setting);
  Json parts = Json::object();
  for (const CpuPart& part : one.parts) parts[part.what] = part.us_per_tx;
  out["rate_tps"] = one.rate;
  out["cpu_us_per_tx"] = one.us_per_tx;
  out["cpu_us_per_tx_by_work"] = std::move(parts);
  out["hashes_per_tx"] = one.hashes_per_tx;
  out["joules_per_tx"] = one.joules_per_tx;
  out["rapl_joules_per_tx"] = optional_json(one.rapl_joules_per_tx);
  out["p2p_bytes_per_tx"] = one.p2p_bytes_per_tx;
  out["p2p_messages_per_tx"] = one.p2p_messages_per_tx;
  return out;
}

Json to_json(const Budget& one) {
  return {{"attacker", one.attacker},
          {"attacker_watts", one.attacker_watts},
          {"attacker_share", one.attacker_share},
          {"honest_watts", one.honest_watts},
          {"kwh_per_tx", one.kwh_per_tx}};
}

Json to_json(const TrafficType& one) {
  return {{"type", one.type},
          {"messages_per_block", one.messages_per_block},
          {"bytes_per_block", one.bytes_per_block}};
}

Json to_json(const Traffic& one) {
  Json out = entry(one.setting);
  out["rate_tps"] = one.rate;
  out["blocks"] = one.blocks;
  out["messages_per_block"] = one.messages_per_block;
  out["bytes_per_block"] = one.bytes_per_block;
  out["relays_per_tx"] = one.relays_per_tx;
  out["messages_per_tx"] = one.messages_per_tx;
  out["bytes_per_tx"] = one.bytes_per_tx;
  out["formula_per_block"] = one.formula_per_block;
  out["stale_rate"] = one.stale_rate;
  out["types"] = array_of(one.types);
  return out;
}

Json to_json(const Partition& one) {
  Json out = entry(one.setting);
  out["sides"] = one.sides;
  out["cut_s"] = one.cut_s;
  out["blocks"] = one.blocks;
  out["reversed_txs"] = one.reversed;
  out["deepest_blocks"] = one.deepest;
  out["lost_for_good"] = one.lost_for_good;
  out["resumed_s"] = optional_json(one.resumed_s);
  return out;
}

Json to_json(const AttackPoint& one) {
  const Interval interval = wilson(one.succeeded, one.trials);
  return {{"share", one.share},       {"depth", one.depth},   {"exact", one.exact},
          {"nakamoto", one.nakamoto}, {"trials", one.trials}, {"succeeded", one.succeeded},
          {"low", interval.low},      {"high", interval.high}};
}

Json to_json(const SelfishPoint& one) {
  return {{"share", one.share},          {"ties_won", one.ties_won}, {"formula", one.formula},
          {"blocks", one.blocks},        {"revenue", one.revenue},   {"off_by", one.off_by},
          {"stale_rate", one.stale_rate}};
}

Json to_json(const FaultRow& one) {
  Json out = entry(one.setting);
  out["what"] = one.what;
  out["faulty"] = one.faulty;
  out["goes_on"] = one.goes_on;
  out["blocks"] = one.blocks;
  out["longest_stop_s"] = one.longest_stop_s;
  out["reversed_txs"] = one.reversed;
  return out;
}

Json to_json(const LiarsRow& one) {
  Json out = entry(one.setting);
  out["liars"] = one.liars;
  out["tolerated"] = one.tolerated;
  out["forked"] = one.forked;
  out["blocks"] = one.blocks;
  out["named"] = one.named;
  out["wronged"] = one.wronged;
  out["goes_on"] = one.goes_on;
  return out;
}

Json to_json(const LongestGap& one) {
  return {{"mean_s", one.mean_s},
          {"low_s", one.low_s},
          {"high_s", one.high_s},
          {"within_percent", 100 * kGapShare}};
}

Json optional_gap(const std::optional<LongestGap>& gap) { return gap ? to_json(*gap) : Json(); }

Json to_json(const Recovery& one) {
  Json out = entry(one.setting);
  out["what"] = one.what;
  out["seconds"] = to_json(one.seconds);
  const Origin usual = one.by_chance_with_all ? Origin::computed : one.setting.origin;
  out["usual_s"] = one.usual_s;
  out["usual_origin"] = one.usual_s > 0 ? Json(to_string(usual)) : Json();
  out["watched_s"] = one.watched_s;
  out["by_chance"] = optional_gap(one.by_chance);
  out["by_chance_with_all"] = optional_gap(one.by_chance_with_all);
  out["final_share"] = one.rate_share;
  out["blocks"] = one.blocks;
  out["transactions"] = one.transactions;
  return out;
}

Json to_json(const ProofSize& one) {
  Json out = entry(one.setting);
  out["proof_bytes"] = one.proof_bytes;
  out["headers_bytes_per_day"] = one.headers_per_day;
  out["checks"] = one.checks;
  return out;
}

Json to_json(const LeftOut& one) { return {{"what", one.what}, {"why", one.why}}; }

Json to_json(const Machine& machine) {
  Json costs = Json::object();
  for (const auto& [meaning, ns] : machine.simulated_costs) costs[meaning] = ns;
  return {
      {"simulated_costs_ns", std::move(costs)},   {"cores", machine.probes.cores},
      {"verify_us", machine.probes.verify_us},    {"sha256_256_bytes_us", machine.probes.sha256_us},
      {"loopback_hop_us", machine.probes.hop_us}, {"fdatasync_us", machine.probes.fdatasync_us},
      {"hashes_per_second", machine.hash_rate},   {"steal_share", machine.steal},
      {"processor", machine.processor},           {"kernel", machine.kernel}};
}

Json to_json(const Answer& answer) {
  return {
      {"text", answer.text},
      {"origin", answer.origin ? Json(to_string(*answer.origin)) : Json(nullptr)},
      {"also", answer.also},
      {"also_origin", answer.also_origin ? Json(to_string(*answer.also_origin)) : Json(nullptr)}};
}

Json to_json(const Question& one) {
  return {{"question", one.text}, {"pbft", to_json(one.pbft)}, {"pow", to_json(one.pow)}};
}

Json to_json(const Verdict& verdict) {
  return {{"questions", array_of(verdict.questions)},
          {"choose_pbft", verdict.choose_pbft},
          {"choose_pow", verdict.choose_pow}};
}

Json run_json(const Model& model) {
  return {{"version", model.version},
          {"started", model.started},
          {"kind", model.kind},
          {"again", model.again},
          {"seed", model.seed},
          {"planned_s", model.planned_s},
          {"took_s", model.took_s},
          {"watts_per_core", model.watts_per_core},
          {"shortened", model.shortened},
          {"left_out", array_of(model.left_out)},
          {"chain",
           {{"interval_ms", model.chain.interval_ms},
            {"depth", model.chain.depth},
            {"half_life_s", model.chain.half_life_s},
            {"mining_duty_percent", model.chain.duty_percent}}}};
}

}  // namespace

Json to_json(const Model& model) {
  return {{"schema", kSchema},
          {"run", run_json(model)},
          {"machine", to_json(model.machine)},
          {"verdict", to_json(verdict_of(model))},
          {"throughput", array_of(model.throughput)},
          {"latency", array_of(model.latency)},
          {"safe_depths", array_of(model.safe_depths)},
          {"costs", array_of(model.costs)},
          {"security_budgets", array_of(model.budgets)},
          {"traffic", array_of(model.traffic)},
          {"partitions", array_of(model.partitions)},
          {"attack", array_of(model.attack)},
          {"selfish_mining", array_of(model.selfish)},
          {"faults", array_of(model.faults)},
          {"liars", array_of(model.liars)},
          {"recovery", array_of(model.recovery)},
          {"proofs", array_of(model.proofs)}};
}

}  // namespace quorate::testnet::comparison
