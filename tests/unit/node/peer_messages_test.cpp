#include "node/peer_messages.hpp"

#include <catch2/catch.hpp>

#include "crypto/codec/writer.hpp"
#include "tests/unit/node/core_fixture.hpp"
#include "tests/unit/node/fake_engine.hpp"

using namespace quorate;
using namespace quorate::node;
using namespace quorate::node::testing;

namespace peer_messages_test {
namespace {

struct Bench {
  Bench() : context{membership.chain_id, membership, &messages, &signatures} {}
  Result<PeerMessage> verify(TrafficClass traffic, const Bytes& body) const {
    return verify_peer_message(context, ReplicaId(1), traffic, body);
  }
  crypto::Membership membership = ledger::membership(test_genesis());
  FakeVerifier messages;
  PlainVerifier signatures;
  VerifyContext context;
};

ServedBlock served(std::uint8_t height, const std::vector<ledger::TransactionPtr>& content) {
  return {ledger::encode_payload(content), {'c', height}, std::nullopt};
}

}  // namespace

TEST_CASE("consensus messages go to the engine's verifier") {
  const Bench bench;
  const auto message = bench.verify(TrafficClass::consensus, {'m', 7});
  REQUIRE(message);
  CHECK(std::get<ConsensusMessage>(*message).message->type_name() == std::string("fake"));
  CHECK(bench.verify(TrafficClass::consensus, {'x', 7}).error().code == Errc::bad_encoding);
}

TEST_CASE("relayed transactions arrive as they were sent") {
  const Bench bench;
  const auto first = transaction({1, 1});
  const auto second = transaction({2, 1});
  const auto message =
      bench.verify(TrafficClass::transactions, encode_transactions({first, second}));
  REQUIRE(message);
  const auto& relayed = std::get<RelayedTransactions>(*message).transactions;
  REQUIRE(relayed.size() == 2);
  CHECK(relayed[0]->id == first->id);
  CHECK(relayed[1]->encoded == second->encoded);
}

TEST_CASE("a relayed transaction with a bad signature spoils its frame") {
  const Bench bench;
  Bytes body = encode_transactions({transaction({1, 1})});
  body.back() ^= 1U;
  CHECK(bench.verify(TrafficClass::transactions, body).error().code == Errc::bad_signature);
}

TEST_CASE("transaction frames are bounded, complete and not empty") {
  const Bench bench;
  Bytes body = encode_transactions({transaction({1, 1})});
  Bytes trailing = body;
  trailing.push_back(0);
  CHECK_FALSE(bench.verify(TrafficClass::transactions, trailing));
  body.pop_back();
  CHECK_FALSE(bench.verify(TrafficClass::transactions, body));
  CHECK_FALSE(bench.verify(TrafficClass::transactions, {0, 0, 0, 0}));
  CHECK_FALSE(bench.verify(TrafficClass::transactions, {0xff, 0xff, 0xff, 0xff}));
}

TEST_CASE("a blocks request survives the wire") {
  const Bench bench;
  const auto message = bench.verify(TrafficClass::sync, encode_blocks_request(Height(77)));
  REQUIRE(message);
  CHECK(std::get<BlocksRequest>(*message).from == Height(77));
}

TEST_CASE("served blocks arrive proved and decoded") {
  const Bench bench;
  const auto content = transaction({1, 1});
  const auto message = bench.verify(TrafficClass::sync,
                                    encode_blocks_response({served(4, {content}), served(5, {})}));
  REQUIRE(message);
  const auto& blocks = std::get<BlocksResponse>(*message).blocks;
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[0].height == Height(4));
  CHECK(blocks[0].id == FakeVerifier::id_of(4));
  REQUIRE(blocks[0].transactions.size() == 1);
  CHECK(blocks[0].transactions[0]->id == content->id);
  CHECK(blocks[0].transactions[0]->sender == content->sender);
  CHECK(blocks[0].bytes > content->encoded.size());
  CHECK_FALSE(blocks[0].certificate);
}

TEST_CASE("an empty answer is an answer") {
  const Bench bench;
  const auto message = bench.verify(TrafficClass::sync, encode_blocks_response({}));
  REQUIRE(message);
  CHECK(std::get<BlocksResponse>(*message).blocks.empty());
}

TEST_CASE("served blocks without proof, out of sequence or garbled are refused") {
  const Bench bench;
  ServedBlock unproved = served(4, {});
  unproved.commit_certificate = {'x'};
  CHECK(bench.verify(TrafficClass::sync, encode_blocks_response({unproved})).error().code ==
        Errc::bad_signature);
  CHECK_FALSE(
      bench.verify(TrafficClass::sync, encode_blocks_response({served(4, {}), served(6, {})})));
  ServedBlock garbled = served(4, {});
  garbled.payload = {1, 2, 3};
  CHECK_FALSE(bench.verify(TrafficClass::sync, encode_blocks_response({garbled})));
  CHECK_FALSE(bench.verify(TrafficClass::sync, {3}));
  CHECK_FALSE(bench.verify(TrafficClass::sync, {}));
}

TEST_CASE("a served block certificate is checked against the quorum and against its block") {
  const Bench bench;
  ledger::BlockCertificate certificate;
  certificate.header.chain_id = bench.membership.chain_id;
  certificate.header.config_hash = bench.membership.config_hash;
  certificate.header.height = Height(4);
  certificate.header.payload_id = FakeVerifier::id_of(4);
  const Digest digest = crypto::seal_signing_digest(bench.membership, Height(4),
                                                    ledger::block_hash(certificate.header));
  for (std::uint8_t i = 0; i < 3; ++i) {
    certificate.seals.push_back(
        {ReplicaId(i), PlainSigner(static_cast<std::uint8_t>(100 + i)).sign(digest)});
  }
  ServedBlock block = served(4, {});
  block.certificate = certificate;
  const auto message = bench.verify(TrafficClass::sync, encode_blocks_response({block}));
  REQUIRE(message);
  CHECK(std::get<BlocksResponse>(*message).blocks[0].certificate == certificate);

  SECTION("too few seals") {
    block.certificate->seals.pop_back();
    CHECK_FALSE(bench.verify(TrafficClass::sync, encode_blocks_response({block})));
  }
  SECTION("another block's certificate") {
    block.commit_certificate = {'c', 5};
    CHECK_FALSE(bench.verify(TrafficClass::sync, encode_blocks_response({block})));
  }
}

TEST_CASE("a payload is valid when every signature is, and null when it is empty") {
  const Bench bench;
  const Bytes payload = ledger::encode_payload({transaction({1, 1}), transaction({2, 1})});
  const auto verified = verify_payload(bench.context, payload);
  REQUIRE(verified);
  CHECK(verified->size() == 2);
  Bytes forged = payload;
  forged.back() ^= 1U;
  CHECK(verify_payload(bench.context, forged).error().code == Errc::bad_signature);
  CHECK(verify_payload(bench.context, {})->empty());
  CHECK_FALSE(verify_payload(bench.context, Bytes{1}));
}

}  // namespace peer_messages_test
