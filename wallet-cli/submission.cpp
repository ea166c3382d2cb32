#include "wallet-cli/submission.hpp"

#include <algorithm>
#include <thread>

#include "wallet-cli/offers.hpp"

namespace quorate::wallet {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// One node is given this long before the same bytes go to the next one as well.
constexpr milliseconds kPatiencePerNode{5'000};
constexpr milliseconds kPauseBetweenNodes{200};
// What an answer may take on top of the wait it was asked for.
constexpr milliseconds kAnswerSlack{1'000};

milliseconds left_until(Clock::time_point deadline) {
  return std::max(milliseconds(0),
                  std::chrono::duration_cast<milliseconds>(deadline - Clock::now()));
}

// Why a transaction with a nonce of the user's choice cannot be ordered yet; empty when it can.
std::string nonce_gap(Network& network, const ledger::Transaction& transaction) {
  const std::string sender = crypto::to_text(crypto::address_of(transaction.sender));
  const auto account = network.try_call("account_get", {{"address", sender}});
  if (!account) return "";
  const auto nonce = account->find("nonce");
  if (nonce == account->end() || !nonce->is_number_unsigned()) return "";
  const std::uint64_t next = nonce->get<std::uint64_t>() + 1;
  if (transaction.nonce <= next) return "";
  return "it has nonce " + std::to_string(transaction.nonce) + ", and nonce " +
         std::to_string(next) + " of this account has not been used yet, says " + network.url();
}

Failure timed_out(Network& network, const rpc::TrustedChain& chain, const Payment& payment,
                  milliseconds timeout) {
  const Digest& id = payment.id;
  // A payment that waits for another one says so, and why that one waits in its turn.
  std::string why = why_not_final(network, chain);
  const std::string gap = nonce_gap(network, payment.transaction.transaction);
  if (!gap.empty()) why += (why.empty() ? "" : "; and ") + gap;
  if (why.empty()) why = "the network has not ordered it yet";
  Failure out{ExitCode::timed_out,
              "not final after " + std::to_string(timeout.count() / 1000) + " s: " + why,
              "The transaction may still become final. Ask with 'quorate-wallet tx " + to_0x(id) +
                  "' before you send again."};
  out.data = nlohmann::json{{"transaction_id", to_0x(id)}}.dump();
  return out;
}

// A refusal for a nonce that is used up, or a duplicate, can mean that an earlier attempt of ours
// got through: then there is a proof.
std::optional<rpc::ProvedReceipt> got_through(Network& network, const rpc::TrustedChain& chain,
                                              const Digest& id) {
  auto proof = fetch_proof(network, chain, id);
  if (!proof) return std::nullopt;
  return *proof;
}

}  // namespace

std::string describe(ledger::Reason reason) {
  std::string text(ledger::to_string(reason));
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

Failure failed_transaction(const rpc::ProvedReceipt& proved) {
  const ledger::Receipt& receipt = proved.receipt;
  Failure out{ExitCode::rejected,
              describe(receipt.reason) + "; the transaction is final in block " +
                  std::to_string(proved.height.value()) + " and had no effect but using its nonce"};
  out.rpc_code = -32003;
  out.reason = std::string(ledger::to_string(receipt.reason));
  return out;
}

std::string why_not_final(Network& network, const rpc::TrustedChain& chain) {
  std::size_t answering = 0;
  std::string first_reason;
  std::vector<std::string> silent;
  for (std::size_t node = 0; node < network.urls().size(); ++node) {
    const auto status = network.call_at(node, "chain_getStatus", nlohmann::json::object());
    if (!status) {
      silent.push_back(network.urls()[node]);
      continue;
    }
    ++answering;
    const auto reason = status->find("not_ready_reason");
    if (first_reason.empty() && reason != status->end() && reason->is_string()) {
      first_reason = network.urls()[node] + " says: " + reason->get<std::string>();
    }
  }
  const crypto::Membership& members = chain.membership();
  if (network.urls().size() == members.size() && answering < members.quorum()) {
    return std::to_string(answering) + " of " + std::to_string(members.size()) +
           " nodes answer, below the quorum of " + std::to_string(members.quorum()) +
           "; the network halts by design until more are back";
  }
  if (first_reason.empty() && !silent.empty()) {
    return silent.front() +
           " does not answer; if it is the primary, the others have not replaced it yet";
  }
  return first_reason;
}

Outcome<rpc::ProvedReceipt> fetch_proof(Network& network, const rpc::TrustedChain& chain,
                                        const Digest& id) {
  WALLET_TRY(const nlohmann::json answer,
             network.call("tx_getProof", {{"transaction_id", to_0x(id)}}));
  auto proved = chain.check_transaction_proof(answer, id);
  if (!proved) {
    return failure(ExitCode::failed,
                   network.url() + " gave a proof that does not hold: " + proved.error().detail,
                   "do not trust this node; ask another one with --rpc-url");
  }
  return *proved;
}

milliseconds since_offered(const Payment& payment) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - payment.offered);
}

bool is_earlier(const Payment& payment, const rpc::ProvedReceipt& proved,
                const rpc::WorkChain* work) {
  const auto stands = [work](const FinalBlock& block) {
    if (!block.work_id || work == nullptr) return true;
    const auto id = work->id(block.height);
    return id && *id == *block.work_id;
  };
  const auto newest = std::find_if(payment.known.begin(), payment.known.end(), stands);
  return newest != payment.known.end() && proved.height <= newest->height;
}

Failure already_final(const Payment& payment, const rpc::ProvedReceipt& proved) {
  return {ExitCode::failed,
          "this very payment, " + to_0x(payment.id) + ", was already final in block " +
              std::to_string(proved.height.value()) + ": nothing was sent",
          "somebody else signs with the same key, or the nodes lag behind; send again to pay once "
          "more"};
}

bool offer(Network& network, const rpc::TrustedChain& chain, const Payment& payment) {
  const nlohmann::json params = {{"tx", to_0x(ledger::encode(payment.transaction))},
                                 {"chain_id", to_0x(chain.chain_id())}};
  Offers offers(network, chain.membership().faults(), false);
  for (std::size_t tried = 0; tried < network.urls().size(); ++tried) {
    if (offers.submit("tx_submit", params) || offers.refused()) break;
    network.rotate();
  }
  return offers.maybe_taken();
}

Outcome<FinalTransaction> submit_until_final(Network& network, const rpc::TrustedChain& chain,
                                             const Payment& payment, milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  const auto done = [&](const rpc::ProvedReceipt& proved) -> Outcome<FinalTransaction> {
    if (is_earlier(payment, proved, nullptr)) return tl::unexpected(already_final(payment, proved));
    if (proved.receipt.outcome != ledger::Outcome::succeeded) {
      return tl::unexpected(failed_transaction(proved));
    }
    return FinalTransaction{proved, since_offered(payment), network.url()};
  };
  const nlohmann::json params = {{"tx", to_0x(ledger::encode(payment.transaction))},
                                 {"chain_id", to_0x(chain.chain_id())}};
  Offers offers(network, chain.membership().faults(), payment.maybe_taken);
  std::size_t false_proofs = 0;
  while (left_until(deadline).count() > 0) {
    const milliseconds patience = std::min(left_until(deadline), kPatiencePerNode);
    nlohmann::json asked = params;
    asked["timeout_ms"] = std::max<std::int64_t>(1, patience.count());
    if (offers.submit("tx_submitAndWait", asked, patience + kAnswerSlack)) {
      auto proved = fetch_proof(network, chain, payment.id);
      if (proved) return done(*proved);
      // Another node may have the proof that this one has not, or does not give.
      const bool is_false = proved.error().exit == ExitCode::failed;
      if (is_false && ++false_proofs >= network.urls().size()) {
        return tl::unexpected(proved.error());
      }
    } else if (offers.refused()) {
      if (const auto proved = got_through(network, chain, payment.id)) return done(*proved);
    }
    if (auto end = offers.ended()) return tl::unexpected(std::move(*end));
    network.rotate();
    // Until somebody may have it each node is asked once, without a pause.
    const bool next_at_once = !offers.maybe_taken() && (offers.refused() || offers.unreached());
    if (!next_at_once) {
      std::this_thread::sleep_for(std::min(left_until(deadline), kPauseBetweenNodes));
    }
  }
  if (const auto proved = got_through(network, chain, payment.id)) return done(*proved);
  return tl::unexpected(timed_out(network, chain, payment, timeout));
}

}  // namespace quorate::wallet
