#include "testnet/ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace quorate::testnet {

namespace {

// A node that was killed a moment ago counts as ended when its first thread has; its sockets close
// with the last one.
constexpr std::chrono::seconds kClosing(2);

}  // namespace

bool port_is_free(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  // As the node does: connections of an earlier run that linger in TIME_WAIT are no obstacle.
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                    ::listen(fd, 1) == 0;
  ::close(fd);
  return free;
}

Result<void> check_ports(const std::vector<NodeEntry>& nodes,
                         const std::vector<std::size_t>& wanted, PortChoice choice) {
  std::string busy;
  const auto deadline = std::chrono::steady_clock::now() + kClosing;
  const auto note = [&](const NodeEntry& node, std::uint16_t port, const char* purpose) {
    while (!port_is_free(port)) {
      if (std::chrono::steady_clock::now() >= deadline) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (port_is_free(port)) return;
    if (!busy.empty()) busy += ", ";
    busy += "port " + std::to_string(port) + " (" + purpose + " of " + node.name + ")";
  };
  for (const std::size_t index : wanted) {
    note(nodes.at(index), nodes.at(index).rpc_port, "RPC");
    note(nodes.at(index), nodes.at(index).p2p_port, "P2P");
  }
  if (busy.empty()) return {};
  const std::string advice =
      choice == PortChoice::open
          ? ", or choose other ports with --rpc-base-port and --p2p-base-port"
          : ", or another program; end it. The ports of a testnet stay what they were when it was "
            "made: for others start afresh, with down --purge and then up --rpc-base-port";
  return fail(Errc::unavailable, "busy: " + busy +
                                     ". Another testnet may run (quorate-testnet down --data "
                                     "FOLDER)" +
                                     advice);
}

}  // namespace quorate::testnet
