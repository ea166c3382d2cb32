#include "node/commands/cli.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "rpc/command_line/help.hpp"
#include "rpc/command_line/self_description.hpp"
#include "rpc/command_line/usage.hpp"
#include "rpc/command_line/version.hpp"

namespace quorate::node {
namespace {

constexpr const char* kExamples =
    R"(Examples:
  quorate-node init --name node0 --p2p node0.example.org:30645 > node0.entry.json
  quorate-node genesis build node*.entry.json --chain-name example --output genesis.json
  quorate-node run --home /var/lib/quorate
  quorate-node run --log-level info,consensus=debug --rpc-listen 127.0.0.1:8646
  quorate-node config show --origin
  quorate-node verify

quorate-node runs and tends one validator of a Quorate chain.
)";

rpc::ManualText manual_text() {
  return {
      "run and tend one validator of a Quorate ledger",
      "A Quorate chain is run by several organisations with one node each. The nodes agree on one "
      "order of signed transactions by PBFT and go on while fewer than a third of them crash or "
      "lie.\n\n"
      "To start a chain, every organisation runs init and gives the printed entry to the others; "
      "everybody runs genesis build with the same entries and compares the chain_id; then "
      "everybody runs run.",
      {{"FILES",
        {{"config/config.toml", "The configuration; every key with its default and what it does."},
         {"config/genesis.json", "Who validates, what the parameters are, who has how much."},
         {"keys/node_key.json", "The key of the TLS connections to other nodes."},
         {"keys/validator_key.json",
          "The key that votes. Never in two places at a time: a validator that votes twice is "
          "faulty."},
         {"keys/validator_state.json",
          "Which vote log belongs to the key, and how far it had come. Without the log it names, "
          "the key never votes again."},
         {"data/db/", "The chain and the state."},
         {"data/votes/", "The vote log: what this validator has signed."},
         {"data/evidence.bin", "Proofs that a validator signed two things."},
         {"LOCK", "Held while a process uses the home folder."}}},
       {"ENVIRONMENT",
        {{"QUORATE_HOME",
          "The home folder, where --home is not given. Else $XDG_DATA_HOME/quorate, else "
          "~/.local/share/quorate."},
         {"QUORATE_SECTION__KEY",
          "Any configuration key: QUORATE_RPC__LISTEN for rpc.listen. A flag wins over it, and it "
          "wins over the file."}}},
       {"SIGNALS",
        {{"SIGTERM, SIGINT",
          "A clean stop with exit status 0: what was decided is executed and synced first."}}}}};
}

// Everything CLI11 writes into while it parses; it holds pointers, so this does not move.
struct Parser {
  CLI::App app{kExamples, "quorate-node"};
  Output::Options output;
  CommandContext context;
  std::vector<std::string> sets;
  bool verbose = false;
  std::optional<rpc::SelfDescription> self_description;
  std::optional<CommandOptions> command;

  InitOptions init;
  RunOptions run;
  ConfigShowOptions config_show;
  GenesisBuildOptions genesis_build;
  GenesisHashOptions genesis_hash;
  GenesisValidateOptions genesis_validate;

  Parser();
  void add_global_flags();
  void add_init();
  void add_run();
  void add_config();
  void add_genesis();
  void add_genesis_build(CLI::App& genesis);
  CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& examples,
                        const std::string& description);
  // A flag for one configuration key.
  void add_setting(const std::string& flag, const std::string& key, const std::string& help);
  CommandResult<Invocation> finish();
};

Parser::Parser() {
  app.require_subcommand(1);
  app.fallthrough();
  rpc::show_examples_first(app);
  add_global_flags();
  add_init();
  add_run();
  add_config();
  add_genesis();
  add_command(app, "keys", "quorate-node keys --json", "Show the public keys of this node.")
      .callback([this] { command = KeysOptions{}; });
  add_command(app, "verify", "quorate-node verify --home /var/lib/quorate",
              "Replay the chain of a stopped node from genesis and compare every root and "
              "certificate.")
      .callback([this] { command = VerifyOptions{}; });
  self_description.emplace(app, manual_text());
}

void Parser::add_global_flags() {
  app.set_version_flag("-V,--version", rpc::version_text("quorate-node", program_libraries()));
  app.add_option("--home", context.home_flag,
                 "Home folder (else QUORATE_HOME, else ~/.local/share/quorate)");
  app.add_flag("--json", output.json, "Machine-readable output");
  app.add_flag("--plain", output.plain, "No symbols and no progress");
  app.add_flag("-q,--quiet", output.quiet, "Errors only");
  app.add_flag("-v,--verbose", verbose, "Log level debug");
  add_setting("--log-level", "log.level", "info, or info,consensus=debug");
  add_setting("--log-format", "log.format", "plain, json or auto");
  add_setting("--rpc-listen", "rpc.listen", "Address of JSON-RPC, WebSocket and metrics");
  add_setting("--p2p-listen", "p2p.listen", "Address on which other validators connect");
  add_setting("--mining-threads", "mining.threads", "Threads that look for blocks");
  app.add_option("--set", sets, "Any configuration key")->type_name("KEY=VALUE");
}

CLI::App& Parser::add_command(CLI::App& parent, const std::string& name,
                              const std::string& examples, const std::string& description) {
  CLI::App* added = parent.add_subcommand(name, description);
  added->footer("Example: " + examples);
  added->fallthrough();
  return *added;
}

void Parser::add_setting(const std::string& flag, const std::string& key, const std::string& help) {
  app.add_option_function<std::string>(
      flag,
      [this, flag, key](const std::string& text) {
        context.settings.push_back({key, text, flag});
      },
      help + " [" + key + "]");
}

void Parser::add_init() {
  CLI::App& added =
      add_command(app, "init", "quorate-node init --name node0 --p2p node0.example.org:30645",
                  "Make keys and configuration; print the validator entry for the genesis.");
  added.add_option("--name", init.name, "Name of the validator: a-z, 0-9, -")->required();
  added.add_option("--p2p", init.p2p, "Where the other validators reach this one")
      ->capture_default_str();
  added.callback([this] { command = init; });
}

void Parser::add_run() {
  CLI::App& added = add_command(app, "run", "quorate-node run --home /var/lib/quorate",
                                "Run the node until SIGTERM or Ctrl-C.");
  added.add_flag("--no-bft", run.no_bft, "Accept fewer than four validators, which tolerate none");
  added.callback([this] { command = run; });
}

void Parser::add_config() {
  CLI::App& config = add_command(app, "config", "quorate-node config show --origin",
                                 "Check or show the configuration.");
  config.require_subcommand(1);
  add_command(config, "check", "quorate-node config check", "Check it and change nothing.")
      .callback([this] { command = ConfigCheckOptions{}; });
  CLI::App& show = add_command(config, "show", "quorate-node config show --origin",
                               "Print every key with its value.");
  show.add_flag("--origin", config_show.origin, "Say where each value comes from");
  show.callback([this] { command = config_show; });
}

void Parser::add_genesis() {
  CLI::App& genesis =
      add_command(app, "genesis", "quorate-node genesis hash", "Build, check or name a genesis.");
  genesis.require_subcommand(1);
  add_genesis_build(genesis);
  CLI::App& hash =
      add_command(genesis, "hash", "quorate-node genesis hash genesis.json", "Print the chain_id.");
  hash.add_option("file", genesis_hash.file, "Instead of the one in the home folder");
  hash.callback([this] { command = genesis_hash; });
  CLI::App& validate =
      add_command(genesis, "validate", "quorate-node genesis validate genesis.json",
                  "Check every rule of a genesis.");
  validate.add_option("file", genesis_validate.file, "Instead of the one in the home folder");
  validate.add_flag("--no-bft", genesis_validate.no_bft, "Accept fewer than four validators");
  validate.callback([this] { command = genesis_validate; });
}

void Parser::add_genesis_build(CLI::App& genesis) {
  GenesisBuildOptions& options = genesis_build;
  CLI::App& build = add_command(
      genesis, "build", "quorate-node genesis build node*.entry.json --chain-name example",
      "Make the genesis; the same entries and flags give the same file everywhere.");
  build.add_option("entries", options.entries, "Files that init printed; - is stdin")->required();
  build
      .add_option("--chain-name", options.chain_name,
                  "a-z, 0-9, -; local-... and dev-... may "
                  "fund development accounts")
      ->required();
  build.add_option("--engine", options.engine, "Ordering engine: " + consensus::engine_names())
      ->capture_default_str();
  build
      .add_option("--engine-parameter", options.engine_parameters,
                  "A parameter that only this engine has; repeat")
      ->type_name("NAME=VALUE");
  build.add_option("--account", options.accounts, "Fund an account; repeat")
      ->type_name("ADDRESS=BALANCE");
  build.add_option("--dev-accounts", options.dev_accounts,
                   "Fund each of the ten well-known development accounts");
  build.add_option("--submitter", options.submitters, "Only these may submit; repeat")
      ->type_name("ADDRESS");
  build.add_option("--time-ms", options.time_ms,
                   "Time of the genesis (else that of the newest entry)");
  build.add_option("--output", options.output, "Write here, never over another file");
  build.add_flag("--no-bft", options.no_bft, "Accept fewer than four validators");
  build.callback([this] { command = genesis_build; });
}

CommandResult<Invocation> Parser::finish() {
  for (const std::string& text : sets) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      return stop(ExitCode::usage, "--set " + text + ": expected KEY=VALUE");
    }
    context.settings.push_back({text.substr(0, equals), text.substr(equals + 1), "--set"});
  }
  if (verbose) context.settings.insert(context.settings.begin(), {"log.level", "debug", "-v"});
  context.output = Output(output);
  context.environment = process_environment();
  return Invocation{std::move(context), std::move(*command)};
}

}  // namespace

std::variant<Invocation, ExitCode> parse_command_line(int argc, const char* const* argv) {
  Parser parser;
  std::optional<CommandError> error;
  try {
    parser.app.parse(argc, argv);
    if (const auto text = parser.self_description->asked_for()) {
      Output(parser.output).raw(*text);
      return ExitCode::success;
    }
  } catch (const CLI::Success& success) {  // help or version
    parser.app.exit(success);
    return ExitCode::success;
  } catch (const CLI::ParseError& wrong) {
    error = rpc::usage_failure(parser.app, wrong);
    parser.output.json = rpc::wants_json(argc, argv);
  }
  if (!error) {
    auto invocation = parser.finish();
    if (invocation) return std::move(*invocation);
    error = invocation.error();
  }
  Output(parser.output).fail(*error);
  return error->exit;
}

}  // namespace quorate::node
