// Encodings and the verifier.
#include <catch2/catch.hpp>

#include "consensus/pbft/message_verifier.hpp"
#include "crypto/keys.hpp"
#include "tests/unit/consensus/solo.hpp"

namespace quorate::consensus::test {

namespace {

std::vector<pbft::Message> one_of_each(const Solo& solo) {
  const auto proposal = solo.pre_prepare(3, {1, 2, 3});
  const auto proof = solo.proof(2, {}, {0, 1, 2});
  const auto certificate = solo.prepared(proposal, {1, 3});
  const auto view_change = solo.view_change(2, 2, {certificate}, proof);
  const auto new_view = solo.new_view(
      2, {solo.view_change(0, 2), view_change, solo.view_change(3, 2, {certificate})});
  pbft::StatusReport report = solo.answer_to_start(
      {proposal.core, solo.prepare(1, proposal), solo.commit(1, proposal), solo.seal(1, 3, {}),
       solo.checkpoint(1, 8, {}), pbft::stub_of(*view_change), pbft::stub_of(*new_view)});
  report.starting = true;
  pbft::SlotReport slot;
  slot.prepared = true;
  slot.prepares = slot.commits = pbft::ReplicaSet(4);
  slot.prepares.insert(ReplicaId(3));
  report.slots.assign(2, slot);
  report.seals.assign(1, pbft::ReplicaSet(4));
  report.checkpoints.assign(2, pbft::ReplicaSet(4));
  auto null_certificate = solo.certificate(proposal, {0, 1, 2});
  null_certificate.header.reset();
  for (auto& commit : null_certificate.commits) {
    commit.signature = solo.vote(commit.replica.value(), pbft::VoteKind::commit,
                                 {View(0), Height(3), pbft::null_id(solo.membership(), Height(3))})
                           .signature;
  }
  return {proposal,
          solo.prepare(1, proposal),
          solo.commit(2, proposal),
          solo.seal(3, 3, proposal.core.ballot.id),
          solo.checkpoint(2, 8, proposal.core.ballot.id),
          report,
          pbft::Fetch{proposal.core.ballot.id},
          pbft::Data{proposal.body},
          solo.certificate(proposal, {0, 1, 2}),
          null_certificate,
          solo.proof(8, {}, {1, 2, 3}),
          solo.suspect(1, 5),
          view_change,
          new_view};
}

}  // namespace

TEST_CASE("every message has one encoding, and the verifier takes it from a member") {
  const Solo solo(0);
  for (const pbft::Message& message : one_of_each(solo)) {
    const Bytes bytes = pbft::encode(Epoch(0), message);
    const auto decoded = pbft::decode(bytes, {4, 4096});
    REQUIRE(decoded);
    REQUIRE(pbft::encode(decoded->epoch, decoded->message) == bytes);
    // Nobody passes on a SUSPECT; everything else is as good from another.
    const auto* suspect = std::get_if<pbft::Suspect>(&message);
    const ReplicaId from = suspect != nullptr ? suspect->replica : ReplicaId(3);
    const auto verified = solo.verifier().verify(from, bytes);
    INFO((verified ? "" : verified.error().detail));
    REQUIRE(verified);
    CHECK(solo.verifier().verify(ReplicaId(2), bytes).has_value() == (suspect == nullptr));
    REQUIRE(std::string((*verified)->type_name()).size() > 3);
    REQUIRE_FALSE(solo.verifier().verify(ReplicaId(4), bytes));
  }
}

TEST_CASE("cut, extended or altered messages are refused or mean something else") {
  const Solo solo(0);
  for (const pbft::Message& message : one_of_each(solo)) {
    const Bytes bytes = pbft::encode(Epoch(0), message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      REQUIRE_FALSE(pbft::decode(ByteView(bytes).first(size), {4, 4096}));
    }
    Bytes longer = bytes;
    longer.push_back(0);
    REQUIRE_FALSE(pbft::decode(longer, {4, 4096}));
    const bool is_signed = !std::holds_alternative<pbft::StatusReport>(message) &&
                           !std::holds_alternative<pbft::Fetch>(message) &&
                           !std::holds_alternative<pbft::Data>(message);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (const std::uint8_t bit : {std::uint8_t{1}, std::uint8_t{128}}) {
        Bytes altered = bytes;
        altered[at] = static_cast<std::uint8_t>(altered[at] ^ bit);
        const auto decoded = pbft::decode(altered, {4, 4096});
        if (decoded) REQUIRE(pbft::encode(decoded->epoch, decoded->message) == altered);
        if (is_signed) REQUIRE_FALSE(solo.verifier().verify(ReplicaId(3), altered));
      }
    }
  }
}

TEST_CASE("a payload above the cap is refused before anything else") {
  const Solo solo(0);
  const auto big = solo.pre_prepare(1, Bytes(4097));
  const auto refused = solo.verifier().verify(ReplicaId(0), pbft::encode(Epoch(0), big));
  REQUIRE_FALSE(refused);
  const auto huge = solo.verifier().verify(ReplicaId(0), Bytes(200'000));
  REQUIRE_FALSE(huge);
  REQUIRE(huge.error().code == Errc::limit_exceeded);
}

TEST_CASE("a commit certificate needs exactly q distinct members over the same ballot") {
  const Solo solo(0);
  const auto proposal = solo.pre_prepare(1, {1});
  const auto ok = [&](const pbft::CommitCertificate& certificate) {
    return solo.verifier()
        .verify_commit_certificate(pbft::encode_certificate(Epoch(0), certificate))
        .has_value();
  };
  REQUIRE(ok(solo.certificate(proposal, {0, 1, 2})));
  REQUIRE(ok(solo.certificate(proposal, {1, 2, 3})));
  REQUIRE_FALSE(ok(solo.certificate(proposal, {1, 2})));
  REQUIRE_FALSE(ok(solo.certificate(proposal, {0, 1, 2, 3})));
  auto other_view = solo.certificate(proposal, {0, 1, 2});
  other_view.view = View(1);
  REQUIRE_FALSE(ok(other_view));
  auto stranger = solo.certificate(proposal, {0, 1, 2});
  stranger.commits[2].replica = ReplicaId(9);
  REQUIRE_FALSE(ok(stranger));
  const Bytes right = pbft::encode_certificate(Epoch(0), solo.certificate(proposal, {0, 1, 2}));
  constexpr std::ptrdiff_t kEntry = 4 + 64;
  Bytes twice = right;  // replica 1 in the place of replica 0
  std::copy(right.end() - 2 * kEntry, right.end() - kEntry, twice.end() - 3 * kEntry);
  REQUIRE_FALSE(solo.verifier().verify_commit_certificate(twice));
  Bytes unsorted = right;
  std::swap_ranges(unsorted.end() - kEntry, unsorted.end(), unsorted.end() - 2 * kEntry);
  REQUIRE_FALSE(solo.verifier().verify_commit_certificate(unsorted));
  REQUIRE_FALSE(solo.verifier().verify_commit_certificate(
      pbft::encode_certificate(Epoch(1), solo.certificate(proposal, {0, 1, 2}))));
  REQUIRE(solo.verifier().verify_committed(right, {1}));
  REQUIRE_FALSE(solo.verifier().verify_committed(right, {2}));
  const auto proved = solo.verifier().verify_commit_certificate(right);
  REQUIRE(proved->height == Height(1));
  REQUIRE(proved->id == proposal.core.ballot.id);
  REQUIRE(proved->proposed_time == proposal.body.header.time);
}

TEST_CASE("a PREPARE cannot serve as a COMMIT, nor one chain's vote on another") {
  const Solo solo(0);
  const auto proposal = solo.pre_prepare(1, {1});
  auto vote = solo.prepare(1, proposal);
  vote.kind = pbft::VoteKind::commit;
  REQUIRE_FALSE(solo.verifier().verify(ReplicaId(1), pbft::encode(Epoch(0), vote)));
  auto elsewhere = solo.membership();
  elsewhere.chain_id.bytes[0] ^= 1U;
  const TokenVerifier tokens;
  const pbft::PbftMessageVerifier other(elsewhere, 4096, 16, tokens);
  REQUIRE_FALSE(other.verify(ReplicaId(1), pbft::encode(Epoch(0), solo.prepare(1, proposal))));
  REQUIRE(pbft::proposal_id(elsewhere, proposal.body.header) != proposal.core.ballot.id);
  REQUIRE(pbft::null_id(elsewhere, Height(1)) != pbft::null_id(solo.membership(), Height(1)));
}

TEST_CASE("the bytes and ids of messages do not change by accident") {
  const Solo solo(0);
  const auto proposal = solo.pre_prepare(3, {1, 2, 3});
  REQUIRE(to_hex(proposal.core.ballot.id) ==
          "d27317f33b91d8101234e8df56dad0b3f69228a57a5ee02d0f3b72340fe1b302");
  REQUIRE(to_hex(crypto::sha256(pbft::encode(Epoch(0), proposal))) ==
          "fe3df96cce4606eba1dd9bb90ac56ec70131795bee39dec37a98075331397bfe");
  REQUIRE(to_hex(crypto::sha256(pbft::encode(Epoch(0), solo.commit(1, proposal)))) ==
          "d154f87d0e9c6bc39a58ab6ade276b58240f9dfeb365f71bbb88d83066e2d57e");
  REQUIRE(to_hex(crypto::sha256(
              pbft::encode_certificate(Epoch(0), solo.certificate(proposal, {0, 1, 2})))) ==
          "4b846979eb02be68de41dcf0611a0f9d45111af8cb55a1857e885df8b56bae45");
}

TEST_CASE("an engine for an unknown name, key or parameter is not made") {
  const TokenVerifier tokens;
  const TokenSigner signer(test_key(1));
  EngineConfig config;
  config.membership = test_membership(4);
  config.self = ReplicaId(1);
  REQUIRE(make_engine(config, &signer, tokens));
  config.engine = "raft";
  REQUIRE_THAT(make_engine(config, &signer, tokens).error().detail,
               Catch::Matchers::Contains("pbft"));
  config.engine = "pbft";
  config.self = ReplicaId(2);
  REQUIRE_FALSE(make_engine(config, &signer, tokens));
  config.self = ReplicaId(1);
  config.proposals_in_flight = 257;
  REQUIRE_FALSE(make_engine(config, &signer, tokens));
}

TEST_CASE("votes made and checked with Ed25519") {
  crypto::Membership membership = test_membership(4);
  std::vector<crypto::ValidatorKey> keys;
  for (std::uint32_t i = 0; i < 4; ++i) {
    keys.push_back(crypto::ValidatorKey::random());
    membership.validators[i] = keys.back().public_key();
  }
  const crypto::Ed25519Verifier ed25519;
  const pbft::PbftMessageVerifier verifier(membership, 4096, 16, ed25519);
  const pbft::Ballot ballot{View(0), Height(1), membership.chain_id};
  pbft::Vote vote{pbft::VoteKind::commit, ballot, ReplicaId(2), {}};
  vote.signature =
      keys[2].sign(pbft::vote_signing_digest(membership, pbft::VoteKind::commit, ballot));
  REQUIRE(verifier.verify(ReplicaId(0), pbft::encode(Epoch(0), vote)));
  vote.replica = ReplicaId(1);
  REQUIRE_FALSE(verifier.verify(ReplicaId(0), pbft::encode(Epoch(0), vote)));
}

}  // namespace quorate::consensus::test
