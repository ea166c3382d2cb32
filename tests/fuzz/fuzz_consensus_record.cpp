// Arbitrary bytes as a record of the vote log and as a commit certificate: either refused, or
// understood in a way that survives being written and read again.
#include <cstdint>

#include "consensus/pbft/durable_state.hpp"
#include "tests/unit/consensus/test_keys.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace quorate;
  using namespace quorate::consensus;
  const ByteView bytes{data, size};
  const auto membership = test::test_membership(4);
  const Bytes empty = pbft::encode_snapshot({}, membership);
  const auto state = pbft::replay({empty, to_bytes(bytes)}, membership, 1024);
  if (state) {
    const Bytes snapshot = pbft::encode_snapshot(*state, membership);
    const auto again = pbft::replay({snapshot}, membership, 1024);
    QUORATE_ASSERT(again.has_value());
    QUORATE_ASSERT(pbft::encode_snapshot(*again, membership) == snapshot);
  }
  const auto certificate = pbft::decode_certificate(bytes, 4);
  if (certificate) {
    const Bytes again = pbft::encode_certificate(certificate->first, certificate->second);
    QUORATE_ASSERT(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
  }
  return 0;
}
