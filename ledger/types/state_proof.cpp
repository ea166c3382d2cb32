#include "ledger/types/state_proof.hpp"

#include "crypto/hash.hpp"

namespace quorate::ledger {
namespace {

bool same_prefix(const Digest& a, const Digest& b, std::size_t bits) {
  for (std::size_t i = 0; i < bits; ++i) {
    if (state_key_bit(a, i) != state_key_bit(b, i)) return false;
  }
  return true;
}

}  // namespace

Digest state_key(const crypto::Address& address) {
  return crypto::hash("quorate/state-key/1", {address});
}

bool state_key_bit(const Digest& key, std::size_t depth) {
  return ((std::uint32_t{key.bytes[depth / 8]} >> (7U - depth % 8)) & 1U) != 0;
}

Digest state_leaf_hash(const StateLeaf& leaf) {
  return state_leaf_hash(state_key(leaf.address), leaf);
}

Digest state_leaf_hash(const Digest& key, const StateLeaf& leaf) {
  crypto::Writer account;
  account.reserve(16);
  encode(account, leaf.account);
  return crypto::hash("quorate/state-leaf/1", {key, leaf.address, account.view()});
}

Digest state_inner_hash(const Digest& left, const Digest& right) {
  return crypto::hash("quorate/state-inner/1", {left, right});
}

Result<std::optional<Account>> verify_state_proof(const Digest& root,
                                                  const crypto::Address& address,
                                                  const StateProof& proof) {
  if (proof.siblings.size() > kStateDepthMax) {
    return fail(Errc::bad_encoding, "a state proof deeper than a key has bits");
  }
  const Digest key = state_key(address);
  Digest node;
  if (proof.leaf) {
    // Another account's leaf shows absence only where it stands alone in the subtree of this key.
    if (proof.leaf->address != address &&
        !same_prefix(state_key(proof.leaf->address), key, proof.siblings.size())) {
      return fail(Errc::bad_encoding, "the state proof ends at a leaf of another path");
    }
    node = state_leaf_hash(*proof.leaf);
  }
  for (std::size_t depth = proof.siblings.size(); depth-- > 0;) {
    const Digest& sibling = proof.siblings[depth];
    node = state_key_bit(key, depth) ? state_inner_hash(sibling, node)
                                     : state_inner_hash(node, sibling);
  }
  if (node != root) {
    return fail(Errc::bad_encoding, "the state proof leads to another root than " + to_0x(root));
  }
  if (!proof.leaf || proof.leaf->address != address) return std::optional<Account>{};
  return std::optional<Account>(proof.leaf->account);
}

void encode(crypto::Writer& out, const StateProof& proof) {
  out.u32(static_cast<std::uint32_t>(proof.siblings.size()));
  for (const Digest& sibling : proof.siblings) out.raw(sibling);
  out.u8(proof.leaf ? 1 : 0);
  if (!proof.leaf) return;
  out.raw(proof.leaf->address);
  encode(out, proof.leaf->account);
}

StateProof decode_state_proof(crypto::Reader& in) {
  StateProof proof;
  const std::uint32_t siblings = in.count(0, kStateDepthMax, Digest::kSize);
  proof.siblings.reserve(siblings);
  for (std::uint32_t i = 0; i < siblings; ++i) proof.siblings.push_back(in.fixed<Digest>());
  const std::uint8_t present = in.u8();
  if (present > 1) in.reject("the leaf mark of a state proof is neither 0 nor 1");
  if (in.ok() && present == 1) {
    StateLeaf leaf;
    leaf.address = decode_address(in);
    leaf.account = decode_account(in);
    proof.leaf = leaf;
  }
  return proof;
}

}  // namespace quorate::ledger
