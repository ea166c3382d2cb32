// A recent copy of what only the replica knows, for readers that must not wait for the consensus
// thread. A thread asks for a new copy four times a second. Thread-safe.
#pragma once

#include <memory>

#include "node/mempool.hpp"
#include "node/replica.hpp"
#include "node/runtime/runtime.hpp"

namespace quorate::node {

struct NodeStatus {
  ReplicaStatus replica;
  MempoolStatus mempool;
};

class StatusCache {
 public:
  // Takes the first copy before it returns. `runtime` must outlive the cache.
  explicit StatusCache(const NodeRuntime& runtime);
  ~StatusCache();
  NodeStatus get() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::node
