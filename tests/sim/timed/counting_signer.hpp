// A replica's signer that counts, so that each signature can be charged. One run owns it.
#pragma once

#include <utility>

#include "crypto/signer.hpp"
#include "tests/sim/timed/timed_node.hpp"

namespace quorate::sim::timed {

class TimedNode::CountingSigner final : public crypto::Signer {
 public:
  explicit CountingSigner(const crypto::Signer& inner) : inner_(inner) {}
  const PublicKey& public_key() const override { return inner_.public_key(); }
  Signature sign(ByteView message) const override {
    ++made_;
    return inner_.sign(message);
  }
  // Signatures made since the last call.
  std::int64_t take() { return std::exchange(made_, 0); }

 private:
  const crypto::Signer& inner_;
  mutable std::int64_t made_ = 0;
};

}  // namespace quorate::sim::timed
