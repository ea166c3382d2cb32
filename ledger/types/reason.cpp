#include "ledger/types/reason.hpp"

namespace quorate::ledger {

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::none: return "none";
    case Reason::bad_encoding: return "bad_encoding";
    case Reason::bad_signature: return "bad_signature";
    case Reason::wrong_chain_id: return "wrong_chain_id";
    case Reason::nonce_too_low: return "nonce_too_low";
    case Reason::nonce_too_high: return "nonce_too_high";
    case Reason::insufficient_funds: return "insufficient_funds";
    case Reason::duplicate: return "duplicate";
    case Reason::expired: return "expired";
    case Reason::too_large: return "too_large";
    case Reason::unknown_sender: return "unknown_sender";
    case Reason::not_permitted: return "not_permitted";
    case Reason::mempool_full: return "mempool_full";
    case Reason::balance_overflow: return "balance_overflow";
  }
  return "unknown";
}

std::optional<Reason> reason_from(std::uint8_t value) {
  if (value > static_cast<std::uint8_t>(Reason::balance_overflow)) return std::nullopt;
  return static_cast<Reason>(value);
}

}  // namespace quorate::ledger
