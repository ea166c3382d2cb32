// quorate-node as a liar: the same program, whose primary signs two proposals for one height. The
// first half of its peers gets the one that it works on itself, the second half another one. It is
// linked from the parts of quorate-node; only what it sends differs. For tests, never installed.
#include "consensus/pbft/messages.hpp"
#include "ledger/types/genesis.hpp"
#include "node/commands/prepare.hpp"
#include "node/config/key_files.hpp"

namespace quorate::node {

// prepare.cpp is compiled again for this program under this name.
RuntimeConfig honest_runtime_config(Prepared& prepared);

namespace {

namespace pbft = consensus::pbft;

class Equivocator final : public Transport {
 public:
  Equivocator(Transport& inner, const ledger::Genesis& genesis, crypto::ValidatorKey key)
      : inner_(inner),
        membership_(ledger::membership(genesis)),
        limits_{.members = membership_.size(),
                .payload_bytes_max = genesis.consensus.payload_bytes_max},
        self_(*membership_.find(key.public_key())),
        key_(std::move(key)) {}

  void send(std::optional<ReplicaId> to, TrafficClass traffic, Bytes body) override {
    const auto lie =
        traffic == TrafficClass::consensus ? second_proposal(body) : std::optional<Bytes>();
    if (!lie) return inner_.send(to, traffic, std::move(body));
    for (std::uint32_t i = 0; i < membership_.size(); ++i) {
      const ReplicaId peer(i);
      if (peer == self_ || (to && *to != peer)) continue;
      inner_.send(peer, traffic, is_told_the_truth(peer) ? body : *lie);
    }
  }
  void disconnect(ReplicaId peer, const std::string& reason) override {
    inner_.disconnect(peer, reason);
  }

 private:
  bool is_told_the_truth(ReplicaId peer) const {
    const std::uint32_t place = peer.value() - (peer.value() > self_.value() ? 1 : 0);
    return place < (membership_.size() - 1) / 2;
  }

  // For a proposal of our own: another body for the same view and height, signed as well.
  std::optional<Bytes> second_proposal(const Bytes& body) const {
    const auto envelope = pbft::decode(body, limits_);
    if (!envelope) return std::nullopt;
    const auto* message = std::get_if<pbft::PrePrepare>(&envelope->message);
    if (message == nullptr || message->body.header.orig_view != message->core.ballot.view ||
        message->body.header.proposer != key_.public_key()) {
      return std::nullopt;
    }
    pbft::PrePrepare lie = *message;
    lie.body.header.time = WallMs(lie.body.header.time.value() + 1);
    lie.core.ballot.id = pbft::proposal_id(membership_, lie.body.header);
    lie.core.signature = key_.sign(pbft::core_signing_digest(membership_, lie.core.ballot));
    return pbft::encode(envelope->epoch, pbft::Message(std::move(lie)));
  }

  Transport& inner_;
  const crypto::Membership membership_;
  const pbft::DecodeLimits limits_;
  const ReplicaId self_;
  const crypto::ValidatorKey key_;
};

}  // namespace

RuntimeConfig runtime_config(Prepared& prepared) {
  RuntimeConfig config = honest_runtime_config(prepared);
  config.wrap_transport = [genesis = config.genesis, file = prepared.home.validator_key_file()](
                              Transport& inner) -> std::unique_ptr<Transport> {
    auto key = read_validator_key(file);
    QUORATE_ASSERT(key.has_value());
    return std::make_unique<Equivocator>(inner, genesis, std::move(*key));
  };
  return config;
}

}  // namespace quorate::node
