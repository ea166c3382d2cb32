// JSON forms of ledger types as a client reads them from a node it does not trust. Whatever a
// reader accepts must come out the same after another turn through JSON.
#include "crypto/base/assert.hpp"
#include "rpc/json/ledger_json.hpp"

using namespace quorate;
using namespace quorate::rpc;

namespace {

template <class T>
void turn(const Json& json, Result<T> (*read)(const Json&)) {
  const Result<T> first = read(json);
  if (!first) {
    QUORATE_ASSERT(first.error().code == Errc::bad_encoding && !first.error().detail.empty());
    return;
  }
  const Result<T> second = read(parse_json(to_json(*first).dump()).value());
  QUORATE_ASSERT(second.has_value() && *second == *first);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = parse_json({reinterpret_cast<const char*>(data), size});
  if (!json) return 0;
  turn(*json, genesis_from_json);
  turn(*json, header_from_json);
  turn(*json, receipt_from_json);
  turn(*json, certificate_from_json);
  turn(*json, merkle_proof_from_json);
  turn(*json, state_proof_from_json);
  return 0;
}
