// A small chain to test the ledger with: named accounts with fixed keys, four validators, and
// shorthand for transactions and blocks.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/hash.hpp"
#include "crypto/keys.hpp"
#include "ledger/audit.hpp"
#include "ledger/chain.hpp"

namespace quorate::ledger::test {

inline crypto::SecretSeed seed(std::string_view name) {
  return std::move(*crypto::SecretSeed::from(crypto::sha256(as_bytes(name))));
}

inline const crypto::AccountKey& account_key(const std::string& name) {
  static std::map<std::string, std::unique_ptr<crypto::AccountKey>> keys;
  auto& key = keys[name];
  if (!key) key = std::make_unique<crypto::AccountKey>(seed("account " + name));
  return *key;
}

inline crypto::Address address(const std::string& name) {
  return crypto::address_of(account_key(name).public_key());
}

inline const crypto::ValidatorKey& validator_key(std::uint32_t index) {
  static const std::array<crypto::ValidatorKey, 4> keys = {
      crypto::ValidatorKey(seed("validator 0")), crypto::ValidatorKey(seed("validator 1")),
      crypto::ValidatorKey(seed("validator 2")), crypto::ValidatorKey(seed("validator 3"))};
  return keys.at(index);
}

// Anna has 1000, ben 500, cleo 0. Dora has no account.
inline Genesis small_genesis() {
  Genesis genesis;
  genesis.chain_name = "unit-ledger";
  genesis.genesis_time = WallMs(1'900'000'000'000);
  for (std::uint32_t i = 0; i < 4; ++i) {
    const crypto::NodeKey node(seed("node " + std::to_string(i)));
    genesis.validators.push_back({"v" + std::to_string(i), validator_key(i).public_key(),
                                  node.public_key(), "127.0.0.1:" + std::to_string(30645 + i)});
  }
  genesis.accounts = {{address("anna"), 1000}, {address("ben"), 500}, {address("cleo"), 0}};
  return genesis;
}

struct TransactionOptions {
  std::uint64_t valid_until = 0;
  std::string memo;
};

inline TransactionPtr transaction(const Digest& chain, const std::string& from, std::uint64_t nonce,
                                  std::vector<Operation> operations,
                                  const TransactionOptions& options = {}) {
  Transaction content;
  content.nonce = nonce;
  content.valid_until_height = options.valid_until;
  content.operations = std::move(operations);
  content.memo = to_bytes(as_bytes(options.memo));
  auto out = std::make_shared<VerifiedTransaction>();
  out->signed_transaction = sign(chain, std::move(content), account_key(from));
  out->encoded = encode(out->signed_transaction);
  out->id = transaction_id(chain, out->signed_transaction.transaction);
  out->sender = address(from);
  return out;
}

inline TransactionPtr transfer(const Digest& chain, const std::string& from, std::uint64_t nonce,
                               const std::string& to, std::uint64_t amount,
                               const TransactionOptions& options = {}) {
  return transaction(chain, from, nonce, {Transfer{address(to), amount}}, options);
}

// The id and the commit certificate are stand-ins: consensus makes the real ones.
inline OrderedBlock ordered(Height height, std::vector<TransactionPtr> transactions,
                            WallMs proposed = WallMs(0)) {
  OrderedBlock block;
  block.height = height;
  block.proposed_time = proposed;
  block.proposer = validator_key(0).public_key();
  block.payload = encode_payload(transactions);
  crypto::Writer id;
  id.integer_of(height);
  block.payload_id = crypto::hash("test/payload", {id.view(), block.payload});
  block.commit_certificate = to_bytes(block.payload_id);
  block.transactions = std::move(transactions);
  return block;
}

// Checks what ordered() made, for an audit.
inline Result<ProvedOrder> trust_fixture(Height height, ByteView payload, ByteView certificate) {
  crypto::Writer id;
  id.integer_of(height);
  const Digest expected = crypto::hash("test/payload", {id.view(), payload});
  if (to_bytes(expected) != to_bytes(certificate)) {
    return fail(Errc::bad_signature, "the certificate is for another payload");
  }
  return ProvedOrder{expected, WallMs(0), validator_key(0).public_key()};
}

inline OrderedBlock null_block(Height height) {
  OrderedBlock block = ordered(height, {});
  block.payload.clear();
  block.proposer = {};
  return block;
}

inline std::vector<crypto::ReplicaSignature> seals_of(const Genesis& genesis, const Header& header,
                                                      const std::vector<std::uint32_t>& signers) {
  const Digest digest =
      crypto::seal_signing_digest(membership(genesis), header.height, block_hash(header));
  std::vector<crypto::ReplicaSignature> out;
  for (const std::uint32_t signer : signers) {
    out.push_back({ReplicaId(signer), validator_key(signer).sign(digest)});
  }
  return out;
}

}  // namespace quorate::ledger::test
