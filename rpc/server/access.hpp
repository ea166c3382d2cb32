// Who may use the server, and how much: the list of host names, and per remote address a token
// bucket of requests and a count of connections. Thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace quorate::rpc {

// A page in a browser can make the user's own machine call any address; the Host header then still
// holds the attacker's name (DNS rebinding), and the Origin header its origin. So both must be
// names this server goes by.
class HostList {
 public:
  // `listen_host` and the loopback names are always on the list. "*" allows any.
  HostList(const std::string& listen_host, const std::vector<std::string>& allowed);
  // A Host header: name or address with an optional port; case does not matter.
  bool allows_host(std::string_view host) const;
  // An Origin header, "scheme://host[:port]". Absent (empty) is fine: not a browser.
  bool allows_origin(std::string_view origin) const;

 private:
  std::set<std::string> names_;
  bool any_ = false;
};

class Limiter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  // 0 = no limit.
  Limiter(std::uint32_t requests_per_second, std::uint32_t connections_max,
          std::uint32_t connections_total_max);

  enum class Verdict { welcome, too_many_of_address, too_many };
  // Counts the connection unless it is refused; every welcome is followed by one disconnected.
  Verdict connected(const std::string& address);
  void disconnected(const std::string& address);
  // Takes one request's token. When there is none: how long until there will be.
  std::chrono::milliseconds take(const std::string& address, TimePoint now);
  // `count` more requests came in one message; they are paid for by waiting longer next time.
  void charge(const std::string& address, std::size_t count, TimePoint now);

 private:
  struct Entry {
    std::uint32_t connections = 0;
    double tokens = 0;
    TimePoint refilled{};
  };
  Entry& refill(const std::string& address, TimePoint now);

  const double rate_;
  const std::uint32_t connections_max_;
  const std::uint32_t total_max_;
  std::mutex mutex_;
  std::uint32_t total_ = 0;
  std::map<std::string, Entry> entries_;
};

}  // namespace quorate::rpc
