#include "crypto/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace quorate {

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "quorate: assertion failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace quorate
