// Expected failures are values. Result<T> carries either a T or an Error with one of a closed list
// of codes; bugs go through QUORATE_ASSERT instead (assert.hpp).
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace quorate {

enum class Errc {
  bad_encoding,      // bytes or text that no correct peer, client or file would hold
  bad_signature,     // a signature, seal or certificate that does not verify
  invalid_argument,  // a value outside its documented range
  not_found,
  conflict,        // exists already, another chain, another version, will not overwrite
  limit_exceeded,  // a cap on count, bytes or rate
  rejected,        // refused by the rules of the chain
  unavailable,     // not now: syncing, unreachable, shutting down
  timeout,
  permission,  // passphrase, file mode, access list
  io,          // the operating system or the disk failed
  corrupt,     // stored data that contradicts itself
};

std::string_view to_string(Errc code);

struct Error {
  Errc code;
  std::string detail;  // one sentence for a person: what happened and, where known, what to do
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Errc code, std::string detail) {
  return tl::unexpected<Error>(Error{code, std::move(detail)});
}

}  // namespace quorate

// Returns the error of a Result expression from the enclosing function.
#define QUORATE_CONCAT_(a, b) a##b
#define QUORATE_CONCAT(a, b) QUORATE_CONCAT_(a, b)
#define QUORATE_TRY_(temp, target, expression)        \
  auto temp = (expression);                           \
  if (!(temp)) return tl::unexpected((temp).error()); \
  target = std::move(*(temp))
// QUORATE_TRY(auto block, decode_block(bytes));
#define QUORATE_TRY(target, expression) \
  QUORATE_TRY_(QUORATE_CONCAT(quorate_try_, __LINE__), target, expression)
// QUORATE_CHECK(store.write(batch));  // for Result<void>
#define QUORATE_CHECK(expression)                                   \
  if (auto QUORATE_CONCAT(quorate_check_, __LINE__) = (expression); \
      !QUORATE_CONCAT(quorate_check_, __LINE__))                    \
  return tl::unexpected(QUORATE_CONCAT(quorate_check_, __LINE__).error())
