// Which header may stand on which: the rules that engines and light clients share, so that there is
// one implementation of "this header extends that chain". Immutable; any thread.
//
// The target follows ASERT from an anchor: genesis at first, then every 256th block, so that nobody
// needs a chain's whole past to continue it. What counts as the time of a block is the chain's
// clock: the newest time that the block or one before it states, so that a time from the past moves
// nothing. Of a jump of that clock only the first pause_s() seconds count: a network that was
// switched off does not mine the missed blocks afterwards.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"
#include "crypto/base/strong_int.hpp"
#include "crypto/work/header.hpp"
#include "crypto/work/parameters.hpp"
#include "crypto/work/uint256.hpp"
#include "crypto/work/work_function.hpp"

namespace quorate::crypto::work {

constexpr std::uint64_t kAnchorInterval = 256;
constexpr std::size_t kMedianOf = 11;
// So many consecutive headers are always enough to resume from.
constexpr std::size_t kHeadersToResume = kAnchorInterval + kMedianOf;

// All that the children of a block are judged by. Copied freely.
struct Context {
  struct Anchor {
    Height height;
    std::uint32_t bits = 0;
    std::int64_t parent_clock_ms = 0;
    bool operator==(const Anchor&) const = default;
  };
  Digest id;  // zero: genesis
  Height height;
  std::uint64_t time_s = 0;
  std::uint32_t bits = 0;
  Anchor anchor;
  // The newest time since the anchor and eleven blocks below it, this block's included.
  std::uint64_t clock_s = 0;
  std::uint64_t paused_s = 0;  // since the anchor's parent: time that does not count
  // Of the newest blocks up to this one: the time of height h stands at h mod kMedianOf.
  std::array<std::uint64_t, kMedianOf> times{};
  std::size_t times_known = 0;
  // Of this block and its ancestors, up to the block that was resumed from.
  Uint256 total_work;
  bool operator==(const Context&) const = default;
};

class HeaderRules {
 public:
  // `parameters` from parse_parameters; `miners`: the keys that may stand in a header.
  HeaderRules(const Parameters& parameters, const Digest& chain_id, WallMs genesis_time,
              std::vector<PublicKey> miners);

  const Parameters& parameters() const { return parameters_; }
  const Digest& chain_id() const { return chain_id_; }

  // What the blocks of height 1 stand on.
  Context genesis() const;
  // What a child must say.
  std::uint32_t next_bits(const Context& parent) const;
  std::uint64_t earliest_time(const Context& parent) const;  // one above the median of the last 11

  // What needs no other header: chain, miner, limit, proof of work. Errors: rejected.
  Result<void> check_alone(const Header& header, const Digest& id, const WorkFunction& work) const;
  // The rest: parent, height, time and bits. `id` is the header's own. Errors: rejected.
  Result<Context> extend(const Context& parent, const Header& header, const Digest& id) const;
  // Both, for whoever has only the header.
  Result<Context> check(const Context& parent, const Header& header,
                        const WorkFunction& work) const;

  // How far ahead of a clock a header's time may lie: max(15 s, two intervals). One that lies
  // further is not invalid; it is too early for it.
  std::uint64_t future_limit_s() const;
  bool too_early(const Header& header, WallMs now) const;
  std::uint64_t pause_s() const;

  struct Resumed {
    std::size_t next = 0;  // the first header that stands on `context`
    Context context;
  };
  // The end of a chain, oldest first, which the caller believes: from genesis if it begins there,
  // otherwise from the first block of it that is an anchor with eleven headers before it.
  // Errors: rejected when the headers do not follow each other; not_found when they are too few.
  Result<Resumed> resume(std::span<const Header> headers) const;

 private:
  Context child_of(const Context& parent, const Header& header, const Digest& id) const;

  Parameters parameters_;
  Digest chain_id_;
  WallMs genesis_time_;
  std::vector<PublicKey> miners_;  // sorted
  Uint256 limit_;
};

}  // namespace quorate::crypto::work
