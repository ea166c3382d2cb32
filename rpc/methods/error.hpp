// What a method answers when it cannot give its result: a JSON-RPC code, a sentence, and data that
// programs can rely on: always an object with a `reason` from a stable list, often a `hint` that
// says what to do, and `expected`/`got` where two values did not match. Plain values; any thread.
#pragma once

#include <string>
#include <string_view>

#include "rpc/backend.hpp"
#include "rpc/json/ledger_json.hpp"

namespace quorate::rpc {

enum class Code : int {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  invalid_params = -32602,
  internal_error = -32603,
  not_found = -32001,
  unavailable = -32002,
  transaction_rejected = -32003,
  not_supported = -32004,
  limit_exceeded = -32005,
  commit_timeout = -32010,
  mempool_full = -32011,
  not_permitted = -32012,
};
// Every code with its meaning, for the documentation.
std::vector<std::pair<Code, std::string_view>> all_codes();

struct MethodError {
  Code code;
  std::string message;
  Json data;  // an object with at least "reason"
};
template <class T>
using MethodResult = tl::expected<T, MethodError>;

// The reason is the code's own name ("not_found") unless another is given.
MethodError make_error(Code code, std::string message, std::string_view hint = {},
                       std::string_view reason = {});
// An error of the backend.
MethodError from_error(const Error& error);
// Why a transaction was not admitted. The hint tells what to do about it.
MethodError from_refusal(const SubmitRefusal& refusal);
// {"code", "message", "data"}
Json error_json(const MethodError& error);

}  // namespace quorate::rpc
