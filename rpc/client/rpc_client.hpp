// A JSON-RPC client over HTTP for the wallet and the testnet tool: blocking calls with deadlines,
// one kept-alive connection, fail-over across several nodes. Boost stays behind the pimpl. One
// thread at a time per client.
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "crypto/base/result.hpp"

namespace quorate::rpc {

// What a node answered with "error", or why none answered.
struct RpcError {
  enum class Kind : std::uint8_t { answered, unreachable, timeout, protocol };
  Kind kind = Kind::answered;
  int code = 0;  // JSON-RPC code when answered
  std::string message;
  nlohmann::json data;  // error.data, an object; null if absent
  std::string url;      // the node it concerns
  bool reached = true;  // the node may have seen the request
};
template <class T>
using RpcResult = tl::expected<T, RpcError>;

struct RpcClientOptions {
  std::chrono::milliseconds connect_timeout{2000};
  std::chrono::milliseconds request_timeout{35000};
};

class RpcClient {
 public:
  // `urls` like "http://127.0.0.1:8645", tried in order; a call goes to the next one when a node is
  // unreachable, and stays there. Error invalid_argument for a malformed URL.
  static Result<RpcClient> create(std::vector<std::string> urls, RpcClientOptions options = {});
  RpcClient(RpcClient&&) noexcept;
  RpcClient& operator=(RpcClient&&) noexcept;
  ~RpcClient();

  // `params` is an array or object.
  RpcResult<nlohmann::json> call(const std::string& method, nlohmann::json params);
  // GET of another path ("/readyz", "/metrics"): status and body.
  struct HttpResponse {
    unsigned status = 0;
    std::string body;
  };
  RpcResult<HttpResponse> get(const std::string& path);
  // For the calls from now on.
  void set_request_timeout(std::chrono::milliseconds timeout);
  // The node the last call reached.
  const std::string& url() const;

 private:
  struct Impl;
  explicit RpcClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Subscriptions over WebSocket, blocking: connect, subscribe, then next() until it fails.
class RpcSubscription {
 public:
  static RpcResult<RpcSubscription> open(const std::string& url, const std::string& topic,
                                         nlohmann::json options);
  RpcSubscription(RpcSubscription&&) noexcept;
  RpcSubscription& operator=(RpcSubscription&&) noexcept;
  ~RpcSubscription();
  // The next notification's params.result; error timeout after `wait`.
  RpcResult<nlohmann::json> next(std::chrono::milliseconds wait);

 private:
  struct Impl;
  explicit RpcSubscription(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::rpc
