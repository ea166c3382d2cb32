// A proof that an account has a value, or does not exist, under a state root. The state tree is a
// binary tree over key = H("quorate/state-key/1", address): a subtree with one account is that
// account's leaf, an empty subtree is the zero digest. Bit 0 is the most significant bit of byte 0.
//   leaf  = H("quorate/state-leaf/1", key || address || balance u64 || nonce u64)
//   inner = H("quorate/state-inner/1", left || right)
#pragma once

#include <optional>
#include <vector>

#include "crypto/address.hpp"
#include "crypto/base/result.hpp"
#include "ledger/types/account.hpp"

namespace quorate::ledger {

struct StateLeaf {
  crypto::Address address;
  Account account;
  bool operator==(const StateLeaf&) const = default;
};

struct StateProof {
  std::vector<Digest> siblings;   // from the root downwards
  std::optional<StateLeaf> leaf;  // what stands at the end of the path; empty subtree if none
  bool operator==(const StateProof&) const = default;
};

Digest state_key(const crypto::Address& address);
Digest state_leaf_hash(const StateLeaf& leaf);
// The same where the key is known already; `key` must be state_key(leaf.address).
Digest state_leaf_hash(const Digest& key, const StateLeaf& leaf);
// Bit `depth` of a key, 0 = the most significant bit of byte 0: whether the path turns right there.
bool state_key_bit(const Digest& key, std::size_t depth);
inline constexpr std::uint32_t kStateDepthMax = 256;  // bits of a key
Digest state_inner_hash(const Digest& left, const Digest& right);

// The proved account, or nothing when the proof shows that `address` does not exist.
// Error bad_encoding when the proof does not lead to `root`.
Result<std::optional<Account>> verify_state_proof(const Digest& root,
                                                  const crypto::Address& address,
                                                  const StateProof& proof);

void encode(crypto::Writer& out, const StateProof& proof);
StateProof decode_state_proof(crypto::Reader& in);

}  // namespace quorate::ledger
