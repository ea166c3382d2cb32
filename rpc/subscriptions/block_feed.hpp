// Final blocks, as subscriptions read them. The node says which height is final, and under proof of
// work which heights are not any more; everything else is pulled from the backend when a subscriber
// is ready for it. The newest few blocks are kept, so that many subscribers cost one read and one
// rendering. Thread-safe.
#pragma once

#include <deque>
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
  void on_blocks_withdrawn(std::shared_ptr<const WithdrawnBlocks> blocks) override;
  Height final_height() const;
  // How often the chain has leapt: more than a thousand blocks final by one report, as when this
  // node was away for long.
  std::uint64_t leaps() const;

  // How often blocks were withdrawn, and what the withdrawals after the first `seen` took. Error
  // limit_exceeded: too long ago.
  std::uint64_t withdrawals() const;
  Result<std::shared_ptr<const WithdrawnBlocks>> withdrawal_after(std::uint64_t seen) const;

  using Text = std::shared_ptr<const std::string>;
  using Block = std::shared_ptr<const BlockView>;
  // JSON of a newBlocks notification's result. Errors of the backend; unavailable when the block is
  // being withdrawn.
  Result<Text> new_block(Height height) const;
  Result<Block> block(Height height) const;

 private:
  template <class Value>
  using Recent = std::map<Height, Value>;
  // Keeps what was read unless blocks were withdrawn since the first `seen` withdrawals.
  template <class Value>
  void keep(Recent<Value>& recent, Height height, const Value& value, std::size_t most,
            std::uint64_t seen) const;
  Error unread(const Error& error) const;

  const Backend& backend_;
  std::function<void()> wake_;
  mutable std::mutex mutex_;
  Height final_;
  std::uint64_t leaps_ = 0;
  std::uint64_t withdrawals_ = 0;
  std::deque<std::shared_ptr<const WithdrawnBlocks>> withdrawn_;  // the newest, oldest first
  std::size_t withdrawn_transactions_ = 0;                        // in those
  mutable Recent<Text> texts_;
  mutable Recent<Block> blocks_;
};

}  // namespace quorate::rpc
