// The wallet's side of the conversation with the nodes of one network. It believes the pinned chain
// only (rpc/client/trusted_chain.hpp); a node that cannot be reached is replaced by the next one.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rpc/client/rpc_client.hpp"
#include "rpc/client/trusted_chain.hpp"
#include "rpc/client/work_chain.hpp"
#include "wallet-cli/profile.hpp"

namespace quorate::wallet {

// A node that answers no simple question for so long is as good as unreachable: the next one is
// asked.
inline constexpr std::chrono::milliseconds kNodePatience{3'000};
// One that is asked together with the others holds them up no longer than this.
inline constexpr std::chrono::milliseconds kSurveyPatience{1'000};

class Network {
 public:
  // `urls` overrides the profile's nodes when it is not empty. `timeout` bounds all calls together,
  // but for a moment that each call is given even after it, so that a failure can be explained.
  static Outcome<Network> open(const Profile& profile, const std::vector<std::string>& urls,
                               std::chrono::milliseconds timeout);

  // Calls the current node, and the next ones while none can be reached.
  Outcome<nlohmann::json> call(const std::string& method, nlohmann::json params);
  // The same, without translating the node's error, so that the caller can look at it.
  rpc::RpcResult<nlohmann::json> try_call(const std::string& method, nlohmann::json params,
                                          std::chrono::milliseconds patience = kNodePatience);
  // Goes on to the next node, whether or not the current one answers.
  void rotate();
  // Goes on with this one.
  void prefer(std::size_t node) { current_ = node; }
  // Called with a line on every call, for --verbose.
  void set_trace(std::function<void(const std::string&)> trace) { trace_ = std::move(trace); }
  std::size_t current() const { return current_; }
  // The node that the last call used.
  const std::string& url() const { return urls_[current_]; }
  const std::vector<std::string>& urls() const { return urls_; }
  // One call to one node, without fail-over.
  rpc::RpcResult<nlohmann::json> call_at(std::size_t node, const std::string& method,
                                         nlohmann::json params,
                                         std::chrono::milliseconds patience = kNodePatience);

  // The same questions to every node, to all at once. What each answered, in the order of urls()
  // and of the questions; a node that cannot be reached or is too slow is asked no further.
  struct Question {
    std::string method;
    nlohmann::json params;
  };
  using Answers = std::vector<rpc::RpcResult<nlohmann::json>>;
  std::vector<Answers> ask_all(const std::vector<Question>& questions,
                               std::chrono::milliseconds patience = kSurveyPatience);

  // The pinned chain. Reads the profile's genesis file, else asks a node for the genesis and
  // compares its chain_id with the pin.
  Outcome<const rpc::TrustedChain*> chain();
  const Profile& profile() const { return profile_; }

  // What is checked of a chain that is proved by work is kept in this folder between runs.
  void keep_headers_in(std::filesystem::path folder) { header_folder_ = std::move(folder); }
  // The branch with the most work, as checked so far; null where seals prove the blocks.
  Outcome<rpc::WorkChain*> work();
  // Asks every node for its branch and checks it. Failures: failed when nodes answer and the work
  // of none holds, unreachable when none answers.
  Outcome<void> follow_work();
  // Grants more time than was asked for at the start.
  void extend_to(std::chrono::milliseconds timeout);

 private:
  Network(Profile profile, std::vector<std::string> urls, std::vector<rpc::RpcClient> clients,
          std::chrono::milliseconds timeout)
      : profile_(std::move(profile)),
        urls_(std::move(urls)),
        clients_(std::move(clients)),
        deadline_(std::chrono::steady_clock::now() + timeout) {}
  Profile profile_;
  std::vector<std::string> urls_;
  std::vector<rpc::RpcClient> clients_;
  std::chrono::steady_clock::time_point deadline_;
  std::size_t current_ = 0;
  std::function<void(const std::string&)> trace_;
  std::unique_ptr<rpc::TrustedChain> chain_;
  std::filesystem::path header_folder_;
  std::unique_ptr<rpc::WorkChain> work_;

  Result<std::vector<Bytes>> ask_work_headers(std::size_t node, Height from, std::uint32_t limit);
};

}  // namespace quorate::wallet
