// The first frame of a peer that may be anyone.
#include <cstddef>
#include <cstdint>

#include "crypto/base/assert.hpp"
#include "node/net/handshake.hpp"

using namespace quorate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  for (const char c : node::decode_refusal(input)) QUORATE_ASSERT(c >= 0x20 && c <= 0x7e);
  const auto hello = node::decode_hello(input);
  if (!hello) return 0;
  if (hello->wire_version == node::kWireVersion) {
    const Bytes again = node::encode_hello(*hello);
    QUORATE_ASSERT(std::equal(again.begin(), again.end(), input.begin(), input.end()));
  }
  PublicKey known;
  known.bytes[0] = 1;
  PublicKey own;
  const std::vector<node::Member> members = {{"a", known}, {"b", own}};
  node::Hello ours;
  ours.replica = ReplicaId(1);
  ours.name = "b";
  const auto peer = node::check_hello(ours, *hello, {known, std::nullopt}, members);
  QUORATE_ASSERT(!peer || *peer == ReplicaId(0));
  QUORATE_ASSERT(peer || !peer.error().detail.empty());
  return 0;
}
