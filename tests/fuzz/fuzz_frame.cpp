// The stream of a peer: frames before and after the handshake. The first byte says after how many
// frames the hello counts as accepted and into pieces of which size the stream is cut.
#include <cstddef>
#include <cstdint>

#include "crypto/base/assert.hpp"
#include "node/net/frame.hpp"

using namespace quorate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t accepted_after = data[0] & 3U;
  const std::size_t piece = 1 + (data[0] >> 2U);
  node::FrameParser parser({.consensus_max = 300, .sync_max = 600, .transactions_max = 400});
  Bytes again;
  std::size_t frames = 0;
  for (std::size_t at = 1; at < size; at += piece) {
    ByteView input(data + at, std::min(piece, size - at));
    while (true) {
      if (frames == accepted_after) parser.set_established();
      const auto frame = parser.next(input);
      if (!frame) return 0;
      if (!*frame) break;
      QUORATE_ASSERT((*frame)->body.size() <= 1024);
      node::append_frame(again, (*frame)->type, (*frame)->body);
      ++frames;
    }
  }
  // What came out is what went in, byte for byte.
  QUORATE_ASSERT(again.size() <= size - 1 && std::equal(again.begin(), again.end(), data + 1));
  return 0;
}
