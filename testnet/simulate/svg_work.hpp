// Draws a run of proof of work: the blocks as a tree over time, and below it, for every replica,
// which tip it preferred, what it left for a heavier branch and what its ledger took back. Pure.
#pragma once

#include <string>

#include "testnet/simulate/report.hpp"

namespace quorate::testnet {

std::string draw_work_timeline(const SimulationReport& report, Window window);
// Around the first rewind, or the first fork, with what led to it; otherwise the first blocks.
Window default_work_window(const SimulationReport& report);

}  // namespace quorate::testnet
