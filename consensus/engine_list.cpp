#include "consensus/engine_list.hpp"

#include <array>

namespace quorate::consensus {

std::span<const EngineKind> engine_kinds() {
  static constexpr std::array<EngineKind, 2> kKinds = {
      {{"pbft", ProvedBy::seals}, {"pow", ProvedBy::work}}};
  return kKinds;
}

}  // namespace quorate::consensus
