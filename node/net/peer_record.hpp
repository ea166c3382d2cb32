// What the peer manager keeps about one member, whether it is connected or not. Only
// peer_manager.cpp includes this header.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "node/net/backoff.hpp"
#include "node/net/peer_session.hpp"
#include "node/runtime/log_budget.hpp"

namespace quorate::node {

using SessionPtr = std::shared_ptr<PeerSession>;

// Of one peer, a minute.
inline constexpr std::uint64_t kConnectionsLogged = 20;

struct Peer {
  Peer(ReplicaId id_, const PeerManagerConfig& config, boost::asio::io_context& io)
      : id(id_),
        backoff(config.timing.backoff_first, config.timing.backoff_most),
        redial(io),
        resolver(io),
        queue(config.queues) {}

  // Counts one more connection; whether that is more than `most` within a minute.
  bool comes_too_often(std::chrono::steady_clock::time_point now, std::uint32_t most) {
    if (now - minute > std::chrono::minutes(1)) {
      minute = now;
      connections = 0;
    }
    return ++connections > most;
  }

  const ReplicaId id;
  // Of the io thread:
  SessionPtr session;  // the established one
  std::chrono::steady_clock::time_point established_at;
  Backoff backoff;
  boost::asio::steady_timer redial;
  boost::asio::ip::tcp::resolver resolver;
  std::chrono::steady_clock::time_point banned_until;
  std::string ban_reason;
  std::chrono::steady_clock::time_point minute;  // the one in which these are counted
  std::uint32_t connections = 0;
  std::string last_logged;  // a peer that is down is one line, not one per attempt
  LogBudget connections_logged{kConnectionsLogged};  // one that comes and goes all the time

  // Of any thread:
  mutable std::mutex mutex;
  SendQueue queue;           // guarded by mutex, as all below
  bool wake_posted = false;  // one wake-up serves all frames that are queued by then
  PeerInfo info;
};

}  // namespace quorate::node
