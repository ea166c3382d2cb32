// Proof of work without the work: a block counts as mined if this lottery gave it away, so that
// nobody in the simulation can make one that did not win, and a network of any hash rate costs
// nothing. Knows every block that was ever mined, withheld ones too, with the work of its branch:
// what the checks judge fork choice by. One thread.
#pragma once

#include <cstdint>
#include <map>
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
};

class Lottery final : public crypto::work::WorkFunction {
 public:
  // The header wins, with the nonce it has. Its parent won before, or is the genesis.
  const MinedBlock& win(const Header& header, Instant when);
  bool meets(const Header& header, const Digest& id) const override;

  const MinedBlock* find(const Digest& id) const;
  // In the order in which they were found.
  const std::vector<MinedBlock>& blocks() const { return blocks_; }
  // Whether `ancestor` (zero: the genesis) lies on the branch that ends in `tip`.
  bool descends(const Digest& tip, const Digest& ancestor) const;
  // The work of a branch by its tip; zero for the genesis.
  std::uint64_t work(const Digest& tip) const;

 private:
  std::vector<MinedBlock> blocks_;
  std::map<Digest, std::size_t> by_id_;
};

}  // namespace quorate::sim::pow
