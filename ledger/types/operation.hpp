// The operations a transaction can carry. To add one: a struct here, a kind, its encode/decode in
// operation.cpp and its effect in ledger/operations.cpp; the variant makes the compiler name the
// rest.
#pragma once

#include <cstdint>
#include <variant>

#include "crypto/address.hpp"
#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"

namespace quorate::ledger {

// kind 1: to address 21 | amount u64, at least 1
struct Transfer {
  crypto::Address to;
  std::uint64_t amount = 0;
  bool operator==(const Transfer&) const = default;
};

using Operation = std::variant<Transfer>;

void encode(crypto::Writer& out, const Operation& operation);
// Records a failure in `in` for an unknown kind or a bad body.
Operation decode_operation(crypto::Reader& in);

}  // namespace quorate::ledger
