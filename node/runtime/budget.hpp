// Bounds what one peer can make this node hold in one traffic class: bytes are taken when a frame
// arrives and come back when the replica has seen it (or it was dropped), wherever it waited in
// between. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace quorate::node {

class Budget {
 public:
  // Gives its bytes back when it dies; may outlive the budget.
  class Credit {
   public:
    Credit() = default;
    Credit(Credit&& other) noexcept : used_(std::move(other.used_)), bytes_(other.bytes_) {}
    Credit& operator=(Credit&& other) noexcept {
      std::swap(used_, other.used_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Credit() {
      if (used_) used_->fetch_sub(bytes_, std::memory_order_relaxed);
    }

   private:
    friend class Budget;
    using Used = std::shared_ptr<std::atomic<std::size_t>>;
    Credit(Used used, std::size_t bytes) : used_(std::move(used)), bytes_(bytes) {}
    Used used_;
    std::size_t bytes_ = 0;
  };

  explicit Budget(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // A frame that is larger than the whole budget still passes while nothing else is held.
  std::optional<Credit> take(std::size_t bytes) {
    const std::size_t before = used_->fetch_add(bytes, std::memory_order_relaxed);
    if (before == 0 || before + bytes <= bytes_max_) return Credit(used_, bytes);
    used_->fetch_sub(bytes, std::memory_order_relaxed);
    return std::nullopt;
  }

 private:
  const std::size_t bytes_max_;
  const Credit::Used used_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace quorate::node
