// QUORATE_ASSERT guards against bugs in this program, never against bad input. It is always on
// (NDEBUG does not remove it) and ends the process by itself, without the logger or the heap.
#pragma once

namespace quorate {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace quorate

#define QUORATE_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::quorate::assertion_failed(#condition, __FILE__, __LINE__))
