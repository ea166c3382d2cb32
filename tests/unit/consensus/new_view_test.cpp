// What a new view keeps, and which VIEW-CHANGEs and NEW-VIEWs are refused whole.
#include <catch2/catch.hpp>

#include "tests/unit/consensus/solo.hpp"

namespace quorate::consensus::test {

namespace {

struct Messages {
  Solo solo{0};
  pbft::PrePrepare a0 = solo.pre_prepare(1, {1});
  pbft::PrePrepare b0 = solo.pre_prepare(2, {2});
  pbft::PrePrepare b1 = solo.pre_prepare(2, {3}, std::nullopt, 1);

  std::vector<Digest> ids(const std::vector<pbft::ViewChangePtr>& v, std::uint64_t view = 2) {
    const auto plan = pbft::compute_new_view(solo.membership(), View(view), v);
    REQUIRE(plan);
    std::vector<Digest> out;
    Height height = plan->low;
    for (const pbft::Ballot& ballot : plan->ballots) {
      height = height.next();
      REQUIRE(ballot.view == View(view));
      REQUIRE(ballot.height == height);
      out.push_back(ballot.id);
    }
    return out;
  }
  Digest null(std::uint64_t height) { return pbft::null_id(solo.membership(), Height(height)); }
  bool verifies(const pbft::Message& message) {
    return solo.verifier().verify(ReplicaId(3), pbft::encode(Epoch(0), message)).has_value();
  }
};

}  // namespace

TEST_CASE("nothing prepared means nothing to propose again") {
  Messages m;
  REQUIRE(m.ids({m.solo.view_change(0, 2), m.solo.view_change(1, 2), m.solo.view_change(2, 2)})
              .empty());
}

TEST_CASE("one certificate is enough, and gaps below it become null proposals") {
  Messages m;
  const auto ids = m.ids({m.solo.view_change(0, 2), m.solo.view_change(1, 2),
                          m.solo.view_change(2, 2, {m.solo.prepared(m.b0, {1, 2})})});
  REQUIRE(ids == std::vector<Digest>{m.null(1), m.b0.core.ballot.id});
}

TEST_CASE("of two certificates for a height the one of the higher view counts") {
  Messages m;
  const auto low =
      m.solo.view_change(0, 2, {m.solo.prepared(m.a0, {1, 2}), m.solo.prepared(m.b0, {1, 2})});
  const auto high = m.solo.view_change(1, 2, {m.solo.prepared(m.b1, {0, 3})});
  const std::vector<Digest> expected{m.a0.core.ballot.id, m.b1.core.ballot.id};
  REQUIRE(m.ids({low, high, m.solo.view_change(2, 2)}) == expected);
  REQUIRE(m.ids({high, low, m.solo.view_change(2, 2)}) == expected);
}

TEST_CASE("nothing at or below the highest proved checkpoint is proposed again") {
  Messages m;
  const auto proof = m.solo.proof(1, {}, {0, 1, 2});
  const auto ids = m.ids({m.solo.view_change(0, 2, {m.solo.prepared(m.a0, {1, 2})}),
                          m.solo.view_change(1, 2, {m.solo.prepared(m.b0, {1, 2})}, proof),
                          m.solo.view_change(2, 2)});
  REQUIRE(ids == std::vector<Digest>{m.b0.core.ballot.id});
}

TEST_CASE("two proposals prepared in one view are a contradiction") {
  Messages m;
  const auto other = m.solo.pre_prepare(1, {9});
  const auto plan = pbft::compute_new_view(
      m.solo.membership(), View(2),
      {m.solo.view_change(0, 2, {m.solo.prepared(m.a0, {1, 2})}),
       m.solo.view_change(1, 2, {m.solo.prepared(other, {1, 2})}), m.solo.view_change(2, 2)});
  REQUIRE_FALSE(plan);
  REQUIRE(plan.error().code == Errc::conflict);
}

TEST_CASE("a VIEW-CHANGE with one bad entry is refused whole") {
  Messages m;
  const auto good = m.solo.prepared(m.a0, {1, 2});
  REQUIRE(m.verifies(m.solo.view_change(1, 1, {good})));
  REQUIRE_FALSE(m.verifies(m.solo.view_change(1, 0)));
  const auto bad = [&](pbft::PreparedCertificate certificate) {
    REQUIRE_FALSE(m.verifies(m.solo.view_change(1, 1, {std::move(certificate)})));
  };
  bad(m.solo.prepared(m.a0, {1}));        // q-2
  bad(m.solo.prepared(m.a0, {1, 2, 3}));  // more than q-1
  bad(m.solo.prepared(m.a0, {0, 2}));     // the primary's PREPARE
  bad(m.solo.prepared(m.b1, {0, 2}));     // of its own view
  auto forged = good;
  forged.prepares[0].signature = forged.prepares[1].signature;
  bad(forged);
  auto wrong_primary = good;
  wrong_primary.core.signature =
      m.solo.signer(1).sign(pbft::core_signing_digest(m.solo.membership(), m.a0.core.ballot));
  bad(wrong_primary);
  bad(m.solo.prepared(m.solo.pre_prepare(0, {1}), {1, 2}));
  bad(m.solo.prepared(m.solo.pre_prepare(17, {1}), {1, 2}));  // above the window of 16
  const auto second = m.solo.prepared(m.b0, {1, 2});
  REQUIRE(m.verifies(m.solo.view_change(1, 1, {good, second})));
  REQUIRE_FALSE(m.verifies(m.solo.view_change(1, 1, {second, good})));
  REQUIRE_FALSE(m.verifies(m.solo.view_change(1, 1, {good, good})));
  const auto proof = m.solo.proof(8, {}, {0, 1, 2});
  REQUIRE(m.verifies(m.solo.view_change(1, 1, {}, proof)));
  REQUIRE_FALSE(m.verifies(m.solo.view_change(1, 1, {good}, proof)));  // below its checkpoint
  REQUIRE_FALSE(m.verifies(m.solo.view_change(1, 1, {}, m.solo.proof(8, {}, {0, 1}))));
}

TEST_CASE("a NEW-VIEW is what its VIEW-CHANGEs demand, or it is refused") {
  Messages m;
  const std::vector<pbft::ViewChangePtr> v = {
      m.solo.view_change(0, 1), m.solo.view_change(1, 1),
      m.solo.view_change(2, 1, {m.solo.prepared(m.b0, {1, 2})})};
  const pbft::Ballot null{View(1), Height(1), m.null(1)};
  const pbft::Ballot kept{View(1), Height(2), m.b0.core.ballot.id};
  const pbft::Ballot other{View(1), Height(2), m.a0.core.ballot.id};
  const pbft::Ballot extra{View(1), Height(3), m.a0.core.ballot.id};
  const auto ok = [&](const std::vector<pbft::ViewChangePtr>& changes,
                      const std::vector<pbft::Ballot>& ballots) {
    return m.verifies(m.solo.new_view(1, changes, ballots));
  };
  REQUIRE(ok(v, {null, kept}));
  REQUIRE_FALSE(ok(v, {}));                   // everything dropped
  REQUIRE_FALSE(ok(v, {null}));               // an entry dropped
  REQUIRE_FALSE(ok(v, {kept}));               // the null left out
  REQUIRE_FALSE(ok(v, {null, other}));        // another proposal
  REQUIRE_FALSE(ok(v, {null, kept, extra}));  // one too many
  REQUIRE_FALSE(ok({v[0], v[2]}, {null, kept}));
  REQUIRE_FALSE(ok({v[0], v[0], v[2]}, {null, kept}));
  REQUIRE_FALSE(ok({v[2], v[1], v[0]}, {null, kept}));
  REQUIRE_FALSE(ok({v[0], v[1], v[2], m.solo.view_change(3, 1)}, {null, kept}));
  REQUIRE_FALSE(ok({v[0], m.solo.view_change(1, 2), v[2]}, {null, kept}));
  const auto bad_entry = m.solo.view_change(1, 1, {m.solo.prepared(m.a0, {1})});
  REQUIRE_FALSE(ok({v[0], bad_entry, v[2]}, {null, kept}));
  auto unsigned_core = *m.solo.new_view(1, v, {null, kept});
  unsigned_core.proposals[1].signature = unsigned_core.proposals[0].signature;
  REQUIRE_FALSE(m.verifies(std::make_shared<const pbft::NewView>(unsigned_core)));
  auto somebody_else = *m.solo.new_view(1, v, {null, kept});
  somebody_else.signature = m.solo.signer(2).sign(
      pbft::new_view_signing_digest(m.solo.membership(), pbft::stub_of(somebody_else)));
  REQUIRE_FALSE(m.verifies(std::make_shared<const pbft::NewView>(somebody_else)));
}

}  // namespace quorate::consensus::test
