// The open-loop half of the generator: sends every transaction of a workload at its due time,
// whatever became of the earlier ones, over kept-alive connections spread over all nodes. What is
// due on a connection within a few milliseconds travels in one tx_submitBatch. Boost stays behind
// the pimpl; one thread does it all.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "testnet/load/workload.hpp"

namespace quorate::testnet {

using LoadClock = std::chrono::steady_clock;

// Transaction k is due at start + k / rate.
struct Schedule {
  LoadClock::time_point start;
  double rate = 0;  // per second

  LoadClock::time_point due(std::size_t k) const {
    return start + std::chrono::duration_cast<LoadClock::duration>(
                       std::chrono::duration<double>(static_cast<double>(k) / rate));
  }
};

struct SenderOptions {
  std::vector<std::uint16_t> ports;  // of the nodes, on 127.0.0.1
  unsigned connections_per_node = 2;
  std::size_t batch_max = 500;
  std::chrono::milliseconds batch_delay{5};
};

class Sender {
 public:
  // Accounts are pinned to connections, so that one account's transactions arrive in order; the
  // number of accounts must be a multiple of the number of connections.
  Sender(SenderOptions options, const Workload& work, Schedule schedule);
  ~Sender();  // stops sending

  void start();
  // Sends these once more: a node that was killed forgets what it admitted and did not commit, and
  // submitting the same bytes again is always safe.
  void resend(std::vector<std::size_t> transactions);
  // No new transaction is sent any more; start() must have been called.
  void stop();

  struct Totals {
    std::uint64_t sent = 0;      // handed to a node at least once
    std::uint64_t admitted = 0;  // a node has said yes
    std::uint64_t refusals = 0;  // answers of refusal; such transactions are sent again
    std::uint64_t connection_errors = 0;
  };
  Totals totals() const;
  // Refusals by reason. After stop() only.
  std::map<std::string, std::uint64_t> reasons() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::testnet
