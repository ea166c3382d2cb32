// Blocking calls with a deadline on top of Asio: starts an asynchronous operation and runs the loop
// until it is done or the time is up. Included by the client's translation units only. One thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/error.hpp>
#include <chrono>

#include "rpc/client/rpc_client.hpp"
#include "rpc/client/url.hpp"

namespace quorate::rpc {

// `start(handler)` begins an operation whose handler takes an error code first. The operation has a
// timeout of its own (a tcp_stream's), so the loop always ends.
template <class Start>
boost::beast::error_code run_to_end(boost::asio::io_context& io, Start start) {
  boost::beast::error_code result = boost::asio::error::would_block;
  start([&result](boost::beast::error_code ec, auto&&...) { result = ec; });
  io.restart();
  // Not run(): a WebSocket keeps a timer for as long as it is open.
  while (result == boost::asio::error::would_block && io.run_one() > 0) {
  }
  return result;
}

inline RpcError transport_error(const boost::beast::error_code& ec, const std::string& url,
                                const std::string& doing) {
  RpcError error;
  error.kind =
      ec == boost::beast::error::timeout ? RpcError::Kind::timeout : RpcError::Kind::unreachable;
  error.message = doing + " " + url + ": " + ec.message();
  error.url = url;
  return error;
}

}  // namespace quorate::rpc
