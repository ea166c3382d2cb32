#include "node/commands/prepare.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "crypto/dev_accounts.hpp"
#include "ledger/storage_layout.hpp"
#include "node/config/endpoint.hpp"
#include "node/config/genesis_file.hpp"
#include "node/config/key_files.hpp"
#include "rpc/command_line/version.hpp"

namespace quorate::node {
namespace {

CommandResult<ledger::Genesis> load_genesis(const Home& home, bool no_bft) {
  auto genesis = read_genesis_file(home.genesis_file());
  if (!genesis && genesis.error().code == Errc::not_found) {
    return stop(ExitCode::configuration,
                genesis.error().detail +
                    ". Make it with: quorate-node genesis build ENTRY... --output " +
                    home.genesis_file().string());
  }
  QUORATE_TRY(ledger::Genesis out, or_stop_configuration(std::move(genesis)));
  QUORATE_CHECK(or_stop(ledger::validate(out, no_bft), ExitCode::configuration));
  return out;
}

CommandResult<std::string> name_in_genesis(const ledger::Genesis& genesis,
                                           const crypto::NodeKey& node_key,
                                           const crypto::ValidatorKey& validator_key) {
  for (const ledger::GenesisValidator& validator : genesis.validators) {
    if (validator.node_key != node_key.public_key()) continue;
    if (validator.validator_key == validator_key.public_key()) return validator.name;
    return stop(ExitCode::configuration, "the genesis gives " + validator.name +
                                             " the validator key " +
                                             to_0x(validator.validator_key) + ", this home has " +
                                             to_0x(validator_key.public_key()));
  }
  return stop(ExitCode::configuration,
              "the genesis has no validator with the node key of this "
              "home, " +
                  to_0x(node_key.public_key()));
}

CommandResult<> check_peer_names(const NodeConfig& config, const ledger::Genesis& genesis) {
  for (const std::string& peer : config.p2p.peers) {
    const std::string name = peer.substr(0, peer.find('='));
    const bool known = std::any_of(
        genesis.validators.begin(), genesis.validators.end(),
        [&name](const ledger::GenesisValidator& validator) { return validator.name == name; });
    if (known) continue;
    return stop(ExitCode::configuration,
                "p2p.peers: the genesis has no validator named '" + name + "'");
  }
  return {};
}

// Whether the port could be had now. The parts that keep it check again.
CommandResult<> check_port(const std::string& key, const std::string& listen) {
  QUORATE_TRY(const Endpoint endpoint, or_stop(parse_endpoint(listen), ExitCode::configuration));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int failure =
      ::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found);
  if (failure != 0) {
    return stop(ExitCode::configuration,
                key + " = " + listen + ": " + std::string(::gai_strerror(failure)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return stop(ExitCode::io_or_corrupt, std::string("socket: ") + std::strerror(errno));
  const int reuse = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
  const int bound = ::bind(fd, found->ai_addr, found->ai_addrlen);
  const int error = errno;
  ::close(fd);
  if (bound == 0) return {};
  if (error == EADDRINUSE) {
    return stop(ExitCode::locked_or_busy, "port " + std::to_string(endpoint.port) +
                                              " is busy: another program listens on " + listen +
                                              " (" + key + ")");
  }
  return stop(ExitCode::configuration, key + " = " + listen + ": " + std::strerror(error));
}

std::vector<std::string> peer_addresses(const NodeConfig& config, const ledger::Genesis& genesis) {
  std::vector<std::string> out;
  for (const ledger::GenesisValidator& validator : genesis.validators) {
    out.push_back(validator.p2p);
    for (const std::string& peer : config.p2p.peers) {
      const std::size_t equals = peer.find('=');
      if (peer.substr(0, equals) == validator.name) out.back() = peer.substr(equals + 1);
    }
  }
  return out;
}

constexpr int kInterrupt = SIGUSR1;

MinerOptions miner_options(const NodeConfig& config) {
  MinerOptions out;
  out.threads = static_cast<unsigned>(config.mining.threads);
  out.duty_percent = static_cast<unsigned>(config.mining.duty_percent);
  out.instant_mean = std::chrono::milliseconds(config.mining.instant_ms);
  return out;
}

unsigned verify_threads(const NodeConfig& config) {
  if (config.verify.threads != 0) return static_cast<unsigned>(config.verify.threads);
  return std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
}

}  // namespace

CommandResult<Prepared> prepare(const CommandContext& context, const RunOptions& options) {
  QUORATE_TRY(Home home, context.home());
  QUORATE_TRY(LoadedConfig config, context.config(home));
  QUORATE_TRY(HomeLock lock, or_stop(HomeLock::acquire(home)));
  QUORATE_TRY(ledger::Genesis genesis, load_genesis(home, options.no_bft));
  QUORATE_TRY(crypto::NodeKey node_key, or_stop(read_node_key(home.node_key_file())));
  QUORATE_TRY(crypto::ValidatorKey validator_key,
              or_stop(read_validator_key(home.validator_key_file())));
  QUORATE_TRY(std::string name, name_in_genesis(genesis, node_key, validator_key));
  QUORATE_CHECK(check_peer_names(config.values, genesis));
  QUORATE_CHECK(check_port("rpc.listen", config.values.rpc.listen));
  QUORATE_CHECK(check_port("p2p.listen", config.values.p2p.listen));
  QUORATE_CHECK(or_stop(create_home(home)));
  std::optional<crypto::ValidatorKey> votes_with;
  if (!config.values.consensus.observer) votes_with.emplace(std::move(validator_key));
  return Prepared{std::move(home), std::move(lock),     std::move(config),     std::move(genesis),
                  std::move(name), std::move(node_key), std::move(votes_with), std::nullopt};
}

MempoolLimits mempool_limits(const NodeConfig& config) {
  MempoolLimits out;
  out.transactions_max = config.mempool.transactions_max;
  out.bytes_max = config.mempool.bytes_max;
  out.per_account_max = static_cast<std::uint32_t>(config.mempool.per_account_max);
  out.lifetime_max = std::chrono::seconds(config.mempool.lifetime_seconds);
  return out;
}

CommandResult<std::unique_ptr<ledger::RocksdbStore>> open_database(Prepared& prepared, Log& log) {
  QUORATE_TRY(prepared.replaced_ledger, or_stop(move_replaced_ledger(prepared.home)));
  if (prepared.replaced_ledger) {
    const ReplacedLedger& wrong = *prepared.replaced_ledger;
    log.warning("ledger", "an earlier ledger of this node was wrong and was moved aside",
                {{"height", std::to_string(wrong.height.value())},
                 {"reason", wrong.reason},
                 {"moved_to", wrong.folder(prepared.home).string()}});
  }
  return or_stop(ledger::RocksdbStore::open(prepared.home.database_folder()));
}

RuntimeConfig runtime_config(Prepared& prepared) {
  const NodeConfig& config = prepared.config.values;
  return RuntimeConfig{
      .genesis = prepared.genesis,
      .node_key = std::move(prepared.node_key),
      .validator_key = std::move(prepared.validator_key),
      .listen = config.p2p.listen,
      .peer_addresses = peer_addresses(config, prepared.genesis),
      .votes_dir = prepared.home.votes_folder(),
      .validator_state_file = prepared.home.validator_state_file(),
      .software = "quorate-node " + rpc::version(),
      .storage_version = ledger::layout::kStorageVersion,
      .batch_delay = std::chrono::milliseconds(config.consensus.batch_delay_ms),
      .mempool = mempool_limits(config),
      .verify_threads = verify_threads(config),
      .mine = config.mining.enabled,
      .mining = miner_options(config),
      .peer_timing = {},
      .bans = {},
      .ledger_executed_before =
          prepared.replaced_ledger ? prepared.replaced_ledger->executed_to : Height(0),
      .on_diverged = nullptr,
  };
}

NodeIdentity node_identity(const Prepared& prepared) {
  NodeIdentity out;
  out.name = prepared.name;
  out.version = rpc::version();
  out.commit = rpc::git_commit();
  out.libraries = program_libraries();
  out.node_key = prepared.node_key.public_key();
  if (prepared.validator_key) out.validator_key = prepared.validator_key->public_key();
  out.mempool = mempool_limits(prepared.config.values);
  if (prepared.replaced_ledger) {
    const ReplacedLedger& wrong = *prepared.replaced_ledger;
    out.ledger_replacements = wrong.count;
    out.replaced_ledger = wrong.reason + "; moved to " + wrong.folder(prepared.home).string();
  }
  return out;
}

// On a chain for development nobody is kept from hammering the node, unless the settings say so.
rpc::RpcServerOptions server_options(const Prepared& prepared) {
  const NodeConfig& config = prepared.config.values;
  const bool development = crypto::is_dev_chain_name(prepared.genesis.chain_name);
  const auto limit = [&](std::string_view key, std::uint64_t value) {
    const bool off = development && prepared.config.origin(key) == Origin::by_default;
    return off ? 0U : static_cast<std::uint32_t>(value);
  };
  rpc::RpcServerOptions out;
  out.listen = config.rpc.listen;
  out.allowed_hosts = config.rpc.allowed_hosts;
  out.requests_per_second = limit("rpc.requests_per_second", config.rpc.requests_per_second);
  out.connections_max = limit("rpc.connections_max", config.rpc.connections_max);
  return out;
}

StopSignals::StopSignals() {
  ::sigemptyset(&set_);
  ::sigaddset(&set_, SIGTERM);
  ::sigaddset(&set_, SIGINT);
  all_ = set_;
  ::sigaddset(&all_, kInterrupt);
  ::pthread_sigmask(SIG_BLOCK, &all_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void StopSignals::interrupt() const { ::kill(::getpid(), kInterrupt); }

int StopSignals::wait() const {
  int signal = 0;
  while (::sigwait(&all_, &signal) != 0) {
  }
  if (signal == kInterrupt) return 0;
  ::pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  return signal;
}

}  // namespace quorate::node
