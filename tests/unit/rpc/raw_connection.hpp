// A client that sends exactly the bytes a test wants, over a plain socket: HTTP as text, and
// WebSocket frames by hand. Reads give up after a minute, so that a test fails instead of hanging.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace quorate::rpc::test {

struct RawResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class RawConnection {
 public:
  // `address` is "127.0.0.1:port".
  explicit RawConnection(const std::string& address);
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  // False when the other side has closed.
  bool send(const std::string& bytes);
  // Nothing when the connection ended first. `head_only`: the answer to HEAD has no body.
  std::optional<RawResponse> response(bool head_only = false);
  // True once the other side has closed or reset.
  bool closed_by_peer();

  struct Frame {
    int opcode = 0;  // 1 text, 8 close, 9 ping, 10 pong
    std::string payload;
    int close_code() const;
  };
  // After this the connection speaks WebSocket.
  RawResponse upgrade(const std::string& extra_headers = "");
  void send_frame(int opcode, const std::string& payload);
  std::optional<Frame> frame();

 private:
  bool fill();
  std::optional<std::string> take(std::size_t size);

  int fd_;
  std::string buffer_;
};

// A complete POST of JSON-RPC.
std::string post(const std::string& body, const std::string& extra_headers = "");

}  // namespace quorate::rpc::test
