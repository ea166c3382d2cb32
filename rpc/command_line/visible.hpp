// What of a parser is meant for people: a command without a group is for the program's own use.
#pragma once

#include <CLI/CLI.hpp>
#include <vector>

namespace quorate::rpc {

inline std::vector<const CLI::App*> visible_commands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

}  // namespace quorate::rpc
