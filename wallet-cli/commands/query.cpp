// Commands that only ask: tx, block, status.
#include "ledger/types/block.hpp"
#include "rpc/client/work_proof.hpp"
#include "wallet-cli/commands/commands.hpp"
#include "wallet-cli/submission.hpp"

namespace quorate::wallet {
namespace {

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

void show_outcome(const Wallet& wallet, const rpc::ProvedReceipt& proved,
                  const std::string& where) {
  if (proved.receipt.outcome == ledger::Outcome::succeeded) {
    wallet.terminal.success("succeeded " + where);
  } else {
    wallet.terminal.line("failed (" + describe(proved.receipt.reason) + ") " + where);
  }
}

Outcome<Document> prove_by_work(const Wallet& wallet, Network& network, const Digest& id,
                                const WorkWish& wish) {
  WALLET_CHECK(network.follow_work());
  WALLET_TRY(const rpc::ProvedReceipt proved, fetch_work_proof(network, id));
  const std::string where = "in block " + std::to_string(proved.height.value()) + ": " +
                            describe(*proved.work, wish.attacker_share);
  if (wish.depth && proved.work->depth < *wish.depth) {
    Failure out{ExitCode::timed_out,
                "not " + std::to_string(*wish.depth) + " blocks deep yet: " + where,
                "ask again after the next blocks"};
    return tl::unexpected(out);
  }
  WALLET_TRY(const rpc::WorkChain* chain, network.work());
  WALLET_CHECK(demand_carriers(*chain, *proved.work, wish));
  show_outcome(wallet, proved, where);
  warn_unless_ready(wallet, network);
  Document out = to_json(*proved.work, wish.attacker_share);
  out.update({{"outcome", ledger::to_string(proved.receipt.outcome)},
              {"reason", ledger::to_string(proved.receipt.reason)},
              {"height", proved.height.value()},
              {"block_hash", to_0x(proved.block_hash)}});
  return out;
}

Outcome<Document> prove_transaction(const Wallet& wallet, Network& network, const Digest& id,
                                    const WorkWish& wish) {
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  if (rpc::proved_by_work(chain->genesis())) return prove_by_work(wallet, network, id, wish);
  WALLET_TRY(const rpc::ProvedReceipt proved, fetch_proof(network, *chain, id));
  const std::string where = "in block " + std::to_string(proved.height.value()) + ", proved by " +
                            std::to_string(proved.sealed.seals) + " of " +
                            std::to_string(proved.sealed.validators) + " seals of block " +
                            std::to_string(proved.sealed.header.height.value());
  show_outcome(wallet, proved, where);
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
      const Document branch = status->value("branch", Document::object());
      wallet.terminal.line("  " + network.urls()[i] + "  height " + text_of(*status, "height") +
                           (branch.contains("tip")
                                ? "  tip " + text_of(branch, "tip")
                                : "  certified " + text_of(*status, "certified_height")) +
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

void warn_unless_ready(const Wallet& wallet, Network& network) {
  const auto status = network.try_call("chain_getStatus", Document::object());
  if (!status || status->value("ready", true)) return;
  wallet.terminal.line("warning: " + network.url() +
                       " is not ready: " + text_of(*status, "not_ready_reason"));
}

namespace {

// Under proof of work only.
void show_depth(const Wallet& wallet, const Document& answer, double attacker_share) {
  std::string story;
  if (answer.contains("withdrawn_from")) {
    story = was_final(Height(answer["withdrawn_from"].get<std::uint64_t>()));
  }
  if (answer.contains("decided_at")) {
    story += (story.empty() ? "" : "; ") + why_not(text_of(answer, "reason")) + " in block " +
             text_of(answer, "decided_at");
  }
  if (!story.empty()) wallet.terminal.line("        " + story);
  if (!answer.contains("reversal")) return;
  wallet.terminal.line("depth   " + text_of(answer, "depth") + ", final at " +
                       text_of(answer, "commit_depth") + "; reversal probability " +
                       chance(answer["reversal"].value("exact", 1.0)) + " for an attacker with " +
                       percent(attacker_share) + " of the hash rate");
}

}  // namespace

namespace {

// A node that was on another branch, or not running, may never have heard of it.
Outcome<Document> first_that_knows(Network& network, const Document& params) {
  Document answer;
  for (std::size_t i = 0; i < network.urls().size(); ++i) {
    if (i > 0) network.rotate();
    WALLET_TRY(answer, network.call("tx_get", params));
    if (text_of(answer, "status") != "unknown") break;
  }
  return answer;
}

}  // namespace

Outcome<Document> run_tx(const Wallet& wallet, const TxOptions& options) {
  auto id = Digest::from_hex(options.id);
  if (!id)
    return failure(ExitCode::usage,
                   "'" + options.id + "' is not a transaction id: " + id.error().detail);
  WALLET_TRY(Network network, wallet.network());
  Document params = {{"transaction_id", to_0x(*id)}};
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  if (rpc::proved_by_work(chain->genesis())) params["attacker_share"] = options.wish.attacker_share;
  WALLET_TRY(Document answer, first_that_knows(network, params));
  const std::string status = text_of(answer, "status");
  if (status == "unknown") {
    return failure(ExitCode::not_found,
                   (network.urls().size() == 1 ? network.url() + " does not know"
                                               : std::string("no node knows")) +
                       " this transaction",
                   "if you sent it, the same bytes can safely be submitted again");
  }
  const bool never_executed = answer.contains("reason") && answer["reason"].is_string();
  wallet.terminal.line("status  " + status +
                       (never_executed ? ": " + in_words(answer["reason"]) : ""));
  if (answer.contains("height") && !answer["height"].is_null()) {
    wallet.terminal.line("block   " + text_of(answer, "height"));
  }
  show_depth(wallet, answer, options.wish.attacker_share);
  if (options.prove) {
    WALLET_TRY(answer["proof"], prove_transaction(wallet, network, *id, options.wish));
  } else if (never_executed) {
    wallet.terminal.line("        as " + network.url() +
                         " says; what was not executed has no proof");
  } else if (status == "final" || status == "failed") {
    wallet.terminal.line("        as " + network.url() + " says; not proved");
    wallet.terminal.next("quorate-wallet tx " + to_0x(*id) + " --prove");
  }
  return answer;
}

namespace {

// Which later work headers carry the ledger's block, as this wallet knows them.
Outcome<void> prove_block_by_work(const Wallet& wallet, Network& network,
                                  const ledger::Header& header, const WorkWish& wish,
                                  Document& answer) {
  WALLET_CHECK(network.follow_work());
  WALLET_TRY(rpc::WorkChain * chain, network.work());
  WALLET_TRY(const Document page,
             network.call("chain_getBlocks", {{"cursor", header.height.value()},
                                              {"order", "asc"},
                                              {"limit", rpc::kCarriersCounted}}));
  std::vector<ledger::Header> headers;
  for (const Document& item : page.at("items")) {
    WALLET_TRY(const ledger::Header each, rpc::header_from_json(item.at("header")));
    const bool child = headers.empty() || each.parent_hash == ledger::block_hash(headers.back());
    if (!child) break;  // the node went on to another branch meanwhile
    headers.push_back(each);
  }
  if (headers.empty() || headers.front() != header) {
    return failure(ExitCode::failed, network.url() + " gave two blocks of one height",
                   "its branch changed meanwhile, or it lies; ask again");
  }
  const auto proved = rpc::check_carried(*chain, headers);
  if (!proved && proved.error().code == Errc::unavailable) {
    wallet.terminal.line("not proved: " + proved.error().detail);
    return {};
  }
  if (!proved) {
    return failure(ExitCode::failed, network.url() + " gave a block that work does not prove: " +
                                         proved.error().detail);
  }
  if (const auto enough = demand_carriers(*chain, *proved, wish); !enough) {
    wallet.terminal.line(enough.error().message);
    return {};
  }
  answer["proved"] = true;
  answer.update(to_json(*proved, wish.attacker_share));
  wallet.terminal.success(describe(*proved, wish.attacker_share));
  return {};
}

}  // namespace

Outcome<Document> run_block(const Wallet& wallet, const BlockOptions& options) {
  const std::string& which = options.which;
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
    wallet.terminal.line("genesis: known by the pinned chain_id, it needs no proof");
    return answer;
  }
  if (rpc::proved_by_work(chain->genesis())) {
    WALLET_CHECK(prove_block_by_work(wallet, network, header, options.wish, answer));
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

namespace {

// What this wallet knows of the branch with the most work, and which nodes stand on it.
Outcome<Document> work_status(const Wallet& wallet, Network& network, const Document& nodes) {
  WALLET_CHECK(network.follow_work());
  WALLET_TRY(rpc::WorkChain * chain, network.work());
  std::size_t there = 0;
  for (const Document& node : nodes) {
    const Document branch =
        node.value("status", Document::object()).value("branch", Document::object());
    if (!branch.contains("tip") || !branch.contains("tip_id")) continue;
    const auto known = chain->id(Height(branch["tip"].get<std::uint64_t>()));
    if (known && branch["tip_id"] == to_0x(*known)) ++there;
  }
  wallet.terminal.line("  work of " + std::to_string(chain->tip().value()) + " headers checked; " +
                       std::to_string(there) + " of " + std::to_string(nodes.size()) +
                       " nodes on the branch with the most work");
  WALLET_TRY(const rpc::WorkPace pace, pace_now(*chain));
  if (pace.slow) wallet.terminal.line("  warning: " + rpc::describe(pace));
  return Document{{"tip", chain->tip().value()},
                  {"tip_id", to_0x(chain->tip_id())},
                  {"commit_depth", chain->parameters().depth},
                  {"hashes_per_second", pace.newest},
                  {"best_hashes_per_second", pace.best},
                  {"slow", pace.slow},
                  {"nodes_on_it", there}};
}

}  // namespace

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
  Document out = {{"profile", profile.name},
                  {"chain_name", profile.chain_name},
                  {"chain_id", to_0x(profile.chain_id)},
                  {"nodes", nodes}};
  WALLET_TRY(const rpc::TrustedChain* chain, network.chain());
  if (rpc::proved_by_work(chain->genesis())) {
    WALLET_TRY(out["work"], work_status(wallet, network, nodes));
  }
  return out;
}

}  // namespace quorate::wallet
