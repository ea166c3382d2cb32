#include "testnet/compare/verdict.hpp"

#include <algorithm>

#include "crypto/certificate/quorum.hpp"
#include "crypto/work/reversal.hpp"
#include "testnet/compare/text.hpp"

namespace quorate::testnet::comparison {

namespace {

constexpr double kAttacker = 0.25;
constexpr double kBound = 1e-3;
constexpr double kAttackerWatts = 10'000;
constexpr const char* kUnknown = "-";

Answer unknown() { return {kUnknown, std::nullopt}; }
Answer by_nature(std::string text) { return {std::move(text), std::nullopt}; }

Answer latency(const Model& model, Engine engine, std::uint32_t depth) {
  const Latency* found = latency_of(model, engine, depth);
  if (found == nullptr) return unknown();
  return {duration_text(found->p50_ms.median), found->setting.origin};
}

Question finality(const Model& model) {
  Question out{"a payment is final after", latency(model, Engine::pbft, 0),
               latency(model, Engine::pow, model.chain.depth)};
  if (out.pow.origin) out.pow.text += " (" + std::to_string(model.chain.depth) + " blocks)";
  return out;
}

// By work certainty grows; if nobody has seen that depth reached, it takes so many intervals.
Answer safe_after(const Model& model) {
  const std::uint32_t depth = safe_depth(model, kAttacker, kBound);
  if (depth == 0) return unknown();
  Answer out = latency(model, Engine::pow, depth);
  if (!out.origin) {
    const double ms = static_cast<double>(depth) * static_cast<double>(model.chain.interval_ms);
    out = {duration_text(ms), Origin::computed};
  }
  return out;
}

Question safety(const Model& model) {
  Question out{"... < 0.1 % for 25 % attackers", by_nature("the same"), safe_after(model)};
  if (out.pow.origin) {
    out.pow.text += " (" + std::to_string(safe_depth(model, kAttacker, kBound)) + " blocks)";
  }
  return out;
}

Answer throughput(const Model& model, Engine engine) {
  const Throughput* found = throughput_of(model, engine);
  if (found == nullptr) return unknown();
  return {(found->at_least ? "at least " : "") + short_number(found->sustained.median),
          found->setting.origin};
}

Answer cost(const Model& model, Engine engine) {
  const Cost* found = cost_of(model, engine);
  if (found == nullptr) return unknown();
  return {duration_text(found->us_per_tx / 1e3), found->setting.origin};
}

// Against an attacker who is no giant: the second of the list.
Question security(const Model& model) {
  Question out{"mining to be safe from 10 kW", by_nature("none"), unknown()};
  for (const Budget& one : model.budgets) {
    if (one.attacker_watts != kAttackerWatts) continue;
    out.pow = {power_text(one.honest_watts) + ", day and night", Origin::computed};
  }
  return out;
}

Question partition(const Model& model) {
  Question out{"the network is cut in halves", unknown(), unknown()};
  const auto undone = [](const Partition& one) {
    return short_number(static_cast<double>(one.reversed)) + " undone";
  };
  if (const Partition* votes = partition_of(model, Engine::pbft)) {
    const std::uint64_t made =
        votes->blocks.empty() ? 0 : *std::max_element(votes->blocks.begin(), votes->blocks.end());
    out.pbft = {(made > 1 ? "goes on, " : "stops, ") + undone(*votes), votes->setting.origin};
  }
  if (const Partition* work = partition_of(model, Engine::pow)) {
    out.pow = {"both go on, " + undone(*work), work->setting.origin};
  }
  return out;
}

Answer leader(const Model& model, Engine engine) {
  const Recovery* found = recovery_of(model, engine, kLeaderKilled);
  if (found == nullptr) return unknown();
  Answer out{duration_text(1e3 * found->seconds.median), found->setting.origin};
  if (found->by_chance) {
    out.also = "by chance " + gap_range(*found->by_chance);
    out.also_origin = Origin::computed;
  }
  return out;
}

Answer agreement(const Model& model, Engine engine) {
  const Traffic* found = medium_traffic(model, engine);
  if (found == nullptr) return unknown();
  return {short_number(found->messages_per_block), found->setting.origin};
}

Question messages(const Model& model) {
  const Traffic* found = medium_traffic(model, Engine::pbft);
  const std::string nodes =
      found == nullptr ? "" : ", " + std::to_string(found->setting.nodes) + " nodes";
  return {"messages for a block" + nodes, agreement(model, Engine::pbft),
          agreement(model, Engine::pow)};
}

Answer light_client(const Model& model, Engine engine) {
  const ProofSize* found = proof_of(model, engine);
  if (found == nullptr) return unknown();
  Answer out{bytes_text(found->proof_bytes), found->setting.origin};
  if (found->headers_per_day > 0) {
    out.also = "and " + bytes_text(found->headers_per_day) + " a day";
    out.also_origin = Origin::computed;
  }
  return out;
}

std::uint32_t usual_nodes(const Model& model) {
  const Latency* found = latency_of(model, Engine::pbft, 0);
  return found == nullptr ? 4 : found->setting.nodes;
}

std::string f_of_n(const Model& model) {
  const std::uint32_t n = usual_nodes(model);
  return std::to_string(crypto::faults_tolerated(n)) + " of " + std::to_string(n);
}

Question undone(const Model& model) {
  const double chance = crypto::work::reversal_probability(kAttacker, model.chain.depth);
  return {"can a final payment be undone?",
          {"no, if at most " + f_of_n(model) + " lie", std::nullopt},
          {percent_text(chance) + " for a 25 % attacker", Origin::computed}};
}

// What becomes of the chain when one member more lies.
Answer beyond(const Model& model) {
  Answer out = by_nature(f_of_n(model));
  for (const LiarsRow& one : model.liars) {
    if (one.liars != one.tolerated + 1 || one.setting.nodes != usual_nodes(model)) continue;
    out.also = one.forked ? "or it forks" : "or it stops";
    out.also_origin = one.setting.origin;
  }
  return out;
}

std::string sentence_for_votes(const Model& model) {
  std::string out =
      "Choose PBFT when you can list who takes part and trust that fewer than a third of them lie";
  const Latency* final = latency_of(model, Engine::pbft, 0);
  const Throughput* rate = throughput_of(model, Engine::pbft);
  if (final != nullptr) {
    out +=
        ": a payment is final after " + duration_text(final->p50_ms.median) + " and is not undone";
  }
  if (rate != nullptr) {
    out += ", at up to " + short_number(rate->sustained.median) + " payments a second here";
  }
  return out + ". When too few members reach each other it stops rather than guess.";
}

std::string sentence_for_work(const Model& model) {
  std::string out =
      "Choose proof of work when nobody can list who takes part, or the chain must go on with "
      "whoever is left, and payees can wait";
  const Latency* final = latency_of(model, Engine::pow, model.chain.depth);
  if (final != nullptr) {
    out += ": " + duration_text(final->p50_ms.median) + " until a payment counts as final";
  }
  const Answer safe = safe_after(model);
  if (final != nullptr && safe.origin) {
    out += ", " + safe.text + " against a quarter of the hash rate";
  }
  return out + ". It is never certain, and as safe as the hash rate that honest miners pay for.";
}

}  // namespace

Verdict verdict_of(const Model& model) {
  Verdict out;
  out.questions = {
      finality(model),
      safety(model),
      {"payments per second", throughput(model, Engine::pbft), throughput(model, Engine::pow)},
      undone(model),
      {"how many may lie?", beyond(model), by_nature("< half of the hash rate")},
      {"how many may crash?", by_nature(f_of_n(model)), by_nature("all but one")},
      partition(model),
      {"leader dies: nothing final for", leader(model, Engine::pbft), leader(model, Engine::pow)},
      {"who takes part?", by_nature("named members"), by_nature("anybody (here: named miners)")},
      {"processor time for a payment", cost(model, Engine::pbft), cost(model, Engine::pow)},
      security(model),
      messages(model),
      {"proof for a light client", light_client(model, Engine::pbft),
       light_client(model, Engine::pow)}};
  out.choose_pbft = sentence_for_votes(model);
  out.choose_pow = sentence_for_work(model);
  return out;
}

}  // namespace quorate::testnet::comparison
