#include "testnet/perturb/shaper.hpp"

#include <algorithm>

namespace quorate::testnet {

std::optional<Shaper::Clock::time_point> Shaper::release(const LinkRule& rule, std::size_t bytes,
                                                         Clock::time_point now,
                                                         const Chance& chance) {
  auto at = now;
  if (rule.bytes_per_second != 0) {
    const std::chrono::duration<double> takes(static_cast<double>(bytes) /
                                              static_cast<double>(rule.bytes_per_second));
    free_ = std::max(free_, now) + std::chrono::duration_cast<Clock::duration>(takes);
    at = free_;
  }
  at += std::chrono::milliseconds(rule.delay_ms);
  if (rule.jitter_ms != 0) {
    at += std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double, std::milli>(chance() * rule.jitter_ms));
  }
  auto wait = kRetransmission;
  for (unsigned lost = 0; rule.loss_percent > 0 && chance() * 100 < rule.loss_percent; wait *= 2) {
    if (++lost == kLostMax) return std::nullopt;
    at += wait;
  }
  last_ = std::max(last_, at);
  return last_;
}

}  // namespace quorate::testnet
