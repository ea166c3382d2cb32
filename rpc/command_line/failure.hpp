// How a command of any of our programs reports that it failed: a sentence and a hint on standard
// error, and with --json one document on standard output besides:
//
//   {"error":{"code":4,"name":"rejected","message":"…","hint":"…",
//             "rpc_code":-32003,"reason":"insufficient_funds","data":{…}}}
//
// `code` is the exit code. `hint` and what follows are there when there is something to say.
#pragma once

#include <optional>
#include <string>

#include "crypto/base/exit_code.hpp"

namespace quorate::rpc {

struct CommandFailure {
  ExitCode exit = ExitCode::failed;
  std::string message = {};          // one sentence: what happened
  std::string hint = {};             // what to do next
  std::optional<int> rpc_code = {};  // when a node answered with an error
  std::string reason = {};           // its error.data.reason
  std::string data = {};             // its error.data, or what else a script needs: a JSON object
};

// "error: no such node [-32003 not_here]" and the hint on a line of its own. `label` may be
// painted.
std::string failure_text(const CommandFailure& failure, const std::string& label = "error:");
// The document, indented by two, with a newline at its end.
std::string failure_json(const CommandFailure& failure);

// Prints the failure and returns its exit code.
int report_failure(const CommandFailure& failure, bool json, const std::string& label = "error:");

}  // namespace quorate::rpc
