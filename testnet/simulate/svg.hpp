// The timeline of a simulated run as one SVG file that needs nothing else: a lane for each replica,
// an arrow for each message coloured by its type, bands for the views, marks for crashes,
// partitions and blocks. Quiet stretches of time are cut short. It follows the reader's light or
// dark theme.
#pragma once

#include <string>

#include "testnet/simulate/report.hpp"

namespace quorate::testnet {

// What is drawn when nobody says: around the first thing that goes wrong until blocks come again,
// or the first few blocks.
Window default_window(const SimulationReport& report);
std::string draw_timeline(const SimulationReport& report);

}  // namespace quorate::testnet
