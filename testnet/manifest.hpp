// testnet.json in the data folder: what `up` made, so that every later command finds the nodes and
// refuses to mix sizes, engines or chains. Written once, before the first node starts. Any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "consensus/engine.hpp"
#include "crypto/base/bytes.hpp"
#include "crypto/base/result.hpp"

namespace quorate::testnet {

inline constexpr std::uint32_t kNodesMin = 4;
inline constexpr std::uint32_t kNodesMax = 16;

struct NodeEntry {
  std::string name;  // node0, node1, ...: the validator of the same index
  std::uint16_t rpc_port = 0;
  std::uint16_t p2p_port = 0;

  std::string rpc_url() const { return "http://127.0.0.1:" + std::to_string(rpc_port); }
  std::string p2p_address() const { return "127.0.0.1:" + std::to_string(p2p_port); }
};

struct Manifest {
  std::string engine;
  consensus::EngineTraits traits;  // of the engine; what commands say depends on these alone
  std::string chain_name;
  Digest chain_id;
  std::uint32_t load_accounts = 0;  // funded for `load`; see load/accounts.hpp
  std::vector<NodeEntry> nodes;

  // By name or by number: "node2", "2". Error not_found that names the nodes there are.
  Result<std::size_t> find(const std::string& name) const;
};

// Where things lie inside the data folder.
struct Layout {
  std::filesystem::path data;

  std::filesystem::path manifest_file() const { return data / "testnet.json"; }
  std::filesystem::path genesis_file() const { return data / "genesis.json"; }
  std::filesystem::path home(const std::string& node) const { return data / node; }
  std::filesystem::path log_file(const std::string& node) const {
    return data / "logs" / (node + ".log");
  }
  std::filesystem::path pid_file(const std::string& node) const {
    return data / "run" / (node + ".pid");
  }
  // The fault links: their rules, and what their process answers (perturb/links.hpp).
  std::filesystem::path links_file() const { return data / "run" / "links.json"; }
  std::filesystem::path links_state_file() const { return data / "run" / "links.state.json"; }
};

Result<void> store(const Layout& layout, const Manifest& manifest);
// Errors: not_found when there is no testnet in the folder; corrupt when the file is not one.
Result<Manifest> load_manifest(const Layout& layout);

}  // namespace quorate::testnet
