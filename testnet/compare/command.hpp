// quorate-testnet compare: both engines under the same load, on real testnets and in the simulator,
// and one report.
#pragma once

#include "testnet/compare/options.hpp"

namespace CLI {
class App;
}

namespace quorate::testnet {

// `options` must outlive the parsing.
void add_compare_options(CLI::App& command, CompareOptions& options);

// Writes the report into the folder of the options, prints it, and returns the exit code. Errors:
// conflict when there is a report already; those of the parts.
Result<int> run_compare(const CompareOptions& options);

}  // namespace quorate::testnet
