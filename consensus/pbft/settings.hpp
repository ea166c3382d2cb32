// What one PBFT engine was configured with; constant for its life.
#pragma once

#include <optional>

#include "crypto/base/instant.hpp"
#include "crypto/base/mutant.hpp"
#include "crypto/certificate/membership.hpp"

namespace quorate::consensus::pbft {

struct Settings {
  crypto::Membership membership;
  std::optional<ReplicaId> self;            // with or without a key
  std::uint64_t checkpoint_interval = 128;  // K
  std::uint64_t proposals_in_flight = 32;   // W
  std::uint32_t payload_bytes_max = 1U << 20U;
  Duration status_interval_busy = std::chrono::milliseconds(200);
  Duration status_interval_idle = std::chrono::seconds(2);
  Duration proposal_ahead_max = std::chrono::seconds(10);  // delta
  Duration view_timeout = std::chrono::seconds(1);         // T0
  Duration view_timeout_max = std::chrono::seconds(60);    // T_max

  // L: votes are allowed in (h, h + L].
  std::uint64_t window() const { return 2 * checkpoint_interval; }
  // Messages are kept, not yet acted on, up to h + this.
  std::uint64_t buffer_window() const { return 2 * window(); }
  // Bodies and commit certificates are kept up to the executed height + this; what lies above is
  // fetched when the window gets there.
  std::uint64_t body_window() const { return 2 * proposals_in_flight; }
  std::uint32_t members() const { return membership.size(); }
  std::uint32_t quorum() const {
    return QUORATE_MUTANT(quorum_2f_plus_1) ? 2 * membership.faults() + 1 : membership.quorum();
  }
  ReplicaId primary(View view) const {
    return ReplicaId(static_cast<std::uint32_t>(view.value() % members()));
  }
  bool is_self(ReplicaId replica) const { return self == replica; }
};

}  // namespace quorate::consensus::pbft
