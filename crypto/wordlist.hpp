// The 2048 English words of BIP-39, in their order, which is also alphabetical. Joined with a line
// feed after each word they have the SHA-256
// 2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda; a test checks it.
#pragma once

#include <array>
#include <string_view>

namespace quorate::crypto {

inline constexpr std::size_t kWordCount = 2048;
extern const std::array<std::string_view, kWordCount> kWords;

}  // namespace quorate::crypto
