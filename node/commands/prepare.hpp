// Everything `run` needs before anything starts: home, lock, settings, genesis and keys, checked;
// and how the settings become the options of the parts.
#pragma once

#include <csignal>

#include "crypto/keys.hpp"
#include "ledger/types/genesis.hpp"
#include "node/commands/commands.hpp"
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
};

// Errors: 75 (home in use, port busy), 77 (key files), 78 (settings, genesis, keys that are not in
// it). Changes nothing but the lock.
CommandResult<Prepared> prepare(const CommandContext& context, const RunOptions& options);

MempoolLimits mempool_limits(const NodeConfig& config);
// Takes the keys out of `prepared`.
RuntimeConfig runtime_config(Prepared& prepared);
NodeIdentity node_identity(const Prepared& prepared);
rpc::RpcServerOptions server_options(const Prepared& prepared);

// SIGTERM and SIGINT, blocked in this thread and all that it starts from now on.
class StopSignals {
 public:
  StopSignals();
  // Blocks until one arrives; a second one then ends the process at once.
  int wait() const;

 private:
  sigset_t set_;
};

}  // namespace quorate::node
