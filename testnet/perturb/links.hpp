// The fault links as the commands see them: a process of the testnet like a node, steered by files
// in run/. links.json holds the rules and is there exactly while the testnet has fault links; the
// process answers in links.state.json with its ports and with the version of the rules it carries
// out. The caller holds the lock of the data folder for everything that changes something.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "testnet/manifest.hpp"
#include "testnet/perturb/proxy.hpp"
#include "testnet/process.hpp"

namespace quorate::testnet {

struct LinkState {
  std::uint64_t version = 0;
  std::map<Direction, std::uint16_t> ports;
  std::map<Direction, LinkTraffic> traffic;
};

class Links {
 public:
  Links(const Layout& layout, const Manifest& manifest) : layout_(layout), manifest_(manifest) {}

  bool exist() const;
  RunState process() const;
  Result<LinkRules> rules() const;
  Result<LinkState> state() const;

  // Makes them, or starts their process again when it has died; returns once they listen.
  Result<void> start() const;
  // Puts the rules into force; returns once they are, with what passed until then.
  Result<LinkState> apply(const LinkRules& rules) const;
  // Ends the process and forgets the rules: what there was is there again, without a fault, after
  // the next start. The nodes must be down.
  Result<void> rest() const;
  // The same, and there are no links any more.
  Result<void> stop() const;
  // The setting that makes a node dial its peers through the links; empty for the node that dials
  // nobody.
  Result<std::string> peers_setting(NodeIndex node) const;
  // Whether a process was started with that setting.
  static bool dials_through_links(const ProcessId& process);

  // What the process itself does: carries out links.json until it is told to end.
  static Result<int> serve(const std::filesystem::path& data);

 private:
  Result<LinkState> wait_for(std::uint64_t version) const;

  const Layout& layout_;
  const Manifest& manifest_;
};

}  // namespace quorate::testnet
