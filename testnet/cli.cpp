#include "testnet/cli.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "crypto/base/nearest.hpp"
#include "rpc/json/ledger_json.hpp"
#include "testnet/commands/commands.hpp"
#include "testnet/load/accounts.hpp"

namespace quorate::testnet {

namespace {

constexpr int kUsageError = 2;

int exit_code(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return kUsageError;
    case Errc::not_found: return 3;
    case Errc::timeout: return 5;
    case Errc::conflict: return 73;
    case Errc::io:
    case Errc::corrupt: return 74;
    case Errc::unavailable: return 75;
    case Errc::permission: return 77;
    case Errc::bad_encoding:
    case Errc::bad_signature:
    case Errc::limit_exceeded:
    case Errc::rejected: return 1;
  }
  return 1;
}

struct Arguments {
  CommonOptions common;
  UpOptions up;
  DownOptions down;
  LogsOptions logs;
  NodesOptions nodes;
  LoadOptions load;
  Result<int> outcome = 0;
};

void add_common(CLI::App& command, Arguments& arguments) {
  command.add_option("--data", arguments.common.data, "Folder of the testnet")
      ->capture_default_str();
  command.add_flag("--json", arguments.common.json, "Print one JSON document instead of text");
}

void add_up(CLI::App& app, Arguments& arguments) {
  auto* command = app.add_subcommand("up", "Make a testnet, or resume the one in the folder");
  auto& options = arguments.up;
  add_common(*command, arguments);
  auto* nodes = command->add_option("--nodes", options.plan.nodes, "How many nodes")
                    ->capture_default_str()
                    ->check(CLI::Range(kNodesMin, kNodesMax));
  auto* engine = command->add_option("--engine", options.plan.engine, "Ordering engine: pbft")
                     ->capture_default_str();
  auto* rpc_port =
      command->add_option("--rpc-base-port", options.plan.rpc_base_port, "RPC port of node0")
          ->capture_default_str();
  auto* p2p_port =
      command->add_option("--p2p-base-port", options.plan.p2p_base_port, "P2P port of node0")
          ->capture_default_str();
  command
      ->add_option("--load-accounts", options.plan.load_accounts,
                   "Accounts funded in the genesis for `load` to send from")
      ->capture_default_str()
      ->check(CLI::Range(0U, kLoadAccountsMax));
  command->add_option("--checkpoint-interval", options.plan.checkpoint_interval,
                      "Blocks between checkpoints, a parameter of the chain (0: its default)");
  command
      ->add_option_function<std::uint64_t>(
          "--timeout",
          [&options](std::uint64_t seconds) { options.timeout = std::chrono::seconds(seconds); },
          "Seconds to wait until every node is ready (default 30)")
      ->check(CLI::Range(1, 3600));
  command->callback([&arguments, nodes, engine, rpc_port, p2p_port] {
    arguments.up.common = arguments.common;
    arguments.up.nodes_given = nodes->count() > 0;
    arguments.up.engine_given = engine->count() > 0;
    arguments.up.rpc_base_port_given = rpc_port->count() > 0;
    arguments.up.p2p_base_port_given = p2p_port->count() > 0;
    arguments.outcome = run_up(arguments.up);
  });
}

void add_down(CLI::App& app, Arguments& arguments) {
  auto* command = app.add_subcommand("down", "Stop every node");
  add_common(*command, arguments);
  command->add_flag("--purge", arguments.down.purge, "Remove the data as well");
  command->callback([&arguments] {
    arguments.down.common = arguments.common;
    arguments.outcome = run_down(arguments.down);
  });
}

void add_status(CLI::App& app, Arguments& arguments) {
  auto* command = app.add_subcommand("status", "What every node does");
  add_common(*command, arguments);
  command->callback([&arguments] { arguments.outcome = run_status(arguments.common); });
}

void add_logs(CLI::App& app, Arguments& arguments) {
  auto* command = app.add_subcommand("logs", "The log of one node");
  add_common(*command, arguments);
  command->add_option("node", arguments.logs.node, "Which node, for example node0")->required();
  command->add_flag("-f,--follow", arguments.logs.follow, "Go on printing what is appended");
  command->add_option("-n,--lines", arguments.logs.lines, "How many of the last lines")
      ->capture_default_str();
  command->callback([&arguments] {
    arguments.logs.common = arguments.common;
    arguments.outcome = run_logs(arguments.logs);
  });
}

void add_nodes_command(CLI::App& app, Arguments& arguments, const char* name, const char* help,
                       Result<int> (*run)(const NodesOptions&)) {
  auto* command = app.add_subcommand(name, help);
  add_common(*command, arguments);
  command->add_option("nodes", arguments.nodes.nodes, "Which nodes, for example node0 node1")
      ->required();
  command->callback([&arguments, run] {
    arguments.nodes.common = arguments.common;
    arguments.outcome = run(arguments.nodes);
  });
}

void add_load(CLI::App& app, Arguments& arguments) {
  auto* command = app.add_subcommand(
      "load",
      "Measure throughput and latency: transactions signed beforehand, sent on a fixed schedule "
      "whatever comes back, timed from when each was due to its verified certificate. Without "
      "--rate it climbs until the nodes no longer keep up");
  auto& options = arguments.load;
  add_common(*command, arguments);
  command->add_option("--rate,--sweep", options.rates, "Transactions per second, one or several")
      ->delimiter(',')
      ->check(CLI::Range(1.0, 1e6));
  command->add_option("--seconds", options.seconds, "Length of each measurement")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 3600.0));
  command
      ->add_option("--idle", options.idle_transactions,
                   "Transactions sent one at a time to measure idle latency (0: none)")
      ->capture_default_str()
      ->check(CLI::Range(0U, 10'000U));
  command->add_option("--connections", options.connections, "Connections to each node")
      ->capture_default_str()
      ->check(CLI::Range(1U, 64U));
  const auto milliseconds = [&options](std::uint64_t value) {
    options.batch_delay = std::chrono::milliseconds(value);
  };
  command
      ->add_option_function<std::uint64_t>(
          "--batch-ms", milliseconds,
          "How long due transactions wait for others to share a request (default 5)")
      ->check(CLI::Range(0, 1000));
  const auto drain = [&options](std::uint64_t value) {
    options.drain_timeout = std::chrono::seconds(value);
  };
  command
      ->add_option_function<std::uint64_t>(
          "--drain", drain, "Seconds to wait for what was sent to become final (default 60)")
      ->check(CLI::Range(0, 3600));
  command->add_option_function<std::string>(
      "--ack-file", [&options](const std::string& path) { options.ack_file = path; },
      "Append the id of every transfer whose receipt was proved, synced to disk");
  command->callback([&arguments] {
    arguments.load.common = arguments.common;
    arguments.outcome = run_load(arguments.load);
  });
}

constexpr const char* kExamples =
    "Examples:\n"
    "  quorate-testnet up                  four nodes in ./testnet-data\n"
    "  quorate-testnet status\n"
    "  quorate-testnet kill node3          and see transfers go on\n"
    "  quorate-testnet start node3         and see it catch up\n"
    "  quorate-testnet logs node0 -f\n"
    "  quorate-testnet load                how fast is it here?\n"
    "  quorate-testnet down --purge\n";

int report_usage(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
  std::cerr << "error: " << error.what() << "\n";
  const std::string first = argc > 1 ? argv[1] : "";
  if (!first.empty() && first.front() != '-' && app.get_subcommands().empty()) {
    std::vector<std::string> commands;
    for (const auto* command : app.get_subcommands(nullptr)) {
      commands.push_back(command->get_name());
    }
    if (const auto meant = suggestion(first, commands)) {
      std::cerr << "did you mean: quorate-testnet " << *meant << "\n";
    }
  }
  std::cerr << "See quorate-testnet --help\n";
  return kUsageError;
}

int report_failure(const Error& error, bool json) {
  const int code = exit_code(error.code);
  if (json) {
    std::cout
        << rpc::Json{{"error",
                      {{"code", to_string(error.code)}, {"detail", error.detail}, {"exit", code}}}}
               .dump(2, ' ', false, rpc::Json::error_handler_t::replace)
        << "\n";
  }
  std::cerr << "error: " << error.detail << "\n";
  return code;
}

}  // namespace

int run_cli(int argc, char** argv) {
  CLI::App app{std::string("Runs a Quorate network on this machine.\n\n") + kExamples,
               "quorate-testnet"};
  app.set_version_flag("-V,--version", std::string("quorate-testnet ") + QUORATE_VERSION);
  app.require_subcommand(1);
  Arguments arguments;
  arguments.up.plan.load_accounts = kLoadAccountsDefault;
  add_up(app, arguments);
  add_down(app, arguments);
  add_status(app, arguments);
  add_logs(app, arguments);
  add_nodes_command(app, arguments, "kill", "End nodes at once, as a crash would (SIGKILL)",
                    run_kill);
  add_nodes_command(app, arguments, "start", "Start nodes and wait until they have caught up",
                    run_start);
  add_nodes_command(app, arguments, "pause", "Freeze nodes where they are (SIGSTOP)", run_pause);
  add_nodes_command(app, arguments, "resume", "Let paused nodes go on (SIGCONT)", run_resume);
  add_load(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error, argc, argv);
  }
  if (!arguments.outcome) return report_failure(arguments.outcome.error(), arguments.common.json);
  return *arguments.outcome;
}

}  // namespace quorate::testnet
