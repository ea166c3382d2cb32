#include <charconv>

#include "wallet-cli/commands/commands.hpp"
#include "wallet-cli/submission.hpp"

namespace quorate::wallet {
namespace {

Outcome<std::uint64_t> parse_amount(const std::string& text) {
  std::uint64_t amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc() || end != text.data() + text.size() || amount == 0) {
    return failure(ExitCode::usage, "'" + text + "' is not an amount",
                   "an amount is a whole number from 1 to 18446744073709551615");
  }
  return amount;
}

struct Account {
  std::uint64_t next_nonce = 1;
  std::uint64_t height = 0;
};

Outcome<Account> ask_account(Network& network, const crypto::Address& address) {
  WALLET_TRY(const nlohmann::json answer,
             network.call("account_get", {{"address", crypto::to_text(address)}}));
  const auto nonce = answer.find("next_nonce");
  const auto height = answer.find("height");
  if (nonce == answer.end() || !nonce->is_number_unsigned() || height == answer.end() ||
      !height->is_number_unsigned()) {
    return failure(ExitCode::failed,
                   network.url() + " gave an account without next_nonce and height");
  }
  return Account{nonce->get<std::uint64_t>(), height->get<std::uint64_t>()};
}

// A dry run asks the node what it would answer and changes nothing.
Outcome<Document> check_only(Network& network, const Wallet& wallet, const rpc::TrustedChain& chain,
                             const ledger::SignedTransaction& transaction) {
  const std::string encoded = to_0x(ledger::encode(transaction));
  WALLET_TRY(Document answer,
             network.call("tx_check", {{"tx", encoded}, {"chain_id", to_0x(chain.chain_id())}}));
  if (!answer.contains("valid") || answer["valid"] != true) {
    const Document error = answer.value("error", Document::object());
    rpc::RpcError refused;
    refused.code = error.value("code", -32003);
    refused.message = error.value("message", "would be refused");
    refused.data = error.value("data", Document::object());
    return tl::unexpected(from_rpc(refused));
  }
  wallet.terminal.success("would be accepted; nothing was sent");
  wallet.terminal.line("  tx " + encoded);
  return Document{{"status", "checked"}, {"tx", encoded}, {"answer", std::move(answer)}};
}

// Waits until the payment is as deep as wished on the branch with the most work.
Outcome<Document> send_by_work(const Wallet& wallet, Network& network,
                               const ledger::SignedTransaction& transaction, const WorkWish& wish) {
  WALLET_TRY(rpc::WorkChain * chain, network.work());
  const std::chrono::milliseconds timeout =
      wallet.options.timeout_given ? wallet.options.timeout : patience_for(*chain, wish);
  network.extend_to(timeout);
  WALLET_TRY(const FinalTransaction final,
             submit_until_deep(network, transaction, wish, timeout,
                               [&](const std::string& line) { wallet.terminal.note(line); }));
  const rpc::ProvedReceipt& proved = final.proved;
  const std::string id = to_0x(proved.receipt.transaction_id);
  wallet.terminal.success("final in block " + std::to_string(proved.height.value()) + ": " +
                          describe(*proved.work, wish.attacker_share) + "; after " +
                          std::to_string(final.elapsed.count()) + " ms");
  warn_unless_ready(wallet, network);
  wallet.terminal.line("  tx " + id);
  wallet.terminal.next("quorate-wallet tx " + id + " --prove");
  Document out = to_json(*proved.work, wish.attacker_share);
  out.update({{"status", "final"},
              {"transaction_id", id},
              {"height", proved.height.value()},
              {"block_hash", to_0x(proved.block_hash)},
              {"elapsed_ms", final.elapsed.count()},
              {"node", final.url}});
  return out;
}

// The view the answering node is in: for people only, since nothing proves it.
std::string view_text(Network& network) {
  const auto state = network.try_call("consensus_getState", nlohmann::json::object());
  if (!state || !state->contains("view") || !(*state)["view"].is_number_unsigned()) return "";
  return "view " + (*state)["view"].dump() + ", ";
}

}  // namespace

Outcome<Document> run_send(const Wallet& wallet, const SendOptions& options) {
  WALLET_TRY(const std::uint64_t amount, parse_amount(options.amount));
  if (options.memo.size() > ledger::kMemoBytesMax) {
    return failure(ExitCode::usage, "the memo has " + std::to_string(options.memo.size()) +
                                        " bytes; at most " + std::to_string(ledger::kMemoBytesMax));
  }
  WALLET_TRY(Network network, wallet.network());
  const bool dev = network.profile().dev;
  WALLET_TRY(const crypto::Address to, wallet.keyring.resolve(options.to, dev));
  WALLET_TRY(const crypto::AccountKey key, wallet.keyring.unlock(options.from, dev));
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  WALLET_TRY(const Account account, ask_account(network, crypto::address_of(key.public_key())));

  ledger::Transaction transaction;
  transaction.sender = key.public_key();
  transaction.nonce = options.nonce.value_or(account.next_nonce);
  transaction.valid_until_height = options.valid_for == 0 ? 0 : account.height + options.valid_for;
  transaction.operations.push_back(ledger::Transfer{to, amount});
  transaction.memo = to_bytes(as_bytes(options.memo));
  const ledger::SignedTransaction signed_transaction =
      ledger::sign(chain->chain_id(), std::move(transaction), key);
  if (wallet.options.dry_run) return check_only(network, wallet, *chain, signed_transaction);
  if (rpc::proved_by_work(chain->genesis())) {
    return send_by_work(wallet, network, signed_transaction, options.wish);
  }

  WALLET_TRY(const FinalTransaction final,
             submit_until_final(network, *chain, signed_transaction, wallet.options.timeout));
  const rpc::ProvedReceipt& proved = final.proved;
  const std::string id = to_0x(proved.receipt.transaction_id);
  wallet.terminal.success(
      "final in block " + std::to_string(proved.height.value()) + " (" + view_text(network) +
      std::to_string(proved.sealed.seals) + " of " + std::to_string(proved.sealed.validators) +
      " seals, receipt proved) after " + std::to_string(final.elapsed.count()) + " ms");
  wallet.terminal.line("  tx " + id);
  wallet.terminal.next("quorate-wallet tx " + id + " --prove");
  return Document{{"status", "final"},
                  {"transaction_id", id},
                  {"height", proved.height.value()},
                  {"block_hash", to_0x(proved.block_hash)},
                  {"seals", proved.sealed.seals},
                  {"validators", proved.sealed.validators},
                  {"certified_height", proved.sealed.header.height.value()},
                  {"elapsed_ms", final.elapsed.count()},
                  {"node", final.url}};
}

}  // namespace quorate::wallet
