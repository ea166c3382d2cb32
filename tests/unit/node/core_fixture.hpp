// What the tests of the node's core share: a chain whose accounts sign with a scheme that costs
// nothing, a state that tests edit directly, and transactions by name.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "crypto/base/instant.hpp"
#include "crypto/hash.hpp"
#include "ledger/chain.hpp"
#include "ledger/types/genesis.hpp"

namespace quorate::node::testing {

// A signature is a hash of key and message: enough where nobody forges.
inline Signature plain_signature(const PublicKey& key, ByteView message) {
  const Digest half = crypto::hash("test/signature/1", {key, message});
  Signature out;
  std::copy(half.bytes.begin(), half.bytes.end(), out.bytes.begin());
  std::copy(half.bytes.begin(), half.bytes.end(), out.bytes.begin() + 32);
  return out;
}

class PlainSigner final : public crypto::Signer {
 public:
  explicit PlainSigner(std::uint8_t number) { key_.bytes.fill(number); }
  const PublicKey& public_key() const override { return key_; }
  Signature sign(ByteView message) const override { return plain_signature(key_, message); }

 private:
  PublicKey key_;
};

class PlainVerifier final : public crypto::Verifier {
 public:
  bool verify(const PublicKey& key, ByteView message, const Signature& signature) const override {
    return plain_signature(key, message) == signature;
  }
};

inline crypto::Address address_of(std::uint8_t account) {
  return crypto::address_of(PlainSigner(account).public_key());
}

inline ledger::Genesis test_genesis(std::uint32_t validators = 4) {
  ledger::Genesis out;
  out.chain_name = "test";
  out.genesis_time = WallMs(1'000);
  out.consensus.checkpoint_interval = 8;
  out.consensus.proposals_in_flight = 8;
  out.consensus.payload_bytes_max = 64U << 10U;
  out.consensus.payload_transactions_max = 4;
  for (std::uint8_t i = 0; i < validators; ++i) {
    ledger::GenesisValidator validator;
    validator.name = "node" + std::to_string(i);
    validator.validator_key = PlainSigner(static_cast<std::uint8_t>(100 + i)).public_key();
    validator.node_key = PlainSigner(static_cast<std::uint8_t>(150 + i)).public_key();
    validator.p2p = "127.0.0.1:1";
    out.validators.push_back(validator);
  }
  for (std::uint8_t account = 1; account <= 6; ++account) {
    out.accounts.push_back({address_of(account), 1'000});
  }
  return out;
}

// A state that a test writes down.
class FakeState final : public ledger::StateView {
 public:
  FakeState() {
    for (std::uint8_t account = 1; account <= 6; ++account) {
      accounts[address_of(account)] = {1'000, 0};
    }
  }
  Height height() const override { return at; }
  Digest root() const override { return {}; }
  std::optional<ledger::Account> account(const crypto::Address& address) const override {
    const auto it = accounts.find(address);
    if (it == accounts.end()) return std::nullopt;
    return it->second;
  }
  ledger::StateProof prove(const crypto::Address&) const override { return {}; }

  Height at;
  std::map<crypto::Address, ledger::Account> accounts;
};

struct Spec {
  std::uint8_t account = 1;
  std::uint64_t nonce = 1;
  std::uint64_t amount = 1;
  std::uint64_t valid_until = 0;
  Bytes memo = {};
  std::uint8_t to = 6;
};

inline ledger::TransactionPtr transaction(const Spec& spec,
                                          const ledger::Genesis& genesis = test_genesis()) {
  const PlainSigner signer(spec.account);
  ledger::Transaction content;
  content.sender = signer.public_key();
  content.nonce = spec.nonce;
  content.valid_until_height = spec.valid_until;
  content.operations = {ledger::Transfer{address_of(spec.to), spec.amount}};
  content.memo = spec.memo;
  const Digest chain = ledger::chain_id(genesis);
  const auto verified = ledger::verify_transaction(
      chain, ledger::encode(ledger::sign(chain, content, signer)), PlainVerifier());
  QUORATE_ASSERT(verified.has_value());
  return *verified;
}

// The block that executed these, all of them successfully, on top of `state`.
inline ledger::ExecutedBlock executed_block(const std::shared_ptr<FakeState>& state, Height height,
                                            const std::vector<ledger::TransactionPtr>& content) {
  ledger::ExecutedBlock out;
  out.header.height = height;
  out.transactions = content;
  auto after = std::make_shared<FakeState>(*state);
  after->at = height;
  for (const auto& executed : content) {
    std::uint64_t& nonce = after->accounts[executed->sender].nonce;
    nonce = std::max(nonce, executed->signed_transaction.transaction.nonce);
    out.receipts.push_back({executed->id});
  }
  state->at = height;
  state->accounts = after->accounts;
  out.state = after;
  return out;
}

inline Instant at_ms(std::int64_t milliseconds) {
  return Instant{std::chrono::milliseconds(milliseconds)};
}

}  // namespace quorate::node::testing
