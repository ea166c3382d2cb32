#include "wallet-cli/network.hpp"

#include <thread>

#include "rpc/json/fields.hpp"

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

std::vector<Network::Answers> Network::ask_all(const std::vector<Question>& questions,
                                               milliseconds patience) {
  std::vector<Answers> out(clients_.size());
  std::vector<std::vector<std::string>> traces(clients_.size());
  // Each thread has a client and a place in the results of its own.
  const auto ask = [&](std::size_t node) {
    clients_[node].set_request_timeout(patience);
    for (const Question& question : questions) {
      const auto start = std::chrono::steady_clock::now();
      out[node].push_back(clients_[node].call(question.method, question.params));
      const rpc::RpcResult<nlohmann::json>& answer = out[node].back();
      traces[node].push_back(describe_call(urls_[node], question.method, answer, start));
      if (!answer && answer.error().kind != RpcError::Kind::answered) return;
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t node = 1; node < clients_.size(); ++node) threads.emplace_back(ask, node);
  ask(0);
  for (std::thread& thread : threads) thread.join();
  for (const auto& lines : traces) {
    for (const std::string& line : lines) {
      if (trace_) trace_(line);
    }
  }
  return out;
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
  if (rpc::proved_by_nothing(chain->genesis())) {
    return failure(ExitCode::failed,
                   "nothing that this wallet knows proves the blocks of the engine " +
                       chain->genesis().consensus.engine +
                       ", and it says of a payment only what is proved",
                   "use the nodes' API (docs/rpc.md), ask several nodes and compare");
  }
  chain_ = std::make_unique<rpc::TrustedChain>(std::move(*chain));
  return chain_.get();
}

Outcome<rpc::WorkChain*> Network::work() {
  if (work_) return work_.get();
  WALLET_TRY(const rpc::TrustedChain* trusted, chain());
  if (!rpc::proved_by_work(trusted->genesis())) return nullptr;
  std::optional<std::filesystem::path> file;
  if (!header_folder_.empty()) file = header_folder_ / (to_hex(trusted->chain_id()) + ".headers");
  WALLET_TRY(rpc::WorkChain opened, rpc::WorkChain::open(trusted->genesis(), file));
  work_ = std::make_unique<rpc::WorkChain>(std::move(opened));
  return work_.get();
}

Result<std::vector<Bytes>> Network::ask_work_headers(std::size_t node, Height from,
                                                     std::uint32_t limit) {
  if (std::chrono::steady_clock::now() > deadline_ + kLastWord) {
    return fail(Errc::timeout,
                "no time is left to read work headers; those that were checked are "
                "kept, so the next call goes on from there");
  }
  const auto answer =
      call_at(node, "chain_getWorkHeaders", {{"from", from.value()}, {"limit", limit}});
  if (!answer) return fail(Errc::unavailable, answer.error().message);
  QUORATE_TRY(const rpc::Fields fields, rpc::Fields::of(*answer, "work headers"));
  QUORATE_TRY(const rpc::Json* items, fields.array("items", limit));
  std::vector<Bytes> out;
  for (const rpc::Json& item : *items) {
    QUORATE_TRY(Bytes header, rpc::read_bytes(item, "work headers"));
    out.push_back(std::move(header));
  }
  return out;
}

Outcome<void> Network::follow_work() {
  WALLET_TRY(rpc::WorkChain * chain, work());
  bool answered = false;
  std::optional<Failure> broken, silent;
  for (std::size_t node = 0; node < urls_.size(); ++node) {
    const auto source = [this, node](Height from, std::uint32_t limit) {
      return ask_work_headers(node, from, limit);
    };
    const auto now = std::chrono::duration_cast<milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    const auto taken = chain->follow(source, WallMs(static_cast<std::uint64_t>(now.count())));
    if (taken) {
      answered = true;
      continue;
    }
    if (trace_) trace_(urls_[node] + " work headers: " + taken.error().detail);
    if (taken.error().code == Errc::io) return tl::unexpected(from_error(taken.error()));
    const bool no_answer =
        taken.error().code == Errc::unavailable || taken.error().code == Errc::timeout;
    (no_answer ? silent : broken) =
        Failure{no_answer ? ExitCode::unreachable : ExitCode::failed,
                urls_[node] +
                    (no_answer ? " shows no work headers: " : " shows work that does not hold: ") +
                    taken.error().detail,
                no_answer ? "" : "do not trust this node; ask another one with --rpc-url"};
  }
  if (answered) return {};
  return tl::unexpected(broken ? *broken : *silent);
}

void Network::extend_to(std::chrono::milliseconds timeout) {
  deadline_ = std::max(deadline_, std::chrono::steady_clock::now() + timeout);
}

}  // namespace quorate::wallet
