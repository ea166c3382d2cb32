#include "node/net/peer_address.hpp"

#include <charconv>

namespace quorate::node {

Result<PeerAddress> parse_peer_address(std::string_view text) {
  const auto bad = [&] {
    return fail(Errc::invalid_argument, "'" + std::string(text) +
                                            "' is not an address; write host:port, for example "
                                            "127.0.0.1:30645 or [::1]:30645");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || (!bracketed && host.find(':') != std::string_view::npos)) return bad();
  PeerAddress out{std::string(host), 0};
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (port.empty() || parsed.ec != std::errc{} || parsed.ptr != port.data() + port.size()) {
    return bad();
  }
  return out;
}

}  // namespace quorate::node
