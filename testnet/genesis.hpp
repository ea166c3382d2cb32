// Makes the data folder of a new testnet: keys, genesis and configuration of every node. It is made
// beside its place and moved there whole, so that an interrupted `up` leaves nothing half done.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "consensus/engine_list.hpp"
#include "ledger/types/genesis.hpp"
#include "testnet/manifest.hpp"
#include "testnet/mining.hpp"

namespace quorate::testnet {

struct NetworkPlan {
  std::string engine = consensus::default_engine();
  std::map<std::string, std::uint64_t> engine_parameters = {};  // what is not named is chosen
  MiningPlan mining;
  std::uint32_t nodes = kNodesMin;
  std::uint16_t rpc_base_port = 8645;
  std::uint16_t p2p_base_port = 30645;
  std::uint32_t load_accounts = 0;
  std::uint64_t checkpoint_interval = 0;  // 0 = the default of the chain
};

inline constexpr std::uint64_t kDevAccountBalance = 1'000'000;

// Error invalid_argument for an unknown engine, parameters it refuses, or a size or port out of
// range.
Result<void> check(const NetworkPlan& plan);
std::vector<NodeEntry> plan_nodes(const NetworkPlan& plan);
// Errors: those of check(); conflict when the folder exists and is
// not empty; io.
Result<Manifest> create_network(const Layout& layout, const NetworkPlan& plan);

}  // namespace quorate::testnet
