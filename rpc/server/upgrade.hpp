// A connection on its way from HTTP to WebSocket. Included by the two sessions only.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "rpc/server/sessions.hpp"

namespace quorate::rpc {

struct Upgrade {
  boost::beast::tcp_stream stream;
  boost::beast::http::request<boost::beast::http::string_body> request;
  boost::beast::flat_buffer buffer;  // read ahead, belongs to the WebSocket
};

}  // namespace quorate::rpc
