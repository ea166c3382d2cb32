#include "ledger/types/operation.hpp"

#include "ledger/types/account.hpp"

namespace quorate::ledger {
namespace {

enum class Kind : std::uint8_t { transfer = 1 };

void encode_body(crypto::Writer& out, const Transfer& transfer) {
  out.u8(static_cast<std::uint8_t>(Kind::transfer));
  out.raw(transfer.to);
  out.u64(transfer.amount);
}

std::uint64_t amount_spent(const Transfer& transfer) { return transfer.amount; }

bool concerns(const Transfer& transfer, const crypto::Address& address) {
  return transfer.to == address;
}

Transfer decode_transfer(crypto::Reader& in) {
  Transfer transfer;
  transfer.to = decode_address(in);
  transfer.amount = in.u64();
  if (in.ok() && transfer.amount == 0) in.reject("a transfer of 0; the least amount is 1");
  return transfer;
}

}  // namespace

void encode(crypto::Writer& out, const Operation& operation) {
  std::visit([&out](const auto& body) { encode_body(out, body); }, operation);
}

Operation decode_operation(crypto::Reader& in) {
  const std::uint8_t kind = in.u8();
  if (!in.ok()) return {};
  switch (static_cast<Kind>(kind)) {
    case Kind::transfer: return decode_transfer(in);
  }
  in.reject("unknown operation kind " + std::to_string(kind));
  return {};
}

std::uint64_t spends(const Operation& operation) {
  return std::visit([](const auto& body) { return amount_spent(body); }, operation);
}

bool touches(const Operation& operation, const crypto::Address& address) {
  return std::visit([&](const auto& body) { return concerns(body, address); }, operation);
}

}  // namespace quorate::ledger
