#include "wallet-cli/failure.hpp"

#include <algorithm>

namespace quorate::wallet {
namespace {

// Here what is unavailable is a node, and what does not decode is what the user typed.
ExitCode exit_for(Errc code) {
  if (code == Errc::unavailable) return ExitCode::unreachable;
  if (code == Errc::bad_encoding) return ExitCode::usage;
  return exit_code(code);
}

ExitCode exit_for_rpc(int code) {
  switch (code) {
    case -32001: return ExitCode::not_found;
    case -32003:
    case -32011:
    case -32012: return ExitCode::rejected;
    case -32010: return ExitCode::timed_out;
    case -32002: return ExitCode::unreachable;
    case -32602: return ExitCode::usage;
    default: return ExitCode::failed;
  }
}

// "insufficient funds (have 5, need 7)": the reason in words, then what the node says of it.
std::string reason_first(std::string reason, const std::string& message) {
  std::replace(reason.begin(), reason.end(), '_', ' ');
  return message.starts_with(reason) ? message : reason + " (" + message + ")";
}

}  // namespace

Failure from_error(const Error& error) { return {exit_for(error.code), error.detail}; }

Failure from_rpc(const rpc::RpcError& error) {
  using Kind = rpc::RpcError::Kind;
  switch (error.kind) {
    case Kind::unreachable:
      return {ExitCode::unreachable, "no node could be reached: " + error.message,
              "is the network running? see 'quorate-testnet status', or give --rpc-url"};
    case Kind::timeout:
      return {ExitCode::timed_out, error.url + " did not answer in time: " + error.message};
    case Kind::protocol:
      return {ExitCode::failed, error.url + " does not speak Quorate's JSON-RPC: " + error.message,
              "check --rpc-url"};
    case Kind::answered: break;
  }
  Failure out{exit_for_rpc(error.code), error.message};
  out.rpc_code = error.code;
  if (!error.data.is_object()) return out;
  out.data = error.data.dump();
  if (const auto it = error.data.find("reason"); it != error.data.end() && it->is_string()) {
    out.reason = it->get<std::string>();
    out.message = reason_first(out.reason, error.message);
  }
  if (const auto it = error.data.find("hint"); it != error.data.end() && it->is_string()) {
    out.hint = it->get<std::string>();
  }
  return out;
}

}  // namespace quorate::wallet
