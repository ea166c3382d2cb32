#include "crypto/sodium.hpp"

#include <sodium.h>

#include "crypto/base/assert.hpp"

namespace quorate::crypto {

void ensure_sodium() {
  static const bool ready = sodium_init() >= 0;
  QUORATE_ASSERT(ready);
}

}  // namespace quorate::crypto
