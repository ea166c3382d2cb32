// The end of the process when going on would be wrong: a disk that fails, a database that
// contradicts itself. Any thread. Nothing is unwound and nothing is retried: after a failed write
// the only safe state is what the next start reads back.
#pragma once

#include <string_view>

#include "crypto/base/result.hpp"
#include "node/runtime/log.hpp"

namespace quorate::node {

// Logs, flushes the log, ends the process at once: exit code io_or_corrupt when the disk is to
// blame, else bug.
[[noreturn]] void end_process(Log& log, std::string_view component, std::string_view what,
                              const Error& error);

}  // namespace quorate::node
