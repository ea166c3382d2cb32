// The command line of quorate-node. The only place that knows CLI11.
#pragma once

#include <variant>

#include "node/commands/commands.hpp"

namespace quorate::node {

struct Invocation {
  CommandContext context;
  CommandOptions command;
};

// What to run, or the exit code when there is nothing to run: help, version or completions were
// printed (success), or a usage error was (usage), with the nearest word where one was mistyped.
std::variant<Invocation, ExitCode> parse_command_line(int argc, const char* const* argv);

}  // namespace quorate::node
