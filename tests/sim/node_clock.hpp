// One machine's clocks. The monotonic one runs with virtual time and can stand still; the wall
// clock can also be wrong and jump. A plain value.
#pragma once

#include <optional>

#include "crypto/base/instant.hpp"
#include "crypto/base/strong_int.hpp"

namespace quorate::sim {

class NodeClock {
 public:
  NodeClock(WallMs origin, std::int64_t skew_ms) : origin_(origin), skew_ms_(skew_ms) {}

  Instant now(Instant real) const {
    return Instant{(frozen_at_ ? *frozen_at_ : real).since_origin - stood_still_};
  }
  WallMs wall(Instant real) const {
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::milliseconds>(now(real).since_origin);
    return WallMs(static_cast<std::uint64_t>(static_cast<std::int64_t>(origin_.value()) +
                                             elapsed.count() + skew_ms_));
  }
  // When the monotonic clock will show `local`; nothing while it stands still.
  std::optional<Instant> real_time_of(Instant local) const {
    if (frozen_at_) return std::nullopt;
    return Instant{local.since_origin + stood_still_};
  }

  void set_skew(std::int64_t skew_ms) { skew_ms_ = skew_ms; }
  void freeze(Instant real) {
    if (!frozen_at_) frozen_at_ = real;
  }
  void thaw(Instant real) {
    if (!frozen_at_) return;
    stood_still_ += real - *frozen_at_;
    frozen_at_.reset();
  }
  bool frozen() const { return frozen_at_.has_value(); }

 private:
  WallMs origin_;
  std::int64_t skew_ms_;
  std::optional<Instant> frozen_at_;
  Duration stood_still_{0};
};

}  // namespace quorate::sim
