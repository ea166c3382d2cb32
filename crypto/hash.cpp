#include "crypto/hash.hpp"

#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <memory>

#include "crypto/base/assert.hpp"

namespace quorate::crypto {
namespace {

struct DigestFree {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
};
struct ContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Fetching the algorithm costs more than hashing a hundred bytes with it, so it is done once.
const EVP_MD* sha256_algorithm() {
  static const std::unique_ptr<EVP_MD, DigestFree> algorithm(
      EVP_MD_fetch(nullptr, "SHA256", nullptr));
  QUORATE_ASSERT(algorithm != nullptr);
  return algorithm.get();
}

// OpenSSL uses the processor's SHA instructions where it has them; libsodium does not. One context
// per thread spares an allocation per hash.
class Sha256 {
 public:
  Sha256() : context_(thread_context()) {
    QUORATE_ASSERT(EVP_DigestInit_ex2(context_, sha256_algorithm(), nullptr) == 1);
  }
  void update(ByteView bytes) {
    QUORATE_ASSERT(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
  }
  Digest finish() {
    Digest out;
    QUORATE_ASSERT(EVP_DigestFinal_ex(context_, out.data(), nullptr) == 1);
    return out;
  }

 private:
  static EVP_MD_CTX* thread_context() {
    thread_local const std::unique_ptr<EVP_MD_CTX, ContextFree> context(EVP_MD_CTX_new());
    QUORATE_ASSERT(context != nullptr);
    return context.get();
  }

  EVP_MD_CTX* context_;
};

}  // namespace

Digest hash(std::string_view tag, std::initializer_list<ByteView> parts) {
  constexpr std::uint8_t kTagEnd[] = {0};
  Sha256 state;
  // Tree nodes, leaves and receipts fit this buffer: one update of a hundred bytes costs a fifth
  // less than four small ones.
  std::array<std::uint8_t, 256> buffer;
  std::size_t used = 0;
  const auto add = [&](ByteView part) {
    if (part.size() > buffer.size() - used) {
      state.update({buffer.data(), used});
      used = 0;
    }
    if (part.size() > buffer.size()) {
      state.update(part);
    } else {
      std::copy(part.begin(), part.end(), buffer.begin() + static_cast<std::ptrdiff_t>(used));
      used += part.size();
    }
  };
  add(as_bytes(tag));
  add(kTagEnd);
  for (const ByteView part : parts) add(part);
  state.update({buffer.data(), used});
  return state.finish();
}

Digest sha256(ByteView bytes) {
  Sha256 state;
  state.update(bytes);
  return state.finish();
}

Blake2b160 blake2b_160(ByteView bytes) {
  Blake2b160 out;
  QUORATE_ASSERT(crypto_generichash(out.data(), Blake2b160::kSize, bytes.data(), bytes.size(),
                                    nullptr, 0) == 0);
  return out;
}

}  // namespace quorate::crypto
