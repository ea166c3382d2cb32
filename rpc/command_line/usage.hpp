// What is common to the command lines of our programs: the sentence for a command line that cannot
// be understood, and the completions of a shell. Both are read off the CLI11 parser.
#pragma once

#include <string>
#include <vector>

#include "rpc/command_line/failure.hpp"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace quorate::rpc {

// Names the mistyped command or flag and the nearest one there is; exit code usage.
CommandFailure usage_failure(const CLI::App& app, const CLI::ParseError& error);

// True when --json is among the arguments: a usage error must not depend on how far parsing came.
bool wants_json(int argc, const char* const* argv);

// The shells that completion_script knows.
const std::vector<std::string>& completion_shells();
// A script that completes the commands and flags of `app` in one of those shells: printed by
// `PROGRAM completion SHELL`, to be sourced or put where the shell looks.
std::string completion_script(const CLI::App& app, const std::string& shell);

}  // namespace quorate::rpc
