#include "node/config/endpoint.hpp"

#include <charconv>

namespace quorate::node {
namespace {

tl::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return fail(Errc::invalid_argument, "'" + std::string(text) + "' is not an address: " +
                                          std::string(why) + " (like 127.0.0.1:8645)");
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad(text, "the port is missing");
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  Endpoint out;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), out.port);
  if (port_text.empty() || error != std::errc() || end != port_text.data() + port_text.size()) {
    return bad(text, "the port is not a number from 0 to 65535");
  }
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos ||
        host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
      return bad(text, "between the brackets there is no IPv6 address");
    }
  } else {
    if (host.empty()) return bad(text, "the host is missing");
    if (host.find(':') != std::string_view::npos) {
      return bad(text, "an IPv6 address needs brackets, like [::1]:8645");
    }
    if (!std::all_of(host.begin(), host.end(), is_host_character)) {
      return bad(text, "the host has a character that no host name has");
    }
  }
  out.host = std::string(host);
  return out;
}

std::string to_string(const Endpoint& endpoint) {
  const bool ipv6 = endpoint.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

}  // namespace quorate::node
