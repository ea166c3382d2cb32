// A running node without its programs' face: the replica with its threads, disks and sockets.
//
//   io 1 | verify 2 | consensus 1 | vote log 1 | execute 1 | read 1 | mine, where blocks are mined
//
// The store is passed in, so this links without RocksDB. Every method is safe on any thread. A
// callback runs exactly once, on a thread of the node, and must return at once. Any write or sync
// error ends the process with status 74 after a log line; nothing is retried.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/keys.hpp"
#include "ledger/chain.hpp"
#include "node/net/peer_manager.hpp"
#include "node/replica.hpp"
#include "node/runtime/log.hpp"
#include "node/runtime/miner.hpp"
#include "node/runtime/misbehavior.hpp"
#include "node/runtime/statistics.hpp"

namespace quorate::node {

struct RuntimeConfig {
  ledger::Genesis genesis;
  crypto::NodeKey node_key;                           // its place in the genesis is the replica id
  std::optional<crypto::ValidatorKey> validator_key;  // none: follow, never vote
  std::string listen;                                 // P2P, host:port; port 0 picks a free one
  std::vector<std::string> peer_addresses;            // by replica id; empty = those of the genesis
  std::filesystem::path votes_dir;                    // made if it is missing
  std::filesystem::path validator_state_file;         // its folder must exist
  std::string software = "quorate-node";
  std::uint32_t storage_version = 1;
  // Of the store, and outlives the runtime as the store does. Only chains whose commits can be
  // withdrawn take any. Null: such a chain goes back by executing everything again.
  ledger::Snapshots* snapshots = nullptr;
  Duration batch_delay = std::chrono::milliseconds(0);
  MempoolLimits mempool = {};
  unsigned verify_threads = 2;
  // Where the chain is ordered by work, and this node has a validator key to mine for.
  bool mine = true;
  MinerOptions mining = {};
  PeerTiming peer_timing = {};
  BanTimes bans = {};
  // Stands between the replica and its peers; for tests with nodes that lie. None: nothing does.
  std::function<std::unique_ptr<Transport>(Transport&)> wrap_transport = {};
  // How far a ledger that was replaced had executed; 0 = it never was.
  Height ledger_executed_before = {};
  // The ledger went wrong: stop this runtime, put an empty store in the place of its own (the vote
  // log stays) and start the next with ledger_executed_before. Called once, on the consensus
  // thread; what must survive a crash is on the disk when it returns. Empty: the node only halts.
  std::function<void(const LedgerReplacement&)> on_diverged = nullptr;
};

// A transaction after decoding and the check of its signature; no state was asked.
struct CheckedTransaction {
  std::optional<Digest> id;            // set when the encoding allowed it
  ledger::TransactionPtr transaction;  // null when refused
  std::optional<Refusal> refusal;      // bad_encoding, too_large, bad_signature, mempool_full
};

struct Submitted {
  std::optional<Digest> id;
  std::optional<Refusal> refusal;  // none = admitted, or known already
};

class NodeRuntime {
 public:
  // Opens chain and vote log, then starts the threads. `store` and `log` outlive the runtime.
  // Errors: invalid_argument (keys that are not in the genesis, addresses), conflict (another
  // chain, another process, a busy port), permission, io, corrupt.
  static Result<std::unique_ptr<NodeRuntime>> start(RuntimeConfig config, ledger::KvStore& store,
                                                    Log& log);
  ~NodeRuntime();  // stops

  // Ends the connections, executes and syncs what was decided, joins every thread. Submissions
  // that are still under way are answered with a refusal. Afterwards chain() still answers.
  void stop();

  // Checks signatures off the consensus thread, admits to the mempool, relays. One result per
  // transaction, in order. mempool_full when too many wait to be checked.
  void submit(std::vector<Bytes> encoded, std::function<void(std::vector<Submitted>)> done);
  // The first half of submit alone: decoding and signatures.
  void check(std::vector<Bytes> encoded,
             std::function<void(std::vector<CheckedTransaction>)> done) const;
  // Runs `read` on the consensus thread between two steps; after stop() on the calling thread.
  void inspect(std::function<void(const Replica&)> read) const;

  // Observers are called on the consensus thread, must return at once and may not add or remove
  // observers. One is called until remove_observer returns or the runtime has stopped, so it
  // outlives either.
  void add_observer(Observer& observer);
  void remove_observer(Observer& observer);

  const ledger::Chain& chain() const;
  // Of the chain's engine.
  const consensus::EngineTraits& traits() const;
  ReplicaId self() const;
  // Why this node does not vote although it has a validator key; empty when it may.
  const std::string& observer_reason() const;
  std::uint16_t p2p_port() const;
  std::vector<PeerInfo> peers() const;
  NetTotals net_totals() const;
  RuntimeStatistics statistics() const;

 private:
  struct Impl;
  explicit NodeRuntime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::node
