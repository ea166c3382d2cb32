#include "testnet/compare/proof_size.hpp"

#include <algorithm>

#include "crypto/work/header.hpp"
#include "rpc/client/rpc_client.hpp"
#include "rpc/json/fields.hpp"

namespace quorate::testnet::comparison {

namespace {

constexpr std::chrono::milliseconds kProofAnswerMax{2000};
constexpr std::uint64_t kBlocksTried = 200;
constexpr double kMsPerDay = 86'400'000;
constexpr std::size_t kIdsMax = 1U << 20U;

// The proof of the first transaction of this block, if it has one that can be proved.
std::optional<rpc::Json> proof_in(rpc::RpcClient& client, std::uint64_t height) {
  const auto block = client.call("chain_getBlock", {{"block", height}});
  if (!block) return std::nullopt;
  const auto fields = rpc::Fields::of(*block, "block");
  if (!fields) return std::nullopt;
  const auto ids = fields->array("transaction_ids", kIdsMax);
  if (!ids || (*ids)->empty()) return std::nullopt;
  auto proof = client.call("tx_getProof", {{"transaction_id", (*ids)->front()}});
  if (!proof) return std::nullopt;
  return std::move(*proof);
}

std::optional<std::uint64_t> head_of(rpc::RpcClient& client) {
  const auto status = client.call("chain_getStatus", rpc::Json::object());
  if (!status) return std::nullopt;
  const auto fields = rpc::Fields::of(*status, "chain_getStatus");
  if (!fields) return std::nullopt;
  const auto height = fields->integer("height");
  if (!height) return std::nullopt;
  return *height;
}

}  // namespace

std::optional<ProofSize> measure_proof(const Cluster& cluster, Engine engine,
                                       const PowChain& chain) {
  auto client =
      rpc::RpcClient::create({cluster.node(0).rpc_url()}, {kProofAnswerMax, kProofAnswerMax});
  if (!client) return std::nullopt;
  const auto head = head_of(*client);
  if (!head) return std::nullopt;
  const std::uint64_t lowest = *head > kBlocksTried ? *head - kBlocksTried : 1;
  for (std::uint64_t height = *head; height >= lowest; --height) {
    const auto proof = proof_in(*client, height);
    if (!proof) continue;
    ProofSize out;
    out.setting = {engine, Origin::measured, static_cast<std::uint32_t>(cluster.size()), 0};
    out.proof_bytes = static_cast<double>(proof->dump().size());
    if (engine == Engine::pbft) {
      out.checks = "the signatures of a quorum, and a Merkle path";
    } else {
      out.headers_per_day = static_cast<double>(crypto::work::kHeaderSize) * kMsPerDay /
                            static_cast<double>(chain.interval_ms);
      out.checks = "the work of every header since genesis, and a Merkle path";
    }
    return out;
  }
  return std::nullopt;
}

}  // namespace quorate::testnet::comparison
