// The node's HTTP and WebSocket server: JSON-RPC 2.0 on POST / and /rpc and on the WebSocket /ws,
// and GET /livez /readyz /version /metrics /openrpc.json. Boost.Beast stays behind the pimpl.
//
// Threads: the server runs on `threads` threads of its own. It calls the backend on them, and the
// backend may answer on any thread; answers are posted back, no thread of the server ever waits for
// one. start, stop and the destructor belong to one thread, which is none of the server's.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "crypto/base/result.hpp"
#include "rpc/backend.hpp"

namespace quorate::rpc {

struct RpcServerOptions {
  std::string listen = "127.0.0.1:8645";  // address:port; [::1]:8645 for IPv6; port 0 picks one
  // Names and addresses clients may use in the Host (and Origin) header, besides localhost, the
  // loopback addresses and the address of `listen`; without a port. "*" allows any.
  std::vector<std::string> allowed_hosts = {};
  unsigned threads = 1;

  // Per remote address; 0 = no limit. A call in a batch counts like a request of its own.
  std::uint32_t requests_per_second = 0;
  std::uint32_t connections_max = 0;
  std::uint32_t connections_total_max = 1024;  // of all addresses

  std::size_t body_bytes_max = 1'000'000;  // also of a WebSocket message
  std::size_t header_bytes_max = 16'384;
  std::chrono::milliseconds read_timeout{10'000};  // for a whole head, and for a whole body
  std::chrono::milliseconds idle_timeout{60'000};  // between requests of a kept connection
  std::chrono::milliseconds write_timeout{30'000};
  std::chrono::milliseconds drain_timeout{5'000};  // what stop() grants to requests under way

  // Of one WebSocket connection. A live subscriber for whom more than this has been waiting, for
  // longer than `slow_grace`, is closed with 1013 "slow consumer".
  std::size_t queue_messages_max = 1024;
  std::size_t queue_bytes_max = 8U << 20U;
  std::chrono::milliseconds slow_grace{5'000};
  std::chrono::milliseconds ping_interval{20'000};
};

class RpcServer {
 public:
  // Binds, listens, registers as the backend's event sink and serves. `backend` must outlive the
  // server. Errors: invalid_argument (the address), unavailable (the port is taken, naming it).
  static Result<std::unique_ptr<RpcServer>> start(RpcServerOptions options, Backend& backend);
  // Stops if need be.
  ~RpcServer();

  // "127.0.0.1:8645": where it listens, with the real port.
  const std::string& address() const;
  // Refuses new connections, answers what is under way within drain_timeout while new requests on
  // kept connections get 503, closes WebSockets with 1001, then ends its threads. Idempotent.
  void stop();

 private:
  struct Impl;
  explicit RpcServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::rpc
