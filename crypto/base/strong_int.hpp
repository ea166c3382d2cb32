// Integers that do not mix: a Height is not a View. Arithmetic is explicit and checked, because a
// height or view may come from a hostile message. Plain values; safe on any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

#include "crypto/base/assert.hpp"

namespace quorate {

template <class Tag, class Rep>
class StrongInt {
 public:
  using rep = Rep;
  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  auto operator<=>(const StrongInt&) const = default;

  // The following value. A caller that may hold the maximum uses saturating_add.
  constexpr StrongInt next() const {
    QUORATE_ASSERT(value_ != std::numeric_limits<Rep>::max());
    return StrongInt(static_cast<Rep>(value_ + 1));
  }
  // The preceding value; asserts above zero.
  constexpr StrongInt previous() const {
    QUORATE_ASSERT(value_ != 0);
    return StrongInt(static_cast<Rep>(value_ - 1));
  }
  constexpr StrongInt saturating_add(Rep more) const {
    const Rep room = static_cast<Rep>(std::numeric_limits<Rep>::max() - value_);
    return more > room ? max() : StrongInt(static_cast<Rep>(value_ + more));
  }
  // Never below zero.
  constexpr StrongInt saturating_sub(Rep less) const {
    return less > value_ ? StrongInt(0) : StrongInt(static_cast<Rep>(value_ - less));
  }
  static constexpr StrongInt max() { return StrongInt(std::numeric_limits<Rep>::max()); }

 private:
  Rep value_ = 0;
};

using Height = StrongInt<struct HeightTag, std::uint64_t>;  // 0 is genesis
using View = StrongInt<struct ViewTag, std::uint64_t>;
using Epoch = StrongInt<struct EpochTag, std::uint64_t>;
using ReplicaId = StrongInt<struct ReplicaIdTag, std::uint32_t>;  // index into the epoch's members
using WallMs = StrongInt<struct WallMsTag, std::uint64_t>;        // Unix time in milliseconds

}  // namespace quorate
