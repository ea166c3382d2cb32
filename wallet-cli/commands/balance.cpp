// What accounts hold, as it is proved.
#include "rpc/client/work_proof.hpp"
#include "wallet-cli/account_survey.hpp"
#include "wallet-cli/commands/commands.hpp"
#include "wallet-cli/payment_book.hpp"

namespace quorate::wallet {
namespace {

Outcome<rpc::ProvedAccount> account_by_work(Network& network, const rpc::TrustedChain& chain,
                                            const rpc::WorkChain& work,
                                            const crypto::Address& address) {
  // Some more than needed: this wallet may not know the newest header yet, or one may contradict.
  constexpr std::uint64_t kSpare = 4;
  WALLET_CHECK(network.follow_work());
  const std::uint64_t carriers =
      std::min(carriers_needed(work, WorkWish{}) + kSpare, rpc::kCarriersCounted);
  WALLET_TRY(const Document answer,
             network.call("account_getProof",
                          {{"address", crypto::to_text(address)}, {"carriers", carriers}}));
  auto proved = rpc::check_account_proof(work, chain, answer, address);
  if (!proved && proved.error().code == Errc::unavailable) {
    return failure(ExitCode::timed_out, "not proved: " + proved.error().detail,
                   "ask again after the next blocks");
  }
  if (!proved) {
    return failure(ExitCode::failed,
                   network.url() + " gave a proof that does not hold: " + proved.error().detail,
                   "do not trust this node; ask another one with --rpc-url");
  }
  WALLET_CHECK(demand_carriers(work, *proved->work, WorkWish{}));
  return *proved;
}

Outcome<rpc::ProvedAccount> proved_account(const Wallet& wallet, Network& network,
                                           const crypto::Address& address) {
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  WALLET_TRY(const rpc::WorkChain* work, network.work());
  if (work != nullptr) return account_by_work(network, *chain, *work, address);
  WALLET_TRY(NewestProof newest, newest_account_proof(network, *chain, address));
  for (const std::string& warning : newest.warnings) wallet.terminal.note("warning: " + warning);
  return std::move(newest.proved);
}

// Says when a balance is of an older block than this wallet has seen proved before, and remembers
// the newest.
void compare_with_seen(const Wallet& wallet, const Digest& chain_id, Height height,
                       Document& item) {
  const std::optional<Height> seen = newest_seen(wallet.home.payments, chain_id);
  remember_seen(wallet.home.payments, chain_id, height);
  if (!seen || *seen <= height) return;
  item["newest_height_seen"] = seen->value();
  wallet.terminal.line("  warning: that is an old balance: this wallet has seen block " +
                       std::to_string(seen->value()) +
                       " proved before; the nodes that answer are behind");
}

}  // namespace

Outcome<Document> run_balance(const Wallet& wallet, const std::vector<std::string>& accounts) {
  WALLET_TRY(Network network, wallet.network());
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  Document items = Document::array();
  for (const std::string& account : accounts) {
    WALLET_TRY(const crypto::Address address,
               wallet.keyring.resolve(account, network.profile().dev));
    WALLET_TRY(const rpc::ProvedAccount proved, proved_account(wallet, network, address));
    const std::uint64_t balance = proved.account ? proved.account->balance : 0;
    const std::uint64_t height = proved.sealed.header.height.value();
    wallet.terminal.line(account + "  " + std::to_string(balance) +
                         (proved.account ? "" : "  (no such account yet)") + "  proved at block " +
                         std::to_string(height) +
                         (proved.work ? ", " + std::to_string(proved.work->depth) + " deep" : ""));
    Document item = {{"account", account},
                     {"address", crypto::to_text(address)},
                     {"exists", proved.account.has_value()},
                     {"balance", std::to_string(balance)},
                     {"nonce", proved.account ? proved.account->nonce : 0},
                     {"height", height}};
    if (proved.work) {
      item.update(to_json(*proved.work, WorkWish{}.attacker_share));
    } else {
      item["seals"] = proved.sealed.seals;
    }
    compare_with_seen(wallet, chain->chain_id(), proved.sealed.header.height, item);
    items.push_back(std::move(item));
  }
  return Document{{"items", items}};
}

}  // namespace quorate::wallet
