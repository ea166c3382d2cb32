#include "tests/unit/rpc/raw_connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "crypto/base/assert.hpp"

namespace quorate::rpc::test {

RawConnection::RawConnection(const std::string& address) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
  const auto colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  const timeval wait{60, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
  QUORATE_ASSERT(connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0);
}

RawConnection::~RawConnection() { close(fd_); }

bool RawConnection::send(const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t done = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (done <= 0) return false;
    sent += static_cast<std::size_t>(done);
  }
  return true;
}

bool RawConnection::fill() {
  char chunk[65'536];
  const ssize_t got = recv(fd_, chunk, sizeof(chunk), 0);
  if (got <= 0) return false;
  buffer_.append(chunk, static_cast<std::size_t>(got));
  return true;
}

std::optional<std::string> RawConnection::take(std::size_t size) {
  while (buffer_.size() < size) {
    if (!fill()) return std::nullopt;
  }
  std::string out = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return out;
}

std::optional<RawResponse> RawConnection::response(bool head_only) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  const std::string head = *take(end + 4);
  RawResponse out;
  out.status = std::stoi(head.substr(head.find(' ') + 1));
  std::size_t at = head.find("\r\n") + 2;
  while (at + 2 < head.size()) {
    const std::size_t line_end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    std::string name = head.substr(at, colon - at);
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    out.headers[name] = head.substr(colon + 2, line_end - colon - 2);
    at = line_end + 2;
  }
  if (head_only || !out.headers.contains("content-length")) return out;
  auto body = take(std::stoul(out.headers["content-length"]));
  if (!body) return std::nullopt;
  out.body = std::move(*body);
  return out;
}

bool RawConnection::closed_by_peer() {
  char byte = 0;
  const ssize_t got = recv(fd_, &byte, 1, 0);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

RawResponse RawConnection::upgrade(const std::string& extra_headers) {
  send(
      "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
      extra_headers + "\r\n");
  return response().value_or(RawResponse{});
}

void RawConnection::send_frame(int opcode, const std::string& payload) {
  std::string frame(1, static_cast<char>(0x80 | opcode));
  const std::size_t size = payload.size();
  const int bits = size < 126 ? 0 : size < 65'536 ? 16 : 64;
  frame += static_cast<char>(0x80U | (bits == 0 ? size : bits == 16 ? 126U : 127U));
  for (int shift = bits - 8; shift >= 0; shift -= 8) {
    frame += static_cast<char>((size >> static_cast<unsigned>(shift)) & 0xffU);
  }
  frame.append(4, '\0');  // a mask that changes nothing
  send(frame + payload);
}

std::optional<RawConnection::Frame> RawConnection::frame() {
  const auto head = take(2);
  if (!head) return std::nullopt;
  Frame out;
  out.opcode = static_cast<unsigned char>((*head)[0]) & 0x0f;
  std::size_t size = static_cast<unsigned char>((*head)[1]) & 0x7fU;
  if (size >= 126) {
    const auto longer = take(size == 126 ? 2 : 8);
    if (!longer) return std::nullopt;
    size = 0;
    for (const char c : *longer) size = (size << 8U) | static_cast<unsigned char>(c);
  }
  auto payload = take(size);
  if (!payload) return std::nullopt;
  out.payload = std::move(*payload);
  return out;
}

int RawConnection::Frame::close_code() const {
  if (opcode != 8 || payload.size() < 2) return 0;
  return (static_cast<unsigned char>(payload[0]) << 8) | static_cast<unsigned char>(payload[1]);
}

std::string post(const std::string& body, const std::string& extra_headers) {
  return "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
         "application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + extra_headers + "\r\n" + body;
}

}  // namespace quorate::rpc::test
