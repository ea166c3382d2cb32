// Bounds what one peer can make this node hold in one traffic class: bytes are taken when a frame
// arrives and come back when the replica has seen it (or it was dropped), wherever it waited in
// between. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

namespace quorate::node {

class Budget {
 public:
  // Gives its bytes back when it dies. The budget outlives it.
  class Credit {
   public:
    Credit() = default;
    Credit(Credit&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
    Credit& operator=(Credit&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Credit() {
      if (budget_ != nullptr) budget_->used_.fetch_sub(bytes_, std::memory_order_relaxed);
    }

   private:
    friend class Budget;
    Credit(Budget* budget, std::size_t bytes) : budget_(budget), bytes_(bytes) {}
    Budget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  explicit Budget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // A frame that is larger than the whole budget still passes while nothing else is held.
  std::optional<Credit> take(std::size_t bytes) {
    const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
    if (before == 0 || before + bytes <= bytes_max_) return Credit(this, bytes);
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    return std::nullopt;
  }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const std::size_t bytes_max_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace quorate::node
