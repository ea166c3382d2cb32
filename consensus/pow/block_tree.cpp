#include "consensus/pow/block_tree.hpp"

#include <algorithm>
#include <utility>

#include "crypto/base/assert.hpp"
#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pow {
namespace {

BlockTree::Added refused(BlockTree::Outcome outcome, std::string why) {
  return {outcome, nullptr, std::move(why)};
}

bool heavier(const Block& a, const Block& b) {
  return a.weight != b.weight ? a.weight > b.weight : a.total_work() > b.total_work();
}

// Whether the first is to be preferred, the second being seen first.
bool better(const Block& a, const Block& b) {
  if (QUORATE_MUTANT(fork_choice_by_height)) return a.height() > b.height();
  if (QUORATE_MUTANT(ties_prefer_newest)) return !heavier(b, a);
  return heavier(a, b);
}

std::string height_text(Height height) { return std::to_string(height.value()); }

}  // namespace

BlockTree::BlockTree(const work::HeaderRules& rules, TreeLimits limits)
    : BlockTree(rules, {}, rules.genesis(), limits) {}

BlockTree::BlockTree(const work::HeaderRules& rules, const work::Header& root,
                     const work::Context& context, TreeLimits limits)
    : rules_(rules), limits_(limits) {
  Block& block = insert(root, context, nullptr);
  block.body = Block::Body::valid;
  block.connected = true;
  branch_.push_back(&block);
  applied_ = &block;
  best_header_ = &block;
}

BlockTree::Added BlockTree::add(const work::Header& header, const Digest& id, WallMs now) {
  if (const Block* known = find(id)) return {Outcome::known, known, ""};
  if (header.height <= root().height()) {
    return refused(Outcome::too_old, "a header of height " + height_text(header.height) +
                                         " on another branch than the oldest block that is kept, "
                                         "of height " +
                                         height_text(root().height()));
  }
  const auto parent = blocks_.find(header.parent);
  if (parent == blocks_.end()) return refused(Outcome::parent_unknown, "its parent is not known");
  const auto context = rules_.extend(parent->second.context, header, id);
  if (!context) return refused(Outcome::invalid, context.error().detail);
  if (rules_.too_early(header, now)) return refused(Outcome::too_early, "its time has not come");
  if (header.height > applied_->height().saturating_add(limits_.ahead)) {
    return refused(Outcome::too_far_ahead, "more than " + std::to_string(limits_.ahead) +
                                               " heights above what was executed here");
  }
  if (blocks_.size() >= limits_.blocks() && !make_room(*context, parent->second)) {
    return refused(Outcome::no_room, "lighter than every one of the " +
                                         std::to_string(limits_.blocks()) +
                                         " headers that are kept");
  }
  // Making room never takes a parent of something heavier, but it may take a lighter parent.
  const auto still = blocks_.find(header.parent);
  if (still == blocks_.end()) return refused(Outcome::no_room, "its parent was given up");
  Block& block = insert(header, *context, &still->second);
  if (block.condemned) return {Outcome::invalid, &block, "stands on an invalid block"};
  if (heavier(block, *best_header_)) best_header_ = &block;
  return {Outcome::added, &block, ""};
}

Block& BlockTree::insert(const work::Header& header, const work::Context& context, Block* parent) {
  Block& block = blocks_[context.id];
  block.header = header;
  block.id = context.id;
  block.context = context;
  block.parent = parent;
  block.weight = weigh(block);
  block.order = next_order_++;
  if (parent != nullptr) {
    block.condemned = parent->condemned;
    parent->children.push_back(&block);
    if (!block.condemned) ++parent->promising;
    ends_.erase(parent);
    dead_ends_.erase(parent);
  }
  (block.condemned ? dead_ends_ : ends_).insert(&block);
  return block;
}

// Condemned ones go before others, then the lightest. What leads to the tip, the applied block or
// the heaviest header is never given up.
const Block* BlockTree::lightest_end() const {
  if (!dead_ends_.empty()) return *dead_ends_.rbegin();
  const auto lightest = std::find_if(ends_.rbegin(), ends_.rend(), [this](const Block* end) {
    return !on_branch(*end) && end != best_header_ && end != applied_;
  });
  return lightest == ends_.rend() ? nullptr : *lightest;
}

// Gives one up, unless the newcomer would be lighter still.
bool BlockTree::make_room(const work::Context& context, const Block& parent) {
  Block newcomer;
  newcomer.context = context;
  newcomer.parent = &parent;
  newcomer.weight = weigh(newcomer);
  const Block* lightest = lightest_end();
  if (lightest == nullptr || (!lightest->condemned && !heavier(newcomer, *lightest))) return false;
  erase_subtree(*lightest);
  return true;
}

bool BlockTree::set_valid(const Digest& id) {
  Block& block = mutable_block(id);
  if (block.body == Block::Body::valid) return false;
  QUORATE_ASSERT(block.body == Block::Body::unknown);
  block.body = Block::Body::valid;
  const Block* before = &tip();
  if (block.parent != nullptr && block.parent->connected) connect(block);
  return &tip() != before;
}

// An explicit stack: a branch may be thousands of blocks long.
void BlockTree::connect(Block& block) {
  std::deque<Block*> next{&block};
  while (!next.empty()) {
    Block& current = *next.front();
    next.pop_front();
    current.connected = true;
    if (better(current, tip())) prefer(current);
    for (const Block* child : current.children) {
      if (child->body == Block::Body::valid) next.push_back(&mutable_block(child->id));
    }
  }
}

void BlockTree::prefer(const Block& block) {
  const Height shared = fork_point(tip(), block).height();
  while (tip().height() > shared) branch_.pop_back();
  const std::vector<const Block*> blocks = path(tip(), block);
  branch_.insert(branch_.end(), blocks.begin(), blocks.end());
  if (!heavier(*best_header_, block)) best_header_ = &block;
}

void BlockTree::set_invalid(const Digest& id) {
  Block& block = mutable_block(id);
  QUORATE_ASSERT(block.body != Block::Body::valid);
  block.body = Block::Body::invalid;
  condemn(block);
  if (best_header_->condemned) choose_best_header();
}

void BlockTree::condemn(Block& block) {
  if (block.condemned) return;
  if (block.parent != nullptr) lost_promising_child(mutable_block(block.parent->id));
  std::vector<Block*> next{&block};
  while (!next.empty()) {
    Block& current = *next.back();
    next.pop_back();
    current.condemned = true;
    current.promising = 0;
    ends_.erase(&current);
    if (current.children.empty()) dead_ends_.insert(&current);
    if (QUORATE_MUTANT(invalid_descendants_kept)) return;
    for (const Block* child : current.children) {
      if (!child->condemned) next.push_back(&mutable_block(child->id));
    }
  }
}

void BlockTree::lost_promising_child(Block& parent) {
  if (parent.condemned) return;
  QUORATE_ASSERT(parent.promising > 0);
  if (--parent.promising == 0) ends_.insert(&parent);
}

// The end that is first in order, as nothing below an end comes before it, but for the way to what
// is proved where it turned out invalid.
void BlockTree::choose_best_header() {
  best_header_ = &tip();
  if (!ends_.empty() && heavier(**ends_.begin(), tip())) best_header_ = *ends_.begin();
  const Block* last = way_end_;
  while (last != nullptr && last->condemned) last = last->parent;
  if (last != nullptr && heavier(*last, *best_header_)) best_header_ = last;
}

void BlockTree::set_unknown(const Digest& id) {
  Block& block = mutable_block(id);
  QUORATE_ASSERT(block.body == Block::Body::valid && !on_branch(block));
  block.body = Block::Body::unknown;
  std::vector<Block*> next{&block};
  while (!next.empty()) {
    Block& current = *next.back();
    next.pop_back();
    if (!current.connected) continue;
    current.connected = false;
    for (const Block* child : current.children) next.push_back(&mutable_block(child->id));
  }
}

// ---- what peers have proved ----

work::Uint256 BlockTree::weigh(const Block& block) const {
  const work::Uint256& own = block.context.total_work;
  const bool counts = block.leads || (proved_ && proved_->to == block.context.id);
  if (counts) return std::max(own, proved_->total_work);
  const Block* parent = block.parent;
  return parent == nullptr || parent->leads ? own : std::max(own, parent->weight);
}

// All that leads to what is proved; gives the lowest of it.
Block& BlockTree::mark_way(bool leads) {
  Block* block = &mutable_block(way_end_->id);
  if (block->id != proved_->to) block->leads = leads;
  while (block->parent != nullptr && block->parent->height() >= proved_->from) {
    block = &mutable_block(block->parent->id);
    block->leads = leads;
  }
  return *block;
}

// And all that stands on it.
void BlockTree::weigh_again(Block& from) {
  std::vector<Block*> next{&from};
  while (!next.empty()) {
    Block& current = *next.back();
    next.pop_back();
    Ends& ends = current.condemned ? dead_ends_ : ends_;
    const bool end = ends.erase(&current) != 0;
    current.weight = weigh(current);
    if (end) ends.insert(&current);
    for (const Block* child : current.children) next.push_back(&mutable_block(child->id));
  }
}

void BlockTree::set_proved(const std::optional<Proved>& proved) {
  if (proved == proved_) return;
  Block* const old_way = proved_ ? &mark_way(false) : nullptr;
  const std::optional<Proved> before = std::exchange(proved_, proved);
  way_end_ = proved_ ? &mutable_block(proved_->to) : nullptr;
  QUORATE_ASSERT(!proved_ || way_end_->height() >= proved_->from);
  Block* const new_way = proved_ ? &mark_way(true) : nullptr;
  if (old_way != nullptr) weigh_again(*old_way);
  if (new_way != nullptr && new_way != old_way) weigh_again(*new_way);
  best_header_ = &tip();
  // More work on the same way makes nothing lighter.
  const bool grown = before && proved_ && before->from == proved_->from &&
                     before->to == proved_->to && before->total_work <= proved_->total_work;
  if (!grown || heavier(connected_below(*way_end_), tip())) choose_tip();
  choose_best_header();
}

void BlockTree::choose_tip() {
  const Block* best = nullptr;
  for (const auto& [id, block] : blocks_) {
    if (!block.connected || !heavier(block, tip())) continue;
    if (best == nullptr || Heavier{}(&block, best)) best = &block;
  }
  if (best != nullptr) prefer(*best);
}

Height BlockTree::best_height() const {
  const Height height = best_header_->height();
  return best_header_->proved_above() && proved_ ? std::max(height, proved_->height) : height;
}

void BlockTree::set_applied(const Digest& id) {
  const Block* block = find(id);
  QUORATE_ASSERT(block != nullptr && block->connected);
  applied_ = block;
  // Off the preferred branch a rewind is due, which may still go anywhere above the root.
  if (on_branch(*block)) move_root_to(block->height().saturating_sub(limits_.below));
}

void BlockTree::move_root_to(Height height) {
  while (root().height() < height) {
    const Block* old_root = branch_.front();
    branch_.pop_front();
    Block& new_root = mutable_block(branch_.front()->id);
    new_root.parent = nullptr;
    for (const Block* child : std::vector<const Block*>(old_root->children)) {
      if (child != &new_root) erase_subtree(*child);
    }
    if (way_end_ == old_root) set_proved(std::nullopt);  // all that is left stands on it
    blocks_.erase(blocks_.find(old_root->id));
  }
  if (best_header_ == nullptr) choose_best_header();
}

void BlockTree::erase_subtree(const Block& block) {
  const Block* const below = block.parent;
  if (below != nullptr) {
    Block& parent = mutable_block(below->id);
    parent.children.erase(std::find(parent.children.begin(), parent.children.end(), &block));
    if (!block.condemned) lost_promising_child(parent);
    if (parent.condemned && parent.children.empty()) dead_ends_.insert(&parent);
  }
  std::vector<const Block*> next{&block};
  while (!next.empty()) {
    const Block* current = next.back();
    next.pop_back();
    next.insert(next.end(), current->children.begin(), current->children.end());
    ends_.erase(current);
    dead_ends_.erase(current);
    if (current == best_header_) best_header_ = nullptr;
    if (current == way_end_) way_end_ = below;
    blocks_.erase(blocks_.find(current->id));
  }
  if (way_end_ == nullptr || way_end_->height() < proved_->from) {
    way_end_ = nullptr;
    proved_.reset();
  }
}

void BlockTree::set_executed(const Digest& id, const Digest& block_hash) {
  const auto found = blocks_.find(id);
  if (found != blocks_.end()) found->second.executed = block_hash;
}

Block& BlockTree::mutable_block(const Digest& id) {
  const auto found = blocks_.find(id);
  QUORATE_ASSERT(found != blocks_.end());
  return found->second;
}

const Block* BlockTree::find(const Digest& id) const {
  const auto found = blocks_.find(id);
  return found == blocks_.end() ? nullptr : &found->second;
}

std::size_t BlockTree::memory_bytes() const {
  constexpr std::size_t kMapNode = 80;  // and what a block's list of children takes, about
  constexpr std::size_t kSetNode = 48;
  return blocks_.size() * (sizeof(Digest) + sizeof(Block) + kMapNode) +
         (ends_.size() + dead_ends_.size()) * kSetNode + branch_.size() * sizeof(const Block*);
}

const Block* BlockTree::on_branch(Height height) const {
  if (height < root().height() || height > tip().height()) return nullptr;
  return branch_[height.value() - root().height().value()];
}

std::uint64_t BlockTree::depth(const Block& block) const {
  return on_branch(block) ? tip().height().value() - block.height().value() + 1 : 0;
}

const Block* BlockTree::ancestor(const Block& block, Height height) const {
  if (height > block.height()) return nullptr;
  const Block* out = &block;
  while (out != nullptr && out->height() > height) {
    if (on_branch(*out)) return on_branch(height);
    out = out->parent;
  }
  return out;
}

const Block& BlockTree::fork_point(const Block& a, const Block& b) const {
  const Block* left = ancestor(a, std::min(a.height(), b.height()));
  const Block* right = ancestor(b, std::min(a.height(), b.height()));
  while (left != right) {
    left = left->parent;
    right = right->parent;
    QUORATE_ASSERT(left != nullptr && right != nullptr);
  }
  return *left;
}

const Block& BlockTree::connected_below(const Block& block) const {
  const Block* out = &block;
  while (!out->connected) out = out->parent;
  return *out;
}

std::vector<const Block*> BlockTree::path(const Block& from, const Block& to) const {
  std::vector<const Block*> out;
  for (const Block* block = &to; block != &from; block = block->parent) {
    QUORATE_ASSERT(block != nullptr);
    out.push_back(block);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

// A quarter for each branch first: one whose payloads are withheld leaves room for the next.
std::vector<const Block*> BlockTree::wanted(std::size_t max) const {
  std::vector<const Block*> out;
  std::set<Digest> listed;
  for (const std::size_t share : {max / 4, max}) {
    std::map<const Block*, std::size_t> taken;  // by the first block of a branch
    for (const Block* end : ends_) {
      if (!heavier(*end, tip())) break;
      const std::vector<const Block*> blocks = path(connected_below(*end), *end);
      std::size_t& of_branch = taken[blocks.front()];
      for (const Block* block : blocks) {
        if (out.size() >= max) return out;
        if (of_branch >= share) break;
        if (block->body != Block::Body::unknown || !listed.insert(block->id).second) continue;
        out.push_back(block);
        ++of_branch;
      }
    }
  }
  return out;
}

std::vector<const Block*> BlockTree::all() const {
  std::vector<const Block*> out;
  out.reserve(blocks_.size());
  for (const auto& [id, block] : blocks_) out.push_back(&block);
  std::sort(out.begin(), out.end(),
            [](const Block* a, const Block* b) { return a->order < b->order; });
  return out;
}

}  // namespace quorate::consensus::pow
