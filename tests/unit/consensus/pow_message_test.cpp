// Messages, records and puzzles of the proof-of-work engine: one encoding each, caps, work.
#include <catch2/catch.hpp>

#include "consensus/pow/durable_state.hpp"
#include "consensus/pow/message_verifier.hpp"
#include "consensus/pow/puzzle_solver.hpp"
#include "crypto/work/bits.hpp"
#include "tests/unit/consensus/test_keys.hpp"

using namespace quorate;
using namespace quorate::consensus;
using namespace quorate::consensus::pow;

namespace {

constexpr std::uint32_t kPayloadMax = 1024;

crypto::work::Header header_on(const Identified* parent, const Bytes& payload = Bytes(4)) {
  crypto::work::Header header;
  header.chain_id = test::test_membership(4).chain_id;
  if (parent != nullptr) header.parent = parent->id;
  header.height = parent == nullptr ? Height(1) : parent->header.height.next();
  header.payload_digest = payload_digest(payload);
  header.time_s = 1'790'000'000 + header.height.value();
  header.bits = 0x207fffff;
  header.miner = test::test_key(1);
  return header;
}

// With real work: two hashes on average.
Identified mined(crypto::work::Header header) {
  const HeaderSolver solver(crypto::work::double_sha256());
  const auto nonce = solver.search(crypto::work::encode(header), 0, 1000);
  REQUIRE(nonce);
  header.nonce = *nonce;
  return identify(header);
}

PowMessageVerifier verifier() {
  crypto::work::Parameters parameters;
  parameters.initial_bits = 0x207fffff;
  parameters.limit_bits = 0x207fffff;
  const auto membership = test::test_membership(4);
  Settings settings{
      .membership = membership,
      .rules = crypto::work::HeaderRules(parameters, membership.chain_id, WallMs(1'790'000'000'000),
                                         membership.validators),
      .work = &crypto::work::double_sha256(),
      .self = {},
      .key = {}};
  settings.payload_bytes_max = kPayloadMax;
  return PowMessageVerifier(std::move(settings));
}

std::vector<Message> one_of_each() {
  const Identified first = mined(header_on(nullptr));
  const Identified second = mined(header_on(&first));
  const auto payload = std::make_shared<const Bytes>(Bytes(4));
  return {Announce{{first, second}},
          AskHeaders{{{Height(7), first.id}, {Height(3), second.id}, {Height(0), Digest{}}}},
          Headers{true, {first, second}},
          Headers{false, {}},
          FullBlock{first, payload},
          AskBlocks{{first.id, second.id}}};
}

}  // namespace

TEST_CASE("every message has one encoding, and nothing may be added or left out") {
  for (const Message& message : one_of_each()) {
    INFO(type_name(message));
    Bytes bytes = encode(message);
    const auto decoded = decode(bytes, kPayloadMax);
    REQUIRE(decoded);
    CHECK(encode(*decoded) == bytes);
    CHECK(std::string(type_name(*decoded)) == type_name(message));
    CHECK(verifier().verify(ReplicaId(2), bytes));
    for (std::size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 50) {
      CHECK_FALSE(decode(ByteView(bytes).first(size), kPayloadMax));
    }
    bytes.push_back(0);
    CHECK_FALSE(decode(bytes, kPayloadMax));
  }
}

TEST_CASE("a message that nobody correct sends is refused") {
  const Identified first = mined(header_on(nullptr));
  const Identified other = mined(header_on(nullptr, Bytes(5)));
  const auto refused = [](const Message& message) { return !decode(encode(message), kPayloadMax); };
  CHECK(refused(Announce{}));
  CHECK(refused(Announce{{first, other}}));  // neither is the other's parent
  CHECK(refused(Headers{true, {}}));
  CHECK(refused(AskHeaders{}));
  CHECK(refused(AskHeaders{{{Height(3), first.id}}}));  // does not end at genesis
  CHECK(refused(AskHeaders{{{Height(3), first.id}, {Height(3), other.id}, {Height(0), {}}}}));
  CHECK(refused(AskBlocks{}));
  CHECK(refused(AskBlocks{std::vector<Digest>(kAskedBlocksMax + 1)}));
  CHECK(refused(FullBlock{first, std::make_shared<const Bytes>(Bytes(kPayloadMax + 1))}));
  CHECK_FALSE(decode(Bytes{9}, kPayloadMax));
  CHECK_FALSE(decode(Bytes{}, kPayloadMax));
}

TEST_CASE("the verifier wants a member's connection, a member's header, and the work") {
  const PowMessageVerifier checks = verifier();
  const Identified good = mined(header_on(nullptr));
  CHECK(checks.verify(ReplicaId(0), encode(Announce{{good}})));
  CHECK_FALSE(checks.verify(ReplicaId(4), encode(Announce{{good}})));
  crypto::work::Header foreign = header_on(nullptr);
  foreign.miner = test::test_key(7);
  CHECK_FALSE(checks.verify(ReplicaId(0), encode(Announce{{mined(foreign)}})));
  crypto::work::Header lazy = good.header;
  do {
    ++lazy.nonce;
  } while (crypto::work::double_sha256().meets(lazy, crypto::work::id_of(lazy)));
  CHECK_FALSE(checks.verify(ReplicaId(0), encode(Announce{{identify(lazy)}})));
}

TEST_CASE("a stored header proves its payload and its height, and there is no evidence") {
  const PowMessageVerifier checks = verifier();
  const Identified block = mined(header_on(nullptr));
  const Bytes certificate = crypto::work::encode(block.header);
  const auto proved = checks.verify_commit_certificate(certificate);
  REQUIRE(proved);
  CHECK(proved->height == Height(1));
  CHECK(proved->id == block.id);
  CHECK(proved->proposer == test::test_key(1));
  CHECK(proved->payload_digest == checks.payload_digest(Bytes(4)));
  CHECK(checks.verify_committed(certificate, Bytes(4)));
  CHECK_FALSE(checks.verify_committed(certificate, Bytes(5)));
  const auto evidence = checks.verify_evidence(certificate);
  REQUIRE_FALSE(evidence);
  CHECK(evidence.error().code == Errc::invalid_argument);
}

TEST_CASE("the audit of an order follows the chain and refuses a gap") {
  const auto parts = verifier();
  const auto membership = test::test_membership(4);
  crypto::work::Parameters parameters;
  parameters.initial_bits = 0x207fffff;
  parameters.limit_bits = 0x207fffff;
  const crypto::work::HeaderRules rules(parameters, membership.chain_id, WallMs(1'790'000'000'000),
                                        membership.validators);
  Settings settings{.membership = membership,
                    .rules = rules,
                    .work = &crypto::work::double_sha256(),
                    .self = {},
                    .key = {}};
  PowOrderAudit audit(settings);
  crypto::work::Context context = rules.genesis();
  std::vector<Bytes> certificates;
  std::optional<Identified> parent;
  for (int i = 0; i < 5; ++i) {
    crypto::work::Header header = header_on(parent ? &*parent : nullptr);
    header.bits = rules.next_bits(context);
    parent = mined(header);
    const auto extended = rules.extend(context, parent->header, parent->id);
    REQUIRE(extended);
    context = *extended;
    certificates.push_back(crypto::work::encode(parent->header));
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const auto proved = audit.next(certificates[i]);
    REQUIRE(proved);
    CHECK(proved->height == Height(i + 1));
  }
  const auto gap = audit.next(certificates[4]);
  REQUIRE_FALSE(gap);
  CHECK(gap.error().code == Errc::corrupt);
  CHECK(audit.next(certificates[3]));
}

TEST_CASE("the log gives back its blocks, each once, and refuses another chain's") {
  const Identified first = mined(header_on(nullptr));
  const Identified second = mined(header_on(&first));
  const FullBlock one{first, std::make_shared<const Bytes>(Bytes(4))};
  const FullBlock two{second, std::make_shared<const Bytes>(Bytes(4))};
  const Digest chain = test::test_membership(4).chain_id;
  const std::vector<Bytes> records{encode_snapshot(chain, {one}), encode_block_record(two),
                                   encode_block_record(one)};
  const auto blocks = replay(records, chain, kPayloadMax);
  REQUIRE(blocks);
  REQUIRE(blocks->size() == 2);
  CHECK((*blocks)[0].header.id == first.id);
  CHECK((*blocks)[1].header.id == second.id);
  CHECK(*(*blocks)[1].payload == Bytes(4));

  const auto other = replay(records, Digest{}, kPayloadMax);
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::conflict);
  const auto headless = replay({encode_block_record(one)}, chain, kPayloadMax);
  REQUIRE_FALSE(headless);
  CHECK(headless.error().code == Errc::corrupt);
  Bytes damaged = encode_block_record(two);
  damaged.pop_back();
  CHECK_FALSE(replay({encode_snapshot(chain, {}), damaged}, chain, kPayloadMax));
  damaged = encode_block_record(two);
  damaged[0] = 9;
  const auto newer = replay({encode_snapshot(chain, {}), damaged}, chain, kPayloadMax);
  REQUIRE_FALSE(newer);
  CHECK(newer.error().detail.find("version 9") != std::string::npos);
}

TEST_CASE("the solver finds the first nonce that works, and none in what is no header") {
  const HeaderSolver solver(crypto::work::double_sha256());
  crypto::work::Header header = header_on(nullptr);
  header.bits = 0x1f7fffff;  // 512 hashes on average
  const Bytes puzzle = crypto::work::encode(header);
  const auto nonce = solver.search(puzzle, 100, 100'000);
  REQUIRE(nonce);
  std::uint64_t slow = 100;
  for (;; ++slow) {
    header.nonce = slow;
    if (crypto::work::double_sha256().meets(header, crypto::work::id_of(header))) break;
  }
  CHECK(*nonce == slow);
  CHECK_FALSE(solver.search(puzzle, 100, slow - 100));
  CHECK_FALSE(solver.search(Bytes(7), 0, 10));
}
