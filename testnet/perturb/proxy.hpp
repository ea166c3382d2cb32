// The fault links of a testnet, as one process: for each pair of nodes a TCP port of its own that
// the one that dials connects to, and behind it the other one's real port. Bytes pass as they are;
// the rules say when, and whether.
//
// A cut link is a pulled cable: connections stay open and nothing comes through, new ones hang.
// What was sent before waits, at most 1 MiB per direction, and passes when the link is whole again.
// A line with a rate holds what it passes on in a second, as a router's queue does. Without rules a
// chunk is passed on as soon as it was read, and so is what earlier rules held back.
//
// Single-threaded: run() owns everything until it returns.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "testnet/perturb/rules.hpp"

namespace quorate::testnet {

struct LinkTraffic {
  std::uint64_t bytes = 0;        // passed on
  std::uint64_t connections = 0;  // counted in the direction of the one that dials
  std::uint64_t resets = 0;       // by loss
  std::uint64_t held_back = 0;    // chunks that a rule made wait
};

class LinkProxy {
 public:
  // Listens for every pair (a, b) with a < b on ports[(a, b)], or on a free port where that is 0,
  // missing or taken; `targets` are the nodes' own P2P ports. Error io.
  static Result<std::unique_ptr<LinkProxy>> listen(const std::vector<std::uint16_t>& targets,
                                                   const std::map<Direction, std::uint16_t>& ports);
  ~LinkProxy();

  std::map<Direction, std::uint16_t> ports() const;
  std::map<Direction, LinkTraffic> traffic() const;
  void set_rules(LinkRules rules);
  // Until SIGTERM or SIGINT; `reload` is called on every SIGHUP.
  void run(const std::function<void()>& reload);

 private:
  struct Impl;
  explicit LinkProxy(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::testnet
