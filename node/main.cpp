// quorate-node. This file joins the parts; each part is made where it is described.
#include "ledger/rocksdb/rocksdb_snapshots.hpp"
#include "ledger/rocksdb/rocksdb_store.hpp"
#include "node/commands/cli.hpp"
#include "node/commands/prepare.hpp"
#include "node/logging.hpp"
#include "node/notice_log.hpp"
#include "node/rpc_backend.hpp"
#include "node/runtime/fatal.hpp"
#include "node/runtime/runtime.hpp"
#include "rpc/command_line/version.hpp"
#include "rpc/server/rpc_server.hpp"

namespace quorate::node {
namespace {

CommandResult<std::unique_ptr<NodeLog>> make_log(const NodeConfig& config) {
  QUORATE_TRY(LogLevels levels, or_stop(parse_log_levels(config.log.level)));
  return std::make_unique<NodeLog>(std::move(levels), log_format(config.log.format));
}

void log_start(Log& log, const Prepared& prepared, const NodeRuntime& runtime,
               const rpc::RpcServer& server) {
  log.info("node", "started",
           {{"name", prepared.name},
            {"version", rpc::version()},
            {"chain", prepared.genesis.chain_name},
            {"chain_id", to_0x(runtime.chain().chain_id())},
            {"height", std::to_string(runtime.chain().head().height.value())},
            {"rpc", server.address()},
            {"p2p_port", std::to_string(runtime.p2p_port())}});
  if (!runtime.observer_reason().empty()) {
    log.warning("node", "this node follows and does not vote",
                {{"reason", runtime.observer_reason()}});
  }
}

// Why a life of the node ended.
enum class Ended { stopped, ledger_wrong };

// From here on the wrong ledger is never used again, whatever happens. A disk that does not take
// the announcement ends the process.
void announce(const Home& home, Log& log, const LedgerReplacement& wrong) {
  if (const auto done = announce_replacement(home, wrong.height, wrong.executed_to, wrong.reason);
      !done) {
    end_process(log, "ledger", "a wrong ledger cannot be moved aside", done.error());
  }
}

// Store, observer, runtime, backend, server: each outlives what comes after it, and stops before.
// `may_replace`: a ledger that contradicts itself when it is opened is replaced, but not twice in a
// row.
CommandResult<Ended> live(const StopSignals& signals, Prepared prepared, Log& log,
                          bool may_replace) {
  QUORATE_TRY(const auto store, open_database(prepared, log));
  NodeIdentity identity = node_identity(prepared);
  QUORATE_TRY(identity.evidence,
              or_stop(EvidenceStore::open(prepared.home.evidence_file(), prepared.genesis)));
  identity.storage_bytes = [&store] { return store->size_bytes(); };

  // Before the runtime, whose threads call it to their end, also when a later part cannot start.
  NoticeLog notices(log);
  RuntimeConfig config = runtime_config(prepared);
  ledger::RocksdbSnapshots snapshots(*store, prepared.home.snapshots_folder());
  config.snapshots = &snapshots;
  config.on_diverged = [&](const LedgerReplacement& wrong) {
    announce(prepared.home, log, wrong);
    signals.interrupt();
  };
  auto started = NodeRuntime::start(std::move(config), *store, log);
  if (!started && started.error().code == Errc::corrupt && may_replace) {
    log.error("ledger", "the stored ledger contradicts itself",
              {{"error", started.error().detail}});
    announce(prepared.home, log, {Height(0), Height(0), started.error().detail});
    return Ended::ledger_wrong;
  }
  // A conflict here is data of another chain, or keys that do not fit the genesis.
  const bool misfit = !started && (started.error().code == Errc::conflict ||
                                   started.error().code == Errc::invalid_argument);
  QUORATE_TRY(
      const std::unique_ptr<NodeRuntime> runtime,
      misfit ? or_stop(std::move(started), ExitCode::configuration) : or_stop(std::move(started)));
  runtime->add_observer(notices);
  RpcBackend backend(*runtime, std::move(identity));
  QUORATE_TRY(const std::unique_ptr<rpc::RpcServer> server,
              or_stop(rpc::RpcServer::start(server_options(prepared), backend)));
  log_start(log, prepared, *runtime, *server);

  const int signal = signals.wait();
  const bool stops = signal != 0;
  log.info("node", stops ? "stopping" : "starting again with an empty ledger",
           {{"signal", signal == SIGINT ? "SIGINT"
                       : stops          ? "SIGTERM"
                                        : "none"}});
  server->stop();
  runtime->stop();
  if (stops) {
    log.info("node", "stopped",
             {{"height", std::to_string(runtime->chain().head().height.value())}});
  }
  return stops ? Ended::stopped : Ended::ledger_wrong;
}

CommandResult<> run(const CommandContext& context, const RunOptions& options) {
  const StopSignals signals;
  std::unique_ptr<NodeLog> log;
  for (bool first = true;; first = false) {
    QUORATE_TRY(Prepared prepared, prepare(context, options));
    if (!log) {
      QUORATE_TRY(log, make_log(prepared.config.values));
    }
    QUORATE_TRY(const Ended ended, live(signals, std::move(prepared), *log, first));
    if (ended == Ended::stopped) return {};
  }
}

struct Dispatch {
  const CommandContext& context;

  CommandResult<> operator()(const InitOptions& options) const { return init(context, options); }
  CommandResult<> operator()(const RunOptions& options) const { return run(context, options); }
  CommandResult<> operator()(const ConfigCheckOptions&) const { return config_check(context); }
  CommandResult<> operator()(const ConfigShowOptions& options) const {
    return config_show(context, options);
  }
  CommandResult<> operator()(const GenesisBuildOptions& options) const {
    return genesis_build(context, options);
  }
  CommandResult<> operator()(const GenesisHashOptions& options) const {
    return genesis_hash(context, options);
  }
  CommandResult<> operator()(const GenesisValidateOptions& options) const {
    return genesis_validate(context, options);
  }
  CommandResult<> operator()(const KeysOptions&) const { return keys(context); }
  CommandResult<> operator()(const VerifyOptions&) const { return verify(context); }
};

}  // namespace
}  // namespace quorate::node

int main(int argc, char** argv) {
  using namespace quorate::node;
  const auto parsed = parse_command_line(argc, argv);
  if (const auto* exit = std::get_if<quorate::ExitCode>(&parsed)) return static_cast<int>(*exit);
  const Invocation& invocation = std::get<Invocation>(parsed);
  const auto done = std::visit(Dispatch{invocation.context}, invocation.command);
  return done ? 0 : invocation.context.output.fail(done.error());
}
