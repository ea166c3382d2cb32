#include "ledger/types/receipt.hpp"

#include "crypto/hash.hpp"
#include "ledger/types/transaction.hpp"

namespace quorate::ledger {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::succeeded: return "succeeded";
    case Outcome::failed: return "failed";
    case Outcome::skipped: return "skipped";
  }
  return "unknown";
}

void encode(crypto::Writer& out, const Receipt& receipt) {
  out.raw(receipt.transaction_id);
  out.u8(static_cast<std::uint8_t>(receipt.outcome));
  out.u8(static_cast<std::uint8_t>(receipt.reason));
  out.u8(receipt.failed_operation);
}

Receipt decode_receipt(crypto::Reader& in) {
  Receipt receipt;
  receipt.transaction_id = in.fixed<Digest>();
  const std::uint8_t outcome = in.u8();
  const auto reason = reason_from(in.u8());
  receipt.failed_operation = in.u8();
  if (!in.ok()) return {};
  if (outcome > static_cast<std::uint8_t>(Outcome::skipped)) {
    in.reject("unknown outcome " + std::to_string(outcome));
    return {};
  }
  if (!reason) {
    in.reject("unknown reason in a receipt");
    return {};
  }
  receipt.outcome = static_cast<Outcome>(outcome);
  receipt.reason = *reason;
  if ((receipt.outcome == Outcome::succeeded) != (receipt.reason == Reason::none)) {
    in.reject("a receipt has a reason exactly when it did not succeed");
  }
  if (receipt.failed_operation >= kOperationsMax ||
      (receipt.failed_operation != 0 && receipt.outcome != Outcome::failed)) {
    in.reject("a receipt names a failed operation that cannot be");
  }
  return receipt;
}

Digest receipt_leaf(const Receipt& receipt) {
  crypto::Writer out;
  out.reserve(35);
  encode(out, receipt);
  return crypto::hash("quorate/receipt/1", {out.view()});
}

}  // namespace quorate::ledger
