// What accounts hold, as it is proved.
#include "rpc/client/work_proof.hpp"
#include "wallet-cli/account_survey.hpp"
#include "wallet-cli/commands/commands.hpp"
#include "wallet-cli/payment_book.hpp"

namespace quorate::wallet {
namespace {

// What the current node, or the next one that can be reached, proves.
Outcome<rpc::ProvedAccount> account_at_node(Network& network, const rpc::TrustedChain& chain,
                                            const rpc::WorkChain& work,
                                            const crypto::Address& address) {
  // Some more than needed: this wallet may not know the newest header yet, or one may contradict.
  constexpr std::uint64_t kSpare = 4;
  const std::uint64_t carriers =
      std::min(carriers_needed(work, WorkWish{}) + kSpare, rpc::kCarriersCounted);
  WALLET_TRY(const Document answer,
             network.call("account_getProof",
                          {{"address", crypto::to_text(address)}, {"carriers", carriers}}));
  auto proved = rpc::check_account_proof(work, chain, answer, address);
  if (!proved && proved.error().code == Errc::unavailable) {
    return failure(ExitCode::timed_out,
                   "not proved by " + network.url() + ": " + proved.error().detail,
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

// One node may lag, stand on a lighter branch or lie: then the next one is asked.
Outcome<rpc::ProvedAccount> account_by_work(const Wallet& wallet, Network& network,
                                            const rpc::TrustedChain& chain,
                                            const rpc::WorkChain& work,
                                            const crypto::Address& address) {
  WALLET_CHECK(network.follow_work());
  std::optional<Failure> first;
  for (std::size_t tried = 0; tried < network.urls().size(); ++tried) {
    auto proved = account_at_node(network, chain, work, address);
    if (proved) return proved;
    if (proved.error().exit == ExitCode::failed) {
      wallet.terminal.note("warning: " + proved.error().message);
    }
    if (!first) first = proved.error();
    network.rotate();
  }
  return tl::unexpected(*first);
}

Outcome<rpc::ProvedAccount> proved_account(const Wallet& wallet, Network& network,
                                           const crypto::Address& address) {
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  WALLET_TRY(const rpc::WorkChain* work, network.work());
  if (work != nullptr) return account_by_work(wallet, network, *chain, *work, address);
  WALLET_TRY(NewestProof newest, newest_account_proof(network, *chain, address));
  for (const std::string& warning : newest.warnings) wallet.terminal.note("warning: " + warning);
  return std::move(newest.proved);
}

// What one account holds, as people read it.
struct Row {
  std::string account, balance, how;
};

Row row_of(const std::string& account, const rpc::ProvedAccount& proved) {
  const std::string height = std::to_string(proved.sealed.header.height.value());
  Row row{account, std::to_string(proved.account ? proved.account->balance : 0),
          (proved.account ? "" : "(no such account yet)  ") + ("proved at block " + height)};
  if (proved.work) {
    row.how += ", " + std::to_string(proved.work->depth) + " deep";
    if (proved.work->depth > 1) row.how += "; what newer blocks changed is not proved yet";
  }
  return row;
}

Document balance_document(const std::string& account, const crypto::Address& address,
                          const rpc::ProvedAccount& proved) {
  Document item = {{"account", account},
                   {"address", crypto::to_text(address)},
                   {"exists", proved.account.has_value()},
                   {"balance", std::to_string(proved.account ? proved.account->balance : 0)},
                   {"nonce", proved.account ? proved.account->nonce : 0},
                   {"height", proved.sealed.header.height.value()}};
  if (proved.work) {
    item.update(to_json(*proved.work, WorkWish{}.attacker_share));
  } else {
    item["seals"] = proved.sealed.seals;
  }
  return item;
}

// Where blocks are sealed, the newest one is proved at once: an older one comes from nodes that are
// behind, or lie by silence.
void compare_with_seen(const Wallet& wallet, const Digest& chain_id,
                       const rpc::ProvedAccount& proved, Document& item, Row& row) {
  if (proved.work) return;
  const Height height = proved.sealed.header.height;
  const std::optional<Height> seen = newest_seen(wallet.home.payments, chain_id);
  remember_seen(wallet.home.payments, chain_id, height);
  if (!seen || *seen <= height) return;
  item["newest_height_seen"] = seen->value();
  row.how += "; OLD: this wallet has seen block " + std::to_string(seen->value()) +
             " proved before, the nodes that answer are behind";
}

void show_balances(const Wallet& wallet, const std::vector<Row>& rows) {
  std::size_t accounts = 0, balances = 0;
  for (const Row& row : rows) {
    accounts = std::max(accounts, row.account.size());
    balances = std::max(balances, row.balance.size());
  }
  for (const Row& row : rows) {
    wallet.terminal.line(row.account + std::string(accounts - row.account.size() + 2, ' ') +
                         std::string(balances - row.balance.size(), ' ') + row.balance + "  " +
                         row.how);
  }
}

}  // namespace

Outcome<Document> run_balance(const Wallet& wallet, const std::vector<std::string>& accounts) {
  WALLET_TRY(Network network, wallet.network());
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  Document items = Document::array();
  std::vector<Row> rows;
  for (const std::string& account : accounts) {
    WALLET_TRY(const crypto::Address address,
               wallet.keyring.resolve(account, network.profile().dev));
    WALLET_TRY(const rpc::ProvedAccount proved, proved_account(wallet, network, address));
    rows.push_back(row_of(account, proved));
    items.push_back(balance_document(account, address, proved));
    compare_with_seen(wallet, chain->chain_id(), proved, items.back(), rows.back());
  }
  show_balances(wallet, rows);
  return Document{{"items", items}};
}

}  // namespace quorate::wallet
