#include "testnet/compare/sections.hpp"

#include "testnet/compare/section_parts.hpp"

namespace quorate::testnet::comparison {

namespace {

Section throughput(const Model& model) {
  Section out{"throughput",
              "1. Throughput",
              "Payments a second that become final while the time they take stays flat. They are "
              "sent on a schedule, whatever comes back. By work only those count that reached the "
              "chain's depth. On real testnets all nodes and clients share this machine; simulated "
              "nodes have a machine and a line of 1 Gbit/s each. What became final is counted by "
              "when it did, so some of it was sent before, and it can be more than was sent.",
              {"engine", "network", "sustained", "each rate for", "at the highest rate tried"},
              {}};
  for (const Throughput& one : model.throughput) {
    std::string highest = "-";
    if (!one.curve.empty()) {
      const Rung& rung = one.curve.back();
      const std::string sent = short_number(rung.offered);
      const std::string committed = short_number(rung.committed);
      const bool more = rung.committed > rung.offered && committed != sent;
      highest = sent + " sent, " + committed + " final" + (more ? " (some sent before)" : "") +
                ", p99 " + duration_text(rung.p99_ms);
    }
    out.rows.push_back(
        {title(one.setting.engine), setting_text(one.setting),
         (one.at_least ? "at least " : "") + figure_text(one.sustained, short_number),
         seconds(one.seconds), highest});
  }
  return out;
}

std::string finality(const Latency& one) {
  if (one.depth == 0) return one.rate > 0 ? "certificate" : "certificate and proof";
  if (one.depth == 1) return "in a block";
  return std::to_string(one.depth) + " blocks deep";
}

Section latency(const Model& model) {
  Section out{"latency",
              "2. Time to finality",
              "From the moment at which a payment was due. By votes until the client holds a block "
              "certificate, which is final for good; one at a time also the proof of its receipt, "
              "which takes one request more. By work until it is so many blocks deep, and the next "
              "table says how many are enough.",
              {"engine", "network", "load", "until", "p50", "p95", "p99"},
              {}};
  for (const Latency& one : model.latency) {
    out.rows.push_back({title(one.setting.engine), setting_text(one.setting), rate_text(one.rate),
                        finality(one), figure_text(one.p50_ms, duration_text),
                        figure_text(one.p95_ms, duration_text),
                        figure_text(one.p99_ms, duration_text)});
  }
  return out;
}

Section safe_depths(const Model& model) {
  Section out{
      "depths",
      "2b. How deep is deep enough",
      "From how many blocks on an attacker with a share of the hash rate takes a payment "
      "back less often than once in a thousand, or in a million, times: computed by the "
      "exact formula, and by the usual one of Nakamoto, which is too low.",
      {"attacker's share", "less often than", "blocks", "at the chain's interval", "Nakamoto"},
      {}};
  for (const SafeDepth& one : model.safe_depths) {
    const double ms = one.depth * static_cast<double>(model.chain.interval_ms);
    out.rows.push_back(
        {percent_text(one.attacker_share), one.bound >= 1e-3 ? "1 in 1,000" : "1 in 1,000,000",
         std::to_string(one.depth), duration_text(ms), std::to_string(one.nakamoto)});
  }
  return out;
}

Section cost(const Model& model) {
  Section out{"cost",
              "3. Cost of a payment",
              "Processor time of all nodes, at the same rate of payments for both, by what their "
              "threads do. Mining here takes what its setting gives it and protects from nobody: "
              "the next table says what mining that protects takes.",
              {"engine", "network", "what", "for a payment"},
              {}};
  for (const Cost& one : model.costs) {
    const auto row = [&](const std::string& what, const std::string& value) {
      out.rows.push_back({title(one.setting.engine), setting_text(one.setting), what, value});
    };
    row("all, at " + short_number(one.rate) + " tx/s", microseconds(one.us_per_tx));
    for (const CpuPart& part : one.parts) row("- " + part.what, microseconds(part.us_per_tx));
    if (one.hashes_per_tx > 0) row("hashes tried", short_number(one.hashes_per_tx));
    row("energy, at " + short_number(model.watts_per_core) + " W a busy core (computed)",
        energy_text(one.joules_per_tx));
    if (one.rapl_joules_per_tx) {
      row("energy, the whole machine's meter (RAPL)", energy_text(*one.rapl_joules_per_tx));
    }
    row("between nodes",
        short_number(one.p2p_messages_per_tx) + " messages, " + bytes_text(one.p2p_bytes_per_tx));
  }
  return out;
}

Section budgets(const Model& model) {
  Section out{
      "security",
      "3b. What it costs to be safe",
      "Votes are safe because members are known, and cost the same whoever attacks. Work is "
      "safe because attackers have less of it: what honest miners must go on spending, "
      "however few payments there are, so that an attacker of this power has no more than "
      "this share. Computed; for one payment at the throughput that work sustained.",
      {"attacker", "his power", "his share", "honest miners spend", "for one payment"},
      {}};
  for (const Budget& one : model.budgets) {
    out.rows.push_back({one.attacker, power_text(one.attacker_watts),
                        percent_text(one.attacker_share), power_text(one.honest_watts),
                        energy_text(one.kwh_per_tx * kJoulesPerKwh)});
  }
  return out;
}

Section traffic(const Model& model) {
  Section out{"messages",
              "4. Messages",
              "Simulated; copies of a broadcast count each. What it takes to agree on one block, "
              "then what passes on one waiting payment before. By votes the formula is (n-1) + "
              "(n-1)^2 + n(n-1) for the three phases and n(n-1) for the seals; over long delays "
              "members that lack a certificate are sent it. Blocks by votes follow the load, so "
              "they held one payment each here; blocks by work hold what came in an interval.",
              {"engine", "network", "to agree on a block", "formula", "bytes", "payments a block",
               "relays of a payment", "stale blocks"},
              {}};
  for (const Traffic& one : model.traffic) {
    const double payments = one.relays_per_tx > 0 && one.messages_per_tx > one.relays_per_tx
                                ? one.messages_per_block / (one.messages_per_tx - one.relays_per_tx)
                                : 0;
    out.rows.push_back(
        {title(one.setting.engine), setting_text(one.setting), short_number(one.messages_per_block),
         one.formula_per_block > 0 ? short_number(one.formula_per_block) : "-",
         bytes_text(one.bytes_per_block), short_number(payments), short_number(one.relays_per_tx),
         one.setting.engine == Engine::pow ? percent_text(one.stale_rate) : "-"});
  }
  return out;
}

// Of both engines in the network that the first screen speaks of too.
Section traffic_types(const Model& model) {
  Section out{"types",
              "4b. Messages by type",
              "The same runs, of one network, most bytes first.",
              {"engine", "network", "type", "messages a block", "bytes a block"},
              {}};
  for (const Engine engine : {Engine::pbft, Engine::pow}) {
    const Traffic* one = medium_traffic(model, engine);
    if (one == nullptr) continue;
    for (const TrafficType& type : one->types) {
      out.rows.push_back({title(engine), setting_text(one->setting), type.type,
                          short_number(type.messages_per_block), bytes_text(type.bytes_per_block)});
    }
  }
  return out;
}

}  // namespace

std::vector<Section> sections_of(const Model& model) {
  std::vector<Section> out = {throughput(model), latency(model), safe_depths(model),  cost(model),
                              budgets(model),    traffic(model), traffic_types(model)};
  for (Section& section : sections_of_faults(model)) out.push_back(std::move(section));
  out.push_back(section_of_machine(model));
  return out;
}

}  // namespace quorate::testnet::comparison
