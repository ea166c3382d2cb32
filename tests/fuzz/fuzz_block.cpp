// Headers and block certificates: whatever decodes encodes to the same bytes.
#include "crypto/base/assert.hpp"
#include "ledger/types/block_certificate.hpp"

using namespace quorate;
using namespace quorate::ledger;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (const auto header = decode_header(input)) {
    QUORATE_ASSERT(encode(*header) == to_bytes(input));
  }
  if (const auto certificate = decode_block_certificate(input)) {
    QUORATE_ASSERT(encode(*certificate) == to_bytes(input));
    for (std::size_t i = 1; i < certificate->seals.size(); ++i) {
      QUORATE_ASSERT(certificate->seals[i - 1].replica < certificate->seals[i].replica);
    }
  }
  return 0;
}
