#include "tests/sim/replay.hpp"

#include "ledger/memory_store.hpp"
#include "node/peer_messages.hpp"

namespace quorate::sim {

std::optional<std::string> replay_fault(const ledger::Genesis& genesis, const ledger::Chain& chain,
                                        const std::function<Digest(Height)>& expected) {
  ledger::MemoryStore store;
  auto fresh = ledger::Chain::open(store, genesis);
  if (!fresh) return "the replay does not open: " + fresh.error().detail;
  for (Height height(1); height <= chain.head().height; height = height.next()) {
    const auto stored = chain.block(height);
    if (!stored) return "a block is missing: " + stored.error().detail;
    auto transactions = node::decode_committed_payload(chain.chain_id(), stored->payload);
    if (!transactions) return std::string("a stored payload does not decode");
    const auto executed = (*fresh)->execute(
        {{height, stored->header.payload_id, stored->header.time, stored->header.proposer,
          stored->payload, std::move(*transactions), stored->commit_certificate}});
    if (!executed || executed->front().block_hash != expected(height)) {
      return "the replay from genesis gives another block at height " +
             std::to_string(height.value());
    }
  }
  return std::nullopt;
}

}  // namespace quorate::sim
