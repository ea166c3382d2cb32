// Frames from a hostile peer, of every class: decoding must end with a value or an error, and what
// was decoded must encode to the same bytes. The first byte chooses the class. Signatures always
// hold here, so that the input reaches what lies behind them.
#include "consensus/factory.hpp"
#include "crypto/base/assert.hpp"
#include "node/peer_messages.hpp"

namespace {

using namespace quorate;

class AllowAll final : public crypto::Verifier {
 public:
  bool verify(const PublicKey&, ByteView, const Signature&) const override { return true; }
};

struct Setup {
  Setup() {
    for (std::uint8_t i = 0; i < 4; ++i) {
      PublicKey key;
      key.bytes.fill(static_cast<std::uint8_t>(i + 1));
      membership.validators.push_back(key);
    }
    consensus::EngineConfig config;
    config.membership = membership;
    config.payload_bytes_max = 64U << 10U;
    auto made = consensus::make_engine(config, nullptr, verifier);
    QUORATE_ASSERT(made.has_value());
    messages = made->message_verifier;
  }
  AllowAll verifier;
  crypto::Membership membership;
  std::shared_ptr<const consensus::MessageVerifier> messages;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Setup setup;
  if (size == 0) return 0;
  const node::VerifyContext context{setup.membership.chain_id, setup.membership,
                                    setup.messages.get(), &setup.verifier};
  const auto traffic = static_cast<node::TrafficClass>(data[0] % 4);
  const ByteView body(data + 1, size - 1);
  const auto message = node::verify_peer_message(context, ReplicaId(1), traffic, body);
  if (message) {
    if (const auto* relayed = std::get_if<node::RelayedTransactions>(&*message)) {
      const Bytes again = node::encode_transactions(relayed->transactions);
      QUORATE_ASSERT(std::equal(again.begin(), again.end(), body.begin(), body.end()));
    } else if (const auto* request = std::get_if<node::BlocksRequest>(&*message)) {
      const Bytes again = node::encode_blocks_request(request->from);
      QUORATE_ASSERT(std::equal(again.begin(), again.end(), body.begin(), body.end()));
    }
  }
  const auto payload = node::verify_payload(context, body);
  if (payload && !body.empty()) {
    const Bytes again = ledger::encode_payload(*payload);
    QUORATE_ASSERT(std::equal(again.begin(), again.end(), body.begin(), body.end()));
  }
  return 0;
}
