// How a header states its target: one byte of exponent e, 23 bits of mantissa m,
// target = m * 256^(e-3). One target has one form. Pure; any thread.
//
// An id proves work when it is, as a number, at most the target; finding one takes
// 2^256 / (target + 1) hashes on average, which is what the header's work counts.
#pragma once

#include <cstdint>

#include "crypto/base/result.hpp"
#include "crypto/work/uint256.hpp"

namespace quorate::crypto::work {

// Error bad_encoding: sign bit set, zero, 2^256 or more, or not the canonical form.
Result<Uint256> target_of_bits(std::uint32_t bits);
// The largest target with such a form that is at most `target`, which must be above zero.
std::uint32_t bits_of_target(const Uint256& target);

// floor(2^256 / (target + 1)).
Uint256 work_of_target(const Uint256& target);
// Zero if there is no such target.
Uint256 work_of_bits(std::uint32_t bits);

// The same work as a number of hashes, saturating.
std::uint64_t expected_hashes(std::uint32_t bits);
// The bits whose blocks take about so many hashes, at least 1, each.
std::uint32_t bits_for(std::uint64_t hashes);

// "0x1e0fffff", the form of bits in texts.
std::string bits_text(std::uint32_t bits);

}  // namespace quorate::crypto::work
