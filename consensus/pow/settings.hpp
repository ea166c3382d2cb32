// What one proof-of-work engine was configured with; constant for its life.
#pragma once

#include <optional>

#include "crypto/base/instant.hpp"
#include "crypto/certificate/membership.hpp"
#include "crypto/work/header_rules.hpp"
#include "crypto/work/work_function.hpp"

namespace quorate::consensus::pow {

// Peers are asked once in so many status intervals even while blocks come in.
inline constexpr int kIntervalsBusy = 5;

// Of the tree of headers, by height: so far below the ledger's head it begins, so far above it
// ends.
struct TreeLimits {
  // At an interval of 2 s these are 18 hours. A header takes about 700 bytes.
  std::uint64_t below = 32'768;
  std::uint64_t ahead = 4'096;

  // The own branch, one that parts from it at the root, and what else there may be.
  std::size_t blocks() const { return 2 * below + 4 * ahead; }
};

struct Settings {
  crypto::Membership membership;
  crypto::work::HeaderRules rules;
  const crypto::work::WorkFunction* work;  // judges what solves a puzzle
  std::optional<ReplicaId> self;           // none: nobody's peer
  std::optional<PublicKey> key;            // none: it follows and mines nothing
  std::uint32_t payload_bytes_max = 1U << 20U;
  bool mine = true;
  TreeLimits limits = {};
  Duration status_interval =
      std::chrono::seconds(2);  // how long without news before peers are asked

  std::uint64_t depth() const { return rules.parameters().depth; }
  std::uint32_t members() const { return membership.size(); }
  bool is_self(ReplicaId replica) const { return self == replica; }
};
}  // namespace quorate::consensus::pow
