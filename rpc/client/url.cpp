#include "rpc/client/url.hpp"

#include <charconv>

namespace quorate::rpc {

namespace {

constexpr const char* kDefaultPort = "8645";

bool is_port(const std::string& text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && stopped == end && port != 0;
}

}  // namespace

std::string Url::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + port;
}

Result<Url> parse_url(const std::string& text) {
  const auto wrong = [&](const std::string& why) {
    return fail(Errc::invalid_argument, "\"" + text + "\" is not a node's URL: " + why +
                                            "; expected one like http://127.0.0.1:8645");
  };
  std::string rest = text;
  if (rest.starts_with("http://")) {
    rest.erase(0, 7);
  } else if (rest.starts_with("ws://")) {
    rest.erase(0, 5);
  } else {
    return wrong("it does not start with http://");
  }
  const auto slash = rest.find('/');
  if (slash != std::string::npos) {
    const std::string path = rest.substr(slash);
    if (path != "/" && path != "/rpc" && path != "/ws") return wrong("it has the path " + path);
    rest.resize(slash);
  }
  if (rest.find_first_of("@?# \t\r\n") != std::string::npos) return wrong("unexpected characters");
  Url out;
  out.port = kDefaultPort;
  const auto bracket = rest.find(']');
  const auto colon = rest.find(':', bracket == std::string::npos ? 0 : bracket);
  if (colon != std::string::npos) {
    out.port = rest.substr(colon + 1);
    rest.resize(colon);
  }
  if (rest.size() > 2 && rest.front() == '[' && rest.back() == ']') {
    rest = rest.substr(1, rest.size() - 2);
  }
  if (rest.empty() || rest.find_first_of("[]") != std::string::npos) return wrong("no host");
  if (!is_port(out.port)) return wrong("the port is " + out.port);
  out.host = std::move(rest);
  return out;
}

}  // namespace quorate::rpc
