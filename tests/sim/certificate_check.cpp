#include "tests/sim/certificate_check.hpp"

#include <set>

#include "crypto/hash.hpp"

namespace quorate::sim {
namespace {

void append_le64(Bytes& out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) {
    out.push_back(static_cast<std::uint8_t>(value & 0xffU));
    value >>= 8U;
  }
}

Bytes signed_bytes(const World& world, Height height, const Digest& block_hash) {
  Bytes out;
  for (const char letter : std::string("quorate/pbft/1")) {
    out.push_back(static_cast<std::uint8_t>(letter));
  }
  out.push_back(0);
  out.push_back(4);  // SEAL
  const Digest chain = ledger::chain_id(world.genesis);
  out.insert(out.end(), chain.bytes.begin(), chain.bytes.end());
  append_le64(out, 0);  // epoch
  const Digest config = ledger::config_hash(world.genesis);
  out.insert(out.end(), config.bytes.begin(), config.bytes.end());
  append_le64(out, height.value());
  out.insert(out.end(), block_hash.bytes.begin(), block_hash.bytes.end());
  const Digest digest = crypto::sha256(out);
  return {digest.bytes.begin(), digest.bytes.end()};
}

}  // namespace

std::optional<std::string> certificate_fault(const World& world, Height height,
                                             const Digest& block_hash,
                                             const std::vector<crypto::ReplicaSignature>& seals) {
  const std::size_t n = world.genesis.validators.size();
  const std::size_t f = (n - 1) / 3;
  const std::size_t quorum = (n + f + 1) / 2 + (n + f + 1) % 2;
  const Bytes message = signed_bytes(world, height, block_hash);
  std::set<std::uint32_t> signers;
  for (const crypto::ReplicaSignature& seal : seals) {
    const std::uint32_t signer = seal.replica.value();
    if (signer >= n) return "signer " + std::to_string(signer) + " is no member";
    if (!signers.insert(signer).second) return "signer " + std::to_string(signer) + " twice";
    if (!world.keys.verify(world.genesis.validators[signer].validator_key, message,
                           seal.signature)) {
      return "the seal of replica " + std::to_string(signer) + " does not verify";
    }
  }
  if (signers.size() >= quorum) return std::nullopt;
  return std::to_string(signers.size()) + " seals, a quorum is " + std::to_string(quorum);
}

}  // namespace quorate::sim
