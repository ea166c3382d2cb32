// Signing one payment, so that it is another one than every payment before: with a nonce that
// neither the nodes nor this wallet have given away, and noted in the book before anybody sees it.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "crypto/keys.hpp"
#include "ledger/types/transaction.hpp"
#include "wallet-cli/network.hpp"
#include "wallet-cli/payment_book.hpp"

namespace quorate::wallet {

// One that was final when a payment was signed. Under proof of work another branch may take its
// height later, so its id is noted.
struct FinalBlock {
  Height height;
  std::optional<Digest> work_id = {};
};

struct Payment {
  ledger::SignedTransaction transaction;
  Digest id;
  // Final before it was signed, the highest first: what is proved to stand in one of them, or
  // below, is an earlier payment of the same bytes.
  std::vector<FinalBlock> known;
  // A node may have it, whatever anybody says.
  bool maybe_taken = false;
  // When the first node was about to see it.
  std::chrono::steady_clock::time_point offered = std::chrono::steady_clock::now();
};

struct PaymentOrder {
  crypto::Address to;
  std::uint64_t amount = 0;
  std::string memo = {};
  std::uint64_t valid_for = 1000;           // blocks, from the newest on; 0 = for ever
  std::optional<std::uint64_t> nonce = {};  // the user's choice
};

// Signs the next payment of the key's account and adds it to the book, which the caller saves
// before the payment leaves. `note` hears what the user should know. Failures: as of
// survey_account; failed when the only payment to sign is one that is under way already.
Outcome<Payment> sign_payment(Network& network, PaymentBook& book, const crypto::AccountKey& key,
                              const PaymentOrder& order,
                              const std::function<void(const std::string&)>& note);

// What is proved of a payment, in the form of the book.
Outcome<PaymentBook::Mark> mark_of(Network& network, const Payment& payment,
                                   const rpc::ProvedReceipt& proved);

}  // namespace quorate::wallet
