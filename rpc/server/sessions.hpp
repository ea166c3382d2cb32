// How the listener and the two kinds of session hand a connection on. Asio only; Beast's headers
// stay in http_session.cpp and ws_session.cpp.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "rpc/server/core.hpp"

namespace quorate::rpc {

// A connection that counts in the limiter as long as somebody holds it.
class Admission {
 public:
  Admission(std::shared_ptr<Core> core, std::string address)
      : core_(std::move(core)), address_(std::move(address)) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  ~Admission() { core_->limiter.disconnected(address_); }
  const std::string& address() const { return address_; }

 private:
  std::shared_ptr<Core> core_;
  std::string address_;
};

// Serves HTTP on a socket whose executor is a strand of its own.
void start_http_session(boost::asio::ip::tcp::socket socket, std::shared_ptr<Core> core,
                        std::shared_ptr<Admission> admission);
// Answers one line of `status` and closes: for connections over a limit.
void refuse_connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<Core> core,
                       unsigned status);

// The socket after an accepted upgrade request, whose text is `head`.
struct Upgrade;
void start_ws_session(std::unique_ptr<Upgrade> upgrade, std::shared_ptr<Core> core,
                      std::shared_ptr<Admission> admission);

}  // namespace quorate::rpc
