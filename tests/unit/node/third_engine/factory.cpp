// In the place of consensus/engine_list.cpp and consensus/factory.cpp: what adding an engine
// changes there, and nowhere else.
#include "consensus/factory.hpp"

#include <array>

#include "consensus/engine_list.hpp"
#include "tests/unit/node/third_engine/sequencer.hpp"

namespace quorate::consensus {

std::span<const EngineKind> engine_kinds() {
  static constexpr std::array<EngineKind, 1> kKinds = {{{sequencer::kName, ProvedBy::none}}};
  return kKinds;
}

Result<EngineParts> make_engine(const EngineConfig& config, const crypto::Signer*,
                                const crypto::Verifier&, const crypto::work::WorkFunction*) {
  if (config.engine == sequencer::kName) return sequencer::make_sequencer(config);
  return fail(Errc::invalid_argument,
              "unknown engine \"" + config.engine + "\"; there are: " + engine_names(", "));
}

}  // namespace quorate::consensus
