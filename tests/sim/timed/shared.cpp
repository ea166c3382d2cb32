#include "tests/sim/timed/shared.hpp"

#include <cstring>

#include "crypto/hash.hpp"

namespace quorate::sim::timed {
namespace {

constexpr std::uint64_t kBalance = 1'000'000;
constexpr std::size_t kPayloadsKept = 512;

ledger::Genesis make_genesis(const Scene& scene, KeyRing& keys,
                             std::vector<const crypto::Signer*>& validators,
                             std::vector<const crypto::Signer*>& accounts) {
  ledger::Genesis out;
  out.chain_name = "simulated";
  out.genesis_time = WallMs(1'700'000'000'000);
  if (scene.work) out.consensus = pow::parameters_of(scene.work->chain);
  out.consensus.checkpoint_interval = scene.checkpoint_interval;
  // No more than the window between checkpoints allows.
  const auto window = static_cast<std::uint32_t>(2 * scene.checkpoint_interval);
  out.consensus.proposals_in_flight = std::min(out.consensus.proposals_in_flight, window);
  for (std::uint32_t i = 0; i < scene.replicas; ++i) {
    validators.push_back(&keys.make_signer(false));
    ledger::GenesisValidator validator;
    validator.name = "node" + std::to_string(i);
    validator.validator_key = validators.back()->public_key();
    validator.node_key = keys.make_signer(false).public_key();
    validator.p2p = "127.0.0.1:" + std::to_string(30'000 + i);
    out.validators.push_back(validator);
  }
  for (std::uint32_t i = 0; i < scene.accounts; ++i) {
    accounts.push_back(&keys.make_signer(false));
    out.accounts.push_back({crypto::address_of(accounts.back()->public_key()), kBalance});
  }
  const auto valid = ledger::validate(out, false);
  QUORATE_ASSERT(valid.has_value());
  return out;
}

consensus::pbft::DecodeLimits decode_limits(const ledger::Genesis& genesis) {
  consensus::pbft::DecodeLimits out;
  out.members = static_cast<std::uint32_t>(genesis.validators.size());
  out.payload_bytes_max = genesis.consensus.payload_bytes_max;
  return out;
}

}  // namespace

bool SignatureLog::verify(const PublicKey& key, ByteView message,
                          const Signature& signature) const {
  std::uint64_t prefix = 0;
  std::memcpy(&prefix, signature.data(), sizeof(prefix));
  checked_.push_back(prefix);
  return inner_.verify(key, message, signature);
}

void TransactionBook::add(const ledger::TransactionPtr& transaction) {
  numbers_.emplace(transaction->id, numbers_.size());
  by_encoding_.emplace(crypto::sha256(transaction->encoded), transaction);
}

Result<ledger::TransactionPtr> TransactionBook::verify(ByteView encoded) const {
  const auto known = by_encoding_.find(crypto::sha256(encoded));
  if (known != by_encoding_.end()) return known->second;
  return ledger::verify_transaction(chain_id_, encoded, signatures_);
}

std::optional<std::size_t> TransactionBook::number(const Digest& id) const {
  const auto found = numbers_.find(id);
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

Shared::Shared(const Scene& scene_in, Watcher& watcher_in)
    : scene(scene_in),
      watcher(watcher_in),
      prng(scene_in.seed),
      keys(prng.fork(), false),
      genesis(make_genesis(scene, keys, validators, accounts)),
      membership(ledger::membership(genesis)),
      limits(decode_limits(genesis)),
      signatures(keys),
      book(membership.chain_id, signatures) {}

FramePtr Shared::frame(ReplicaId from, node::TrafficClass traffic, Bytes body) {
  if (!scene.work) return make_frame(from, traffic, std::move(body), limits);
  FramePtr out = make_work_frame(from, traffic, std::move(body), limits.payload_bytes_max);
  if (out->block) note_block(out->block->first, *out->block->second);
  return out;
}

void Shared::note_block(const Digest& id, ByteView payload) {
  const auto [entry, fresh] = contents_.try_emplace(id);
  if (!fresh) return;
  const auto transactions = node::decode_committed_payload(membership.chain_id, payload);
  QUORATE_ASSERT(transactions.has_value());
  for (const auto& transaction : *transactions) {
    if (const auto number = book.number(transaction->id)) entry->second.push_back(*number);
  }
  if (on_block) on_block(id);
}

const Result<node::PeerMessage>& Shared::open(Frame& frame,
                                              const consensus::MessageVerifier& messages) {
  if (!frame.verified) {
    signatures.take();
    frame.verified =
        node::verify_peer_message(context(messages), frame.from, frame.traffic, frame.body);
    frame.signatures = signatures.take();
  }
  return *frame.verified;
}

CheckedPayload Shared::check(const Digest& id, ByteView payload,
                             const consensus::MessageVerifier& messages) {
  const auto known = payloads_.find(id);
  if (known != payloads_.end()) return known->second;
  auto transactions = node::verify_payload(context(messages), payload);
  auto out = std::make_shared<std::optional<std::vector<ledger::TransactionPtr>>>();
  if (transactions) *out = std::move(*transactions);
  payloads_.emplace(id, out);
  payload_order_.push_back(id);
  if (payload_order_.size() > kPayloadsKept) {
    payloads_.erase(payload_order_.front());
    payload_order_.pop_front();
  }
  return out;
}

}  // namespace quorate::sim::timed
