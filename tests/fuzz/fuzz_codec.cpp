// The strict codec: whatever decodes encodes to the same bytes, and a reader that failed stays
// failed and never reads outside its input.
#include "crypto/base/assert.hpp"
#include "crypto/certificate/seal.hpp"

using namespace quorate;
using namespace quorate::crypto;

namespace {

void signatures_have_one_encoding(ByteView input) {
  Reader in(input);
  const auto signatures = decode_signatures(in, 100);
  if (!in.finish()) return;
  Writer out;
  encode(out, signatures);
  QUORATE_ASSERT(std::ranges::equal(out.view(), input));
}

// Performs the read that `operation` names, limited by `size`, and returns a view if it gives one.
ByteView read_once(Reader& in, unsigned operation, std::uint8_t size) {
  switch (operation % 8) {
    case 0: in.u8(); return {};
    case 1: in.u16(); return {};
    case 2: in.u32(); return {};
    case 3: in.u64(); return {};
    case 4: return in.raw(size);
    case 5: return in.bytes(size);
    case 6: in.fixed<Digest>(); return {};
    default: {
      const std::uint32_t count = in.count(0, 0xFFFFFFFF, size + 1U);
      QUORATE_ASSERT(static_cast<std::uint64_t>(count) * (size + 1U) <= in.left());
      return {};
    }
  }
}

// The first half of the input says what to read from the second half.
void reads_stay_inside(ByteView input) {
  const ByteView program = input.first(input.size() / 2);
  const ByteView data = input.subspan(program.size());
  Reader in(data);
  for (const std::uint8_t operation : program) {
    const bool was_ok = in.ok();
    const std::size_t before = in.left();
    const ByteView view = read_once(in, operation, operation);
    QUORATE_ASSERT(in.left() <= before);
    QUORATE_ASSERT(was_ok || (!in.ok() && view.empty() && in.left() == before));
    QUORATE_ASSERT(view.empty() || (view.data() >= data.data() &&
                                    view.data() + view.size() <= data.data() + data.size()));
  }
  QUORATE_ASSERT(in.finish().has_value() == (in.ok() && in.left() == 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  signatures_have_one_encoding({data, size});
  reads_stay_inside({data, size});
  return 0;
}
