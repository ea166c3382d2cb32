// The exit codes of every program of ours. Scripts rely on them: a number never changes its
// meaning.
#pragma once

#include <string_view>

#include "crypto/base/result.hpp"

namespace quorate {

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

// "not_found": the stable name beside the number in the programs' JSON.
std::string_view to_string(ExitCode code);

// The code for an error whose context says nothing more particular.
ExitCode exit_code(Errc code);

}  // namespace quorate
