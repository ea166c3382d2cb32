#include <catch2/catch.hpp>

#include "crypto/certificate/seal.hpp"
#include "crypto/hash.hpp"
#include "crypto/keys.hpp"

namespace quorate::crypto {
namespace {

// Four validators and what they sign.
struct Fixture {
  std::vector<ValidatorKey> keys;
  Membership membership;
  Digest digest;
  Ed25519Verifier verifier;

  Fixture() {
    membership.chain_id = sha256(as_bytes("chain"));
    membership.config_hash = sha256(as_bytes("config"));
    for (std::uint8_t i = 0; i < 4; ++i) {
      keys.emplace_back(SecretSeed::from(Bytes(32, i)).value());
      membership.validators.push_back(keys.back().public_key());
    }
    digest = seal_signing_digest(membership, Height(7), sha256(as_bytes("block")));
  }

  ReplicaSignature signed_by(std::uint32_t replica) const {
    return {ReplicaId(replica), keys.at(replica).sign(digest)};
  }
  Result<void> check(const std::vector<ReplicaSignature>& signatures) const {
    return verify_quorum(membership, digest, signatures, verifier);
  }
};

}  // namespace

TEST_CASE("a quorum of seals verifies, and so does a full set") {
  const Fixture f;
  CHECK(f.check({f.signed_by(0), f.signed_by(2), f.signed_by(3)}).has_value());
  CHECK(f.check({f.signed_by(0), f.signed_by(1), f.signed_by(2), f.signed_by(3)}).has_value());
}

TEST_CASE("too few seals are rejected with the counts") {
  const Fixture f;
  const auto result = f.check({f.signed_by(0), f.signed_by(1)});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == Errc::rejected);
  CHECK(result.error().detail == "signed by 2 of 4 members; the quorum is 3");
  CHECK(f.check({}).error().code == Errc::rejected);
}

TEST_CASE("one member cannot be counted twice") {
  const Fixture f;
  const auto result = f.check({f.signed_by(0), f.signed_by(1), f.signed_by(1)});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == Errc::bad_signature);
  CHECK(result.error().detail == "replica 1 is listed twice or out of order");
  CHECK_FALSE(f.check({f.signed_by(1), f.signed_by(0), f.signed_by(2)}).has_value());
}

TEST_CASE("a wrong signature beside a quorum of right ones is refused") {
  const Fixture f;
  ReplicaSignature wrong = f.signed_by(3);
  wrong.signature.bytes[0] ^= 1;
  const auto result = f.check({f.signed_by(0), f.signed_by(1), f.signed_by(2), wrong});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().detail == "the signature of replica 3 does not verify");
  // Nor can one replica's signature stand in for another's.
  const ReplicaSignature borrowed{ReplicaId(2), f.signed_by(3).signature};
  CHECK(f.check({f.signed_by(0), f.signed_by(1), borrowed}).error().code == Errc::bad_signature);
}

TEST_CASE("a seal of a stranger is refused") {
  const Fixture f;
  const ReplicaSignature stranger{ReplicaId(4), ValidatorKey::random().sign(f.digest)};
  const auto result = f.check({f.signed_by(0), f.signed_by(1), stranger});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().detail == "replica 4 is not one of the 4 members");
}

TEST_CASE("what is signed depends on type, chain, epoch, configuration and body") {
  const Fixture f;
  const ByteView body = as_bytes("body");
  const Digest base = consensus_signing_digest(SignedType::prepare, f.membership, body);
  CHECK(consensus_signing_digest(SignedType::commit, f.membership, body) != base);
  CHECK(consensus_signing_digest(SignedType::prepare, f.membership, as_bytes("other")) != base);
  Membership other = f.membership;
  other.epoch = Epoch(1);
  CHECK(consensus_signing_digest(SignedType::prepare, other, body) != base);
  other = f.membership;
  other.chain_id.bytes[0] ^= 1;
  CHECK(consensus_signing_digest(SignedType::prepare, other, body) != base);
  other = f.membership;
  other.config_hash.bytes[0] ^= 1;
  CHECK(consensus_signing_digest(SignedType::prepare, other, body) != base);
}

TEST_CASE("the signed bytes of a seal are laid out as the protocol says") {
  const Fixture f;
  const Digest block_hash = sha256(as_bytes("block"));
  const std::string layout = to_hex(as_bytes("quorate/pbft/1")) + "00" + "04" +
                             to_hex(f.membership.chain_id) + "0000000000000000" +
                             to_hex(f.membership.config_hash) + "0700000000000000" +
                             to_hex(block_hash);
  CHECK(f.digest == sha256(from_hex(layout).value()));
}

TEST_CASE("a member is found by key") {
  const Fixture f;
  CHECK(f.membership.find(f.keys[2].public_key()) == ReplicaId(2));
  CHECK_FALSE(f.membership.find(PublicKey{}).has_value());
}

TEST_CASE("signatures encode and decode, in increasing order of replica only") {
  const Fixture f;
  const std::vector<ReplicaSignature> signatures{f.signed_by(0), f.signed_by(3)};
  Writer out;
  encode(out, signatures);
  CHECK(out.size() == 4 + 2 * 68);
  Reader in(out.view());
  CHECK(decode_signatures(in, 4) == signatures);
  CHECK(in.finish().has_value());

  Bytes twice = to_bytes(out.view());
  twice[4 + 68] = 0;  // the second entry now names replica 0 as well
  Reader wrong_order(twice);
  CHECK(decode_signatures(wrong_order, 4).empty());
  CHECK_FALSE(wrong_order.finish().has_value());

  Reader too_many(out.view());
  CHECK(decode_signatures(too_many, 1).empty());
  CHECK_FALSE(too_many.finish().has_value());
}

}  // namespace quorate::crypto
