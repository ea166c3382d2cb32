#include "ledger/state_tree.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "crypto/hash.hpp"

namespace quorate::ledger {
namespace {

crypto::Address numbered(std::uint64_t number) {
  crypto::Address out;
  for (std::size_t i = 0; i < 8; ++i) {
    out.bytes[1 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return out;
}

using Model = std::map<Digest, StateLeaf>;

// The root by the definition, without any tree: splits the sorted accounts bit by bit.
Digest model_root(Model::const_iterator first, Model::const_iterator last, std::size_t depth) {
  if (first == last) return {};
  if (std::next(first) == last) return state_leaf_hash(first->second);
  auto right = first;
  while (right != last && !state_key_bit(right->first, depth)) ++right;
  return state_inner_hash(model_root(first, right, depth + 1), model_root(right, last, depth + 1));
}

Digest model_root(const Model& model) { return model_root(model.begin(), model.end(), 0); }

std::vector<StateEntry> entries(const Model& model) {
  std::vector<StateEntry> out;
  for (const auto& [key, leaf] : model) out.push_back({key, leaf});
  return out;
}

void put(Model& model, const crypto::Address& address, const Account& account) {
  model[state_key(address)] = StateLeaf{address, account};
}

}  // namespace

TEST_CASE("an empty state has the zero root and proves absence") {
  const StateTree tree;
  CHECK(tree.root().is_zero());
  const StateProof proof = tree.prove(numbered(1));
  CHECK(proof.siblings.empty());
  CHECK_FALSE(proof.leaf.has_value());
  const auto verdict = verify_state_proof(tree.root(), numbered(1), proof);
  REQUIRE(verdict.has_value());
  CHECK_FALSE(verdict->has_value());
}

TEST_CASE("random updates give the roots, values and proofs of a naive model") {
  std::mt19937_64 random(7);
  for (int run = 0; run < 8; ++run) {
    Model model;
    StateTree tree;
    for (int block = 0; block < 25; ++block) {
      Model changed;
      const std::uint64_t touched = random() % 12;
      for (std::uint64_t i = 0; i < touched; ++i) {
        put(changed, numbered(random() % 60), Account{random(), random() % 100});
      }
      for (const auto& [key, leaf] : changed) model[key] = leaf;
      const StateTree before = tree;
      const Digest root_before = before.root();
      tree = tree.with(entries(changed));
      REQUIRE(tree.root() == model_root(model));
      REQUIRE(before.root() == root_before);
    }
    REQUIRE(StateTree().with(entries(model)).root() == tree.root());
    for (std::uint64_t number = 0; number < 70; ++number) {
      const crypto::Address address = numbered(number);
      const auto found = model.find(state_key(address));
      const std::optional<Account> expected =
          found == model.end() ? std::nullopt : std::optional(found->second.account);
      REQUIRE(tree.account(address) == expected);
      const StateProof proof = tree.prove(address);
      const auto verdict = verify_state_proof(tree.root(), address, proof);
      REQUIRE(verdict.has_value());
      REQUIRE(*verdict == expected);
    }
  }
}

TEST_CASE("a state proof that is changed anywhere is refused") {
  Model model;
  for (std::uint64_t number = 0; number < 200; ++number) {
    put(model, numbered(number), Account{number, 1});
  }
  const StateTree tree = StateTree().with(entries(model));
  for (const std::uint64_t number : {3U, 77U, 1000U, 1001U, 1002U, 1003U}) {
    const crypto::Address address = numbered(number);
    const StateProof proof = tree.prove(address);
    REQUIRE(verify_state_proof(tree.root(), address, proof).has_value());
    const auto refused = [&](const StateProof& tampered) {
      const auto verdict = verify_state_proof(tree.root(), address, tampered);
      return !verdict && verdict.error().code == Errc::bad_encoding;
    };
    for (std::size_t i = 0; i < proof.siblings.size(); ++i) {
      StateProof tampered = proof;
      tampered.siblings[i].bytes[0] ^= 1U;
      CHECK(refused(tampered));
    }
    StateProof shorter = proof;
    shorter.siblings.pop_back();
    CHECK(refused(shorter));
    StateProof longer = proof;
    longer.siblings.emplace_back();
    CHECK(refused(longer));
    if (proof.leaf) {
      StateProof richer = proof;
      ++richer.leaf->account.balance;
      CHECK(refused(richer));
      StateProof gone = proof;
      gone.leaf.reset();
      CHECK(refused(gone));
    } else {
      StateProof invented = proof;
      invented.leaf = StateLeaf{address, {}};
      CHECK(refused(invented));
    }
    // A true proof for one address proves nothing about an address on another path.
    const auto other = verify_state_proof(tree.root(), numbered(number + 1), proof);
    CHECK_FALSE(other.has_value());
  }
}

TEST_CASE("absence cannot be shown by a leaf that stands on another path") {
  // A root that no honest tree has: a leaf stands on the side where its key does not lead. Whoever
  // made it could hide every account of that side behind the leaf.
  std::uint64_t left = 0;
  while (state_key_bit(state_key(numbered(left)), 0)) ++left;
  std::uint64_t right = 0;
  while (!state_key_bit(state_key(numbered(right)), 0)) ++right;
  const StateLeaf misplaced{numbered(right), {5, 0}};
  const Digest root = state_inner_hash(state_leaf_hash(misplaced), Digest{});
  StateProof proof;
  proof.siblings = {Digest{}};
  proof.leaf = misplaced;
  const auto verdict = verify_state_proof(root, numbered(left), proof);
  REQUIRE_FALSE(verdict.has_value());
  CHECK_THAT(verdict.error().detail, Catch::Contains("another path"));
}

TEST_CASE("a proof deeper than a key has bits is refused") {
  StateProof proof;
  proof.siblings.resize(257);
  CHECK_FALSE(verify_state_proof(Digest{}, numbered(1), proof).has_value());
  crypto::Writer out;
  encode(out, proof);
  crypto::Reader in(out.view());
  decode_state_proof(in);
  CHECK_FALSE(in.finish().has_value());
}

TEST_CASE("a state proof survives encoding, and its mark is strict") {
  Model model;
  for (std::uint64_t number = 0; number < 9; ++number) put(model, numbered(number), {1, 2});
  const StateTree tree = StateTree().with(entries(model));
  for (std::uint64_t number = 0; number < 20; ++number) {
    const StateProof proof = tree.prove(numbered(number));
    crypto::Writer out;
    encode(out, proof);
    crypto::Reader in(out.view());
    CHECK(decode_state_proof(in) == proof);
    CHECK(in.finish().has_value());
  }
  const Bytes bad_mark{0, 0, 0, 0, 2};
  crypto::Reader in(bad_mark);
  decode_state_proof(in);
  CHECK_FALSE(in.finish().has_value());
}

}  // namespace quorate::ledger
