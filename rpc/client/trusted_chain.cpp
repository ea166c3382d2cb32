#include "rpc/client/trusted_chain.hpp"

#include "crypto/verifier.hpp"
#include "rpc/client/receipt_proof.hpp"

namespace quorate::rpc {

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
  QUORATE_TRY(const ReceiptProof proof, check_receipt_proof(fields, transaction_id));
  QUORATE_TRY(const Json* certificate_json, fields.get("certificate"));
  QUORATE_TRY(const ProvedHeader sealed, check_certificate(*certificate_json));
  if (ledger::block_hash(proof.headers.back()) != sealed.block_hash) {
    return fail(Errc::rejected, "the headers of the proof do not lead to the certified block");
  }
  const ledger::Header& own = proof.headers.front();
  return ProvedReceipt{proof.receipt, own.height, ledger::block_hash(own), sealed, {}};
}

Result<std::optional<ProvedAccount>> TrustedChain::at_genesis(
    const Json& certificate, const crypto::Address& address) const {
  QUORATE_TRY(const ledger::BlockCertificate decoded, certificate_from_json(certificate));
  if (decoded.header.height != Height(0)) return std::nullopt;
  return std::optional<ProvedAccount>(account_at_genesis(address));
}

ProvedAccount TrustedChain::account_at_genesis(const crypto::Address& address) const {
  ProvedAccount out;
  out.sealed.header.chain_id = chain_id();
  out.sealed.validators = membership_.size();
  for (const ledger::GenesisAccount& account : genesis_.accounts) {
    if (account.address == address) out.account = ledger::Account{account.balance, 0};
  }
  return out;
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
  return ProvedAccount{account, sealed, {}};
}

}  // namespace quorate::rpc
