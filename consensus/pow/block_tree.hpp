// Every header that a replica knows of the newest part of the chain and its forks, and which branch
// it prefers. Holds no bodies: the engine says whose body it has found valid.
//
// Rules:
//  - A block may be the tip only when its body and those of all its ancestors are valid. Of those
//    the one of most weight is the tip, whatever its height; of equals the one with the greatest
//    sum of work, then the one that could be the tip first.
//  - The weight of a block is its sum of work: its own and that of all below it. Where peers have
//    proved that a branch goes on above what the tree takes (set_proved), the last of its blocks
//    here weighs as much as the whole, what stands on that block no less, and those that lead to it
//    as much. What only parts from them on the way weighs what it is.
//  - A header is stored only when it keeps every rule of its place (work::HeaderRules::extend).
//    That its id proves the work of its bits is the message verifier's to check.
//  - A block found invalid stays so, with all its descendants. A body that is not the one of the
//    header's digest says nothing about the block: it is never reported here.
//  - Bounded by TreeLimits: so many heights below the applied block and above it, so many headers
//    in all; when there are more, the lightest end of a branch goes first.
//  - The ends of branches are at hand in the order of their weight, so that nothing that happens
//    with every message looks at all blocks.
//
// Plain state without clock or chance; one thread. Addresses of blocks hold until a call of add()
// or set_applied().
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "consensus/pow/settings.hpp"
#include "crypto/work/header_rules.hpp"

namespace quorate::consensus::pow {

namespace work = crypto::work;

struct Block {
  enum class Body : std::uint8_t { unknown, valid, invalid };

  work::Header header;  // empty for genesis
  Digest id;            // zero for genesis
  work::Context context;
  work::Uint256 weight;
  const Block* parent = nullptr;  // null for the root
  Body body = Body::unknown;
  bool connected = false;              // its body and those of all its ancestors are valid
  bool condemned = false;              // its body or that of an ancestor is invalid
  bool leads = false;                  // to the block that weighs what is proved
  std::uint64_t order = 0;             // blocks that were seen later have a higher one
  std::vector<const Block*> children;  // in that order
  std::size_t promising = 0;           // of them: those that are not condemned
  std::optional<Digest> executed;      // the ledger's block hash, once it is known here

  Height height() const { return context.height; }
  const work::Uint256& total_work() const { return context.total_work; }
  // It counts for more than itself: for what peers have proved to stand on it.
  bool proved_above() const { return weight > context.total_work; }
};

// Peers have shown headers that stand on a block and reach above what the tree takes.
struct Proved {
  Height from;               // at which the blocks that lead to `to` begin to weigh as much
  Digest to;                 // the last block of that branch in the tree, as far as is known
  work::Uint256 total_work;  // of the branch's last block and all below it
  Height height;             // of the branch's last block
  bool operator==(const Proved&) const = default;
};

class BlockTree {
 public:
  // Starts at genesis. `rules` must outlive the tree.
  explicit BlockTree(const work::HeaderRules& rules, TreeLimits limits = {});
  // Starts at an executed block whose ancestors are not at hand (work::HeaderRules::resume).
  BlockTree(const work::HeaderRules& rules, const work::Header& root, const work::Context& context,
            TreeLimits limits = {});
  BlockTree(const BlockTree&) = delete;
  BlockTree& operator=(const BlockTree&) = delete;

  enum class Outcome : std::uint8_t {
    added,
    known,
    parent_unknown,
    too_early,      // its time is too far ahead of `now`; nothing else is wrong with it
    too_old,        // forks off below the root, where nothing is taken back any more
    too_far_ahead,  // of the applied block: ask again later
    no_room,        // lighter than everything that is kept
    invalid         // for good; `why` says which rule
  };
  struct Added {
    Outcome outcome;
    const Block* block = nullptr;  // of added and known
    std::string why;
  };
  // `id` is the header's own; its proof of work and what check_alone() checks hold.
  Added add(const work::Header& header, const Digest& id, WallMs now);

  // The body of a known block was found valid. True if the tip is another one now.
  bool set_valid(const Digest& id);
  // The body that the header's digest names was found invalid. Its block must not be valid.
  void set_invalid(const Digest& id);
  // The payload of a block off the preferred branch is at hand no more: before the block counts
  // again it must come and be found valid again.
  void set_unknown(const Digest& id);
  // What counts from now on, in place of what did before. None: sums of work alone. The block `to`
  // must be known and not below `from`. Should it be given up, what led there weighs as before.
  void set_proved(const std::optional<Proved>& proved);
  const std::optional<Proved>& proved() const { return proved_; }
  // The ledger's head is this block now: a connected one, after a rewind perhaps a lower one. What
  // is too far below is forgotten.
  void set_applied(const Digest& id);
  // The ledger's block hash after this block, if it is still known.
  void set_executed(const Digest& id, const Digest& block_hash);

  const work::HeaderRules& rules() const { return rules_; }
  const TreeLimits& limits() const { return limits_; }
  const Block* find(const Digest& id) const;
  const Block& root() const { return *branch_.front(); }
  const Block& tip() const { return *branch_.back(); }
  const Block& applied() const { return *applied_; }
  // The heaviest branch whose bodies may still be missing; the tip when nothing is heavier.
  const Block& best_header() const { return *best_header_; }
  // Where the heaviest branch ends, as far as anybody has shown.
  Height best_height() const;
  std::size_t size() const { return blocks_.size(); }
  std::size_t memory_bytes() const;

  // The preferred branch, root to tip.
  const Block* on_branch(Height height) const;  // null outside of it
  bool on_branch(const Block& block) const { return on_branch(block.height()) == &block; }
  // How many blocks of the preferred branch stand on it, its own included; 0 off that branch.
  std::uint64_t depth(const Block& block) const;

  // At or below the block; null below the root.
  const Block* ancestor(const Block& block, Height height) const;
  // The highest block that is an ancestor of both, or one of them.
  const Block& fork_point(const Block& a, const Block& b) const;
  // The block itself or the highest of its ancestors that could be the tip.
  const Block& connected_below(const Block& block) const;
  // The blocks after `from`, which must be an ancestor, up to `to`.
  std::vector<const Block*> path(const Block& from, const Block& to) const;

  // Blocks without a body on branches that outweigh the tip, the heaviest branch first, each
  // from below: what to fetch next. Of four branches or fewer all are among them.
  std::vector<const Block*> wanted(std::size_t max) const;
  // Every block, the first seen first.
  std::vector<const Block*> all() const;

 private:
  // The heaviest first, of equals the one seen first.
  struct Heavier {
    bool operator()(const Block* a, const Block* b) const {
      if (a->weight != b->weight) return a->weight > b->weight;
      if (a->total_work() != b->total_work()) return a->total_work() > b->total_work();
      return a->order < b->order;
    }
  };
  using Ends = std::set<const Block*, Heavier>;
  Block& mutable_block(const Digest& id);
  Block& insert(const work::Header& header, const work::Context& context, Block* parent);
  work::Uint256 weigh(const Block& block) const;
  Block& mark_way(bool leads);
  void weigh_again(Block& from);
  bool make_room(const work::Context& context, const Block& parent);
  void connect(Block& block);
  void prefer(const Block& block);
  void condemn(Block& block);
  void lost_promising_child(Block& parent);
  void choose_tip();
  void choose_best_header();
  void move_root_to(Height height);
  void erase_subtree(const Block& block);
  const Block* lightest_end() const;

  const work::HeaderRules& rules_;
  const TreeLimits limits_;
  std::map<Digest, Block> blocks_;
  Ends ends_;       // not condemned, and no child of them either
  Ends dead_ends_;  // condemned and without children
  std::deque<const Block*> branch_;
  const Block* applied_ = nullptr;
  const Block* best_header_ = nullptr;  // null only while the root moves
  std::optional<Proved> proved_;
  const Block* way_end_ = nullptr;  // its `to`, or what led there once that is gone
  std::uint64_t next_order_ = 0;
};

}  // namespace quorate::consensus::pow
