#include "crypto/work/work_function.hpp"

#include "crypto/work/bits.hpp"

namespace quorate::crypto::work {
namespace {

class DoubleSha256 final : public WorkFunction {
 public:
  bool meets(const Header& header, const Digest& id) const override {
    const auto target = target_of_bits(header.bits);
    return target && from_little_endian(id) <= *target;
  }
};

}  // namespace

const WorkFunction& double_sha256() {
  static const DoubleSha256 function;
  return function;
}

}  // namespace quorate::crypto::work
