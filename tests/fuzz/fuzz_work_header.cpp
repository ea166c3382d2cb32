// Work headers from strangers: whatever decodes encodes to the same bytes; the rules judge every
// header, alone, on a chain and as a run to resume from, without breaking an assertion; and what
// they accept is what they say. Input: a run of encoded headers, the last one perhaps cut short.
#include "crypto/base/assert.hpp"
#include "crypto/work/bits.hpp"
#include "crypto/work/header_rules.hpp"
#include "tests/unit/crypto/work/chain_fixture.hpp"

using namespace quorate;
using namespace quorate::crypto::work;

namespace {

std::vector<Header> decode_run(ByteView input) {
  std::vector<Header> out;
  while (!input.empty()) {
    const ByteView piece = input.first(std::min(input.size(), kHeaderSize));
    input = input.subspan(piece.size());
    const auto header = decode_header(piece);
    if (!header) continue;
    QUORATE_ASSERT(std::ranges::equal(encode(*header), piece));
    QUORATE_ASSERT(id_of(*header) == id_of_encoded(piece));
    QUORATE_ASSERT(work_of_bits(header->bits) > Uint256{});
    out.push_back(*header);
  }
  return out;
}

// Makes the header one that its parent's rules accept, but for its time: so that deep paths are
// reached without a search for bits and parents.
Header fitted(const HeaderRules& rules, const Context& parent, Header header) {
  header.chain_id = rules.chain_id();
  header.parent = parent.id;
  header.height = parent.height.next();
  header.bits = rules.next_bits(parent);
  return header;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<Header> headers = decode_run({data, size});
  const HeaderRules rules = test::rules();
  Context tip = rules.genesis();
  for (const Header& header : headers) {
    const Digest id = id_of(header);
    if (rules.check_alone(header, id, double_sha256())) {
      QUORATE_ASSERT(from_little_endian(id) <= *target_of_bits(header.bits));
    }
    const auto extended = rules.extend(tip, header, id);
    QUORATE_ASSERT(!extended || (header.parent == tip.id && header.bits == rules.next_bits(tip)));
    const Header fits = fitted(rules, tip, header);
    const auto next = rules.extend(tip, fits, id_of(fits));
    QUORATE_ASSERT(next.has_value() == (fits.time_s >= rules.earliest_time(tip)));
    if (next) tip = *next;
    QUORATE_ASSERT(target_of_bits(rules.next_bits(tip)).has_value());
    QUORATE_ASSERT(expected_hashes(rules.next_bits(tip)) >=
                   expected_hashes(rules.parameters().limit_bits));
  }
  const auto resumed = rules.resume(headers);
  QUORATE_ASSERT(!resumed || resumed->next <= headers.size());
  return 0;
}
