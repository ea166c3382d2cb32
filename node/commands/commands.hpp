// The commands of quorate-node and what each is given. cli.cpp fills these from the command line,
// main.cpp calls the functions; `run` itself is wired up in main.cpp.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "consensus/engine_list.hpp"
#include "node/commands/command_result.hpp"
#include "node/commands/output.hpp"
#include "node/config/home.hpp"
#include "node/config/node_config.hpp"
#include "rpc/command_line/version.hpp"

namespace quorate::node {

// What quorate-node is built with.
rpc::LibraryVersions program_libraries();

// What every command has.
struct CommandContext {
  Output output{Output::Options{}};
  std::optional<std::string> home_flag;
  std::vector<TextSetting> settings;  // from flags such as --rpc-listen and --set
  Environment environment;

  CommandResult<Home> home() const;
  CommandResult<LoadedConfig> config(const Home& home) const;
};

struct InitOptions {
  std::string name;
  std::string p2p = "127.0.0.1:30645";
};
struct RunOptions {
  bool no_bft = false;
};
struct ConfigCheckOptions {};
struct ConfigShowOptions {
  bool origin = false;
};
struct GenesisBuildOptions {
  std::vector<std::string> entries;  // files, "-" = stdin
  std::string chain_name;
  std::string engine = consensus::default_engine();
  std::vector<std::string> engine_parameters;  // NAME=VALUE
  std::vector<std::string> accounts;           // ADDRESS=BALANCE
  std::optional<std::uint64_t> dev_accounts;
  std::vector<std::string> submitters;
  std::optional<std::uint64_t> time_ms;
  std::optional<std::string> output;
  bool no_bft = false;
};
struct GenesisHashOptions {
  std::optional<std::string> file;
};
struct GenesisValidateOptions {
  std::optional<std::string> file;
  bool no_bft = false;
};
struct KeysOptions {};
struct VerifyOptions {};

using CommandOptions = std::variant<InitOptions, RunOptions, ConfigCheckOptions, ConfigShowOptions,
                                    GenesisBuildOptions, GenesisHashOptions, GenesisValidateOptions,
                                    KeysOptions, VerifyOptions>;

CommandResult<> init(const CommandContext& context, const InitOptions& options);
CommandResult<> config_check(const CommandContext& context);
CommandResult<> config_show(const CommandContext& context, const ConfigShowOptions& options);
CommandResult<> genesis_build(const CommandContext& context, const GenesisBuildOptions& options);
CommandResult<> genesis_hash(const CommandContext& context, const GenesisHashOptions& options);
CommandResult<> genesis_validate(const CommandContext& context,
                                 const GenesisValidateOptions& options);
CommandResult<> keys(const CommandContext& context);
CommandResult<> verify(const CommandContext& context);

}  // namespace quorate::node
