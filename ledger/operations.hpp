// What each operation does to the accounts. Pure: the result depends on the arguments alone.
// To add an operation, write its apply() in operations.cpp; types/operation.hpp says the rest.
#pragma once

#include "ledger/block_state.hpp"
#include "ledger/types/operation.hpp"
#include "ledger/types/reason.hpp"

namespace quorate::ledger {

// Carries out one operation of `sender`, whose account exists. Reason::none = done; any other
// reason = failed, and the caller undoes the whole transaction.
Reason apply(const Operation& operation, const crypto::Address& sender, BlockState& state);

}  // namespace quorate::ledger
