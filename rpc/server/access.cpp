#include "rpc/server/access.hpp"

#include <algorithm>
#include <cmath>

namespace quorate::rpc {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// "Example.org:8645" -> "example.org"; "[::1]:8645" and "[::1]" -> "::1"; "::1" stays.
std::string name_of(std::string_view host) {
  if (!host.empty() && host.front() == '[') {
    const auto end = host.find(']');
    return end == std::string_view::npos ? std::string() : lower(host.substr(1, end - 1));
  }
  if (std::count(host.begin(), host.end(), ':') == 1) host = host.substr(0, host.find(':'));
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  return lower(host);
}

}  // namespace

HostList::HostList(const std::string& listen_host, const std::vector<std::string>& allowed)
    : names_{"localhost", "127.0.0.1", "::1", name_of(listen_host)} {
  for (const std::string& entry : allowed) {
    if (entry == "*") any_ = true;
    names_.insert(name_of(entry));
  }
}

bool HostList::allows_host(std::string_view host) const {
  return any_ || names_.contains(name_of(host));
}

bool HostList::allows_origin(std::string_view origin) const {
  if (any_ || origin.empty()) return true;
  const auto scheme = origin.find("://");
  return scheme != std::string_view::npos && allows_host(origin.substr(scheme + 3));
}

Limiter::Limiter(std::uint32_t requests_per_second, std::uint32_t connections_max,
                 std::uint32_t connections_total_max)
    : rate_(requests_per_second),
      connections_max_(connections_max),
      total_max_(connections_total_max) {}

Limiter::Verdict Limiter::connected(const std::string& address) {
  const std::lock_guard lock(mutex_);
  if (total_max_ != 0 && total_ >= total_max_) return Verdict::too_many;
  Entry& entry = entries_[address];
  if (connections_max_ != 0 && entry.connections >= connections_max_) {
    return Verdict::too_many_of_address;
  }
  ++entry.connections;
  ++total_;
  return Verdict::welcome;
}

void Limiter::disconnected(const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(address);
  --total_;
  if (--at->second.connections > 0) return;
  // Whoever comes back within a second must not find a fresh bucket, so entries of the recently
  // gone stay until there are many.
  constexpr std::size_t kRememberedMax = 4096;
  if (rate_ == 0 || entries_.size() > kRememberedMax) entries_.erase(at);
}

Limiter::Entry& Limiter::refill(const std::string& address, TimePoint now) {
  Entry& entry = entries_[address];
  if (entry.refilled == TimePoint{}) entry.tokens = rate_;  // a burst of one second's worth
  const double seconds = std::chrono::duration<double>(now - entry.refilled).count();
  entry.tokens = std::min(rate_, entry.tokens + std::max(0.0, seconds) * rate_);
  entry.refilled = now;
  return entry;
}

std::chrono::milliseconds Limiter::take(const std::string& address, TimePoint now) {
  if (rate_ == 0) return {};
  const std::lock_guard lock(mutex_);
  Entry& entry = refill(address, now);
  if (entry.tokens < 1) {
    return std::chrono::milliseconds(
        static_cast<std::int64_t>(std::ceil((1 - entry.tokens) * 1000 / rate_)));
  }
  entry.tokens -= 1;
  return {};
}

void Limiter::charge(const std::string& address, std::size_t count, TimePoint now) {
  if (rate_ == 0) return;
  const std::lock_guard lock(mutex_);
  refill(address, now).tokens -= static_cast<double>(count);
}

}  // namespace quorate::rpc
