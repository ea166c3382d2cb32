// Points 5 to 7 of the comparison, and the machine.
#include <cstdio>

#include "testnet/compare/section_parts.hpp"

namespace quorate::testnet::comparison {

namespace {

Section partitions(const Model& model) {
  Section out{"partition",
              "5. A network cut in halves",
              "Under load, and healed. By votes neither half has a quorum, so it stops. By work "
              "both go on, and the lighter half takes back what it had called final, if it was cut "
              "off for longer than the depth. What it takes back mostly comes again on the other "
              "branch; what had not by the end is lost.",
              {"engine", "network", "sides", "cut for", "blocks on each side", "payments undone",
               "blocks taken back", "payments lost", "one network again"},
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
              "6. Attackers under proof of work",
              "How often an attacker with a share of the hash rate takes back a payment that is so "
              "many blocks deep: computed by the exact formula and by Nakamoto's, and tried out as "
              "a private fork against the real engine (simulated; with a 95 % interval).",
              {"attacker's share", "blocks deep", "exact", "Nakamoto", "tried out"},
              {}};
  for (const AttackPoint& one : model.attack) {
    std::string tried = "-";
    if (one.trials > 0) {
      const Interval interval = wilson(one.succeeded, one.trials);
      tried = count(one.succeeded) + " of " + count(one.trials) + " (" +
              percent_text(interval.low) + " to " + percent_text(interval.high) + ")";
    }
    out.rows.push_back({percent_text(one.share), std::to_string(one.depth), percent_text(one.exact),
                        percent_text(one.nakamoto), tried});
  }
  return out;
}

Section selfish(const Model& model) {
  Section out{
      "selfish",
      "6b. Selfish mining",
      "What share of the blocks that count a miner gets who keeps his blocks back and shows "
      "them when others catch up, so that theirs go stale: by the formula of Eyal and Sirer, "
      "and tried out with the real engines (simulated; within so much, with 95 % "
      "confidence).",
      {"his share of the hash rate", "races he wins", "formula", "tried out", "blocks",
       "stale blocks"},
      {}};
  for (const SelfishPoint& one : model.selfish) {
    const bool tried = one.blocks > 0;
    out.rows.push_back(
        {percent_text(one.share), one.ties_won > 0 ? "half" : "none", percent_text(one.formula),
         tried ? percent_text(one.revenue) + " ± " + percent_text(one.off_by) : "-",
         tried ? count(one.blocks) : "-", tried ? percent_text(one.stale_rate) : "-"});
  }
  return out;
}

Section faults(const Model& model) {
  Section out{
      "faults",
      "6c. Members that crash, or lie alone",
      "Simulated. By votes the chain goes on with f faulty members and stops with more. By "
      "work it goes on with whoever is left, more slowly until difficulty has followed; how long "
      "its longest stop was is a matter of chance.",
      {"engine", "network", "what", "goes on", "blocks meanwhile", "longest stop",
       "payments undone"},
      {}};
  for (const FaultRow& one : model.faults) {
    out.rows.push_back({title(one.setting.engine), setting_text(one.setting), one.what,
                        one.goes_on ? "yes" : "no", count(one.blocks), seconds(one.longest_stop_s),
                        count(one.reversed)});
  }
  return out;
}

Section liars(const Model& model) {
  Section out{"liars",
              "6d. Attackers under PBFT: members that lie together",
              "Simulated. All of them tell halves of the honest members, which do not hear each "
              "other meanwhile, different things, with all their votes. Up to f of n change "
              "nothing; with one more the chain forks, and the liars' own signatures name them.",
              {"network", "liars", "tolerated (f)", "outcome", "liars named by their signatures",
               "honest members accused"},
              {}};
  for (const LiarsRow& one : model.liars) {
    const std::string outcome = one.forked    ? "forks: two blocks at one height"
                                : one.goes_on ? "one chain, goes on"
                                              : "one chain, stops";
    out.rows.push_back({setting_text(one.setting), count(one.liars), count(one.tolerated), outcome,
                        count(one.named) + " of " + count(one.liars), count(one.wronged)});
  }
  return out;
}

std::string without_fault(const Recovery& one) {
  if (one.by_chance_with_all) return gap_text(*one.by_chance_with_all);
  return one.usual_s > 0 ? seconds(one.usual_s) : "-";
}

Section recovery(const Model& model) {
  Section out{
      "recovery",
      "7. Recovery",
      "The longest time in which nothing became final after the leader was killed under "
      "load, by votes beside the longest one of as long before; and how long a node takes "
      "that has everything to fetch. By work a miner is killed, all being equal, and gaps "
      "come by chance: beside the one seen stands what the chain's interval gives in as "
      "long a time, on average and in 9 of 10 runs, with the miners left and with all "
      "(computed). One run cannot tell these two apart.",
      {"engine", "network", "what", "took", "watched for", "by chance", "without a fault", "more"},
      {}};
  for (const Recovery& one : model.recovery) {
    const std::string more =
        one.what == kNewNode
            ? count(one.blocks) + " blocks, " + count(one.transactions) + " payments"
            : percent_text(one.rate_share) + " of what was sent became final";
    out.rows.push_back({title(one.setting.engine), setting_text(one.setting), one.what,
                        figure_text(one.seconds, seconds),
                        one.watched_s > 0 ? seconds(one.watched_s) : "-",
                        one.by_chance ? gap_text(*one.by_chance) : "-", without_fault(one), more});
  }
  return out;
}

Section light_clients(const Model& model) {
  Section out{"clients",
              "7b. What a light client takes in",
              "For the proof of one receipt, as a real node sent it; and every day besides, "
              "computed from the chain's interval.",
              {"engine", "network", "it checks", "a proof", "each day"},
              {}};
  for (const ProofSize& one : model.proofs) {
    out.rows.push_back(
        {title(one.setting.engine), setting_text(one.setting), one.checks,
         bytes_text(one.proof_bytes),
         one.headers_per_day > 0 ? bytes_text(one.headers_per_day) + " of headers" : "nothing"});
  }
  return out;
}

}  // namespace

std::vector<Section> sections_of_faults(const Model& model) {
  return {partitions(model), attack(model),   selfish(model),      faults(model),
          liars(model),      recovery(model), light_clients(model)};
}

Section section_of_machine(const Model& model) {
  const Probes& probes = model.machine.probes;
  char steal[32];
  std::snprintf(steal, sizeof(steal), "%.2f %%", 100 * model.machine.steal);
  Section out{
      "machine",
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
  for (const auto& [meaning, ns] : model.machine.simulated_costs) {
    out.rows.push_back(
        {"in the simulator: " + meaning, microseconds(static_cast<double>(ns) / 1e3)});
  }
  return out;
}

}  // namespace quorate::testnet::comparison
