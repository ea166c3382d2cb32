// Proof of work without the work: a block counts as mined if this lottery gave it away, so that
// nobody in the simulation can make one that did not win, and a network of any hash rate costs
// nothing. Knows every block that was ever mined, withheld ones too, with the work of its branch:
// what the checks judge fork choice by. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "crypto/base/instant.hpp"
#include "crypto/work/header.hpp"
#include "crypto/work/work_function.hpp"

namespace quorate::sim::pow {

using crypto::work::Header;

struct MinedBlock {
  Header header;
  Digest id;
  Instant when;
  std::uint64_t work = 0;  // expected hashes, of the whole branch from genesis to here
  Height deepest;          // of all blocks that stand on it, itself included
  std::uint64_t leads_to;  // the most work of any of them
  bool byzantine = false;  // by whoever does as it likes
  // Breaks a rule: nobody may prefer its branch before then. In all other blocks the origin.
  Instant outlawed_until{};
};

// Of a block that breaks a rule for good.
inline constexpr Instant kForever{Duration::max()};

class Lottery final : public crypto::work::WorkFunction {
 public:
  // The header wins, with the nonce it has. Its parent won before, or is the genesis.
  const MinedBlock& win(const Header& header, Instant when);
  // The same for a Byzantine miner.
  const MinedBlock& win_byzantine(const Header& header, Instant when, Instant outlawed_until);
  // A Byzantine miner's header that stands on nothing: proves its work and is counted nowhere.
  void let_pass(const Header& header) { loose_.insert(crypto::work::id_of(header)); }
  bool meets(const Header& header, const Digest& id) const override;

  const MinedBlock* find(const Digest& id) const;
  // The first found of those of the greatest height; zero while there are none.
  Digest highest() const;
  // In the order in which they were found.
  const std::vector<MinedBlock>& blocks() const { return blocks_; }
  // Whether `ancestor` (zero: the genesis) lies on the branch that ends in `tip`.
  bool descends(const Digest& tip, const Digest& ancestor) const;
  // The highest block on both branches (zero: the genesis), and the one of this height on a branch
  // that reaches it.
  Digest fork(Digest a, Digest b) const;
  Digest ancestor(const Digest& tip, Height height) const;
  // The work of a branch by its tip; zero for the genesis.
  std::uint64_t work(const Digest& tip) const;

 private:
  std::vector<MinedBlock> blocks_;
  std::map<Digest, std::size_t> by_id_;
  std::set<Digest> loose_;
};

}  // namespace quorate::sim::pow
