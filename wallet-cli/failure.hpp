// How a command of the wallet ends when it does not succeed, and how errors become that.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "crypto/base/result.hpp"
#include "rpc/client/rpc_client.hpp"
#include "rpc/command_line/failure.hpp"

namespace quorate::wallet {

using Failure = rpc::CommandFailure;

// What every command returns; the value is what --json prints.
template <class T = void>
using Outcome = tl::expected<T, Failure>;

inline tl::unexpected<Failure> failure(ExitCode exit, std::string message, std::string hint = "") {
  return tl::unexpected<Failure>(Failure{exit, std::move(message), std::move(hint)});
}

// A local error, by its kind.
Failure from_error(const Error& error);
// A node's answer, or that none answered.
Failure from_rpc(const rpc::RpcError& error);

}  // namespace quorate::wallet

// Like QUORATE_TRY, for functions that return an Outcome: turns a Result's Error into a Failure.
#define WALLET_TRY_(temp, target, expression)                                        \
  auto temp = (expression);                                                          \
  if (!(temp)) return tl::unexpected(::quorate::wallet::to_failure((temp).error())); \
  target = std::move(*(temp))
#define WALLET_TRY(target, expression) \
  WALLET_TRY_(QUORATE_CONCAT(wallet_try_, __LINE__), target, expression)
#define WALLET_CHECK(expression)                                   \
  if (auto QUORATE_CONCAT(wallet_check_, __LINE__) = (expression); \
      !QUORATE_CONCAT(wallet_check_, __LINE__))                    \
  return tl::unexpected(                                           \
      ::quorate::wallet::to_failure(QUORATE_CONCAT(wallet_check_, __LINE__).error()))

namespace quorate::wallet {
inline Failure to_failure(const Error& error) { return from_error(error); }
inline Failure to_failure(const rpc::RpcError& error) { return from_rpc(error); }
inline const Failure& to_failure(const Failure& failure) { return failure; }
}  // namespace quorate::wallet
