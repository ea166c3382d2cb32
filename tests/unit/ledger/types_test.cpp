// The golden values were computed by an independent implementation of the written format (Python's
// hashlib and cryptography), not by this code.
#include <catch2/catch.hpp>

#include "crypto/hash.hpp"
#include "ledger/state_machine.hpp"
#include "ledger/types/block_certificate.hpp"
#include "ledger/types/genesis.hpp"
#include "ledger/types/merkle.hpp"
#include "tests/unit/ledger/fixture.hpp"

namespace quorate::ledger {
namespace {

using namespace test;

constexpr std::string_view kIdentity =
    "0c0000006c6f63616c2d676f6c64656e0038d360ba0100000400000070626674800000000000000020000000"
    "000010000010000004000000050000006e6f6465301010101010101010101010101010101010101010101010"
    "1010101010101010102020202020202020202020202020202020202020202020202020202020202020050000"
    "006e6f6465311111111111111111111111111111111111111111111111111111111111111111212121212121"
    "2121212121212121212121212121212121212121212121212121050000006e6f646532121212121212121212"
    "1212121212121212121212121212121212121212121212222222222222222222222222222222222222222222"
    "2222222222222222222222050000006e6f646533131313131313131313131313131313131313131313131313"
    "1313131313131313232323232323232323232323232323232323232323232323232323232323232301000000"
    "00f0a594d2978da8803f696325ea0aaa5045cf2e9440420f00000000000100000000";
constexpr std::string_view kChainId =
    "c9353cad03bd2f29108f1492faf554db2b7856d3a5cb86a7b7026067db0857af";
constexpr std::string_view kConfigHash =
    "983cf76f3b85f5c58085c84941cc8970758afcb9a207ffaf66ec8ec62c72175f";
constexpr std::string_view kTransaction =
    "0103a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b80700000000000000e80300"
    "0000000000020000000100777777777777777777777777777777777777777719000000000000000100f0a594"
    "d2978da8803f696325ea0aaa5045cf2e9408070605040302010500000068656c6c6f317b3b9b68a53d17f802"
    "c56d133dc83456def2636dddfbda25a2755d3593c80dc2e1783aad4315fa99af87c69eb345f807cb56798c3f"
    "f150d2dc5724e37ae00d";
constexpr std::string_view kTransactionId =
    "195af5af65e61ec46a80b912a663e927b874e47a7ea645383a267dd4f84da031";
constexpr std::string_view kReceiptLeaf =
    "a592192ec6e2fcfd62f67a1f690c5f192454bf7c1a945ecc585998a5c7bc7ca7";
constexpr std::string_view kStateLeaf =
    "b2e499c599585bffe2e791be0c6fd051c9e84839aa79f40c71de3a552316a127";
constexpr std::string_view kGenesisHash =
    "bba88cb4edde965943b5970638feb2c3c082ba10797c6bf4bc3c4814d0491b10";
constexpr std::string_view kHeader =
    "01c9353cad03bd2f29108f1492faf554db2b7856d3a5cb86a7b7026067db0857af0000000000000000010000"
    "0000000000bba88cb4edde965943b5970638feb2c3c082ba10797c6bf4bc3c4814d0491b10f439d360ba0100"
    "0012121212121212121212121212121212121212121212121212121212121212129999999999999999999999"
    "999999999999999999999999999999999999999999010000005255436564c534a5ec36a29fbe2f95a4f319c7"
    "f5e24d77e43f4f0b2ac885da65dd0ad02212f336b238c3927056e934478ea447e8db3af09a286f013049791c"
    "958888888888888888888888888888888888888888888888888888888888888888983cf76f3b85f5c58085c8"
    "4941cc8970758afcb9a207ffaf66ec8ec62c72175f983cf76f3b85f5c58085c84941cc8970758afcb9a207ff"
    "af66ec8ec62c72175f";
constexpr std::string_view kHeaderHash =
    "4ff16b84672da078891e4b06caa9bbf56ec2ad7bdcc381c67074b3584351fdd6";
constexpr std::string_view kCheckpoint =
    "d8720d03b9b8d414878206f8b6b728c30303f6445fd0c60029b5c95a7ed26fbd";

template <class Fixed>
Fixed filled(std::uint8_t byte) {
  Fixed out;
  out.bytes.fill(byte);
  return out;
}

const crypto::AccountKey& golden_key() {
  static const crypto::AccountKey key = [] {
    Bytes bytes(32);
    for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::uint8_t>(i);
    return crypto::AccountKey(std::move(*crypto::SecretSeed::from(bytes)));
  }();
  return key;
}

Genesis golden_genesis() {
  Genesis genesis;
  genesis.chain_name = "local-golden";
  genesis.genesis_time = WallMs(1'900'000'000'000);
  for (std::uint8_t i = 0; i < 4; ++i) {
    genesis.validators.push_back({"node" + std::to_string(i),
                                  filled<PublicKey>(static_cast<std::uint8_t>(0x10 + i)),
                                  filled<PublicKey>(static_cast<std::uint8_t>(0x20 + i)),
                                  "10.0.0." + std::to_string(i) + ":30645"});
  }
  genesis.accounts = {{crypto::address_of(golden_key().public_key()), 1'000'000}};
  return genesis;
}

SignedTransaction golden_transaction() {
  Transaction content;
  content.nonce = 7;
  content.valid_until_height = 1000;
  auto to = filled<crypto::Address>(0x77);
  to.bytes[0] = 0;
  content.operations = {Transfer{to, 25}, Transfer{crypto::address_of(golden_key().public_key()),
                                                   0x0102030405060708ULL}};
  content.memo = to_bytes(as_bytes("hello"));
  return sign(chain_id(golden_genesis()), content, golden_key());
}

Header golden_header() {
  const Genesis genesis = golden_genesis();
  const Digest id = transaction_id(chain_id(genesis), golden_transaction().transaction);
  const Receipt receipt{id, Outcome::failed, Reason::insufficient_funds, 1};
  Header header;
  header.chain_id = chain_id(genesis);
  header.height = Height(1);
  header.parent_hash = StateMachine(genesis).genesis_block().block_hash;
  header.time = WallMs(1'900'000'000'500);
  header.proposer = filled<PublicKey>(0x12);
  header.payload_id = filled<Digest>(0x99);
  header.transaction_count = 1;
  header.transactions_root = merkle_root({id});
  header.receipts_root = merkle_root({receipt_leaf(receipt)});
  header.state_root = filled<Digest>(0x88);
  header.config_hash = config_hash(genesis);
  header.next_config_hash = config_hash(genesis);
  return header;
}

}  // namespace

TEST_CASE("golden: the identity, chain_id and config_hash of a genesis") {
  const Genesis genesis = golden_genesis();
  CHECK(to_hex(encode_identity(genesis)) == kIdentity);
  CHECK(to_hex(chain_id(genesis)) == kChainId);
  CHECK(to_hex(config_hash(genesis)) == kConfigHash);
  Genesis moved = genesis;
  moved.validators[2].p2p = "elsewhere:1";
  CHECK(chain_id(moved) == chain_id(genesis));
}

TEST_CASE("golden: a signed transaction and its id") {
  const SignedTransaction transaction = golden_transaction();
  CHECK(to_hex(encode(transaction)) == kTransaction);
  const Digest chain = chain_id(golden_genesis());
  CHECK(to_hex(transaction_id(chain, transaction.transaction)) == kTransactionId);
  const crypto::Ed25519Verifier verifier;
  const Bytes bytes = *from_hex(kTransaction);
  const auto verified = verify_transaction(chain, bytes, verifier);
  REQUIRE(verified.has_value());
  CHECK((*verified)->signed_transaction == transaction);
  CHECK(to_hex((*verified)->id) == kTransactionId);
  CHECK((*verified)->encoded == bytes);
  CHECK((*verified)->sender == crypto::address_of(golden_key().public_key()));
}

TEST_CASE("golden: receipts, state leaves, headers and what is hashed from them") {
  const BlockOutcome genesis = StateMachine(golden_genesis()).genesis_block();
  CHECK(to_hex(genesis.header.state_root) == kStateLeaf);
  CHECK(to_hex(genesis.block_hash) == kGenesisHash);
  const Receipt receipt{*Digest::from_hex(kTransactionId), Outcome::failed,
                        Reason::insufficient_funds, 1};
  CHECK(to_hex(receipt_leaf(receipt)) == kReceiptLeaf);
  const Header header = golden_header();
  CHECK(to_hex(encode(header)) == kHeader);
  CHECK(to_hex(block_hash(header)) == kHeaderHash);
  CHECK(to_hex(checkpoint_digest(header)) == kCheckpoint);
  CHECK(*decode_header(encode(header)) == header);
}

TEST_CASE("a transaction is bound to its chain, its content and its key") {
  const crypto::Ed25519Verifier verifier;
  const Digest chain = chain_id(golden_genesis());
  const Bytes good = *from_hex(kTransaction);
  const auto code = [&](const Digest& on, const Bytes& bytes) {
    return verify_transaction(on, bytes, verifier).error().code;
  };
  CHECK(code(filled<Digest>(1), good) == Errc::bad_signature);
  Bytes other_nonce = good;
  other_nonce[33] ^= 1U;
  CHECK(code(chain, other_nonce) == Errc::bad_signature);
  Bytes other_key = good;
  other_key[5] ^= 1U;
  CHECK(code(chain, other_key) == Errc::bad_signature);
  Bytes other_signature = good;
  other_signature.back() ^= 1U;
  CHECK(code(chain, other_signature) == Errc::bad_signature);
}

TEST_CASE("every prefix of a transaction and every longer one is refused") {
  const Bytes good = *from_hex(kTransaction);
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto cut = decode_signed_transaction(ByteView(good).first(size));
    REQUIRE_FALSE(cut.has_value());
    REQUIRE(cut.error().code == Errc::bad_encoding);
  }
  Bytes longer = good;
  longer.push_back(0);
  CHECK(decode_signed_transaction(longer).error().code == Errc::bad_encoding);
  CHECK(decode_transaction(ByteView(good).first(good.size() - 64)).has_value());
  CHECK_FALSE(decode_transaction(good).has_value());
  longer.resize(kTransactionBytesMax + 1);
  CHECK(decode_signed_transaction(longer).error().code == Errc::limit_exceeded);
}

TEST_CASE("a transaction with a field out of its range is refused saying which") {
  const Bytes good = *from_hex(kTransaction);
  constexpr std::size_t kCount = 1 + 32 + 8 + 8;
  constexpr std::size_t kKind = kCount + 4;
  const auto detail = [&good](std::size_t at, const Bytes& replacement) {
    Bytes bytes = good;
    std::copy(replacement.begin(), replacement.end(),
              bytes.begin() + static_cast<std::ptrdiff_t>(at));
    const auto decoded = decode_signed_transaction(bytes);
    return decoded ? "accepted" : decoded.error().detail;
  };
  CHECK_THAT(detail(0, {2}), Catch::Contains("version 2"));
  CHECK_THAT(detail(kCount, {0}), Catch::Contains("count of 0"));
  CHECK_THAT(detail(kCount, {65}), Catch::Contains("count of 65"));
  CHECK_THAT(detail(kKind, {0}), Catch::Contains("operation kind 0"));
  CHECK_THAT(detail(kKind, {9}), Catch::Contains("operation kind 9"));
  CHECK_THAT(detail(kKind + 1, {1}), Catch::Contains("address has version 1"));
  CHECK_THAT(detail(kKind + 22, {0}), Catch::Contains("least amount is 1"));
  CHECK_THAT(detail(kKind + 60, {65}), Catch::Contains("above its cap of 64"));
}

TEST_CASE("the largest transaction fits its cap") {
  Transaction content;
  content.operations.assign(kOperationsMax, Transfer{crypto::Address{}, 1});
  content.memo.assign(kMemoBytesMax, 0xFF);
  const SignedTransaction transaction = sign(Digest{}, content, golden_key());
  const Bytes bytes = encode(transaction);
  CHECK(bytes.size() <= kTransactionBytesMax);
  CHECK(*decode_signed_transaction(bytes) == transaction);
}

TEST_CASE("a payload splits into the transactions it was made of, and only so") {
  const Digest chain = chain_id(golden_genesis());
  const std::vector<TransactionPtr> transactions = {transfer(chain, "anna", 1, "ben", 1),
                                                    transfer(chain, "ben", 1, "anna", 2)};
  const Bytes payload = encode_payload(transactions);
  const auto parts = split_payload(payload);
  REQUIRE(parts.has_value());
  REQUIRE(parts->size() == 2);
  CHECK(to_bytes((*parts)[1]) == transactions[1]->encoded);
  CHECK(split_payload({})->empty());
  CHECK(encode_payload({}) == Bytes{0, 0, 0, 0});
  CHECK(split_payload(encode_payload({}))->empty());
  for (std::size_t size = 1; size < payload.size(); ++size) {
    REQUIRE_FALSE(split_payload(ByteView(payload).first(size)).has_value());
  }
  Bytes longer = payload;
  longer.push_back(0);
  CHECK_FALSE(split_payload(longer).has_value());
  CHECK_FALSE(split_payload(Bytes{0xFF, 0xFF, 0xFF, 0xFF}).has_value());
  Bytes oversized{1, 0, 0, 0, 1, 0x40, 0, 0};  // one transaction of 16 KiB + 1
  oversized.resize(oversized.size() + kTransactionBytesMax + 1);
  CHECK_FALSE(split_payload(oversized).has_value());
}

TEST_CASE("an operation says what it spends and whom it touches") {
  const crypto::Address to = crypto::address_of(golden_key().public_key());
  const Operation transfer = Transfer{to, 25};
  CHECK(spends(transfer) == 25);
  CHECK(touches(transfer, to));
  CHECK_FALSE(touches(transfer, crypto::Address{}));
}

TEST_CASE("receipts survive encoding, and impossible ones are refused") {
  const auto decoded = [](std::uint8_t outcome, std::uint8_t reason, std::uint8_t operation) {
    crypto::Writer out;
    out.raw(filled<Digest>(3));
    out.u8(outcome);
    out.u8(reason);
    out.u8(operation);
    crypto::Reader in(out.view());
    const Receipt receipt = decode_receipt(in);
    if (!in.finish()) return false;
    crypto::Writer again;
    encode(again, receipt);
    return to_bytes(again.view()) == to_bytes(out.view());
  };
  CHECK(decoded(0, 0, 0));
  CHECK(decoded(1, 6, 63));
  CHECK(decoded(2, 4, 0));
  CHECK_FALSE(decoded(0, 6, 0));  // succeeded for a reason
  CHECK_FALSE(decoded(1, 0, 0));  // failed without one
  CHECK_FALSE(decoded(2, 0, 0));
  CHECK_FALSE(decoded(2, 4, 1));   // skipped at an operation
  CHECK_FALSE(decoded(1, 6, 64));  // no such operation
  CHECK_FALSE(decoded(3, 6, 0));
  CHECK_FALSE(decoded(1, 14, 0));
}

TEST_CASE("every reason and outcome has a name of its own") {
  std::set<std::string_view> names;
  std::uint8_t count = 0;
  while (const auto reason = reason_from(count)) {
    names.insert(to_string(*reason));
    ++count;
  }
  CHECK(count == 14);
  CHECK(names.size() == count);
  CHECK(names.count("unknown") == 0);
  CHECK(to_string(Outcome::skipped) == "skipped");
}

TEST_CASE("a block certificate verifies by a quorum over this header and nothing less") {
  const Genesis genesis = small_genesis();
  const crypto::Ed25519Verifier verifier;
  const crypto::Membership members = membership(genesis);
  Header header = golden_header();
  header.chain_id = members.chain_id;
  header.config_hash = members.config_hash;
  const BlockCertificate good{header, seals_of(genesis, header, {0, 1, 3})};
  CHECK(verify(good, members, verifier).has_value());
  CHECK(verify({header, seals_of(genesis, header, {0, 1, 2, 3})}, members, verifier).has_value());
  CHECK(verify({header, seals_of(genesis, header, {0, 1})}, members, verifier).error().code ==
        Errc::rejected);
  BlockCertificate changed = good;
  changed.header.state_root = {};
  CHECK(verify(changed, members, verifier).error().code == Errc::bad_signature);
  BlockCertificate other_chain = good;
  other_chain.header.chain_id = {};
  CHECK(verify(other_chain, members, verifier).error().code == Errc::conflict);
  BlockCertificate other_config = good;
  other_config.header.config_hash = {};
  CHECK(verify(other_config, members, verifier).error().code == Errc::conflict);
  BlockCertificate other_epoch = good;
  other_epoch.header.epoch = Epoch(1);
  CHECK(verify(other_epoch, members, verifier).error().code == Errc::conflict);

  const Bytes bytes = encode(good);
  CHECK(*decode_block_certificate(bytes) == good);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE_FALSE(decode_block_certificate(ByteView(bytes).first(size)).has_value());
  }
  BlockCertificate twice = good;
  twice.seals[1] = twice.seals[0];
  CHECK_FALSE(verify(twice, members, verifier).has_value());
}

TEST_CASE("a header of another version or length is refused") {
  Bytes bytes = encode(golden_header());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE_FALSE(decode_header(ByteView(bytes).first(size)).has_value());
  }
  bytes.push_back(0);
  CHECK_FALSE(decode_header(bytes).has_value());
  bytes.pop_back();
  bytes[0] = 2;
  CHECK_FALSE(decode_header(bytes).has_value());
}

}  // namespace quorate::ledger
