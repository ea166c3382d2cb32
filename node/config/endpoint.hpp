// "host:port" as configuration and genesis hold it: a name, an IPv4 address, or an IPv6 address in
// brackets. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.hpp"

namespace quorate::node {

struct Endpoint {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

// Error invalid_argument that says what is missing. Port 0 ("any free port") is accepted.
Result<Endpoint> parse_endpoint(std::string_view text);
std::string to_string(const Endpoint& endpoint);

}  // namespace quorate::node
