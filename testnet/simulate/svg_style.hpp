// The looks of the timeline: colours for light and dark, the legend, arrowheads and hatchings.
#pragma once

#include <array>
#include <string>

#include "tests/sim/timed/frame.hpp"

namespace quorate::testnet {

struct LegendEntry {
  sim::timed::MessageType type;
  const char* css;
};
inline constexpr std::array<LegendEntry, 7> kLegend = {{
    {sim::timed::MessageType::pre_prepare, "pre-prepare"},
    {sim::timed::MessageType::prepare, "prepare"},
    {sim::timed::MessageType::commit, "commit"},
    {sim::timed::MessageType::checkpoint, "checkpoint"},
    {sim::timed::MessageType::suspect, "suspect"},
    {sim::timed::MessageType::view_change, "view-change"},
    {sim::timed::MessageType::new_view, "new-view"},
}};
// Consecutive views have different tints.
inline constexpr std::uint64_t kViewTints = 5;

std::string style_and_patterns();

}  // namespace quorate::testnet
