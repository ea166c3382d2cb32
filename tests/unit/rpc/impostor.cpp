#include "tests/unit/rpc/impostor.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include "crypto/base/assert.hpp"

namespace quorate::rpc::test {
namespace {

// Head and body of one request; nothing when the other side ends first.
std::optional<std::string> read_request(int client) {
  std::string out;
  std::size_t whole = std::string::npos;
  while (out.size() < whole) {
    char buffer[4096];
    const ssize_t got = recv(client, buffer, sizeof(buffer), 0);
    if (got <= 0) return std::nullopt;
    out.append(buffer, static_cast<std::size_t>(got));
    const std::size_t end = out.find("\r\n\r\n");
    if (end == std::string::npos || whole != std::string::npos) continue;
    const std::size_t length = out.find("Content-Length: ");
    whole = end + 4 + (length < end ? std::stoul(out.substr(length + 16)) : 0);
  }
  return out;
}

}  // namespace

Impostor::Impostor(Handler handler) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  QUORATE_ASSERT(bind(fd_, reinterpret_cast<sockaddr*>(&at), size) == 0);
  QUORATE_ASSERT(listen(fd_, 16) == 0);
  getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
  url_ = "http://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  if (handler) thread_ = std::thread([this, handler = std::move(handler)] { serve(handler); });
}

Impostor::Impostor(const std::string& answer)
    : Impostor(answer.empty() ? Handler() : [answer](const std::string&) { return answer; }) {}

void Impostor::serve(const Handler& handler) const {
  for (;;) {
    const int client = accept(fd_, nullptr, nullptr);
    if (client < 0) return;
    if (const auto request = read_request(client)) {
      const std::string answer = handler(*request);
      send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
    close(client);
  }
}

Impostor::~Impostor() {
  shutdown(fd_, SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
  close(fd_);
}

std::string http_ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

}  // namespace quorate::rpc::test
