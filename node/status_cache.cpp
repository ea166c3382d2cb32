#include "node/status_cache.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace quorate::node {
namespace {

constexpr std::chrono::milliseconds kInterval{250};

// Shared with the questions that are under way, which may outlive the cache.
struct Slot {
  std::mutex mutex;
  std::condition_variable changed;
  bool filled = false;
  NodeStatus status;

  NodeStatus take(const Replica& replica) {
    NodeStatus now{replica.status(), replica.mempool().status(), replica.tentative_branch()};
    const std::lock_guard lock(mutex);
    status = now;
    filled = true;
    changed.notify_all();
    return now;
  }
};

}  // namespace

struct StatusCache::Impl {
  explicit Impl(const NodeRuntime& the_runtime) : runtime(the_runtime) {}

  const NodeRuntime& runtime;
  std::shared_ptr<Slot> slot = std::make_shared<Slot>();
  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
  std::thread thread;

  void ask() const {
    runtime.inspect([to = slot](const Replica& replica) { to->take(replica); });
  }
};

StatusCache::StatusCache(const NodeRuntime& runtime) : impl_(std::make_unique<Impl>(runtime)) {
  impl_->ask();
  {
    std::unique_lock lock(impl_->slot->mutex);
    impl_->slot->changed.wait(lock, [this] { return impl_->slot->filled; });
  }
  impl_->thread = std::thread([this] {
    std::unique_lock lock(impl_->mutex);
    while (!impl_->wake.wait_for(lock, kInterval, [this] { return impl_->stopping; })) {
      impl_->ask();
    }
  });
}

StatusCache::~StatusCache() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_one();
  impl_->thread.join();
}

void StatusCache::refresh() const { impl_->ask(); }

NodeStatus StatusCache::take(const Replica& replica) const { return impl_->slot->take(replica); }

NodeStatus StatusCache::get() const {
  const std::lock_guard lock(impl_->slot->mutex);
  return impl_->slot->status;
}

}  // namespace quorate::node
