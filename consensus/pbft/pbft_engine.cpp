#include "consensus/pbft/pbft_engine.hpp"

namespace quorate::consensus::pbft {

void PbftEngine::step(const Event&, std::vector<Output>&) {}

}  // namespace quorate::consensus::pbft
