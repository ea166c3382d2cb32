// A replica that signs two contents is reported, but it cannot use that to flood the log.
#include <catch2/catch.hpp>

#include "consensus/pbft/evidence_filter.hpp"
#include "tests/unit/consensus/solo.hpp"

namespace quorate::consensus::test {

using pbft::EvidenceFilter;
using pbft::Offence;

namespace {

Digest other_digest(int i) {
  return crypto::hash("quorate/test-other/1", {as_bytes(std::to_string(i))});
}

}  // namespace

TEST_CASE("conflicting votes are reported once per replica, kind and height") {
  Solo solo(1);
  solo.start_voting();
  const auto proposal = solo.pre_prepare(1, {1});
  solo.receive(0, proposal);
  solo.settle();
  for (std::uint8_t i = 1; i < 6; ++i) {
    solo.receive(3, solo.prepare(3, solo.pre_prepare(1, {i})));
    solo.receive(3, solo.commit(3, solo.pre_prepare(1, {i})));
  }
  REQUIRE(solo.all<Evidence>().size() == 2);  // a PREPARE and a COMMIT
  for (std::uint8_t i = 1; i < 6; ++i) {
    solo.receive(3, solo.prepare(3, solo.pre_prepare(2, {i})));
    solo.receive(2, solo.prepare(2, solo.pre_prepare(1, {i})));
  }
  REQUIRE(solo.all<Evidence>().size() == 4);  // another height, another replica
  REQUIRE(solo.all<Evidence>().back().culprit == ReplicaId(2));
}

TEST_CASE("conflicting seals and checkpoints are reported once per replica and height") {
  Solo solo(1);
  solo.start_voting();
  for (int i = 0; i < 5; ++i) {
    solo.receive(3, solo.seal(3, 1, other_digest(i)));
    solo.receive(3, solo.checkpoint(3, 8, other_digest(i)));
  }
  REQUIRE(solo.all<Evidence>().size() == 2);
  for (int i = 0; i < 5; ++i) {
    solo.receive(3, solo.seal(3, 2, other_digest(i)));
    solo.receive(3, solo.checkpoint(3, 16, other_digest(i)));
  }
  REQUIRE(solo.all<Evidence>().size() == 4);
}

TEST_CASE(
    "the reports against one replica are bounded and do not crowd out those against another") {
  EvidenceFilter filter;
  for (std::uint64_t height = 1; height <= EvidenceFilter::kReportsMax; ++height) {
    REQUIRE(filter.first(ReplicaId(3), Offence::seal, Height(height)));
  }
  const std::size_t full = filter.memory_bytes();
  REQUIRE_FALSE(filter.first(ReplicaId(3), Offence::seal, Height(1'000)));
  REQUIRE(filter.memory_bytes() == full);
  REQUIRE(filter.first(ReplicaId(2), Offence::seal, Height(1'000)));
}

TEST_CASE("garbage collection makes room for reports and keeps those that can still be repeated") {
  EvidenceFilter filter;
  for (std::uint64_t height = 1; height <= EvidenceFilter::kReportsMax; ++height) {
    filter.first(ReplicaId(3), Offence::prepare, Height(height));
  }
  filter.collect_garbage(Height(8));
  REQUIRE_FALSE(filter.first(ReplicaId(3), Offence::prepare, Height(8)));
  REQUIRE(filter.first(ReplicaId(3), Offence::prepare, Height(1'000)));
}

TEST_CASE("a stable checkpoint clears what the engine remembers of its reports") {
  Solo solo(1);
  solo.start_voting();
  // Every PREPARE, COMMIT and SEAL of the window that replica 3 can sign twice, up to the bound.
  for (std::uint64_t height = 1; height <= 32; ++height) {
    for (int i = 0; i < 2; ++i) {
      const auto proposal = solo.pre_prepare(height, {static_cast<std::uint8_t>(i + 100)});
      solo.receive(3, solo.prepare(3, proposal));
      solo.receive(3, solo.commit(3, proposal));
      solo.receive(3, solo.seal(3, height, other_digest(i)));
    }
  }
  REQUIRE(solo.all<Evidence>().size() == EvidenceFilter::kReportsMax);
  // The others reach the checkpoint without it.
  for (std::uint64_t height = 1; height <= 8; ++height) {
    const auto proposal = solo.pre_prepare(height, {1});
    solo.receive(0, proposal);
    solo.settle();
    solo.receive(2, solo.prepare(2, proposal));
    solo.settle();
    for (const std::uint32_t i : {0U, 2U}) solo.receive(i, solo.commit(i, proposal));
    solo.settle();
  }
  for (const std::uint32_t i : {0U, 2U}) {
    solo.receive(i, solo.checkpoint(i, 8, Solo::checkpoint_digest(Height(8))));
  }
  solo.settle();
  REQUIRE(solo.engine().status().low_watermark == Height(8));
  solo.outputs.clear();
  for (int i = 0; i < 2; ++i) solo.receive(3, solo.checkpoint(3, 16, other_digest(i)));
  REQUIRE(solo.all<Evidence>().size() == 1);
}

}  // namespace quorate::consensus::test
