#include "testnet/compare/verdict.hpp"

#include <algorithm>

#include "crypto/certificate/quorum.hpp"
#include "crypto/work/reversal.hpp"
#include "testnet/compare/text.hpp"

namespace quorate::testnet::comparison {

namespace {

constexpr double kAttacker = 0.25;
constexpr double kBound = 1e-3;
constexpr const char* kUnknown = "-";

Answer unknown() { return {kUnknown, std::nullopt}; }

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
Question safety(const Model& model) {
  Question out{"... and a 25 % attacker has < 0.1 %", {"the same", std::nullopt}, unknown()};
  const std::uint32_t depth = safe_depth(model, kAttacker, kBound);
  if (depth == 0) return out;
  out.pow = latency(model, Engine::pow, depth);
  if (!out.pow.origin) {
    const double ms = static_cast<double>(depth) * static_cast<double>(model.chain.interval_ms);
    out.pow = {duration_text(ms), Origin::computed};
  }
  out.pow.text += " (" + std::to_string(depth) + " blocks)";
  return out;
}

Answer throughput(const Model& model, Engine engine) {
  const Throughput* found = throughput_of(model, engine);
  if (found == nullptr) return unknown();
  return {short_number(found->sustained.median), found->setting.origin};
}

Answer cost(const Model& model, Engine engine) {
  const Cost* found = cost_of(model, engine);
  if (found == nullptr) return unknown();
  return {duration_text(found->us_per_tx / 1e3), found->setting.origin};
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
  std::string text = duration_text(1e3 * found->seconds.median);
  if (engine == Engine::pow) text += " (usual: " + duration_text(1e3 * found->usual_s) + ")";
  return {text, found->setting.origin};
}

// For a network of medium size, if it was simulated, else the largest.
const Traffic* traffic_for_all(const Model& model, Engine engine, std::uint32_t nodes) {
  for (const Traffic& one : model.traffic) {
    if (one.setting.engine == engine && one.setting.nodes == nodes) return &one;
  }
  return nullptr;
}

Question messages(const Model& model) {
  constexpr std::uint32_t kMedium = 31;
  std::uint32_t nodes = 0;
  for (const Traffic& one : model.traffic) {
    const std::uint32_t size = one.setting.nodes;
    if (size <= kMedium) nodes = std::max(nodes, size);
  }
  Question out{"messages for a block of " + std::to_string(nodes) + " nodes", unknown(), unknown()};
  if (const Traffic* votes = traffic_for_all(model, Engine::pbft, nodes)) {
    out.pbft = {short_number(votes->messages_per_block), votes->setting.origin};
  }
  if (const Traffic* work = traffic_for_all(model, Engine::pow, nodes)) {
    out.pow = {short_number(work->messages_per_block), work->setting.origin};
  }
  return out;
}

Question light_client(const Model& model) {
  Question out{"a light client takes in", unknown(), unknown()};
  if (const ProofSize* votes = proof_of(model, Engine::pbft)) {
    out.pbft = {bytes_text(votes->proof_bytes) + " for a proof", votes->setting.origin};
  }
  if (const ProofSize* work = proof_of(model, Engine::pow)) {
    out.pow = {
        bytes_text(work->proof_bytes) + ", and " + bytes_text(work->headers_per_day) + " a day",
        work->setting.origin};
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
          {"no, while at most " + f_of_n(model) + " lie", std::nullopt},
          {percent_text(chance) + " for a 25 % attacker", Origin::computed}};
}

std::string sentence_for_votes(const Model& model) {
  std::string out =
      "Choose PBFT when the members are known and more than two thirds of them can be trusted";
  const Latency* final = latency_of(model, Engine::pbft, 0);
  const Throughput* rate = throughput_of(model, Engine::pbft);
  if (final != nullptr) {
    out +=
        ": a payment is final after " + duration_text(final->p50_ms.median) + " and is not undone";
  }
  if (rate != nullptr) {
    out += ", at up to " + short_number(rate->sustained.median) + " payments a second";
  }
  return out + ". It stops rather than guess when too few members reach each other.";
}

std::string sentence_for_work(const Model& model) {
  std::string out =
      "Choose proof of work when no list of members can be agreed on, or when the chain must go on "
      "with whoever is left, and payees can wait";
  const Latency* final = latency_of(model, Engine::pow, model.chain.depth);
  if (final != nullptr) out += " (" + duration_text(final->p50_ms.median) + " and more)";
  return out +
         ". A payment is never certain, only more and more probable, and no safer than the hash "
         "rate that honest miners go on paying for.";
}

}  // namespace

Verdict verdict_of(const Model& model) {
  Verdict out;
  out.questions = {
      finality(model),
      safety(model),
      {"payments per second", throughput(model, Engine::pbft), throughput(model, Engine::pow)},
      {"processor time for a payment", cost(model, Engine::pbft), cost(model, Engine::pow)},
      undone(model),
      partition(model),
      {"how many may crash?", {f_of_n(model), std::nullopt}, {"all but one", std::nullopt}},
      {"how many may lie?",
       {f_of_n(model), std::nullopt},
       {"< half of the hash rate", std::nullopt}},
      {"the leader dies: nothing final for", leader(model, Engine::pbft),
       leader(model, Engine::pow)},
      {"who takes part?",
       {"named members", std::nullopt},
       {"anybody (here: named miners)", std::nullopt}},
      messages(model),
      light_client(model)};
  out.choose_pbft = sentence_for_votes(model);
  out.choose_pow = sentence_for_work(model);
  return out;
}

}  // namespace quorate::testnet::comparison
