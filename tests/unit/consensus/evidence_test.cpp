// A replica that signs two contents is reported, but it cannot use that to flood the log.
#include <catch2/catch.hpp>
#include <set>

#include "consensus/pbft/evidence.hpp"
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

TEST_CASE("a proposal that others prepared and another that came here convict their primary") {
  Solo solo(1);
  solo.start_voting();
  const auto mine = solo.pre_prepare(1, {1});
  const auto theirs = solo.pre_prepare(1, {2});
  solo.receive(0, mine);
  solo.settle();
  solo.receive(3, solo.view_change(3, 2, {solo.prepared(mine, {2, 3})}));
  REQUIRE(solo.all<Evidence>().empty());
  solo.receive(2, solo.view_change(2, 2, {solo.prepared(theirs, {2, 3})}));
  solo.receive(2, solo.view_change(2, 3, {solo.prepared(theirs, {2, 3})}));
  REQUIRE(solo.all<Evidence>().size() == 1);
  REQUIRE(solo.all<Evidence>().front().culprit == ReplicaId(0));
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

// ---- proofs that stand alone ----

TEST_CASE("every proof convinces somebody who knows only the chain, and names culprit and place") {
  Solo solo(1);
  solo.start_voting();
  const auto first = solo.pre_prepare(1, {1});
  const auto second = solo.pre_prepare(1, {2});
  solo.receive(3, solo.prepare(3, first));
  solo.receive(3, solo.prepare(3, second));
  solo.receive(3, solo.commit(3, first));
  solo.receive(3, solo.commit(3, second));
  solo.receive(3, solo.seal(3, 1, other_digest(1)));
  solo.receive(3, solo.seal(3, 1, other_digest(2)));
  solo.receive(3, solo.checkpoint(3, 8, other_digest(1)));
  solo.receive(3, solo.checkpoint(3, 8, other_digest(2)));
  solo.receive(3, solo.view_change(3, 2));
  solo.receive(3, solo.view_change(3, 2, {solo.prepared(first, {1, 2})}));
  solo.receive(0, first);
  solo.receive(0, second);
  std::vector<std::string> types;
  for (const Evidence& evidence : solo.all<Evidence>()) {
    const auto proved = solo.verifier().verify_evidence(evidence.proof);
    REQUIRE(proved.has_value());
    REQUIRE(proved->culprit == evidence.culprit);
    REQUIRE(proved->contents[0].type == proved->contents[1].type);
    REQUIRE(proved->contents[0].content != proved->contents[1].content);
    types.push_back(proved->contents[0].type);
    Bytes damaged = evidence.proof;
    damaged.back() ^= 1;  // in the second signature
    REQUIRE_FALSE(solo.verifier().verify_evidence(damaged));
    damaged = evidence.proof;
    damaged.push_back(0);
    REQUIRE_FALSE(solo.verifier().verify_evidence(damaged));
  }
  REQUIRE(types == std::vector<std::string>{"prepare", "commit", "seal", "checkpoint",
                                            "view_change", "pre_prepare"});
}

TEST_CASE("two messages that correct replicas may sign prove nothing") {
  Solo solo(1);
  const auto one = solo.pre_prepare(1, {1});
  const auto two = solo.pre_prepare(1, {2});
  using Pair = std::pair<pbft::Witness, pbft::Witness>;
  const std::vector<Pair> innocent = {
      {solo.prepare(3, one), solo.prepare(3, one)},                // said twice
      {solo.prepare(3, one), solo.prepare(2, two)},                // by two replicas
      {solo.prepare(3, one), solo.commit(3, two)},                 // of two types
      {one.core, solo.pre_prepare(2, {2}).core},                   // for two heights
      {one.core, solo.pre_prepare(1, {2}, std::nullopt, 1).core},  // in two views
      {solo.seal(3, 1, other_digest(1)), solo.seal(3, 2, other_digest(2))},
      {pbft::stub_of(*solo.view_change(3, 1)), pbft::stub_of(*solo.view_change(3, 2))}};
  for (const Pair& pair : innocent) {
    const Bytes proof = pbft::encode_evidence(Epoch(0), pair.first, pair.second);
    REQUIRE_FALSE(solo.verifier().verify_evidence(proof));
  }
  const Bytes guilty = pbft::encode_evidence(Epoch(0), one.core, two.core);
  REQUIRE(solo.verifier().verify_evidence(guilty));
  REQUIRE_FALSE(solo.verifier().verify_evidence(
      pbft::encode_evidence(Epoch(1), one.core, two.core)));  // of another epoch
}

TEST_CASE("two VIEW-CHANGEs for one view are reported once, also when one comes in a NEW-VIEW") {
  for (const bool inside : {false, true}) {
    Solo solo(3);
    solo.start_voting();
    const auto prepared = solo.prepared(solo.pre_prepare(1, {1}), {1, 2});
    solo.receive(2, solo.view_change(2, 1));
    solo.receive(2, solo.view_change(2, 1));
    REQUIRE(solo.all<Evidence>().empty());
    for (int i = 0; i < 3; ++i) {
      const auto other = solo.view_change(2, 1, {prepared});
      if (inside) {
        solo.receive(1, solo.new_view(1, {solo.view_change(0, 1), solo.view_change(1, 1), other}));
      } else {
        solo.receive(2, other);
      }
    }
    REQUIRE(solo.all<Evidence>().size() == 1);
    REQUIRE(solo.all<Evidence>().front().culprit == ReplicaId(2));
  }
}

TEST_CASE("a primary with two NEW-VIEWs for one view is reported, passed on and left at once") {
  Solo solo(3);
  solo.start_voting();
  const auto first =
      solo.new_view(1, {solo.view_change(0, 1), solo.view_change(1, 1), solo.view_change(2, 1)});
  const auto prepared = solo.prepared(solo.pre_prepare(1, {1}), {1, 2});
  const auto second = solo.new_view(
      1, {solo.view_change(0, 1), solo.view_change(1, 1), solo.view_change(2, 1, {prepared})});
  solo.receive(1, first);
  solo.receive(1, first);
  solo.persist_all();
  REQUIRE(solo.all<Evidence>().empty());
  solo.outputs.clear();
  solo.receive(1, second);
  REQUIRE(solo.all<Evidence>().size() == 1);
  const auto proved = solo.verifier().verify_evidence(solo.all<Evidence>().front().proof);
  REQUIRE(proved.has_value());
  REQUIRE(proved->culprit == ReplicaId(1));
  REQUIRE(proved->view == View(1));
  REQUIRE_FALSE(proved->height);
  REQUIRE(proved->contents[0].type == "new_view");
  REQUIRE(solo.sent<pbft::NewViewPtr>().size() == 2);
  REQUIRE(solo.engine().status().promise_view == View(2));
  solo.receive(1, second);
  REQUIRE(solo.all<Evidence>().size() == 1);
}

TEST_CASE("replicas in one view that were told two NEW-VIEWs show them to each other") {
  Solo solo(3);
  solo.start_voting();
  const auto opened =
      solo.new_view(1, {solo.view_change(0, 1), solo.view_change(1, 1), solo.view_change(2, 1)});
  solo.receive(1, opened);
  solo.persist_all();
  solo.outputs.clear();
  auto same = solo.status_report();
  same.view = View(1);
  same.new_view = pbft::stub_of(*opened).content;
  solo.receive(2, same);
  REQUIRE(solo.sent<pbft::NewViewPtr>().empty());
  auto other = same;
  other.new_view = other_digest(1);
  solo.receive(2, other);
  REQUIRE(solo.sent<pbft::NewViewPtr>().size() == 1);
}

TEST_CASE("a contradiction of certificates names at least f+1 culprits") {
  const auto culprits = [](const Solo& solo) {
    std::set<ReplicaId> out;
    for (const Evidence& evidence : solo.all<Evidence>()) {
      REQUIRE(solo.verifier().verify_evidence(evidence.proof));
      out.insert(evidence.culprit);
    }
    return out;
  };
  SECTION("two commit certificates of one view") {
    Solo solo(1);
    solo.start_voting();
    solo.receive(2, solo.certificate(solo.pre_prepare(1, {1}), {0, 1, 2}));
    solo.receive(3, solo.certificate(solo.pre_prepare(1, {2}), {0, 2, 3}));
    REQUIRE(solo.all<Halt>().size() == 1);
    REQUIRE(culprits(solo) == std::set<ReplicaId>{ReplicaId(0), ReplicaId(2)});
  }
  SECTION("two stable checkpoints of one height") {
    Solo solo(1);
    solo.start_voting();
    solo.receive(2, solo.proof(8, other_digest(1), {0, 1, 2}));
    solo.receive(3, solo.proof(8, other_digest(2), {0, 2, 3}));
    REQUIRE(solo.all<Halt>().size() == 1);
    REQUIRE(culprits(solo) == std::set<ReplicaId>{ReplicaId(0), ReplicaId(2)});
  }
  SECTION("two prepared certificates of one view, in a new primary's hands") {
    Solo solo(1);
    solo.start_voting();
    const auto one = solo.prepared(solo.pre_prepare(1, {1}), {1, 2});
    const auto other = solo.prepared(solo.pre_prepare(1, {2}), {2, 3});
    solo.receive(2, solo.view_change(2, 1, {one}));
    solo.receive(3, solo.view_change(3, 1, {other}));
    solo.persist_all();
    REQUIRE(solo.all<Halt>().size() == 1);
    REQUIRE(culprits(solo) == std::set<ReplicaId>{ReplicaId(0), ReplicaId(2)});
  }
}

}  // namespace quorate::consensus::test
