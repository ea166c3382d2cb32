// What the replicas of a timed run share: time, keys, the chain's parameters, and what verification
// says of messages, payloads and transactions, which is the same for everybody and computed once.
// Each replica is still charged as if it had done the work. One run owns it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "ledger/types/genesis.hpp"
#include "node/replica.hpp"
#include "tests/sim/key_ring.hpp"
#include "tests/sim/timed/frame.hpp"
#include "tests/sim/timed/scene.hpp"
#include "tests/sim/timeline.hpp"

namespace quorate::sim::timed {

// Notes which signatures were checked.
class SignatureLog final : public crypto::Verifier {
 public:
  explicit SignatureLog(const crypto::Verifier& inner) : inner_(inner) {}
  bool verify(const PublicKey& key, ByteView message, const Signature& signature) const override;
  std::vector<std::uint64_t> take() { return std::exchange(checked_, {}); }

 private:
  const crypto::Verifier& inner_;
  mutable std::vector<std::uint64_t> checked_;
};

// Every transaction that clients have signed, by number: the k-th that was due.
class TransactionBook final : public node::TransactionVerifier {
 public:
  TransactionBook(const Digest& chain_id, const crypto::Verifier& signatures)
      : chain_id_(chain_id), signatures_(signatures) {}
  void add(const ledger::TransactionPtr& transaction);
  Result<ledger::TransactionPtr> verify(ByteView encoded) const override;
  std::optional<std::size_t> number(const Digest& id) const;

 private:
  const Digest chain_id_;
  const crypto::Verifier& signatures_;
  std::unordered_map<Digest, std::size_t, FixedHash<Digest>> numbers_;
  std::unordered_map<Digest, ledger::TransactionPtr, FixedHash<Digest>> by_encoding_;
};

// A payload as the checker found it: none = invalid.
using CheckedPayload = std::shared_ptr<const std::optional<std::vector<ledger::TransactionPtr>>>;

class Shared {
 public:
  Shared(const Scene& scene, Watcher& watcher);

  node::VerifyContext context(const consensus::MessageVerifier& messages) const {
    return {membership.chain_id, membership, &messages, &signatures, &book};
  }
  // Verifies the frame unless somebody did already.
  const Result<node::PeerMessage>& open(Frame& frame, const consensus::MessageVerifier& messages);
  CheckedPayload check(const Digest& id, ByteView payload,
                       const consensus::MessageVerifier& messages);
  FramePtr frame(ReplicaId from, node::TrafficClass traffic, Bytes body);
  // Called with the id of every block that is shown to somebody for the first time.
  std::function<void(const Digest&)> on_block;
  // The transactions of a block that somebody has shown, by the clients' numbers.
  const std::vector<std::size_t>* transactions_of(const Digest& id) const {
    const auto found = contents_.find(id);
    return found == contents_.end() ? nullptr : &found->second;
  }

  const Scene& scene;
  Watcher& watcher;
  Timeline timeline;
  Prng prng;
  KeyRing keys;
  std::vector<const crypto::Signer*> validators;
  std::vector<const crypto::Signer*> accounts;
  ledger::Genesis genesis;  // of those
  crypto::Membership membership;
  consensus::pbft::DecodeLimits limits;
  SignatureLog signatures;
  TransactionBook book;
  pow::Lottery lottery;  // unused where nobody mines

 private:
  void note_block(const Digest& id, ByteView payload);

  std::unordered_map<Digest, CheckedPayload, FixedHash<Digest>> payloads_;
  std::deque<Digest> payload_order_;
  std::map<Digest, std::vector<std::size_t>> contents_;  // of proof of work alone
};

}  // namespace quorate::sim::timed
