// Proofs on disk: they survive the process, once each, within bounds, and only true ones.
#include "node/evidence_store.hpp"

#include <catch2/catch.hpp>

#include "consensus/pbft/evidence.hpp"
#include "crypto/keys.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace quorate;
using namespace quorate::node;
using consensus::pbft::Vote;
using consensus::pbft::VoteKind;

namespace {

crypto::ValidatorKey key(std::uint32_t replica) {
  return crypto::ValidatorKey(
      crypto::SecretSeed::from(Bytes(32, static_cast<std::uint8_t>(40 + replica))).value());
}

ledger::Genesis genesis(const std::string& name = "local-evidence") {
  ledger::Genesis out;
  out.chain_name = name;
  out.genesis_time = WallMs(1'000);
  for (std::uint32_t i = 0; i < 4; ++i) {
    out.validators.push_back(
        {"node" + std::to_string(i), key(i).public_key(), key(10 + i).public_key(), "127.0.0.1:1"});
  }
  return out;
}

Vote vote(std::uint32_t replica, std::uint64_t height, std::uint8_t content) {
  consensus::pbft::Ballot ballot{View(0), Height(height), Digest{}};
  ballot.id.bytes.fill(content);
  const Digest digest = consensus::pbft::vote_signing_digest(ledger::membership(genesis()),
                                                             VoteKind::prepare, ballot);
  return {VoteKind::prepare, ballot, ReplicaId(replica), key(replica).sign(digest)};
}

Bytes proof(std::uint32_t replica, std::uint64_t height) {
  return consensus::pbft::encode_evidence(Epoch(0), vote(replica, height, 1),
                                          vote(replica, height, 2));
}

std::unique_ptr<EvidenceStore> open(const TemporaryFolder& folder) {
  auto out = EvidenceStore::open(folder / "evidence.bin", genesis());
  if (!out) FAIL(out.error().detail);
  return std::move(*out);
}

}  // namespace

TEST_CASE("a proof is there again after a restart, with what it proves") {
  const TemporaryFolder folder;
  {
    const auto store = open(folder);
    REQUIRE(store->all().empty());
    REQUIRE(store->add(WallMs(5), proof(2, 7)));
    REQUIRE(store->add(WallMs(6), proof(2, 7)));  // once each
    REQUIRE(store->add(WallMs(7), proof(3, 7)));
  }
  const auto entries = open(folder)->all();
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].found_at == WallMs(5));
  CHECK(entries[0].proof == proof(2, 7));
  CHECK(entries[0].offence.culprit == ReplicaId(2));
  CHECK(entries[0].offence.height == Height(7));
  CHECK(entries[0].offence.view == View(0));
  CHECK(entries[0].offence.contents[0].type == "prepare");
  CHECK(entries[0].stored);
  CHECK(entries[1].offence.culprit == ReplicaId(3));
}

TEST_CASE("one replica's offences do not crowd out the proofs against another") {
  const TemporaryFolder folder;
  const auto store = open(folder);
  const std::size_t share = EvidenceStore::kEntriesMax / 4;
  for (std::uint64_t height = 1; height <= share; ++height) {
    REQUIRE(store->add(WallMs(1), proof(2, height)));
  }
  REQUIRE(store->add(WallMs(1), proof(2, share + 1)));
  REQUIRE(store->all().size() == share);
  REQUIRE(store->all().front().offence.height == Height(1));
  REQUIRE(store->add(WallMs(1), proof(3, 1)));
  REQUIRE(store->all().size() == share + 1);
}

TEST_CASE("what proves nothing is not kept") {
  const TemporaryFolder folder;
  const auto store = open(folder);
  Bytes forged = proof(2, 7);
  forged.back() ^= 1;
  REQUIRE_FALSE(store->add(WallMs(5), forged));
  REQUIRE(store->all().empty());
}

TEST_CASE("a proof that the disk refuses is kept in memory, and says so") {
  const TemporaryFolder folder;
  auto store = EvidenceStore::open(folder / "missing" / "evidence.bin", genesis());
  REQUIRE(store);
  REQUIRE_FALSE((*store)->add(WallMs(5), proof(2, 7)));
  REQUIRE((*store)->all().size() == 1);
  REQUIRE_FALSE((*store)->all().front().stored);
  std::filesystem::create_directory(folder / "missing");
  REQUIRE((*store)->add(WallMs(6), proof(2, 8)));
  REQUIRE((*store)->all().front().stored);
}

TEST_CASE("a damaged file, or one of another chain, is refused with what to do") {
  const TemporaryFolder folder;
  REQUIRE(open(folder)->add(WallMs(5), proof(2, 7)));
  const auto other = EvidenceStore::open(folder / "evidence.bin", genesis("local-other"));
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::corrupt);
  CHECK(other.error().detail.find("move it aside") != std::string::npos);
  std::filesystem::resize_file(folder / "evidence.bin",
                               std::filesystem::file_size(folder / "evidence.bin") - 1);
  REQUIRE_FALSE(EvidenceStore::open(folder / "evidence.bin", genesis()));
}
