// What became of one transaction of a block. Every transaction of the payload has a receipt, in
// payload order; the receipt root in the header commits to them.
#pragma once

#include <cstdint>

#include "crypto/base/bytes.hpp"
#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"
#include "ledger/types/reason.hpp"

namespace quorate::ledger {

enum class Outcome : std::uint8_t {
  succeeded = 0,
  failed = 1,   // nonce consumed, operations undone; final
  skipped = 2,  // no effect at all: wrong nonce, expired or duplicate
};
std::string_view to_string(Outcome outcome);

// Canonical: transaction_id 32 | outcome u8 | reason u8 | failed_operation u8 (0 unless failed)
struct Receipt {
  Digest transaction_id;
  Outcome outcome = Outcome::succeeded;
  Reason reason = Reason::none;
  std::uint8_t failed_operation = 0;
  bool operator==(const Receipt&) const = default;
};

void encode(crypto::Writer& out, const Receipt& receipt);
Receipt decode_receipt(crypto::Reader& in);
// The leaf of the receipt tree: H("quorate/receipt/1", encoding).
Digest receipt_leaf(const Receipt& receipt);

}  // namespace quorate::ledger
