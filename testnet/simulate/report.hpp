// The result of a simulated run, for people and for programs. The same run gives the same bytes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "testnet/load/statistics.hpp"
#include "testnet/simulate/recorder.hpp"

namespace quorate::testnet {

struct SimulationReport {
  const SimulateOptions& options;
  const sim::timed::Scene& scene;
  const Recorder& record;
  const sim::timed::RunEnd& end;

  // Transactions per second that became final in the last four fifths of the load, as `load`
  // counts them.
  double committed_per_second() const;
  Percentiles latency_ms() const;
  // Without a block, until the end of the run if something still waited for one then.
  Duration longest_stop() const;

  // ---- of proof of work ----
  std::size_t stale() const;  // blocks that were mined and are not on the branch that won
  double stale_rate() const;
};

// One line of the story in a network of so many nodes.
std::string in_words(const StoryEntry& entry, std::uint32_t nodes);
std::string to_text(const SimulationReport& report);
nlohmann::json to_json(const SimulationReport& report);

}  // namespace quorate::testnet
