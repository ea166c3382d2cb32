// What the runtime counts, as one copy for metrics and status pages. Counters only grow.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "node/net/send_queue.hpp"

namespace quorate::node {

struct DurationTotal {
  std::uint64_t count = 0;
  std::uint64_t total_ns = 0;
  std::uint64_t max_ns = 0;

  void add(std::uint64_t ns) {
    ++count;
    total_ns += ns;
    if (ns > max_ns) max_ns = ns;
  }
};

struct VerifyStatistics {
  std::array<std::uint64_t, kTrafficClasses> frames{};          // from peers, verified or refused
  std::array<std::uint64_t, kTrafficClasses> frames_invalid{};  // of these, refused
  std::array<std::uint64_t, kTrafficClasses> frames_dropped{};  // by full queues, never looked at
  std::array<std::uint64_t, kTrafficClasses> frames_excess{};   // above what a peer may send
  std::uint64_t payloads = 0;
  std::uint64_t payloads_invalid = 0;
  std::uint64_t client_transactions = 0;
  std::uint64_t transactions_verified = 0;  // signatures checked, by whatever way they came
  std::uint64_t transactions_known = 0;     // met again: not checked a second time
  std::size_t queued_frames = 0;            // now, of all classes and peers
  std::size_t queued_payloads = 0;
  std::size_t queued_client_transactions = 0;
};

struct VoteLogStatistics {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::uint64_t snapshots = 0;
  DurationTotal sync;  // one per group commit
  std::size_t queued = 0;
};

struct ExecuteStatistics {
  std::uint64_t blocks = 0;
  std::uint64_t transactions = 0;
  DurationTotal batch;  // execution, write and sync of a run of blocks
  std::uint64_t rewinds = 0;
  std::uint64_t blocks_withdrawn = 0;  // by rewinds
  std::uint64_t transactions_withdrawn = 0;
  std::size_t queued = 0;
};

struct ConsensusStatistics {
  std::uint64_t steps = 0;
  DurationTotal busy;  // one per turn of the thread
  // Verified frames that gave way to newer ones of the same peer.
  std::array<std::uint64_t, kTrafficClasses> dropped{};
  std::size_t queued_urgent = 0;
  std::size_t queued_bulk = 0;
};

struct MiningStatistics {
  std::uint64_t hashes = 0;
  std::uint64_t hashes_per_second = 0;  // of late
  unsigned threads = 0;
  unsigned duty_percent = 0;  // of one processor, for each thread
};

struct RuntimeStatistics {
  VerifyStatistics verify;
  VoteLogStatistics vote_log;
  ExecuteStatistics execute;
  ConsensusStatistics consensus;
  std::optional<MiningStatistics> mining;  // of a node that mines
};

}  // namespace quorate::node
