#include "testnet/cli.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

#include "rpc/command_line/help.hpp"
#include "rpc/command_line/self_description.hpp"
#include "rpc/command_line/usage.hpp"
#include "rpc/command_line/version.hpp"
#include "testnet/commands/commands.hpp"
#include "testnet/compare/command.hpp"
#include "testnet/load/accounts.hpp"
#include "testnet/simulate/command.hpp"

namespace quorate::testnet {

namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  quorate-testnet up                  four nodes in ./testnet-data\n"
    "  quorate-testnet status\n"
    "  quorate-testnet kill node0          and see transfers go on\n"
    "  quorate-testnet start node0         and see it catch up\n"
    "  quorate-testnet up --faults         then: partition 0,1 2,3, perturb, heal\n"
    "  quorate-testnet why-stalled         when nothing commits any more\n"
    "  quorate-testnet logs node0 -f\n"
    "  quorate-testnet load                how fast is it here?\n"
    "  quorate-testnet simulate --nodes 31 --fault crash:primary@2s --svg run.svg\n"
    "  quorate-testnet compare             PBFT or proof of work: which for what?\n"
    "  quorate-testnet down --purge\n";

std::vector<std::pair<std::string, std::vector<std::string>>> command_examples() {
  return {{"up", {"up", "up --nodes 7", "up --faults"}},
          {"down", {"down", "down --purge"}},
          {"status", {"status", "status --json"}},
          {"why-stalled", {"why-stalled"}},
          {"logs", {"logs node0", "logs node0 -f"}},
          {"kill", {"kill node0"}},
          {"start", {"start node0"}},
          {"pause", {"pause node0"}},
          {"resume", {"resume node0"}},
          {"partition", {"partition 0,1 2,3", "partition 0"}},
          {"heal", {"heal"}},
          {"perturb", {"perturb --delay 50 --loss 2", "perturb --node 0 --delay 200"}},
          {"load", {"load", "load --json"}},
          {"simulate", {"simulate", "simulate --nodes 31 --fault crash:primary@2s --svg run.svg"}},
          {"compare", {"compare"}}};
}

rpc::ManualText manual_text() {
  return {
      "run a Quorate network on this machine",
      "Makes the keys, the genesis and the configuration of a network of nodes, runs them as "
      "processes of this machine, and breaks them on request: crashes, freezes, partitions, delay "
      "and loss. It also measures what the network can do, and says why it stands still when it "
      "does.\n\n"
      "The chain funds ten development accounts, alice to judy, whose keys everybody knows. 'up' "
      "makes the wallet's profile local for it, with the chain pinned.",
      {{"FILES",
        {{"testnet-data/",
          "The network, where --data is not given: testnet.json, genesis.json and "
          "one home folder per node with its log."}}}}};
}

// Everything CLI11 writes into while it parses; it holds pointers, so this does not move.
class CommandLine {
 public:
  CommandLine();
  int run(int argc, char** argv);

 private:
  using Command = std::function<Result<int>()>;

  void add_globals();
  CLI::App& add(const char* name, const char* help, Command command);
  void add_up();
  void add_network_commands();
  void add_nodes_command(const char* name, const char* help,
                         Result<int> (*command)(const NodesOptions&));
  void add_fault_commands();
  void add_load();
  void add_load_limits(CLI::App& command);
  void add_simulate();
  void add_compare();

  CLI::App app_{std::string(kExamples) + "\nRuns a Quorate network on this machine.",
                "quorate-testnet"};
  CommonOptions common_;
  UpOptions up_;
  bool purge_ = false;
  LogsOptions logs_;
  std::vector<std::string> nodes_;
  std::vector<std::string> groups_;
  PerturbOptions perturb_;
  LoadOptions load_;
  SimulateOptions simulate_;
  CompareOptions compare_;
  std::optional<rpc::SelfDescription> self_description_;
  Command chosen_;
};

CommandLine::CommandLine() {
  app_.set_version_flag(
      "-V,--version",
      rpc::version_text("quorate-testnet", rpc::library_versions({"boost", "openssl", "libsodium",
                                                                  "nlohmann-json", "cli11"})));
  app_.require_subcommand(1);
  app_.fallthrough();
  rpc::show_examples_first(app_);
  add_globals();
  add_up();
  add_network_commands();
  add_fault_commands();
  add_load();
  add_simulate();
  add_compare();
  rpc::give_examples(app_, command_examples());
  self_description_.emplace(app_, manual_text());
}

void CommandLine::add_globals() {
  app_.add_option("--data", common_.data, "Folder of the testnet")->capture_default_str();
  app_.add_flag("--json", common_.json, "One JSON document on standard output");
  app_.add_flag("--plain", common_.plain, "No symbols");
  app_.add_flag("-q,--quiet", common_.quiet, "Results only, no hints");
  app_.add_flag("-v,--verbose", common_.verbose, "More detail where there is some");
  app_.add_option_function<std::uint64_t>(
          "--timeout",
          [this](std::uint64_t seconds) { common_.timeout = std::chrono::seconds(seconds); },
          "Seconds to wait for the nodes (default 30)")
      ->check(CLI::Range(1, 3600));
}

CLI::App& CommandLine::add(const char* name, const char* help, Command command) {
  CLI::App* added = app_.add_subcommand(name, help);
  added->fallthrough();
  added->callback([this, command = std::move(command)] { chosen_ = command; });
  return *added;
}

void CommandLine::add_up() {
  auto& plan = up_.plan;
  plan.load_accounts = kLoadAccountsDefault;
  CLI::App& command = add("up", "Make a testnet, or resume the one in the folder", [this] {
    up_.common = common_;
    return run_up(up_);
  });
  const auto given = [&command](const char* name, auto& value, const std::string& help,
                                bool& flag) {
    return command.add_option(name, value, help)
        ->capture_default_str()
        ->each([&flag](const std::string&) { flag = true; });
  };
  given("--nodes", plan.nodes, "How many nodes", up_.nodes_given)
      ->check(CLI::Range(kNodesMin, kNodesMax));
  given("--engine", plan.engine, "Ordering engine: " + consensus::engine_names(), up_.engine_given);
  command
      .add_option("--engine-parameter", up_.engine_parameters,
                  "A parameter that only this engine has, for example interval_ms=500; repeat")
      ->type_name("NAME=VALUE");
  given("--mining-duty", plan.mining.duty_percent,
        "Percent of one processor that each node mines with", up_.mining_given)
      ->check(CLI::Range(1U, 100U));
  given("--mining-instant", plan.mining.instant_ms,
        "For tests: mine only while transactions wait, after so many milliseconds on average, "
        "without searching (0: off)",
        up_.mining_given)
      ->check(CLI::Range(0U, 600'000U));
  given("--rpc-base-port", plan.rpc_base_port, "RPC port of node0", up_.rpc_base_port_given);
  given("--p2p-base-port", plan.p2p_base_port, "P2P port of node0", up_.p2p_base_port_given);
  given("--load-accounts", plan.load_accounts,
        "Accounts funded in the genesis for `load` to send from", up_.load_accounts_given)
      ->check(CLI::Range(0U, kLoadAccountsMax));
  given("--checkpoint-interval", plan.checkpoint_interval,
        "Blocks between checkpoints, a parameter of the chain (0: its default)",
        up_.checkpoint_interval_given);
  command.add_flag("--faults", up_.faults,
                   "Connect the nodes through fault links, for partition and perturb; nodes that "
                   "run already are restarted one after the other");
}

void CommandLine::add_network_commands() {
  CLI::App& down = add("down", "Stop every node", [this] { return run_down({common_, purge_}); });
  down.add_flag("--purge", purge_, "Remove the data as well");
  add("status", "What every node does", [this] { return run_status(common_); });
  add("why-stalled", "Ask every node why nothing commits, and what to do next (exit 1: stalled)",
      [this] { return run_why_stalled(common_); });
  CLI::App& logs = add("logs", "The log of one node", [this] {
    logs_.common = common_;
    return run_logs(logs_);
  });
  logs.add_option("node", logs_.node, "Which node, for example node0")->required();
  logs.add_flag("-f,--follow", logs_.follow, "Go on printing what is appended");
  logs.add_option("-n,--lines", logs_.lines, "How many of the last lines")->capture_default_str();
  add_nodes_command("kill", "End nodes at once, as a crash would (SIGKILL)", run_kill);
  add_nodes_command("start", "Start nodes and wait until they have caught up", run_start);
  add_nodes_command("pause", "Freeze nodes where they are (SIGSTOP)", run_pause);
  add_nodes_command("resume", "Let paused nodes go on (SIGCONT)", run_resume);
}

void CommandLine::add_nodes_command(const char* name, const char* help,
                                    Result<int> (*command)(const NodesOptions&)) {
  CLI::App& added = add(name, help, [this, command] { return command({common_, nodes_}); });
  added.add_option("nodes", nodes_, "Which nodes, for example node0 node1")->required();
}

void CommandLine::add_fault_commands() {
  CLI::App& partition =
      add("partition",
          "Cut every link between groups of nodes: partition 0,1 2,3. Nodes that are not named are "
          "one more group. Needs up --faults",
          [this] {
            return run_partition({common_, groups_});
          });
  partition.add_option("groups", groups_, "Groups, each with commas: 0,1 2,3")->required();
  add("heal", "Make every link whole, fast and lossless again",
      [this] { return run_heal(common_); });
  CLI::App& perturb =
      add("perturb",
          "Delay, loss and rate of links: perturb --node 0 --delay 200. Without options it shows "
          "what is in force. Needs up --faults",
          [this] {
            perturb_.common = common_;
            return run_perturb(perturb_);
          });
  auto& change = perturb_;
  perturb.add_option("--link", change.links, "Links between two nodes, for example 0:1");
  perturb.add_option("--node", change.nodes, "Every link of a node; default: all links");
  perturb.add_flag("--one-way", change.one_way,
                   "Only from the first node to the second, or out of the node");
  perturb.add_option("--delay", change.delay_ms, "Milliseconds more")
      ->check(CLI::Range(0, 600'000));
  perturb.add_option("--jitter", change.jitter_ms, "Up to so many milliseconds more than that")
      ->check(CLI::Range(0, 600'000));
  perturb
      .add_option("--loss", change.loss_percent,
                  "Percent of chunks that TCP must send again: each stalls its stream for 200 "
                  "ms, then 400, ...; six in a row reset it")
      ->check(CLI::Range(0.0, 100.0));
  perturb.add_option("--rate", change.bytes_per_second, "Bytes per second at most (0: no limit)");
  // What the process of the fault links runs; not for people.
  add("fault-links", "", [this] { return run_fault_links(common_); }).group("");
}

void CommandLine::add_load() {
  CLI::App& command = add(
      "load",
      "Measure throughput and latency: transactions signed beforehand, sent on a fixed schedule "
      "whatever comes back, timed from when each was due to its verified certificate. Without "
      "--rate it climbs until the nodes no longer keep up",
      [this] {
        load_.common = common_;
        return run_load(load_);
      });
  command.add_option("--rate,--sweep", load_.rates, "Transactions per second, one or several")
      ->delimiter(',')
      ->check(CLI::Range(1.0, 1e6));
  command
      .add_option("--seconds", load_.seconds,
                  "Length of each measurement (default 5; 30 where blocks are mined)")
      ->check(CLI::Range(1.0, 3600.0));
  command
      .add_option("--idle", load_.idle_transactions,
                  "Transactions sent one at a time to measure idle latency (0: none; default 50, "
                  "3 where blocks are mined)")
      ->check(CLI::Range(0U, 10'000U));
  command.add_option("--connections", load_.connections, "Connections to each node")
      ->capture_default_str()
      ->check(CLI::Range(1U, 64U));
  add_load_limits(command);
}

void CommandLine::add_load_limits(CLI::App& command) {
  command
      .add_option_function<std::uint64_t>(
          "--batch-ms",
          [this](std::uint64_t value) { load_.batch_delay = std::chrono::milliseconds(value); },
          "How long due transactions wait for others to share a request (default 5)")
      ->check(CLI::Range(0, 1000));
  command
      .add_option_function<std::uint64_t>(
          "--drain",
          [this](std::uint64_t value) { load_.drain_timeout = std::chrono::seconds(value); },
          "Seconds to wait for what was sent to become final (default 60)")
      ->check(CLI::Range(0, 3600));
  command.add_option_function<std::string>(
      "--ack-file", [this](const std::string& path) { load_.ack_file = path; },
      "Append the id of every transfer whose receipt was proved, synced to disk");
}

void CommandLine::add_simulate() {
  add_simulate_options(add("simulate",
                           "Run the real replicas in virtual time: any number of them, any "
                           "network, any fault, and the same run again from what it prints",
                           [this] {
                             simulate_.common = common_;
                             return run_simulate(simulate_);
                           }),
                       simulate_);
}

void CommandLine::add_compare() {
  add_compare_options(
      add("compare",
          "Both engines under the same load, on real testnets of this machine and in the "
          "simulator, and one report: which to choose for what (about a quarter of an hour)",
          [this] {
            compare_.common = common_;
            return run_compare(compare_);
          }),
      compare_);
}

int CommandLine::run(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app_.exit(error);  // --help and --version
    return rpc::report_failure(rpc::usage_failure(app_, error), rpc::wants_json(argc, argv));
  }
  if (const auto text = self_description_->asked_for()) {
    std::cout << *text;
    return 0;
  }
  const auto outcome = chosen_();
  if (outcome) return *outcome;
  const Error& error = outcome.error();
  // 4 is for refused transactions, which no command here sends; what else is refused has failed.
  const auto exit = error.code == Errc::rejected ? ExitCode::failed : exit_code(error.code);
  return rpc::report_failure({.exit = exit, .message = error.detail}, common_.json);
}

}  // namespace

int run_cli(int argc, char** argv) {
  CommandLine line;
  return line.run(argc, argv);
}

}  // namespace quorate::testnet
