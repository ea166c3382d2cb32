#include "wallet-cli/network.hpp"

namespace quorate::wallet {

using rpc::RpcError;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kConnectPatience{1'000};
// Beyond the deadline: a node that was asked to wait until then answers a moment after it.
constexpr milliseconds kLastWord{400};

std::string describe_call(const std::string& url, const std::string& method,
                          const rpc::RpcResult<nlohmann::json>& answer,
                          std::chrono::steady_clock::time_point start) {
  const auto took =
      std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
  return url + " " + method + ": " + (answer ? "ok" : answer.error().message) + ", " +
         std::to_string(took.count()) + " ms";
}

}  // namespace

Outcome<Network> Network::open(const Profile& profile, const std::vector<std::string>& urls,
                               std::chrono::milliseconds timeout) {
  const std::vector<std::string>& chosen = urls.empty() ? profile.rpc_urls : urls;
  if (chosen.empty()) {
    return failure(ExitCode::configuration, "the profile '" + profile.name + "' names no node",
                   "add rpc_urls to it, or give --rpc-url");
  }
  rpc::RpcClientOptions options;
  options.connect_timeout = kConnectPatience;
  std::vector<rpc::RpcClient> clients;
  for (const std::string& url : chosen) {
    WALLET_TRY(rpc::RpcClient client, rpc::RpcClient::create({url}, options));
    clients.push_back(std::move(client));
  }
  return Network(profile, chosen, std::move(clients), timeout);
}

void Network::rotate() { current_ = (current_ + 1) % clients_.size(); }

rpc::RpcResult<nlohmann::json> Network::call_at(std::size_t node, const std::string& method,
                                                nlohmann::json params, milliseconds patience) {
  const auto left =
      std::chrono::duration_cast<milliseconds>(deadline_ - std::chrono::steady_clock::now());
  clients_.at(node).set_request_timeout(std::max(kLastWord, std::min(left + kLastWord, patience)));
  const auto start = std::chrono::steady_clock::now();
  auto answer = clients_.at(node).call(method, std::move(params));
  if (trace_) trace_(describe_call(urls_.at(node), method, answer, start));
  return answer;
}

rpc::RpcResult<nlohmann::json> Network::try_call(const std::string& method, nlohmann::json params,
                                                 milliseconds patience) {
  rpc::RpcResult<nlohmann::json> answer = call_at(current_, method, params, patience);
  for (std::size_t tried = 1; tried < clients_.size(); ++tried) {
    const bool next = !answer && (answer.error().kind == RpcError::Kind::unreachable ||
                                  answer.error().kind == RpcError::Kind::timeout);
    if (!next) break;
    rotate();
    rpc::RpcResult<nlohmann::json> another = call_at(current_, method, params, patience);
    // A node that is there but slow says more than one that is not there.
    const bool less = !another && another.error().kind == RpcError::Kind::unreachable &&
                      answer.error().kind == RpcError::Kind::timeout;
    if (!less) answer = std::move(another);
  }
  return answer;
}

Outcome<nlohmann::json> Network::call(const std::string& method, nlohmann::json params) {
  WALLET_TRY(nlohmann::json answer, try_call(method, std::move(params)));
  return answer;
}

Outcome<const rpc::TrustedChain*> Network::chain() {
  if (chain_) return chain_.get();
  WALLET_TRY(std::optional<ledger::Genesis> genesis, load_genesis(profile_));
  if (!genesis) {
    WALLET_TRY(const nlohmann::json answer, call("chain_getGenesis", nlohmann::json::object()));
    const nlohmann::json& body = answer.contains("genesis") ? answer["genesis"] : answer;
    WALLET_TRY(genesis, rpc::genesis_from_json(body));
  }
  auto chain = rpc::TrustedChain::from_genesis(std::move(*genesis), profile_.chain_id);
  if (!chain) {
    return failure(ExitCode::configuration, chain.error().detail,
                   "the profile '" + profile_.name + "' belongs to another chain");
  }
  chain_ = std::make_unique<rpc::TrustedChain>(std::move(*chain));
  return chain_.get();
}

}  // namespace quorate::wallet
