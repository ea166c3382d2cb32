#include "wallet-cli/account_survey.hpp"

#include <algorithm>

#include "rpc/json/fields.hpp"

namespace quorate::wallet {
namespace {

using Questions = std::vector<Network::Question>;

// What one node said, without proof.
struct Claim {
  std::uint64_t next_nonce = 1;
  std::uint64_t height = 0;
};

Result<Claim> read_claim(const rpc::Json& answer) {
  QUORATE_TRY(const rpc::Fields fields, rpc::Fields::of(answer, "account"));
  Claim claim;
  QUORATE_TRY(claim.next_nonce, fields.integer("next_nonce", rpc::kJsonIntegerMax));
  QUORATE_TRY(claim.height, fields.integer("height", rpc::kJsonIntegerMax));
  return claim;
}

// Of an even number the greater of the two in the middle: of two nodes, the one that is not behind.
std::uint64_t median(std::vector<std::uint64_t> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// The claims of the nodes that answered in time; else of the first that answers at all.
Outcome<std::vector<Claim>> claims_of(Network& network, const crypto::Address& address,
                                      const std::vector<Network::Answers>& answers) {
  std::vector<Claim> claims;
  for (const Network::Answers& each : answers) {
    if (each.empty() || !each[0]) continue;
    if (const auto claim = read_claim(*each[0])) claims.push_back(*claim);
  }
  if (!claims.empty()) return claims;
  WALLET_TRY(const rpc::Json answer,
             network.call("account_get", {{"address", crypto::to_text(address)}}));
  const auto claim = read_claim(answer);
  if (!claim) {
    return failure(ExitCode::failed,
                   network.url() + " gave an account that cannot be read: " + claim.error().detail,
                   "ask another node with --rpc-url");
  }
  return std::vector<Claim>{*claim};
}

// That it could commit now, as it says. Decides nothing but which node is asked first.
bool is_ready(const Network::Answers& answers) {
  if (answers.empty() || !answers.back() || !answers.back()->is_object()) return false;
  const auto ready = answers.back()->find("ready");
  return ready != answers.back()->end() && *ready == true;
}

// The newest proof among the answers at `place`, and who gave it: of those with equal ones, a node
// that is ready.
struct Best {
  std::optional<rpc::ProvedAccount> proved;
  std::size_t node = 0;
  std::vector<std::string> warnings;
};

Best best_proof(const Network& network, const rpc::TrustedChain& chain,
                const crypto::Address& address, const std::vector<Network::Answers>& answers,
                std::size_t place) {
  Best best;
  for (std::size_t node = 0; node < answers.size(); ++node) {
    if (answers[node].size() <= place || !answers[node][place]) continue;
    auto proved = chain.check_account_proof(*answers[node][place], address);
    if (!proved) {
      best.warnings.push_back(network.urls()[node] + " gave a proof that does not hold: " +
                              proved.error().detail + "; do not trust this node");
      continue;
    }
    const Height height = proved->sealed.header.height;
    const Height known = best.proved ? best.proved->sealed.header.height : Height(0);
    const bool better =
        !best.proved || height > known ||
        (height == known && is_ready(answers[node]) && !is_ready(answers[best.node]));
    if (!better) continue;
    best.proved = std::move(*proved);
    best.node = node;
  }
  return best;
}

}  // namespace

Outcome<NewestProof> newest_account_proof(Network& network, const rpc::TrustedChain& chain,
                                          const crypto::Address& address) {
  const rpc::Json params = {{"address", crypto::to_text(address)}};
  Best best =
      best_proof(network, chain, address, network.ask_all({{"account_getProof", params}}), 0);
  if (best.proved) {
    network.prefer(best.node);
    return NewestProof{std::move(*best.proved), std::move(best.warnings)};
  }
  WALLET_TRY(const rpc::Json answer, network.call("account_getProof", params));
  auto proved = chain.check_account_proof(answer, address);
  if (!proved) {
    return failure(ExitCode::failed,
                   network.url() + " gave a proof that does not hold: " + proved.error().detail,
                   "do not trust this node; ask another one with --rpc-url");
  }
  return NewestProof{std::move(*proved), std::move(best.warnings)};
}

Outcome<PayingAccount> survey_account(Network& network, const rpc::TrustedChain& chain,
                                      const crypto::Address& address) {
  const rpc::Json params = {{"address", crypto::to_text(address)}};
  const bool sealed = !rpc::proved_by_work(chain.genesis());
  Questions questions = {{"account_get", params}};
  if (sealed) questions.push_back({"account_getProof", params});
  questions.push_back({"chain_getStatus", rpc::Json::object()});
  const std::vector<Network::Answers> answers = network.ask_all(questions);
  const auto ready = std::find_if(answers.begin(), answers.end(), is_ready);
  if (ready != answers.end()) {
    network.prefer(static_cast<std::size_t>(std::distance(answers.begin(), ready)));
  }

  PayingAccount out;
  if (sealed) {
    Best best = best_proof(network, chain, address, answers, 1);
    if (best.proved) network.prefer(best.node);
    out.proved = std::move(best.proved);
    out.warnings = std::move(best.warnings);
  }
  WALLET_TRY(const std::vector<Claim> claims, claims_of(network, address, answers));
  std::vector<std::uint64_t> nonces, heights;
  for (const Claim& claim : claims) {
    nonces.push_back(claim.next_nonce);
    heights.push_back(claim.height);
  }
  out.next_nonce = median(nonces);
  out.height = Height(median(heights));
  if (out.proved) out.height = out.proved->sealed.header.height;
  return out;
}

bool is_known_to_a_node(Network& network, const Digest& transaction_id) {
  const auto answers = network.ask_all({{"tx_get", {{"transaction_id", to_0x(transaction_id)}}}});
  return std::any_of(answers.begin(), answers.end(), [](const Network::Answers& each) {
    if (each.empty() || !each[0]) return false;
    const auto fields = rpc::Fields::of(*each[0], "transaction");
    const auto status = fields ? fields->text("status") : fail(Errc::bad_encoding, "");
    return status && *status != "unknown" && *status != "expired";
  });
}

}  // namespace quorate::wallet
