// The operations a transaction can carry, and what everybody outside the ledger asks of one. To add
// one: a struct here, and what operation.cpp says of it. Nobody looks into the variant but with
// std::visit over functions that name each type, so the compiler lists what is still missing.
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

// What it takes from the balance of its sender.
std::uint64_t spends(const Operation& operation);
// True when it concerns this account, apart from being sent by it.
bool touches(const Operation& operation, const crypto::Address& address);

}  // namespace quorate::ledger
