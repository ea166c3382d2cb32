// Proofs that a replica signed two contents where a correct one signs a single one: two messages of
// one type, signer, view and height that differ in what they say. A proof stands alone: whoever
// knows the chain's configuration can check it, long after the messages themselves are gone.
//   proof = epoch u64 || two witnesses, each a type u8 and the signed fields
// Pure; any thread.
#pragma once

#include <array>

#include "consensus/pbft/messages.hpp"

namespace quorate::consensus::pbft {

Bytes encode_evidence(Epoch epoch, const Witness& first, const Witness& second);

struct EvidenceParts {
  Epoch epoch;
  std::array<Witness, 2> witnesses;
};
Result<EvidenceParts> decode_evidence(ByteView proof);

// The votes of everybody who signed in both certificates: of one slot with two ids these are the
// replicas that broke the protocol; of two views there are none to be had that way.
std::vector<std::pair<Vote, Vote>> double_votes(
    VoteKind kind, const Ballot& first, const std::vector<crypto::ReplicaSignature>& of_first,
    const Ballot& second, const std::vector<crypto::ReplicaSignature>& of_second);

// What the two prove, provided that their signatures hold. Error bad_signature when two correct
// messages may look like this: other signers, another place, or the same content.
Result<ProvedOffence> offence_of(const crypto::Membership& membership, const Witness& first,
                                 const Witness& second);

}  // namespace quorate::consensus::pbft
