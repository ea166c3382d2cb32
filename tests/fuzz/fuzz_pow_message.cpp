// Arbitrary bytes as messages of the proof-of-work engine: decoding never fails badly, has one
// encoding, and an engine that is fed whatever passes (with all work believed), between blocks that
// keep the rules, neither breaks an assertion nor the contract nor its bounds. Input: a run of
//   op u8: its peer is op mod 5; then, by op / 5 mod 3,
//     0 length u16, message
//     1 parent u8, payload mark u8: a block on one of the blocks so far (mark 255: invalid)
//     2 parent u8: the header of such a block alone
#include <cstdint>
#include <deque>

#include "consensus/factory.hpp"
#include "consensus/pow/messages.hpp"
#include "crypto/work/header_rules.hpp"
#include "tests/unit/consensus/test_keys.hpp"

namespace {

using namespace quorate;
using namespace quorate::consensus;

constexpr std::uint32_t kPayloadMax = 1024;
constexpr int kOpsMax = 96;
constexpr std::size_t kMemoryMax = 4U << 20U;
constexpr WallMs kStart(1'790'000'000'000);

class BelievesAll final : public crypto::work::WorkFunction {
 public:
  bool meets(const crypto::work::Header&, const Digest&) const override { return true; }
};

crypto::work::Parameters parameters() {
  crypto::work::Parameters out;
  out.depth = 2;
  return out;
}

// A host that answers everything at once.
class Host {
 public:
  Host()
      : membership_(test::test_membership(4)),
        rules_(parameters(), membership_.chain_id, kStart, membership_.validators),
        branches_{rules_.genesis()} {
    EngineConfig config;
    config.engine = "pow";
    config.membership = membership_;
    config.self = ReplicaId(1);
    config.payload_bytes_max = kPayloadMax;
    config.parameters = crypto::work::to_named(parameters());
    config.genesis_time = kStart;
    auto parts = make_engine(config, &signer_, verifier_, &work_);
    QUORATE_ASSERT(parts.has_value());
    parts_ = std::move(*parts);
    feed(Started{});
  }

  void receive(ReplicaId from, ByteView bytes) {
    const auto decoded = pow::decode(bytes, kPayloadMax);
    if (decoded) {
      const Bytes again = pow::encode(*decoded);
      QUORATE_ASSERT(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
    }
    auto verified = parts_.message_verifier->verify(from, bytes);
    if (verified) feed(MessageReceived{from, std::move(*verified)});
    now_ = now_ + std::chrono::milliseconds(700);
    feed(Ticked{});
    QUORATE_ASSERT(parts_.engine->memory_bytes() <= kMemoryMax);
  }

  pow::FullBlock block_on(std::uint8_t parent, std::uint8_t mark) {
    const crypto::work::Context context = branches_[parent % branches_.size()];
    const Bytes payload{mark};
    crypto::work::Header header;
    header.chain_id = membership_.chain_id;
    header.parent = context.id;
    header.height = context.height.next();
    header.payload_digest = parts_.message_verifier->payload_digest(payload);
    header.time_s = rules_.earliest_time(context);
    header.bits = rules_.next_bits(context);
    header.nonce = branches_.size();
    header.miner = test::test_key(mark % 4U);
    const pow::Identified identified = pow::identify(header);
    const auto extended = rules_.extend(context, header, identified.id);
    QUORATE_ASSERT(extended.has_value());
    branches_.push_back(*extended);
    return {identified, std::make_shared<const Bytes>(payload)};
  }

 private:
  void feed(Input input) {
    inputs_.push_back(std::move(input));
    while (!inputs_.empty()) {
      const WallMs wall(kStart.value() +
                        static_cast<std::uint64_t>(now_.since_origin.count() / 1'000'000));
      Event event{now_, wall, std::move(inputs_.front())};
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
      const bool valid = validate->payload.empty() || validate->payload.front() != 0xff;
      inputs_.push_back(Validated{validate->id, valid});
    } else if (const auto* commit = std::get_if<Commit>(&output)) {
      QUORATE_ASSERT(commit->height == committed_.next());
      committed_ = commit->height;
      inputs_.push_back(Executed{commit->height, commit->id, {}, {}});
    } else if (const auto* rewind = std::get_if<Rewind>(&output)) {
      QUORATE_ASSERT(rewind->height < committed_);
      committed_ = rewind->height;
      inputs_.push_back(Rewound{rewind->height});
    } else if (const auto* load = std::get_if<LoadPayload>(&output)) {
      inputs_.push_back(PayloadLoaded{load->id, std::nullopt});
    } else if (const auto* range = std::get_if<LoadCertificates>(&output)) {
      inputs_.push_back(CertificatesLoaded{range->first, {}});
    } else if (const auto* request = std::get_if<RequestProposal>(&output)) {
      const Bytes payload{1};
      inputs_.push_back(ProposalReady{request->height, request->view, payload,
                                      parts_.message_verifier->payload_digest(payload)});
    }
  }

  crypto::Membership membership_;
  test::TokenVerifier verifier_;
  test::TokenSigner signer_{test::test_key(1)};
  BelievesAll work_;
  crypto::work::HeaderRules rules_;
  std::vector<crypto::work::Context> branches_;
  EngineParts parts_;
  std::deque<Input> inputs_;
  Instant now_;
  Height committed_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Host host;
  crypto::Reader in(ByteView{data, size});
  for (int ops = 0; ops < kOpsMax && in.left() >= 3; ++ops) {
    const std::uint8_t op = in.u8();
    const ReplicaId from(op % 5U);
    if (op / 5 % 3 == 0) {
      const std::size_t length = in.u16();
      host.receive(from, in.raw(std::min(length, in.left())));
      continue;
    }
    const std::uint8_t parent = in.u8();
    const pow::FullBlock block = host.block_on(parent, in.u8());
    if (op / 5 % 3 == 1) {
      host.receive(from, pow::encode(block));
    } else {
      host.receive(from, pow::encode(pow::Announce{{block.header}}));
    }
  }
  return 0;
}
