// quorate-testnet simulate: the real replicas in virtual time, for people.
#pragma once

#include "testnet/simulate/options.hpp"

namespace CLI {
class App;
}

namespace quorate::testnet {

// `options` must outlive the parsing.
void add_simulate_options(CLI::App& command, SimulateOptions& options);

// Prints the result on standard output and returns the exit code: 0, or 1 if replicas disagreed.
Result<int> run_simulate(const SimulateOptions& options);

}  // namespace quorate::testnet
