// Exit codes of quorate-node, and errors that carry one.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "crypto/base/result.hpp"

namespace quorate::node {

enum class ExitCode : int {
  success = 0,
  failed = 1,
  usage = 2,
  not_found = 3,
  rejected = 4,
  timed_out = 5,
  unreachable = 69,
  bug = 70,
  will_not_overwrite = 73,
  io_or_corrupt = 74,
  locked_or_busy = 75,
  permission = 77,
  configuration = 78,
  interrupted = 130,
};

struct CommandError {
  ExitCode exit = ExitCode::failed;
  std::string message;
};
template <class T = void>
using CommandResult = tl::expected<T, CommandError>;

inline tl::unexpected<CommandError> stop(ExitCode exit, std::string message) {
  return tl::unexpected<CommandError>(CommandError{exit, std::move(message)});
}

// The code for an error whose context says nothing more particular.
ExitCode exit_code(Errc code);

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
