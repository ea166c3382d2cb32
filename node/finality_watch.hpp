// Tells waiting callers and the subscriptions when blocks become final, off the consensus path.
//
// Owns one thread, on which every callback and the event sink are called. block_executed and
// certificates_changed return at once and may be called on any thread; the thread then reads the
// chain. A height is announced once, in order and without gaps, after its block certificate (or a
// later one) is stored here, so that whoever hears of it can ask for the proof. On a chain without
// seals that is after its execution; blocks that are withdrawn there are told of in their turn, and
// their heights come again.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "ledger/chain.hpp"
#include "rpc/backend.hpp"

namespace quorate::node {

// What the node saw of a transaction when it came by: enough to say what became of one that is
// never executed. `nonce` is 0 where only the id is known.
struct SeenTransaction {
  Digest id;
  Height valid_until = Height(0);  // inclusive; 0 = no limit
  crypto::Address sender = {};
  std::uint64_t nonce = 0;
};

class FinalityWatch {
 public:
  using Done = std::function<void(rpc::TransactionView)>;
  using Deadline = std::chrono::steady_clock::time_point;

  // `chain` must outlive the watch. Heights final at the start are not announced.
  // `waiters_max` bounds who may wait at a time.
  explicit FinalityWatch(const ledger::Chain& chain, std::size_t waiters_max = 16'384);
  // Ends the thread; whoever still waits is answered with what is known.
  ~FinalityWatch();

  void block_executed(std::shared_ptr<const ledger::ExecutedBlock> block);
  void certificates_changed();
  // These left the chain, and nothing has been executed since.
  void blocks_withdrawn(std::shared_ptr<const rpc::WithdrawnBlocks> blocks);

  // Calls `done` once: when the transaction is final, failed or expired, else at the deadline with
  // its status then (unknown or pending). With too many waiters it is called at once.
  void wait(const SeenTransaction& transaction, Deadline deadline, Done done);

  // Runs `task` on the thread of the watch: for reads of the chain that the consensus thread, on
  // which the answers of the replica arrive, must not do itself. Exactly once.
  void run_soon(std::function<void()> task);

  // What the indexes over those who wait hold; 0 when nobody waits. On the thread of the watch
  // only, through run_soon.
  std::size_t index_entries() const;

  // After set_sink(nullptr) returns, the former sink is not called any more.
  void set_sink(rpc::EventSink* sink);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What became of a transaction, as the chain tells: what read_transaction says where it was
// executed, failed when another one has its nonce in the certified state, expired when the chain
// has passed valid_until, else unknown.
rpc::TransactionView fate_of(const ledger::Chain& chain, const SeenTransaction& transaction);

}  // namespace quorate::node
