// Why a transaction was refused, skipped or failed. A closed, stable list: it stands in receipts
// and in the API's error.data.reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace quorate::ledger {

enum class Reason : std::uint8_t {
  none = 0,
  bad_encoding = 1,
  bad_signature = 2,
  wrong_chain_id = 3,
  nonce_too_low = 4,
  nonce_too_high = 5,
  insufficient_funds = 6,
  duplicate = 7,
  expired = 8,
  too_large = 9,
  unknown_sender = 10,
  not_permitted = 11,
  mempool_full = 12,
  balance_overflow = 13,
};

std::string_view to_string(Reason reason);
std::optional<Reason> reason_from(std::uint8_t value);

}  // namespace quorate::ledger
