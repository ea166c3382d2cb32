// Arbitrary bytes as consensus messages: decoding never fails badly, has one encoding, and an
// engine that is fed whatever passes (with every signature believed) neither breaks an assertion
// nor outgrows its bounds. Input: a run of (peer u8, length u16, message).
#include <cstdint>
#include <deque>

#include "consensus/factory.hpp"
#include "consensus/pbft/messages.hpp"
#include "tests/unit/consensus/test_keys.hpp"

namespace {

using namespace quorate;
using namespace quorate::consensus;

constexpr std::uint32_t kPayloadMax = 1024;
constexpr int kMessagesMax = 64;
constexpr std::size_t kMemoryMax = 2U << 20U;

class BelievesAll final : public crypto::Verifier {
 public:
  bool verify(const PublicKey&, ByteView, const Signature&) const override { return true; }
};

// A host that answers everything at once and has no blocks to offer.
class Host {
 public:
  Host() {
    EngineConfig config;
    config.membership = test::test_membership(4);
    config.self = ReplicaId(1);
    config.checkpoint_interval = 4;
    config.proposals_in_flight = 2;
    config.payload_bytes_max = kPayloadMax;
    auto parts = make_engine(config, &signer_, verifier_);
    QUORATE_ASSERT(parts.has_value());
    parts_ = std::move(*parts);
    feed(Started{});
  }

  void receive(ReplicaId from, ByteView bytes) {
    check_encoding(bytes);
    auto verified = parts_.message_verifier->verify(from, bytes);
    if (verified) feed(MessageReceived{from, std::move(*verified)});
    now_ = now_ + std::chrono::milliseconds(50);
    feed(Ticked{});
    QUORATE_ASSERT(parts_.engine->memory_bytes() <= kMemoryMax);
  }

 private:
  static void check_encoding(ByteView bytes) {
    const auto decoded = pbft::decode(bytes, {4, kPayloadMax});
    if (!decoded) return;
    const Bytes again = pbft::encode(decoded->epoch, decoded->message);
    QUORATE_ASSERT(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
  }

  void feed(Input input) {
    inputs_.push_back(std::move(input));
    while (!inputs_.empty()) {
      Event event{now_, WallMs(1'790'000'000'000), std::move(inputs_.front())};
      inputs_.pop_front();
      std::vector<Output> outputs;
      parts_.engine->step(event, outputs);
      for (const Output& output : outputs) answer(output);
    }
  }

  void answer(const Output& output) {
    if (const auto* persist = std::get_if<Persist>(&output)) {
      inputs_.push_back(Persisted{persist->token});
    } else if (const auto* validate = std::get_if<Validate>(&output)) {
      inputs_.push_back(Validated{validate->id, true});
    } else if (const auto* commit = std::get_if<Commit>(&output)) {
      QUORATE_ASSERT(commit->height == executed_.next());
      executed_ = commit->height;
      inputs_.push_back(Executed{commit->height, commit->id, {}, {}});
    } else if (const auto* load = std::get_if<LoadPayload>(&output)) {
      inputs_.push_back(PayloadLoaded{load->id, std::nullopt});
    } else if (std::holds_alternative<RequestSync>(output)) {
      inputs_.push_back(SyncFinished{executed_});
    }
  }

  BelievesAll verifier_;
  test::TokenSigner signer_{test::test_key(1)};
  EngineParts parts_;
  std::deque<Input> inputs_;
  Instant now_;
  Height executed_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Host host;
  crypto::Reader in(ByteView{data, size});
  for (int messages = 0; messages < kMessagesMax && in.left() >= 3; ++messages) {
    const ReplicaId from(in.u8() % 5U);
    const std::size_t length = in.u16();
    host.receive(from, in.raw(std::min(length, in.left())));
  }
  return 0;
}
