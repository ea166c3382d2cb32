// A third ordering engine, as small as one can be: replica 0 says what comes next, and everybody
// follows. A payload is committed when kSequencerDepth stand on it, its own included, so that its
// order is tentative first; nothing is mined, nobody votes or signs, and nothing proves a block to
// a client. For the test that a host needs to know no more of an engine than the seam says.
#pragma once

#include "consensus/factory.hpp"

namespace quorate::consensus::sequencer {

inline constexpr const char* kName = "sequencer";
inline constexpr std::uint32_t kSequencerDepth = 2;

Result<EngineParts> make_sequencer(const EngineConfig& config);

}  // namespace quorate::consensus::sequencer
