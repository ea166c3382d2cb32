// The executor port: one thread that owns every write to the chain, and one that reads for peers
// that catch up, so that serving them does not hold up execution. Both drain their queue: the
// blocks that wait are executed as one batch with one sync. What waits in front of a rewind that
// takes it back is not executed at all.
//
// Bounds: blocks by the proposals in flight, reads by one per peer (the replica sees to both).
// A write error ends the process.
#pragma once

#include <functional>
#include <mutex>
#include <thread>
#include <variant>

#include "node/replica.hpp"
#include "node/runtime/log.hpp"
#include "node/runtime/statistics.hpp"
#include "node/runtime/work_queue.hpp"

namespace quorate::node {

// Called on the execute or read thread.
struct ExecuteCallbacks {
  std::function<void(BlocksExecuted)> on_executed;
  std::function<void(LedgerRewound)> on_rewound;
  std::function<void(PayloadLoaded)> on_loaded;
  std::function<void(BlocksRead)> on_read;
  // The seals up to this height are in the store, where readers find them. May be empty.
  std::function<void(Height)> on_certificate = nullptr;
  // On the thread that calls replace_ledger.
  std::function<void(LedgerReplacement)> on_replace = nullptr;
  std::function<void(CertificatesLoaded)> on_certificates_loaded = nullptr;
};

class ExecuteThread final : public Executor {
 public:
  // `chain` and `log` outlive this.
  ExecuteThread(ledger::Chain& chain, ExecuteCallbacks callbacks, Log& log);
  ~ExecuteThread() override;  // stops

  void execute(ledger::OrderedBlock block) override;
  void rewind(Height height) override;
  void store_seals(Height height, std::vector<crypto::ReplicaSignature> seals) override;
  void load_payload(Digest id) override;
  void load_certificates(Height first, std::uint32_t count) override;
  void read_blocks(ReplicaId for_peer, Height from, std::uint32_t blocks_max,
                   std::size_t bytes_max) override;
  void replace_ledger(LedgerReplacement replacement) override;

  // Executes what was decided, drops reads, joins the threads.
  void stop();
  ExecuteStatistics statistics() const;

 private:
  struct Seals {
    Height height;
    std::vector<crypto::ReplicaSignature> seals;
  };
  struct Back {  // takes the blocks above back
    Height to;
  };
  using Write = std::variant<ledger::OrderedBlock, Seals, Back>;
  struct Load {
    Digest id;
  };
  struct LoadRange {
    Height first;
    std::uint32_t count = 0;
  };
  struct Read {
    ReplicaId for_peer;
    Height from;
    std::uint32_t blocks_max = 0;
    std::size_t bytes_max = 0;
  };

  void run_writes();
  static void drop_withdrawn(std::deque<Write>& work);
  void write(std::vector<ledger::OrderedBlock> blocks, const std::vector<Seals>& seals);
  void write(Back back);
  void run_reads();
  void perform(const Load& load) const;
  void perform(const LoadRange& range) const;
  void perform(const Read& read) const;

  ledger::Chain& chain_;
  const ExecuteCallbacks callbacks_;
  Log& log_;
  WorkQueue<Write> writes_;
  WorkQueue<std::variant<Load, LoadRange, Read>> reads_;
  mutable std::mutex statistics_mutex_;
  ExecuteStatistics statistics_;
  std::thread write_thread_;
  std::thread read_thread_;
};

}  // namespace quorate::node
