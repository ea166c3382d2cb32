// Everything `run` needs before anything starts: home, lock, settings, genesis and keys, checked;
// and how the settings become the options of the parts.
#pragma once

#include <csignal>

#include "crypto/keys.hpp"
#include "ledger/rocksdb/rocksdb_store.hpp"
#include "ledger/types/genesis.hpp"
#include "node/commands/commands.hpp"
#include "node/config/replaced_ledger.hpp"
#include "node/rpc_backend.hpp"
#include "node/runtime/runtime.hpp"
#include "rpc/server/rpc_server.hpp"

namespace quorate::node {

struct Prepared {
  Home home;
  HomeLock lock;
  LoadedConfig config;
  ledger::Genesis genesis;
  std::string name;  // of this node in the genesis
  crypto::NodeKey node_key;
  std::optional<crypto::ValidatorKey> validator_key;  // none: an observer
  std::optional<ReplacedLedger> replaced_ledger;      // by open_database
};

// Errors: 75 (home in use, port busy), 77 (key files), 78 (settings, genesis, keys that are not in
// it). Changes nothing but the lock.
CommandResult<Prepared> prepare(const CommandContext& context, const RunOptions& options);

MempoolLimits mempool_limits(const NodeConfig& config);
// Takes the keys out of `prepared`.
RuntimeConfig runtime_config(Prepared& prepared);
// Opens the database, after moving away one that was announced to be wrong.
CommandResult<std::unique_ptr<ledger::RocksdbStore>> open_database(Prepared& prepared, Log& log);
NodeIdentity node_identity(const Prepared& prepared);
rpc::RpcServerOptions server_options(const Prepared& prepared);

// SIGTERM and SIGINT, blocked in this thread and all that it starts from now on.
class StopSignals {
 public:
  StopSignals();
  // Blocks until one arrives, which is returned, or until interrupt() (0). A second signal then
  // ends the process at once.
  int wait() const;
  // Any thread.
  void interrupt() const;

 private:
  sigset_t set_;  // what ends the process
  sigset_t all_;  // with the interrupt
};

}  // namespace quorate::node
