#include "ledger/operations.hpp"

#include <limits>

#include "crypto/base/assert.hpp"

namespace quorate::ledger {
namespace {

// The receiver is read after the sender was debited, so that a transfer to oneself changes nothing.
Reason apply_one(const Transfer& transfer, const crypto::Address& sender, BlockState& state) {
  Account& from = state.change(sender);
  if (from.balance < transfer.amount) return Reason::insufficient_funds;
  from.balance -= transfer.amount;
  Account& to = state.change(transfer.to);
  if (transfer.amount > std::numeric_limits<std::uint64_t>::max() - to.balance) {
    return Reason::balance_overflow;
  }
  to.balance += transfer.amount;
  return Reason::none;
}

}  // namespace

Reason apply(const Operation& operation, const crypto::Address& sender, BlockState& state) {
  QUORATE_ASSERT(state.find(sender) != nullptr);
  return std::visit([&](const auto& body) { return apply_one(body, sender, state); }, operation);
}

}  // namespace quorate::ledger
