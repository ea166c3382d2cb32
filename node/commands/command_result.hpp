// What a command of quorate-node returns: its value, or a failure with an exit code.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "crypto/base/result.hpp"
#include "rpc/command_line/failure.hpp"

namespace quorate::node {

using CommandError = rpc::CommandFailure;
template <class T = void>
using CommandResult = tl::expected<T, CommandError>;

inline tl::unexpected<CommandError> stop(ExitCode exit, std::string message) {
  return tl::unexpected<CommandError>(CommandError{exit, std::move(message)});
}

// Turns a Result into a CommandResult, with the usual code or the one that the caller knows better.
template <class T>
CommandResult<T> or_stop(Result<T> result) {
  if (result) {
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      return std::move(*result);
    }
  }
  return stop(exit_code(result.error().code), std::move(result.error().detail));
}
template <class T>
CommandResult<T> or_stop(Result<T> result, ExitCode exit) {
  auto out = or_stop(std::move(result));
  if (!out) out.error().exit = exit;
  return out;
}
// For configuration and genesis files: what they say wrong is a configuration error, while a
// missing file or a failing disk keeps its own code.
template <class T>
CommandResult<T> or_stop_configuration(Result<T> result) {
  const bool wrong_content = !result && (result.error().code == Errc::bad_encoding ||
                                         result.error().code == Errc::invalid_argument ||
                                         result.error().code == Errc::limit_exceeded);
  return wrong_content ? or_stop(std::move(result), ExitCode::configuration)
                       : or_stop(std::move(result));
}

}  // namespace quorate::node
