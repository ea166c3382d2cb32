#include "wallet-cli/payment.hpp"

#include <algorithm>
#include <random>

#include "rpc/json/fields.hpp"
#include "wallet-cli/account_survey.hpp"

namespace quorate::wallet {
namespace {

using Note = std::function<void(const std::string&)>;

// No node can be configured to let more payments of one account wait.
constexpr std::uint64_t kWaitingMax = 1'000'000;
constexpr int kDraws = 64;

bool is_noted(const PaymentBook& book, const Digest& id) {
  return std::any_of(book.undecided().begin(), book.undecided().end(),
                     [&](const PaymentBook::Entry& entry) { return entry.transaction_id == id; });
}

// A mark whose block another branch has outweighed says nothing any more.
Outcome<void> check_mark(Network& network, PaymentBook& book) {
  WALLET_TRY(const rpc::WorkChain* work, network.work());
  if (work == nullptr || !book.newest()) return {};
  const auto id = work->id(book.newest()->height);
  if (!id || *id != book.newest()->block_id) book.unmark();
  return {};
}

// The first nonce from `nonce` on that no payment of this wallet holds. One that no node knows of
// holds none: it was lost or refused, and if it turns up after all, only one of the two is
// executed.
std::uint64_t free_nonce(Network& network, const PaymentBook& book, std::uint64_t nonce,
                         const Note& note) {
  for (;; ++nonce) {
    std::optional<Digest> holder;
    for (const PaymentBook::Entry& entry : book.undecided()) {
      if (entry.nonce != nonce) continue;
      if (is_known_to_a_node(network, entry.transaction_id)) holder = entry.transaction_id;
      if (holder) break;
      note("no node knows the earlier payment " + to_0x(entry.transaction_id) +
           "; this one takes its nonce, so that only one of the two can be made");
    }
    if (!holder) return nonce;
    note("the earlier payment " + to_0x(*holder) + " is not final yet; this one comes after it");
  }
}

Outcome<std::uint64_t> choose_nonce(Network& network, const PaymentBook& book,
                                    const PayingAccount& account, const Note& note) {
  const std::uint64_t first = book.used() + 1;
  if (account.next_nonce > first + kWaitingMax) {
    return failure(ExitCode::failed,
                   network.url() + " says that the next nonce is " +
                       std::to_string(account.next_nonce) + ", and nonce " + std::to_string(first) +
                       " was not seen to be used; nothing was sent",
                   "do not trust this node; ask another one with --rpc-url, or give --nonce");
  }
  return free_nonce(network, book, std::max(first, account.next_nonce), note);
}

// The last height at which it may be executed: as far away as asked for, or up to half of that
// less. By chance, so that payments that are alike do not become the same bytes, whoever signs
// them.
std::uint64_t draw_last_height(Height now, std::uint64_t valid_for, std::random_device& chance) {
  if (valid_for == 0) return 0;
  const std::uint64_t most = rpc::kJsonIntegerMax - std::min(rpc::kJsonIntegerMax, now.value());
  const std::uint64_t span = std::min(valid_for, most);
  std::uniform_int_distribution<std::uint64_t> less(0, span / 2);
  return now.value() + span - less(chance);
}

// What is known to be final now, the highest first. By work some of it, with growing gaps: another
// branch may begin below the first.
Outcome<std::vector<FinalBlock>> final_before(const PaymentBook& book, const rpc::WorkChain* work) {
  std::vector<FinalBlock> out;
  if (work == nullptr) {
    out.push_back({book.newest() ? book.newest()->height : Height(0)});
    return out;
  }
  Height height = work->tip().saturating_sub(work->parameters().depth);
  for (std::uint64_t gap = 1; height > Height(0); gap *= 2) {
    WALLET_TRY(const Digest id, work->id(height));
    out.push_back({height, id});
    height = height.saturating_sub(gap);
  }
  return out;
}

}  // namespace

Outcome<Payment> sign_payment(Network& network, PaymentBook& book, const crypto::AccountKey& key,
                              const PaymentOrder& order, const Note& note) {
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  WALLET_TRY(const rpc::WorkChain* work, network.work());
  WALLET_TRY(const PayingAccount account,
             survey_account(network, *chain, crypto::address_of(key.public_key())));
  for (const std::string& warning : account.warnings) note("warning: " + warning);
  if (account.proved) {
    book.mark({account.proved->sealed.header.height,
               account.proved->account ? account.proved->account->nonce : 0,
               account.proved->sealed.block_hash});
  }
  WALLET_CHECK(check_mark(network, book));

  Payment out;
  WALLET_TRY(out.known, final_before(book, work));
  ledger::Transaction transaction;
  transaction.sender = key.public_key();
  transaction.operations.push_back(ledger::Transfer{order.to, order.amount});
  transaction.memo = to_bytes(as_bytes(order.memo));
  if (order.nonce) {
    transaction.nonce = *order.nonce;
  } else {
    WALLET_TRY(transaction.nonce, choose_nonce(network, book, account, note));
  }
  if (transaction.nonce > rpc::kJsonIntegerMax || account.height.value() > rpc::kJsonIntegerMax) {
    return failure(ExitCode::failed,
                   "nonce " + std::to_string(transaction.nonce) + " at height " +
                       std::to_string(account.height.value()) + ": no chain has come so far",
                   "give another --nonce, or ask another node with --rpc-url");
  }
  const bool has_tip = work != nullptr && work->tip() > Height(0);
  const Height now = has_tip ? work->tip() : account.height;
  std::random_device chance;
  for (int draw = 0; draw < kDraws; ++draw) {
    transaction.valid_until_height = draw_last_height(now, order.valid_for, chance);
    out.id = ledger::transaction_id(chain->chain_id(), transaction);
    if (is_noted(book, out.id)) continue;
    book.add({transaction.nonce, out.id, transaction.valid_until_height});
    out.transaction = ledger::sign(chain->chain_id(), std::move(transaction), key);
    return out;
  }
  return failure(ExitCode::failed,
                 "this very payment, " + to_0x(out.id) +
                     ", was sent before and is not decided yet; nothing was sent",
                 "ask 'quorate-wallet tx " + to_0x(out.id) +
                     "'; to pay once more give it another --memo, --valid-for or --nonce");
}

Outcome<PaymentBook::Mark> mark_of(Network& network, const Payment& payment,
                                   const rpc::ProvedReceipt& proved) {
  PaymentBook::Mark mark{proved.height, payment.transaction.transaction.nonce, proved.block_hash};
  WALLET_TRY(const rpc::WorkChain* work, network.work());
  if (work != nullptr) {
    WALLET_TRY(mark.block_id, work->id(proved.height));
  }
  return mark;
}

}  // namespace quorate::wallet
