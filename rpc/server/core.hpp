// What all sessions of one server share. Nothing of Boost here. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>

#include "rpc/methods/dispatcher.hpp"
#include "rpc/server/access.hpp"
#include "rpc/server/rpc_metrics.hpp"
#include "rpc/server/rpc_server.hpp"
#include "rpc/subscriptions/block_feed.hpp"

namespace quorate::rpc {

// Answers of the backend may come after the server has gone. They pass this gate, which is closed
// before the threads and sockets they would be posted to are destroyed.
class ReplyGate {
 public:
  template <class Function>
  void run(Function function) {
    const std::lock_guard lock(mutex_);
    if (open_) function();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }

 private:
  std::mutex mutex_;
  bool open_ = true;
};

// A session, as the server that ends sees it. Each call returns at once.
class Session {
 public:
  virtual ~Session() = default;
  virtual void on_final() {}  // a block became final
  virtual void drain() = 0;   // finish what is under way, then close
  virtual void kill() = 0;    // close now
};

class Registry {
 public:
  void add(const std::shared_ptr<Session>& session) {
    const std::lock_guard lock(mutex_);
    sessions_[session.get()] = session;
  }
  void remove(const Session* session) {
    const std::lock_guard lock(mutex_);
    sessions_.erase(session);
  }
  std::vector<std::shared_ptr<Session>> all() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Session>> out;
    for (const auto& [key, weak] : sessions_) {
      if (auto session = weak.lock()) out.push_back(std::move(session));
    }
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::map<const Session*, std::weak_ptr<Session>> sessions_;
};

// Counts what stop() waits for: requests being answered and open WebSockets.
class Busy {
 public:
  void enter() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) idle_.notify_all();
  }
  void wait_idle(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    idle_.wait_for(lock, most, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t count_ = 0;
};

// Counted in `busy` as long as it lives and holds.
class BusyMark {
 public:
  void hold(Busy& busy) {
    if (busy_ != nullptr) return;
    busy_ = &busy;
    busy.enter();
  }
  void release() {
    if (busy_ != nullptr) busy_->leave();
    busy_ = nullptr;
  }
  BusyMark() = default;
  BusyMark(const BusyMark&) = delete;
  BusyMark& operator=(const BusyMark&) = delete;
  ~BusyMark() { release(); }

 private:
  Busy* busy_ = nullptr;
};

struct Core {
  Core(RpcServerOptions with, const std::string& listen_host, Backend& of)
      : options(std::move(with)),
        backend(of),
        hosts(listen_host, options.allowed_hosts),
        limiter(options.requests_per_second, options.connections_max,
                options.connections_total_max),
        metrics(std::make_shared<RpcMetrics>()),
        dispatcher(of, metrics),
        feed(of),
        gate(std::make_shared<ReplyGate>()) {}

  const RpcServerOptions options;
  Backend& backend;
  const HostList hosts;
  Limiter limiter;
  const std::shared_ptr<RpcMetrics> metrics;
  const Dispatcher dispatcher;
  BlockFeed feed;
  Registry registry;    // every session
  Registry websockets;  // those that hear of final blocks
  Busy busy;
  const std::shared_ptr<ReplyGate> gate;
  std::atomic<bool> draining{false};
  std::atomic<bool> killed{false};  // a session that starts now ends at once
};

}  // namespace quorate::rpc
