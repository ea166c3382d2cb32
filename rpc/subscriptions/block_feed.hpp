// Final blocks, as subscriptions read them. The node says which height is final; everything else is
// pulled from the backend when a subscriber is ready for it. The newest few blocks are kept, so
// that many subscribers cost one read and one rendering. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "rpc/backend.hpp"

namespace quorate::rpc {

class BlockFeed final : public EventSink {
 public:
  explicit BlockFeed(const Backend& backend) : backend_(backend) {}

  // Called after every step forward, on the thread that reported it. Set once, before use.
  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }
  void on_block_final(Height height) override;
  Height final_height() const;
  // How often the chain has leapt: more than a thousand blocks final by one report, as when this
  // node was away for long.
  std::uint64_t leaps() const;

  using Text = std::shared_ptr<const std::string>;
  using Block = std::shared_ptr<const BlockView>;
  // JSON of a newBlocks notification's result. Errors of the backend.
  Result<Text> new_block(Height height) const;
  Result<Block> block(Height height) const;

 private:
  template <class Value>
  using Recent = std::map<Height, Value>;

  const Backend& backend_;
  std::function<void()> wake_;
  mutable std::mutex mutex_;
  Height final_;
  std::uint64_t leaps_ = 0;
  mutable Recent<Text> texts_;
  mutable Recent<Block> blocks_;
};

}  // namespace quorate::rpc
