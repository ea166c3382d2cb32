// Merkle and state proofs: whatever decodes encodes to the same bytes, and no proof that the input
// can spell verifies against a root that was not made for it.
#include "crypto/base/assert.hpp"
#include "ledger/types/merkle.hpp"
#include "ledger/types/state_proof.hpp"

using namespace quorate;
using namespace quorate::ledger;

namespace {

template <class Proof>
bool round_trips(const Proof& proof, ByteView input) {
  crypto::Writer out;
  encode(out, proof);
  return to_bytes(out.view()) == to_bytes(input);
}

Digest some_root() {
  Digest root;
  root.bytes.fill(0x5A);
  return root;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  crypto::Reader merkle(input);
  const MerkleProof path = decode_merkle_proof(merkle);
  if (merkle.finish()) {
    QUORATE_ASSERT(round_trips(path, input));
    QUORATE_ASSERT(!merkle_verify(some_root(), Digest{}, path));
  }
  crypto::Reader state(input);
  const StateProof proof = decode_state_proof(state);
  if (state.finish()) {
    QUORATE_ASSERT(round_trips(proof, input));
    crypto::Address address;
    address.bytes[1] = 1;
    QUORATE_ASSERT(!verify_state_proof(some_root(), address, proof));
    // What a leaf says about its own address holds under the root that the proof leads to only.
    if (proof.leaf && proof.siblings.empty()) {
      const auto own = verify_state_proof(state_leaf_hash(*proof.leaf), proof.leaf->address, proof);
      QUORATE_ASSERT(own && *own == proof.leaf->account);
    }
  }
  return 0;
}
