// JSON forms of ledger types, both ways: the server writes them, the wallet and the testnet read
// them. Heights, counts and nonces are numbers up to 2^53-1; amounts decimal strings; bytes 0x-hex;
// addresses bech32m; times RFC 3339 UTC plus *_ms. Readers check everything; error bad_encoding
// names the field.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "crypto/base/result.hpp"
#include "ledger/types/block_certificate.hpp"
#include "ledger/types/genesis.hpp"
#include "ledger/types/merkle.hpp"
#include "ledger/types/receipt.hpp"
#include "ledger/types/state_proof.hpp"
#include "ledger/types/transaction.hpp"

namespace quorate::rpc {

using Json = nlohmann::json;

Json to_json(const ledger::Genesis& genesis);
Result<ledger::Genesis> genesis_from_json(const Json& json);
Json to_json(const ledger::Header& header);
Result<ledger::Header> header_from_json(const Json& json);
Json to_json(const ledger::Receipt& receipt);
Result<ledger::Receipt> receipt_from_json(const Json& json);
Json to_json(const ledger::BlockCertificate& certificate);
Result<ledger::BlockCertificate> certificate_from_json(const Json& json);
Json to_json(const ledger::MerkleProof& proof);
Result<ledger::MerkleProof> merkle_proof_from_json(const Json& json);
Json to_json(const ledger::StateProof& proof);
Result<ledger::StateProof> state_proof_from_json(const Json& json);
Json to_json(const ledger::Transaction& transaction);

// "2031-02-03T04:05:06.789Z"
std::string rfc3339(WallMs time);

// Parses text from outside behind the gate: depth at most 32, no duplicate keys, no integer that
// does not fit. Never throws.
Result<Json> parse_json(std::string_view text);

}  // namespace quorate::rpc
