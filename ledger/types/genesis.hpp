// What a chain starts from. Its canonical encoding without the P2P addresses gives the chain_id, so
// that a host may move; every node prints it and every handshake carries it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "crypto/address.hpp"
#include "crypto/base/result.hpp"
#include "crypto/certificate/membership.hpp"
#include "ledger/types/block.hpp"

namespace quorate::ledger {

struct GenesisValidator {
  std::string name;         // 1..32 of [a-z0-9-]
  PublicKey validator_key;  // signs votes
  PublicKey node_key;       // authenticates TLS
  std::string p2p;          // host:port; not part of the chain_id
  bool operator==(const GenesisValidator&) const = default;
};

struct GenesisAccount {
  crypto::Address address;
  std::uint64_t balance = 0;
  bool operator==(const GenesisAccount&) const = default;
};

// Caps are parameters of the chain, never of one node: replicas must agree on what is valid.
struct ConsensusParameters {
  std::string engine = "pbft";
  std::uint64_t checkpoint_interval = 128;  // K; the window L is 2K
  std::uint32_t proposals_in_flight = 32;   // W, at most L
  std::uint32_t payload_bytes_max = 1U << 20U;
  std::uint32_t payload_transactions_max = 4096;
  // What only the engine understands, by name (1..32 of [a-z0-9_]); JSON "engine_parameters".
  std::map<std::string, std::uint64_t> engine_parameters = {};
  bool operator==(const ConsensusParameters&) const = default;
};

struct Genesis {
  std::string chain_name;
  WallMs genesis_time;
  ConsensusParameters consensus;
  std::vector<GenesisValidator> validators;
  std::vector<GenesisAccount> accounts;
  bool submit_any = true;                   // permissions.submit == "any"
  std::vector<crypto::Address> submitters;  // otherwise these
  bool operator==(const Genesis&) const = default;
};

// The encoding that chain_id hashes (no P2P addresses):
//   chain_name text | genesis_time u64 | parameters | validators | u32 count, each: address 21,
//   balance u64 | submit_any u8 | u32 count of submitters, each: address 21
//   then, unless there are none, the engine's parameters: u32 count, each: name text | value u64
//   parameters = engine text | checkpoint_interval u64 | proposals_in_flight u32 |
//                payload_bytes_max u32 | payload_transactions_max u32
//   validators = u32 count, each: name text | validator_key 32 | node_key 32
// Lists keep the order of the genesis file: validators are numbered by it.
Bytes encode_identity(const Genesis& genesis);
Digest chain_id(const Genesis& genesis);  // H("quorate/genesis/1", encode_identity)
// H("quorate/config/1", validators || parameters || the engine's parameters, unless there are
// none).
Digest config_hash(const Genesis& genesis);
crypto::Membership membership(const Genesis& genesis);  // epoch 0

// Every rule a genesis must meet: at least one validator (four, unless `allow_no_bft`), distinct
// keys and names, no validator key used as node key, unique accounts, total balance within u64, dev
// accounts only on dev chains, parameters in range. The error names the field and the value.
Result<void> validate(const Genesis& genesis, bool allow_no_bft);

}  // namespace quorate::ledger
