#include "testnet/compare/sections.hpp"

#include <cstdio>

#include "testnet/compare/text.hpp"

namespace quorate::testnet::comparison {

namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string count(std::uint64_t value) { return short_number(static_cast<double>(value)); }

std::string microseconds(double us) { return duration_text(us / 1e3); }
std::string seconds(double s) { return duration_text(1e3 * s); }

Section throughput(const Model& model) {
  Section out{"throughput",
              "1. Throughput",
              "Transactions a second that become final while p99 stays flat. Open loop: sent on a "
              "schedule whatever comes back. By work only what reached the chosen depth counts.",
              {"engine", "network", "sustained", "longest rate", "at the highest rate tried"},
              {}};
  for (const Throughput& one : model.throughput) {
    std::string highest = "-";
    if (!one.curve.empty()) {
      const Rung& rung = one.curve.back();
      highest = short_number(rung.offered) + " offered, " + short_number(rung.committed) +
                " committed, p99 " + duration_text(rung.p99_ms);
    }
    out.rows.push_back({title(one.setting.engine), setting_text(one.setting),
                        figure_text(one.sustained, short_number), seconds(one.seconds), highest});
  }
  return out;
}

std::string finality(const Latency& one) {
  if (one.depth == 0) return "certificate and proof";
  if (one.depth == 1) return "first block";
  return std::to_string(one.depth) + " blocks";
}

Section latency(const Model& model) {
  Section out{"latency",
              "2. Latency to finality",
              "By votes: until the client holds a block certificate and the proof of its receipt. "
              "By work: until the payment is so many blocks deep. ",
              {"engine", "network", "until", "p50", "p95", "p99"},
              {}};
  for (const SafeDepth& one : model.safe_depths) {
    out.about += percent_text(one.attacker_share) + " attacker below " +
                 (one.bound >= 1e-3 ? "0.1 %" : "one in a million") + ": " +
                 std::to_string(one.depth) + " blocks (Nakamoto: " + std::to_string(one.nakamoto) +
                 "). ";
  }
  for (const Latency& one : model.latency) {
    out.rows.push_back({title(one.setting.engine), setting_text(one.setting), finality(one),
                        figure_text(one.p50_ms, duration_text),
                        figure_text(one.p95_ms, duration_text),
                        figure_text(one.p99_ms, duration_text)});
  }
  return out;
}

Section cost(const Model& model) {
  Section out{"cost",
              "3. Cost of a transaction",
              "Processor time of all nodes at the same rate for both, by what their threads do. "
              "Difficulty here is a test's and protects from nobody, so the last lines say what "
              "honest miners must spend to keep a stated attacker at a quarter of the hash rate.",
              {"engine", "network", "what", "for a transaction"},
              {}};
  for (const Cost& one : model.costs) {
    const auto row = [&](const std::string& what, const std::string& value) {
      out.rows.push_back({title(one.setting.engine), setting_text(one.setting), what, value});
    };
    row("all, at " + short_number(one.rate) + " tx/s", microseconds(one.us_per_tx));
    for (const CpuPart& part : one.parts) row("- " + part.what, microseconds(part.us_per_tx));
    if (one.hashes_per_tx > 0) row("hashes tried", short_number(one.hashes_per_tx));
    row("energy, " + short_number(model.watts_per_core) + " W a busy core (computed)",
        short_number(one.joules_per_tx) + " J");
    if (one.rapl_joules_per_tx) {
      row("energy, the whole machine (RAPL)", short_number(*one.rapl_joules_per_tx) + " J");
    }
    row("between nodes",
        short_number(one.p2p_messages_per_tx) + " messages, " + bytes_text(one.p2p_bytes_per_tx));
  }
  for (const Budget& one : model.budgets) {
    out.rows.push_back({title(Engine::pow), "computed",
                        "against " + one.attacker + " (" + short_number(one.attacker_watts) +
                            " W): honest miners spend " + short_number(one.honest_watts) + " W",
                        short_number(one.kwh_per_tx) + " kWh"});
  }
  return out;
}

Section traffic(const Model& model) {
  Section out{"messages",
              "4. Messages",
              "Copies of broadcasts count each. By votes the formula is (n-1) + (n-1)^2 + n(n-1) "
              "for a slot and n(n-1) for the seals; relayed transactions come on top.",
              {"engine", "network", "a block", "formula", "bytes a block", "a transaction",
               "stale blocks", "most bytes in"},
              {}};
  for (const Traffic& one : model.traffic) {
    out.rows.push_back({title(one.setting.engine), setting_text(one.setting),
                        short_number(one.messages_per_block),
                        one.formula_per_block > 0 ? short_number(one.formula_per_block) : "-",
                        bytes_text(one.bytes_per_block), short_number(one.messages_per_tx),
                        one.setting.engine == Engine::pow ? percent_text(one.stale_rate) : "-",
                        one.types.empty() ? "-" : one.types.front().type});
  }
  return out;
}

Section partitions(const Model& model) {
  Section out{"partition",
              "5. Partition",
              "The network is cut in halves under load and healed. By votes neither half has a "
              "quorum, so it stops. By work both go on, and the lighter half takes back what it "
              "had called final, if it was cut off for longer than the depth.",
              {"engine", "network", "sides", "cut for", "blocks on each side", "undone payments",
               "blocks taken back", "lost", "one network again"},
              {}};
  for (const Partition& one : model.partitions) {
    std::string blocks;
    for (const std::uint64_t side : one.blocks)
      blocks += (blocks.empty() ? "" : " | ") + count(side);
    out.rows.push_back({title(one.setting.engine), setting_text(one.setting), one.sides,
                        seconds(one.cut_s), blocks, count(one.reversed), count(one.deepest),
                        count(one.lost_for_good),
                        one.resumed_s ? "after " + seconds(*one.resumed_s) : "not seen"});
  }
  return out;
}

Section attack(const Model& model) {
  Section out{"attack",
              "6. Attackers",
              "How often an attacker with a share of the hash rate takes back a payment of so many "
              "blocks: by the exact formula, and tried out as a private fork against the real "
              "engine (with a 95 % interval). A selfish miner's share of the blocks is computed "
              "(Eyal and Sirer), for one who loses every tie and one who wins half of them.",
              {"share", "blocks deep", "exact", "Nakamoto", "tried out", "selfish: ties lost",
               "ties halved"},
              {}};
  for (const AttackPoint& one : model.attack) {
    std::string tried = "-";
    if (one.trials > 0) {
      const Interval interval = wilson(one.succeeded, one.trials);
      tried = count(one.succeeded) + " of " + count(one.trials) + " (" +
              percent_text(interval.low) + " to " + percent_text(interval.high) + ")";
    }
    out.rows.push_back({percent_text(one.share), std::to_string(one.depth), percent_text(one.exact),
                        percent_text(one.nakamoto), tried, percent_text(one.selfish_none),
                        percent_text(one.selfish_half)});
  }
  return out;
}

Section faults(const Model& model) {
  Section out{"faults",
              "6b. Faulty members",
              "By votes the chain goes on with f faulty members and stops with more; those that "
              "lie leave evidence. By work it goes on with whoever is left.",
              {"engine", "network", "what", "goes on", "blocks meanwhile", "longest stop",
               "undone payments"},
              {}};
  for (const FaultRow& one : model.faults) {
    out.rows.push_back({title(one.setting.engine), setting_text(one.setting), one.what,
                        one.goes_on ? "yes" : "no", count(one.blocks), seconds(one.longest_stop_s),
                        count(one.reversed)});
  }
  return out;
}

Section recovery(const Model& model) {
  Section out{"recovery",
              "7. Recovery and light clients",
              "How long nothing became final when the leader (by work: a miner, all being equal) "
              "was killed under load; how long a node takes that has everything to fetch; and what "
              "a light client takes in.",
              {"engine", "network", "what", "took", "without a fault", "more"},
              {}};
  for (const Recovery& one : model.recovery) {
    const std::string more =
        one.what == kNewNode
            ? count(one.blocks) + " blocks, " + count(one.transactions) + " transactions"
            : percent_text(one.rate_share) + " of what was sent became final";
    out.rows.push_back({title(one.setting.engine), setting_text(one.setting), one.what,
                        figure_text(one.seconds, seconds),
                        one.usual_s > 0 ? seconds(one.usual_s) : "-", more});
  }
  for (const ProofSize& one : model.proofs) {
    const std::string daily = one.headers_per_day > 0
                                  ? bytes_text(one.headers_per_day) + " of headers a day (computed)"
                                  : "nothing besides";
    out.rows.push_back({title(one.setting.engine), setting_text(one.setting),
                        "proof of a receipt: " + one.checks, bytes_text(one.proof_bytes), "-",
                        daily});
  }
  return out;
}

Section machine(const Model& model) {
  const Probes& probes = model.machine.probes;
  char steal[32];
  std::snprintf(steal, sizeof(steal), "%.2f %%", 100 * model.machine.steal);
  return {"machine",
          "This machine and this run",
          "Measured in the same run, so that results can be compared across machines as ratios: "
          "cores / (n * verify) is what checking every signature on every node would allow.",
          {"what", "value"},
          {{"processor", model.machine.processor},
           {"kernel", model.machine.kernel},
           {"cores", std::to_string(probes.cores)},
           {"verify one signature", microseconds(probes.verify_us)},
           {"SHA-256 of 256 bytes", microseconds(probes.sha256_us)},
           {"one way over loopback", microseconds(probes.hop_us)},
           {"fdatasync of 4 KiB", microseconds(probes.fdatasync_us)},
           {"hashes a second of one thread", short_number(model.machine.hash_rate)},
           {"steal, at most", steal},
           {"chain by work", seconds(static_cast<double>(model.chain.interval_ms) / 1e3) +
                                 " a block, final at depth " + std::to_string(model.chain.depth) +
                                 ", half-life " + std::to_string(model.chain.half_life_s) +
                                 " s, each node mines with " +
                                 std::to_string(model.chain.duty_percent) + " % of a processor"},
           {"version", model.version},
           {"began", model.started},
           {"took", seconds(model.took_s) + ", planned " + seconds(model.planned_s)}}};
}

}  // namespace

std::vector<Section> sections_of(const Model& model) {
  return {throughput(model), latency(model), cost(model),     traffic(model), partitions(model),
          attack(model),     faults(model),  recovery(model), machine(model)};
}

}  // namespace quorate::testnet::comparison
