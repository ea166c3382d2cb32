// A set of replicas as a bitmap, one bit per member of the epoch. Plain value; any thread.
#pragma once

#include <algorithm>

#include "crypto/base/bytes.hpp"
#include "crypto/base/strong_int.hpp"
#include "crypto/codec/reader.hpp"
#include "crypto/codec/writer.hpp"

namespace quorate::consensus::pbft {

class ReplicaSet {
 public:
  ReplicaSet() = default;
  explicit ReplicaSet(std::uint32_t members) : bits_((members + 7) / 8) {}

  void insert(ReplicaId replica) {
    if (replica.value() / 8 < bits_.size()) {
      bits_[replica.value() / 8] |= static_cast<std::uint8_t>(1U << (replica.value() % 8));
    }
  }
  bool contains(ReplicaId replica) const {
    return replica.value() / 8 < bits_.size() &&
           (bits_[replica.value() / 8] & (1U << (replica.value() % 8))) != 0;
  }
  bool operator==(const ReplicaSet&) const = default;

  // Exactly ceil(members/8) bytes; bits beyond the members are zero.
  void encode(crypto::Writer& out) const { out.raw(bits_); }
  static ReplicaSet decode(crypto::Reader& in, std::uint32_t members) {
    ReplicaSet out(members);
    const ByteView bytes = in.raw(out.bits_.size());
    if (!in.ok()) return out;
    std::copy(bytes.begin(), bytes.end(), out.bits_.begin());
    if (members % 8 != 0 && (out.bits_.back() >> (members % 8)) != 0) {
      in.reject("a replica bitmap names a replica that does not exist");
    }
    return out;
  }

 private:
  Bytes bits_;
};

}  // namespace quorate::consensus::pbft
