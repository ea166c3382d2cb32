// A block tree fed by hand, with headers that keep every rule but the proof of work.
#pragma once

#include <catch2/catch.hpp>

#include "consensus/pow/block_tree.hpp"
#include "tests/unit/crypto/work/chain_fixture.hpp"

namespace quorate::consensus::pow::test {

using crypto::work::test::kGenesisS;

// Full after some thousand headers.
inline constexpr TreeLimits kSmall{.below = 1024, .ahead = 1024};

struct TreeFixture {
  explicit TreeFixture(const work::Parameters& parameters = {}, TreeLimits limits = {})
      : rules(crypto::work::test::rules(parameters)), tree(rules, limits) {}
  TreeFixture(const TreeFixture&) = delete;  // the tree refers to the rules
  TreeFixture& operator=(const TreeFixture&) = delete;

  // A header `gap_s` after its parent, unlike any other.
  work::Header header(const work::Context& parent, std::uint64_t gap_s) {
    return crypto::work::test::child(rules, parent, parent.time_s + gap_s, next_nonce++);
  }
  BlockTree::Added add(const work::Header& header, WallMs now = WallMs::max()) {
    return tree.add(header, id_of(header), now);
  }
  // Adds a header whose body is not known yet.
  const Block& grow(const Block& parent, std::uint64_t gap_s = 2) {
    const BlockTree::Added added = add(header(parent.context, gap_s));
    REQUIRE(added.outcome == BlockTree::Outcome::added);
    return *added.block;
  }
  const Block& grow_valid(const Block& parent, std::uint64_t gap_s = 2) {
    const Block& out = grow(parent, gap_s);
    tree.set_valid(out.id);
    return out;
  }
  const Block& grow_chain(const Block& from, int blocks, std::uint64_t gap_s = 2) {
    const Block* out = &from;
    for (int i = 0; i < blocks; ++i) out = &grow_valid(*out, gap_s);
    return *out;
  }

  work::HeaderRules rules;
  BlockTree tree;
  std::uint64_t next_nonce = 1;
};

inline std::vector<Digest> ids(const std::vector<const Block*>& blocks) {
  std::vector<Digest> out;
  for (const Block* block : blocks) out.push_back(block->id);
  return out;
}

}  // namespace quorate::consensus::pow::test
