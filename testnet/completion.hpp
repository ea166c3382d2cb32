// Completions for the shells, made from the command line's own definition, so that they never lag
// behind it. Pure but for printing.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "crypto/base/result.hpp"

namespace quorate::testnet {

// Prints the script for bash, zsh or fish. Error invalid_argument for another shell.
Result<int> run_completion(const CLI::App& app, const std::string& shell);

}  // namespace quorate::testnet
