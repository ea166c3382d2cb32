// The newest blocks that somebody who watches was shown, so that a node that is asked next, or
// again after a break, does not continue them with the blocks of another branch as if nothing had
// happened. Pure; one thread at a time.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "wallet-cli/failure.hpp"

namespace quorate::wallet {

class ShownBlocks {
 public:
  struct Block {
    std::uint64_t height = 0;
    std::string hash;
    std::vector<std::string> transactions;  // ids that were shown with it
  };

  // In place of what was shown from its height on.
  void add(Block block);
  void drop_from(std::uint64_t height);
  bool empty() const { return blocks_.empty(); }

  // What a node has at a height: the block's hash, or none while it has no block there.
  using Lookup = std::function<Outcome<std::optional<std::string>>(std::uint64_t height)>;
  struct Comparison {
    std::vector<Block> reversed;  // shown, and not on the node's branch; forgotten here
    std::uint64_t next = 0;       // the first height to show, if the node is not behind
    bool behind = false;          // it has not come to the newest block that was shown
  };
  // Asks for some twenty blocks at most. Not empty. Errors of the lookup.
  Outcome<Comparison> compare(const Lookup& lookup);

 private:
  std::deque<Block> blocks_;  // ascending
};

}  // namespace quorate::wallet
