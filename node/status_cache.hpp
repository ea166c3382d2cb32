// A recent copy of what only the replica knows, for readers that must not wait for the consensus
// thread. A thread asks for a new copy four times a second; refresh() asks at once. Whoever answers
// from something newer takes the copy along, so that no later answer is older. Thread-safe.
#pragma once

#include <memory>

#include "node/branch_reader.hpp"
#include "node/mempool.hpp"
#include "node/replica.hpp"
#include "node/runtime/runtime.hpp"

namespace quorate::node {

struct NodeStatus {
  ReplicaStatus replica;
  MempoolStatus mempool;
  TentativeBranch branch = {};  // above the executed head; only where the order is tentative
};

class StatusCache {
 public:
  // Takes the first copy before it returns. `runtime` must outlive the cache.
  explicit StatusCache(const NodeRuntime& runtime);
  ~StatusCache();
  NodeStatus get() const;
  // Returns at once; the copy comes with the next step of the replica.
  void refresh() const;
  // On the thread of the replica: makes the copy now, and gives it.
  NodeStatus take(const Replica& replica) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::node
