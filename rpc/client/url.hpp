// The parts of a node's address. Pure function.
#pragma once

#include <string>

#include "crypto/base/result.hpp"

namespace quorate::rpc {

struct Url {
  std::string host;  // without brackets
  std::string port;
  std::string authority() const;  // for the Host header
};

// "http://host[:port][/]" (or ws:// for subscriptions); the port defaults to 8645.
// Error invalid_argument that says what is wrong with `text`.
Result<Url> parse_url(const std::string& text);

}  // namespace quorate::rpc
