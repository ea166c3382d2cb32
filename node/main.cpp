// quorate-node. This file joins the parts; each part is made where it is described.
#include "ledger/rocksdb/rocksdb_store.hpp"
#include "node/commands/cli.hpp"
#include "node/commands/prepare.hpp"
#include "node/logging.hpp"
#include "node/notice_log.hpp"
#include "node/rpc_backend.hpp"
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

// Store, observer, runtime, backend, server: each outlives what comes after it, and stops before.
CommandResult<> run(const CommandContext& context, const RunOptions& options) {
  const StopSignals signals;
  QUORATE_TRY(Prepared prepared, prepare(context, options));
  QUORATE_TRY(const std::unique_ptr<NodeLog> log, make_log(prepared.config.values));
  NodeIdentity identity = node_identity(prepared);
  QUORATE_TRY(const auto store,
              or_stop(ledger::RocksdbStore::open(prepared.home.database_folder())));
  QUORATE_TRY(identity.evidence,
              or_stop(EvidenceStore::open(prepared.home.evidence_file(), prepared.genesis)));
  identity.storage_bytes = [&store] { return store->size_bytes(); };

  // Before the runtime, whose threads call it to their end, also when a later part cannot start.
  NoticeLog notices(*log);
  // A conflict here is data of another chain, or keys that do not fit the genesis.
  auto started = NodeRuntime::start(runtime_config(prepared), *store, *log);
  const bool misfit = !started && (started.error().code == Errc::conflict ||
                                   started.error().code == Errc::invalid_argument);
  QUORATE_TRY(
      const std::unique_ptr<NodeRuntime> runtime,
      misfit ? or_stop(std::move(started), ExitCode::configuration) : or_stop(std::move(started)));
  runtime->add_observer(notices);
  RpcBackend backend(*runtime, std::move(identity));
  QUORATE_TRY(const std::unique_ptr<rpc::RpcServer> server,
              or_stop(rpc::RpcServer::start(server_options(prepared), backend)));
  log_start(*log, prepared, *runtime, *server);

  const int signal = signals.wait();
  log->info("node", "stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  server->stop();
  runtime->stop();
  log->info("node", "stopped",
            {{"height", std::to_string(runtime->chain().head().height.value())}});
  return {};
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
