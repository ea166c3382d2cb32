// The costs of a simulation: read from the command line or a file, written back, or measured on
// this machine by the load generator's probes and by timing the real code in a short simulated run.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "crypto/base/result.hpp"
#include "tests/sim/timed/costs.hpp"

namespace quorate::testnet {

// "reference", or "name=nanoseconds,..." for what differs from it.
std::string to_text(const sim::timed::Costs& costs);
nlohmann::json to_json(const sim::timed::Costs& costs);

// `text`: reference, a file of save_costs, or name=nanoseconds,... Errors: invalid_argument,
// not_found, io, bad_encoding; each names the field or the file.
Result<sim::timed::Costs> read_costs(const std::string& text);
Result<void> save_costs(const std::filesystem::path& file, const sim::timed::Costs& costs);

// Takes about two seconds. `folder`: where the disk is probed. Errors: io.
Result<sim::timed::Costs> probe_costs(const std::filesystem::path& folder);

}  // namespace quorate::testnet
