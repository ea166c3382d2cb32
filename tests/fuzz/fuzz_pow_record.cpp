// Arbitrary bytes as records of the proof-of-work engine's log: either refused, or understood in a
// way that survives being written and read again.
#include <cstdint>

#include "consensus/pow/durable_state.hpp"
#include "tests/unit/consensus/test_keys.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace quorate;
  using namespace quorate::consensus;
  const Bytes bytes(data, data + size);
  const Digest chain = test::test_membership(4).chain_id;
  const Bytes empty = pow::encode_snapshot(chain, {});
  for (const auto& records : {std::vector<Bytes>{bytes}, std::vector<Bytes>{empty, bytes}}) {
    const auto blocks = pow::replay(records, chain, 1024);
    if (!blocks) continue;
    const auto again = pow::replay({pow::encode_snapshot(chain, *blocks)}, chain, 1024);
    QUORATE_ASSERT(again.has_value() && again->size() == blocks->size());
    for (std::size_t i = 0; i < blocks->size(); ++i) {
      QUORATE_ASSERT((*again)[i].header.id == (*blocks)[i].header.id);
      QUORATE_ASSERT(*(*again)[i].payload == *(*blocks)[i].payload);
    }
  }
  return 0;
}
