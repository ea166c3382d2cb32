#include "ledger/types/merkle.hpp"

#include <catch2/catch.hpp>

#include "crypto/hash.hpp"

namespace quorate::ledger {
namespace {

std::vector<Digest> leaves(std::size_t count) {
  std::vector<Digest> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    out[i].bytes[0] = static_cast<std::uint8_t>(i);
    out[i].bytes[31] = 0xA5;
  }
  return out;
}

Digest inner(const Digest& left, const Digest& right) {
  return crypto::hash("quorate/merkle-inner/1", {left, right});
}

Digest leaf(const Digest& value) { return crypto::hash("quorate/merkle-leaf/1", {value}); }

Digest root(std::uint64_t count, const Digest& top) {
  crypto::Writer size;
  size.u64(count);
  return crypto::hash("quorate/merkle-root/1", {size.view(), top});
}

}  // namespace

TEST_CASE("the Merkle root is what the rules say, written out by hand") {
  const auto l = leaves(5);
  CHECK(merkle_root({}) == root(0, Digest{}));
  CHECK(merkle_root({l[0]}) == root(1, leaf(l[0])));
  CHECK(merkle_root({l[0], l[1]}) == root(2, inner(leaf(l[0]), leaf(l[1]))));
  CHECK(merkle_root({l[0], l[1], l[2]}) ==
        root(3, inner(inner(leaf(l[0]), leaf(l[1])), leaf(l[2]))));
  CHECK(merkle_root(l) ==
        root(5, inner(inner(inner(leaf(l[0]), leaf(l[1])), inner(leaf(l[2]), leaf(l[3]))),
                      leaf(l[4]))));
}

TEST_CASE("every leaf of every tree up to 33 leaves is proved, and nothing else is") {
  for (std::size_t count = 1; count <= 33; ++count) {
    const auto all = leaves(count);
    const Digest top = merkle_root(all);
    for (std::uint64_t index = 0; index < count; ++index) {
      const MerkleProof proof = merkle_prove(all, index);
      INFO("leaf " << index << " of " << count);
      REQUIRE(merkle_verify(top, all[index], proof));

      REQUIRE(merkle_verify(top, all[(index + 1) % count], proof) == (count == 1));
      Digest other_root = top;
      other_root.bytes[5] ^= 1U;
      REQUIRE_FALSE(merkle_verify(other_root, all[index], proof));
      for (std::size_t i = 0; i < proof.siblings.size(); ++i) {
        MerkleProof tampered = proof;
        tampered.siblings[i].bytes[31] ^= 1U;
        REQUIRE_FALSE(merkle_verify(top, all[index], tampered));
      }
      MerkleProof longer = proof;
      longer.siblings.push_back(Digest{});
      REQUIRE_FALSE(merkle_verify(top, all[index], longer));
      if (!proof.siblings.empty()) {
        MerkleProof shorter = proof;
        shorter.siblings.pop_back();
        REQUIRE_FALSE(merkle_verify(top, all[index], shorter));
      }
      for (std::uint64_t wrong = 0; wrong <= count + 1; ++wrong) {
        MerkleProof moved = proof;
        moved.index = wrong;
        REQUIRE(merkle_verify(top, all[index], moved) == (wrong == index));
        MerkleProof resized = proof;
        resized.count = wrong;
        REQUIRE(merkle_verify(top, all[index], resized) == (wrong == count));
      }
    }
  }
}

TEST_CASE("a tree never equals one with its last leaf repeated") {
  for (std::size_t count = 1; count <= 16; ++count) {
    auto all = leaves(count);
    const Digest before = merkle_root(all);
    all.push_back(all.back());
    CHECK(merkle_root(all) != before);
  }
}

TEST_CASE("a Merkle proof survives encoding, and a bad one is refused") {
  const auto all = leaves(21);
  for (std::uint64_t index = 0; index < 21; ++index) {
    const MerkleProof proof = merkle_prove(all, index);
    crypto::Writer out;
    encode(out, proof);
    crypto::Reader in(out.view());
    CHECK(decode_merkle_proof(in) == proof);
    CHECK(in.finish().has_value());
  }
  const auto refused = [](std::uint64_t index, std::uint64_t count, std::uint32_t siblings) {
    crypto::Writer out;
    out.u64(index);
    out.u64(count);
    out.u32(siblings);
    for (std::uint32_t i = 0; i < siblings; ++i) out.raw(Digest{});
    crypto::Reader in(out.view());
    decode_merkle_proof(in);
    return !in.finish().has_value();
  };
  CHECK_FALSE(refused(3, 4, 2));
  CHECK(refused(4, 4, 2));
  CHECK(refused(0, 0, 0));
  CHECK(refused(3, 4, 65));
}

TEST_CASE("a proof with the largest count ends") {
  MerkleProof proof;
  proof.count = 0xFFFFFFFFFFFFFFFFULL;
  proof.index = proof.count - 1;
  CHECK_FALSE(merkle_verify(Digest{}, Digest{}, proof));
  proof.siblings.resize(64);
  CHECK_FALSE(merkle_verify(Digest{}, Digest{}, proof));
}

}  // namespace quorate::ledger
