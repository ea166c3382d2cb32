#include "rpc/client/trusted_chain.hpp"

#include "crypto/verifier.hpp"
#include "rpc/json/fields.hpp"

namespace quorate::rpc {
namespace {

// A transaction whose own block lost its seals is proved by a descendant; more headers than this
// are not a proof a node needs to give.
constexpr std::size_t kHeadersMax = 10'000;

Result<std::vector<ledger::Header>> read_headers(const Fields& fields) {
  QUORATE_TRY(const Json* items, fields.array("headers", kHeadersMax));
  std::vector<ledger::Header> headers;
  for (const Json& item : *items) {
    QUORATE_TRY(ledger::Header header, header_from_json(item));
    headers.push_back(header);
  }
  if (headers.empty()) return fail(Errc::bad_encoding, "headers: there must be at least one");
  return headers;
}

// The headers must lead from the transaction's block to the certified one by parent hash.
Result<void> check_descent(const std::vector<ledger::Header>& headers, const Digest& certified) {
  for (std::size_t i = 1; i < headers.size(); ++i) {
    if (headers[i].parent_hash != ledger::block_hash(headers[i - 1])) {
      return fail(Errc::rejected, "the headers of the proof do not follow each other");
    }
  }
  if (ledger::block_hash(headers.back()) != certified) {
    return fail(Errc::rejected, "the headers of the proof do not lead to the certified block");
  }
  return {};
}

}  // namespace

Result<TrustedChain> TrustedChain::from_genesis(ledger::Genesis genesis,
                                                const std::optional<Digest>& pinned) {
  crypto::Membership membership = ledger::membership(genesis);
  if (pinned && *pinned != membership.chain_id) {
    return fail(Errc::conflict, "the genesis has chain_id " + to_0x(membership.chain_id) +
                                    ", but " + to_0x(*pinned) + " is pinned");
  }
  return TrustedChain(std::move(genesis), std::move(membership));
}

Result<ProvedHeader> TrustedChain::check_certificate(const Json& certificate) const {
  QUORATE_TRY(const ledger::BlockCertificate decoded, certificate_from_json(certificate));
  const crypto::Ed25519Verifier verifier;
  QUORATE_CHECK(ledger::verify(decoded, membership_, verifier));
  return ProvedHeader{decoded.header, ledger::block_hash(decoded.header),
                      static_cast<std::uint32_t>(decoded.seals.size()), membership_.size()};
}

Result<ProvedReceipt> TrustedChain::check_transaction_proof(const Json& answer,
                                                            const Digest& transaction_id) const {
  QUORATE_TRY(const Fields fields, Fields::of(answer, "proof"));
  QUORATE_TRY(const Json* receipt_json, fields.get("receipt"));
  QUORATE_TRY(const ledger::Receipt receipt, receipt_from_json(*receipt_json));
  if (receipt.transaction_id != transaction_id) {
    return fail(Errc::conflict, "the proof is for transaction " + to_0x(receipt.transaction_id) +
                                    ", not for " + to_0x(transaction_id));
  }
  QUORATE_TRY(const Json* path_json, fields.get("path"));
  QUORATE_TRY(const ledger::MerkleProof path, merkle_proof_from_json(*path_json));
  QUORATE_TRY(const std::vector<ledger::Header> headers, read_headers(fields));
  QUORATE_TRY(const Json* certificate_json, fields.get("certificate"));
  QUORATE_TRY(const ProvedHeader sealed, check_certificate(*certificate_json));
  QUORATE_CHECK(check_descent(headers, sealed.block_hash));
  const ledger::Header& own = headers.front();
  if (!ledger::merkle_verify(own.receipts_root, ledger::receipt_leaf(receipt), path) ||
      path.count != own.transaction_count) {
    return fail(Errc::rejected, "the receipt does not stand under the block's receipts root");
  }
  return ProvedReceipt{receipt, own.height, ledger::block_hash(own), sealed};
}

Result<std::optional<ProvedAccount>> TrustedChain::at_genesis(
    const Json& certificate, const crypto::Address& address) const {
  QUORATE_TRY(const ledger::BlockCertificate decoded, certificate_from_json(certificate));
  if (decoded.header.height != Height(0)) return std::nullopt;
  ProvedAccount out;
  out.sealed.header.chain_id = chain_id();
  out.sealed.validators = membership_.size();
  for (const ledger::GenesisAccount& account : genesis_.accounts) {
    if (account.address == address) out.account = ledger::Account{account.balance, 0};
  }
  return std::optional<ProvedAccount>(out);
}

Result<ProvedAccount> TrustedChain::check_account_proof(const Json& answer,
                                                        const crypto::Address& address) const {
  QUORATE_TRY(const Fields fields, Fields::of(answer, "proof"));
  QUORATE_TRY(const Json* unchecked, fields.get("certificate"));
  QUORATE_TRY(const std::optional<ProvedAccount> initial, at_genesis(*unchecked, address));
  if (initial) return *initial;
  QUORATE_TRY(const Json* proof_json, fields.get("proof"));
  QUORATE_TRY(const ledger::StateProof proof, state_proof_from_json(*proof_json));
  QUORATE_TRY(const Json* certificate_json, fields.get("certificate"));
  QUORATE_TRY(const ProvedHeader sealed, check_certificate(*certificate_json));
  QUORATE_TRY(const std::optional<ledger::Account> account,
              ledger::verify_state_proof(sealed.header.state_root, address, proof));
  return ProvedAccount{account, sealed};
}

}  // namespace quorate::rpc
