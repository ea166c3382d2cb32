#include "consensus/pow/block_tree.hpp"

#include <algorithm>
#include <set>

#include "crypto/base/assert.hpp"
#include "crypto/base/mutant.hpp"

namespace quorate::consensus::pow {
namespace {

constexpr std::size_t kBranchLocatorWithoutGaps = 10;

BlockTree::Added refused(BlockTree::Outcome outcome, std::string why) {
  return {outcome, nullptr, std::move(why)};
}

std::vector<const Block*> by_order(std::vector<const Block*> blocks) {
  std::sort(blocks.begin(), blocks.end(),
            [](const Block* a, const Block* b) { return a->order < b->order; });
  return blocks;
}

// Whether the first is to be preferred, the second being seen first.
bool better(const Block& a, const Block& b) {
  if (QUORATE_MUTANT(fork_choice_by_height)) return a.height() > b.height();
  if (QUORATE_MUTANT(ties_prefer_newest)) return a.total_work() >= b.total_work();
  return a.total_work() > b.total_work();
}

std::string height_text(Height height) { return std::to_string(height.value()); }

}  // namespace

BlockTree::BlockTree(const work::HeaderRules& rules) : BlockTree(rules, {}, rules.genesis()) {}

BlockTree::BlockTree(const work::HeaderRules& rules, const work::Header& root,
                     const work::Context& context)
    : rules_(rules) {
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
  if (header.height > applied_->height().saturating_add(kHeadersAhead)) {
    return refused(Outcome::too_far_ahead, "more than " + std::to_string(kHeadersAhead) +
                                               " heights above what was executed here");
  }
  if (blocks_.size() >= kBlocksMax && !make_room(context->total_work)) {
    return refused(Outcome::no_room, "lighter than every one of the " + std::to_string(kBlocksMax) +
                                         " headers that are kept");
  }
  // Making room never takes a parent of something heavier, but it may take a lighter parent.
  const auto still = blocks_.find(header.parent);
  if (still == blocks_.end()) return refused(Outcome::no_room, "its parent was given up");
  Block& block = insert(header, *context, &still->second);
  if (block.condemned) return {Outcome::invalid, &block, "stands on an invalid block"};
  if (block.total_work() > best_header_->total_work()) best_header_ = &block;
  return {Outcome::added, &block, ""};
}

Block& BlockTree::insert(const work::Header& header, const work::Context& context, Block* parent) {
  Block& block = blocks_[context.id];
  block.header = header;
  block.id = context.id;
  block.context = context;
  block.parent = parent;
  block.order = next_order_++;
  if (parent != nullptr) {
    block.condemned = parent->condemned;
    parent->children.push_back(&block);
  }
  return block;
}

// Gives up the lightest leaf, condemned ones before others and the newest of equals, unless the
// newcomer would be lighter still. What leads to the tip, the applied block or the heaviest header
// is never given up.
bool BlockTree::make_room(const work::Uint256& for_work) {
  const Block* lightest = nullptr;
  for (const Block* leaf : leaves()) {
    if (on_branch(*leaf) || leaf == best_header_ || leaf == applied_) continue;
    const auto weight = [](const Block& b) {
      return b.condemned ? work::Uint256{} : b.total_work();
    };
    if (lightest == nullptr || weight(*leaf) < weight(*lightest) ||
        (weight(*leaf) == weight(*lightest) && leaf->order > lightest->order)) {
      lightest = leaf;
    }
  }
  if (lightest == nullptr || (!lightest->condemned && lightest->total_work() >= for_work)) {
    return false;
  }
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
  if (block.total_work() >= best_header_->total_work()) best_header_ = &block;
}

void BlockTree::set_invalid(const Digest& id) {
  Block& block = mutable_block(id);
  QUORATE_ASSERT(block.body != Block::Body::valid);
  block.body = Block::Body::invalid;
  condemn(block);
  if (best_header_->condemned) choose_best_header();
}

void BlockTree::condemn(Block& block) {
  std::vector<Block*> next{&block};
  while (!next.empty()) {
    Block& current = *next.back();
    next.pop_back();
    current.condemned = true;
    if (QUORATE_MUTANT(invalid_descendants_kept)) return;
    for (const Block* child : current.children) next.push_back(&mutable_block(child->id));
  }
}

void BlockTree::choose_best_header() {
  best_header_ = &tip();
  for (const Block* block : all()) {
    if (!block->condemned && block->total_work() > best_header_->total_work()) {
      best_header_ = block;
    }
  }
}

void BlockTree::set_applied(const Digest& id) {
  const Block* block = find(id);
  QUORATE_ASSERT(block != nullptr && block->connected);
  applied_ = block;
  // Off the preferred branch a rewind is due, which may still go anywhere above the root.
  if (on_branch(*block)) move_root_to(block->height().saturating_sub(kHeadersBelow));
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
    blocks_.erase(blocks_.find(old_root->id));
  }
  if (find(best_header_->id) != best_header_) choose_best_header();
}

void BlockTree::erase_subtree(const Block& block) {
  if (block.parent != nullptr) {
    auto& siblings = mutable_block(block.parent->id).children;
    siblings.erase(std::find(siblings.begin(), siblings.end(), &block));
  }
  std::vector<const Block*> next{&block};
  while (!next.empty()) {
    const Block* current = next.back();
    next.pop_back();
    next.insert(next.end(), current->children.begin(), current->children.end());
    blocks_.erase(blocks_.find(current->id));
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
  constexpr std::size_t kMapNode = 64;  // and what a block's list of children takes, about
  return blocks_.size() * (sizeof(Digest) + sizeof(Block) + kMapNode) +
         branch_.size() * sizeof(const Block*);
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

std::vector<const Block*> BlockTree::path(const Block& from, const Block& to) const {
  std::vector<const Block*> out;
  for (const Block* block = &to; block != &from; block = block->parent) {
    QUORATE_ASSERT(block != nullptr);
    out.push_back(block);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

std::vector<Digest> BlockTree::locator(const Block& from) const {
  std::vector<Digest> out;
  std::uint64_t step = 1;
  const Block* block = &from;
  while (block != &root()) {
    out.push_back(block->id);
    if (out.size() >= kBranchLocatorWithoutGaps) step *= 2;
    const std::uint64_t above = block->height().value() - root().height().value();
    block = ancestor(*block, block->height().saturating_sub(std::min(step, above)));
  }
  out.push_back(root().id);
  return out;
}

std::vector<const Block*> BlockTree::after(std::span<const Digest> locator, std::size_t max) const {
  std::vector<const Block*> out;
  for (const Digest& id : locator) {
    const Block* known = find(id);
    if (known == nullptr || !on_branch(*known)) continue;
    Height height = known->height();
    while (height < tip().height() && out.size() < max) {
      height = height.next();
      out.push_back(on_branch(height));
    }
    return out;
  }
  return out;
}

std::vector<const Block*> BlockTree::wanted(std::size_t max) const {
  std::vector<const Block*> heavier;
  for (const Block* leaf : leaves()) {
    if (!leaf->condemned && leaf->total_work() > tip().total_work()) heavier.push_back(leaf);
  }
  std::stable_sort(heavier.begin(), heavier.end(), [](const Block* a, const Block* b) {
    return a->total_work() > b->total_work();
  });
  std::vector<const Block*> out;
  std::set<Digest> listed;
  for (const Block* leaf : heavier) {
    const Block* connected = leaf;
    while (!connected->connected) connected = connected->parent;
    for (const Block* block : path(*connected, *leaf)) {
      if (out.size() >= max) return out;
      if (block->body == Block::Body::unknown && listed.insert(block->id).second) {
        out.push_back(block);
      }
    }
  }
  return out;
}

std::vector<const Block*> BlockTree::leaves() const {
  std::vector<const Block*> out;
  for (const auto& [id, block] : blocks_) {
    if (block.children.empty()) out.push_back(&block);
  }
  return by_order(std::move(out));
}

std::vector<const Block*> BlockTree::all() const {
  std::vector<const Block*> out;
  out.reserve(blocks_.size());
  for (const auto& [id, block] : blocks_) out.push_back(&block);
  return by_order(std::move(out));
}

}  // namespace quorate::consensus::pow
