#include "consensus/pbft/view_timer.hpp"

namespace quorate::consensus::pbft {

void ViewTimer::restore() {
  fruitful_ = state_.last_executed;
  restart();
}

void ViewTimer::restart() {
  stop();
  calm_at_ = state_.now + kCalm;
}

void ViewTimer::stop() {
  due_.reset();
  left_.reset();
  relay_due_.reset();
}

// ---- T ----

// T0 = clamp(4 * p99 of the commit latency, 0.5 s, 10 s) at the default of 1 s, which it is until
// enough heights were measured.
Duration ViewTimer::base() const {
  const Duration configured = state_.settings.view_timeout;
  const std::optional<Duration> p99 = state_.commit_latency.p99();
  if (!p99) return configured;
  return std::clamp(4 * *p99, configured / 2, 10 * configured);
}

Duration ViewTimer::timeout() const {
  Duration out = base();
  for (std::uint32_t i = 0; i < state_.durable.timer_level; ++i) {
    if (out >= state_.settings.view_timeout_max) break;
    out *= 2;
  }
  return std::min(out, state_.settings.view_timeout_max);
}

// At T_max there is nothing to double, and what was never doubled need not be taken back.
std::uint32_t ViewTimer::raised_level() const {
  const std::uint32_t level = state_.durable.timer_level;
  return timeout() < state_.settings.view_timeout_max ? level + 1 : level;
}

void ViewTimer::calm_down() {
  if (state_.durable.timer_level > 0) --state_.durable.timer_level;
}

void ViewTimer::calm_with_time() {
  if (state_.now < calm_at_) return;
  calm_at_ = state_.now + kCalm;
  calm_down();
}

std::optional<Instant> ViewTimer::calm_due() const {
  if (state_.durable.timer_level == 0) return std::nullopt;
  return calm_at_;
}

// ---- progress ----

void ViewTimer::on_executed(Height height, bool empty) {
  if (!empty) fruitful_ = height;
}

// An empty block is progress for whoever waits for a height, but not for a client.
bool ViewTimer::progressed() {
  const bool out = fruitful_ != watched_fruitful_ || state_.eligible != watched_eligible_ ||
                   (!state_.eligible && state_.last_committed != watched_committed_);
  watched_fruitful_ = fruitful_;
  watched_eligible_ = state_.eligible;
  watched_committed_ = state_.last_committed;
  return out;
}

void ViewTimer::watch(bool work, bool pause) {
  if (!work) return stop();
  if (pause) {
    if (due_) left_ = std::max(Duration(0), *due_ - state_.now);
    due_.reset();
    relay_due_.reset();
    return;
  }
  const bool fresh = progressed() || (!due_ && !left_);
  if (due_ && !fresh) return;
  due_ = state_.now + (fresh ? timeout() : *left_);
  relay_due_ = state_.now + timeout() / 2;
  left_.reset();
}

bool ViewTimer::take_relay() {
  if (!relay_due_ || state_.now < *relay_due_) return false;
  relay_due_ = state_.now + timeout() / 2;
  return true;
}

}  // namespace quorate::consensus::pbft
