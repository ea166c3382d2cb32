#include "crypto/work/header_rules.hpp"

#include <algorithm>

#include "crypto/base/assert.hpp"
#include "crypto/base/mutant.hpp"
#include "crypto/work/asert.hpp"
#include "crypto/work/bits.hpp"

namespace quorate::crypto::work {
namespace {

constexpr std::uint64_t kFutureLimitSMin = 15;
// A block that honest miners find later than that after its parent has a chance of e^-32.
constexpr std::uint64_t kPauseIntervals = 32;
constexpr std::uint64_t kPauseFutureLimits = 4;

tl::unexpected<Error> refuse(const Header& header, const std::string& why) {
  return fail(Errc::rejected,
              "the header of height " + std::to_string(header.height.value()) + " " + why);
}

std::int64_t signed_ms(std::uint64_t seconds) {
  QUORATE_ASSERT(seconds < kTimeLimitS);
  return static_cast<std::int64_t>(seconds) * 1000;
}

void remember_time(Context& context) {
  context.times[context.height.value() % kMedianOf] = context.time_s;
  context.times_known = std::min(context.times_known + 1, kMedianOf);
}

// A header alone: neither its anchor nor earlier times are known.
Context unconnected(const Header& header) {
  Context out;
  out.id = id_of(header);
  out.height = header.height;
  out.time_s = header.time_s;
  out.bits = header.bits;
  out.clock_s = header.time_s;
  remember_time(out);
  return out;
}

// The newest of the last eleven times.
std::uint64_t newest_time(const Context& context) {
  const auto end = context.times.begin() + static_cast<std::ptrdiff_t>(context.times.size());
  return *std::max_element(context.times.begin(), end);
}

bool is_anchor(Height height) { return height.value() % kAnchorInterval == 0; }

}  // namespace

HeaderRules::HeaderRules(const Parameters& parameters, const Digest& chain_id, WallMs genesis_time,
                         std::vector<PublicKey> miners)
    : parameters_(parameters),
      chain_id_(chain_id),
      genesis_time_(genesis_time),
      miners_(std::move(miners)) {
  std::sort(miners_.begin(), miners_.end());
  const auto limit = target_of_bits(parameters.limit_bits);
  QUORATE_ASSERT(limit && target_of_bits(parameters.initial_bits));
  limit_ = *limit;
}

Context HeaderRules::genesis() const {
  Context out;
  out.time_s = std::min(genesis_time_.value() / 1000, kTimeLimitS - 1);
  out.bits = parameters_.initial_bits;
  out.anchor.bits = parameters_.initial_bits;
  out.anchor.parent_clock_ms =
      signed_ms(out.time_s) - static_cast<std::int64_t>(parameters_.interval_ms);
  out.clock_s = out.time_s;
  remember_time(out);
  return out;
}

std::uint32_t HeaderRules::next_bits(const Context& parent) const {
  // Times are below 2^40 s and intervals at most an hour, so this fits while there are fewer than
  // 2^38 heights since the anchor.
  const std::uint64_t blocks = parent.height.value() - parent.anchor.height.value() + 1;
  const std::int64_t drift_ms =
      signed_ms(QUORATE_MUTANT(schedule_by_newest_header) ? parent.time_s : parent.clock_s) -
      parent.anchor.parent_clock_ms - static_cast<std::int64_t>(parent.paused_s) * 1000 -
      static_cast<std::int64_t>(blocks * parameters_.interval_ms);
  const auto anchor = target_of_bits(parent.anchor.bits);
  QUORATE_ASSERT(anchor);
  return bits_of_target(
      asert_target(*anchor, asert_exponent(drift_ms, parameters_.half_life_s), limit_));
}

std::uint64_t HeaderRules::earliest_time(const Context& parent) const {
  // Before there are eleven, the places of the newest heights are not the first ones.
  std::array<std::uint64_t, kMedianOf> times{};
  for (std::size_t i = 0; i < parent.times_known; ++i) {
    times[i] = parent.times[(parent.height.value() - i) % kMedianOf];
  }
  const auto end = times.begin() + static_cast<std::ptrdiff_t>(parent.times_known);
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(parent.times_known / 2);
  std::nth_element(times.begin(), middle, end);
  return QUORATE_MUTANT(median_itself_allowed) ? *middle : *middle + 1;
}

Result<void> HeaderRules::check_alone(const Header& header, const Digest& id,
                                      const WorkFunction& work) const {
  if (header.chain_id != chain_id_) return refuse(header, "belongs to another chain");
  if (!std::binary_search(miners_.begin(), miners_.end(), header.miner)) {
    return refuse(header, "names a miner that is no validator of this chain");
  }
  QUORATE_TRY(const Uint256 target, target_of_bits(header.bits));
  if (target > limit_) {
    return refuse(header, "has bits " + bits_text(header.bits) + ", easier than the limit of " +
                              bits_text(parameters_.limit_bits));
  }
  if (!work.meets(header, id)) {
    return refuse(header, "does not prove the work of its bits " + bits_text(header.bits));
  }
  return {};
}

Result<Context> HeaderRules::extend(const Context& parent, const Header& header,
                                    const Digest& id) const {
  if (header.parent != parent.id) return refuse(header, "names another parent");
  if (parent.height == Height::max() || header.height != parent.height.next()) {
    return refuse(header, "stands on height " + std::to_string(parent.height.value()));
  }
  if (header.time_s < earliest_time(parent) || header.time_s >= kTimeLimitS) {
    return refuse(header, "has time " + std::to_string(header.time_s) + "; it must be at least " +
                              std::to_string(earliest_time(parent)));
  }
  if (const std::uint32_t bits = next_bits(parent);
      header.bits != bits && !QUORATE_MUTANT(bits_not_compared)) {
    return refuse(header,
                  "has bits " + bits_text(header.bits) + "; the rules give " + bits_text(bits));
  }
  return child_of(parent, header, id);
}

Context HeaderRules::child_of(const Context& parent, const Header& header, const Digest& id) const {
  Context out = parent;
  out.id = id;
  out.height = header.height;
  out.time_s = header.time_s;
  out.bits = header.bits;
  out.total_work = saturating_add(parent.total_work, work_of_bits(header.bits));
  remember_time(out);
  // An anchor begins with what the newest headers tell, so that whoever resumes there has the same
  // clock; since its parent's is where the new schedule starts, nothing jumps.
  if (is_anchor(out.height)) {
    out.clock_s = newest_time(parent);
    out.anchor = {out.height, out.bits, signed_ms(out.clock_s)};
    out.paused_s = 0;
  }
  const std::uint64_t counted_to = out.clock_s + pause_s();
  if (out.time_s > counted_to) out.paused_s += out.time_s - counted_to;
  out.clock_s = std::max(out.clock_s, out.time_s);
  return out;
}

Result<Context> HeaderRules::check(const Context& parent, const Header& header,
                                   const WorkFunction& work) const {
  const Digest id = id_of(header);
  QUORATE_CHECK(check_alone(header, id, work));
  return extend(parent, header, id);
}

std::uint64_t HeaderRules::future_limit_s() const {
  return std::max(kFutureLimitSMin, (2 * parameters_.interval_ms + 999) / 1000);
}

bool HeaderRules::too_early(const Header& header, WallMs now) const {
  const std::uint64_t now_s = now.value() / 1000;
  if (QUORATE_MUTANT(future_accepted)) return false;
  return header.time_s > now_s && header.time_s - now_s > future_limit_s();
}

std::uint64_t HeaderRules::pause_s() const {
  // Far above what a miner can pretend to be ahead: otherwise he could take time out of the
  // schedule and raise the difficulty.
  return std::max({parameters_.half_life_s, kPauseIntervals * parameters_.interval_ms / 1000,
                   kPauseFutureLimits * future_limit_s()});
}

Result<HeaderRules::Resumed> HeaderRules::resume(std::span<const Header> headers) const {
  if (headers.empty() || headers.front().height == Height(1)) return Resumed{0, genesis()};
  Context context = unconnected(headers.front());
  for (std::size_t i = 1; i < headers.size(); ++i) {
    const Header& header = headers[i];
    if (header.parent != context.id || header.height.value() != context.height.value() + 1) {
      return refuse(header, "does not follow the one before it");
    }
    const bool enough = context.times_known == kMedianOf;
    context = child_of(context, header, id_of(header));
    if (!enough || !is_anchor(context.height)) continue;
    context.total_work = {};
    return Resumed{i + 1, context};
  }
  return fail(Errc::not_found, std::to_string(headers.size()) +
                                   " headers are too few to continue a chain from; " +
                                   std::to_string(kHeadersToResume) + " are always enough");
}

}  // namespace quorate::crypto::work
