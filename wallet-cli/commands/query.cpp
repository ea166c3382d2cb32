// Commands that only ask: balance, tx, block, status.
#include "ledger/types/block.hpp"
#include "wallet-cli/commands/commands.hpp"
#include "wallet-cli/submission.hpp"

namespace quorate::wallet {
namespace {

Outcome<rpc::ProvedAccount> proved_account(Network& network, const rpc::TrustedChain& chain,
                                           const crypto::Address& address) {
  WALLET_TRY(const Document answer,
             network.call("account_getProof", {{"address", crypto::to_text(address)}}));
  auto proved = chain.check_account_proof(answer, address);
  if (!proved) {
    return failure(ExitCode::failed,
                   network.url() + " gave a proof that does not hold: " + proved.error().detail,
                   "do not trust this node; ask another one with --rpc-url");
  }
  return *proved;
}

std::string text_of(const Document& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return "-";
  return it->is_string() ? it->get<std::string>() : it->dump();
}

// "nonce_too_low" as people read it.
std::string in_words(std::string reason) {
  std::replace(reason.begin(), reason.end(), '_', ' ');
  return reason;
}

Document proof_document(const rpc::ProvedReceipt& proved) {
  return {{"outcome", ledger::to_string(proved.receipt.outcome)},
          {"reason", ledger::to_string(proved.receipt.reason)},
          {"height", proved.height.value()},
          {"block_hash", to_0x(proved.block_hash)},
          {"certified_height", proved.sealed.header.height.value()},
          {"seals", proved.sealed.seals},
          {"validators", proved.sealed.validators}};
}

Outcome<Document> prove_transaction(const Wallet& wallet, Network& network, const Digest& id) {
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  WALLET_TRY(const rpc::ProvedReceipt proved, fetch_proof(network, *chain, id));
  const bool succeeded = proved.receipt.outcome == ledger::Outcome::succeeded;
  const std::string where = "in block " + std::to_string(proved.height.value()) + ", proved by " +
                            std::to_string(proved.sealed.seals) + " of " +
                            std::to_string(proved.sealed.validators) + " seals of block " +
                            std::to_string(proved.sealed.header.height.value());
  if (succeeded) {
    wallet.terminal.success("succeeded " + where);
  } else {
    wallet.terminal.line("failed (" + describe(proved.receipt.reason) + ") " + where);
  }
  return proof_document(proved);
}

// Every node's answer to chain_getStatus, or why there is none.
Document node_statuses(const Wallet& wallet, Network& network) {
  Document nodes = Document::array();
  for (std::size_t i = 0; i < network.urls().size(); ++i) {
    const auto status = network.call_at(i, "chain_getStatus", Document::object());
    Document node = {{"url", network.urls()[i]}, {"reachable", status.has_value()}};
    if (status) {
      node["status"] = *status;
      wallet.terminal.line("  " + network.urls()[i] + "  height " + text_of(*status, "height") +
                           "  certified " + text_of(*status, "certified_height") +
                           (status->contains("ready") && (*status)["ready"] == true
                                ? "  ready"
                                : "  not ready: " + text_of(*status, "not_ready_reason")));
    } else {
      node["error"] = status.error().message;
      wallet.terminal.line("  " + network.urls()[i] + "  unreachable: " + status.error().message);
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

}  // namespace

Outcome<Document> run_balance(const Wallet& wallet, const std::vector<std::string>& accounts) {
  WALLET_TRY(Network network, wallet.network());
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  Document items = Document::array();
  for (const std::string& account : accounts) {
    WALLET_TRY(const crypto::Address address,
               wallet.keyring.resolve(account, network.profile().dev));
    WALLET_TRY(const rpc::ProvedAccount proved, proved_account(network, *chain, address));
    const std::uint64_t balance = proved.account ? proved.account->balance : 0;
    const std::uint64_t height = proved.sealed.header.height.value();
    wallet.terminal.line(account + "  " + std::to_string(balance) +
                         (proved.account ? "" : "  (no such account yet)") + "  proved at block " +
                         std::to_string(height));
    items.push_back({{"account", account},
                     {"address", crypto::to_text(address)},
                     {"exists", proved.account.has_value()},
                     {"balance", std::to_string(balance)},
                     {"nonce", proved.account ? proved.account->nonce : 0},
                     {"height", height},
                     {"seals", proved.sealed.seals}});
  }
  return Document{{"items", items}};
}

Outcome<Document> run_tx(const Wallet& wallet, const TxOptions& options) {
  auto id = Digest::from_hex(options.id);
  if (!id)
    return failure(ExitCode::usage,
                   "'" + options.id + "' is not a transaction id: " + id.error().detail);
  WALLET_TRY(Network network, wallet.network());
  WALLET_TRY(Document answer, network.call("tx_get", {{"transaction_id", to_0x(*id)}}));
  const std::string status = text_of(answer, "status");
  if (status == "unknown") {
    return failure(ExitCode::not_found, network.url() + " does not know this transaction",
                   "if you sent it, the same bytes can safely be submitted again");
  }
  const bool never_executed = answer.contains("reason") && answer["reason"].is_string();
  wallet.terminal.line("status  " + status +
                       (never_executed ? ": " + in_words(answer["reason"]) : ""));
  if (answer.contains("height") && !answer["height"].is_null()) {
    wallet.terminal.line("block   " + text_of(answer, "height"));
  }
  if (options.prove) {
    WALLET_TRY(answer["proof"], prove_transaction(wallet, network, *id));
  } else if (never_executed) {
    wallet.terminal.line("        as " + network.url() +
                         " says; what was not executed has no proof");
  } else if (status == "final" || status == "failed") {
    wallet.terminal.line("        as " + network.url() + " says; not proved");
    wallet.terminal.next("quorate-wallet tx " + to_0x(*id) + " --prove");
  }
  return answer;
}

Outcome<Document> run_block(const Wallet& wallet, const std::string& which) {
  WALLET_TRY(Network network, wallet.network());
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  Document params = {{"block", which}};
  if (!which.empty() && which.find_first_not_of("0123456789") == std::string::npos) {
    params["block"] = std::strtoull(which.c_str(), nullptr, 10);
  }
  WALLET_TRY(Document answer, network.call("chain_getBlock", params));
  const Document& header_json = answer.contains("header") ? answer["header"] : answer;
  WALLET_TRY(const ledger::Header header, rpc::header_from_json(header_json));
  const std::string hash = to_0x(ledger::block_hash(header));
  wallet.terminal.line("block   " + std::to_string(header.height.value()) + "  " + hash);
  wallet.terminal.line("time    " + rpc::rfc3339(header.time));
  wallet.terminal.line("parent  " + to_0x(header.parent_hash));
  wallet.terminal.line("state   " + to_0x(header.state_root));
  wallet.terminal.line("txs     " + std::to_string(header.transaction_count));
  for (const Document& id : answer.value("transaction_ids", Document::array())) {
    if (id.is_string()) wallet.terminal.line("  " + id.get<std::string>());
  }
  answer["proved"] = false;
  if (header.height.value() == 0) {
    wallet.terminal.line("genesis: known by the pinned chain_id, it needs no seals");
    return answer;
  }
  WALLET_TRY(const Document certificate,
             network.call("chain_getBlockCertificate", {{"block", header.height.value()}}));
  const auto proved = chain->check_certificate(certificate);
  if (!proved || proved->header != header) {
    return failure(ExitCode::failed, network.url() +
                                         " gave a block that its certificate does not prove" +
                                         (proved ? "" : ": " + proved.error().detail));
  }
  answer["proved"] = true;
  answer["seals"] = proved->seals;
  wallet.terminal.success(std::to_string(proved->seals) + " of " +
                          std::to_string(proved->validators) + " seals verified");
  return answer;
}

Outcome<Document> run_status(const Wallet& wallet) {
  WALLET_TRY(Network network, wallet.network());
  const Profile& profile = network.profile();
  wallet.terminal.line("profile " + profile.name + ", chain " + profile.chain_name + " " +
                       to_0x(profile.chain_id));
  Document nodes = node_statuses(wallet, network);
  std::size_t reachable = 0;
  for (const Document& node : nodes) {
    if (node["reachable"] == true) ++reachable;
    const bool other_chain = node.contains("status") && node["status"].contains("chain_id") &&
                             node["status"]["chain_id"] != to_0x(profile.chain_id);
    if (other_chain) {
      return failure(ExitCode::configuration,
                     node["url"].get<std::string>() + " serves another chain than the pinned one");
    }
  }
  if (reachable == 0) {
    return failure(ExitCode::unreachable,
                   "none of " + std::to_string(nodes.size()) + " nodes answers",
                   "is the network running? see 'quorate-testnet status'");
  }
  return Document{{"profile", profile.name},
                  {"chain_name", profile.chain_name},
                  {"chain_id", to_0x(profile.chain_id)},
                  {"nodes", nodes}};
}

}  // namespace quorate::wallet
