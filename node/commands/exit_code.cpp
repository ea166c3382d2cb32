#include "node/commands/exit_code.hpp"

namespace quorate::node {

ExitCode exit_code(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return ExitCode::usage;
    case Errc::not_found: return ExitCode::not_found;
    case Errc::conflict: return ExitCode::will_not_overwrite;
    case Errc::rejected: return ExitCode::rejected;
    case Errc::unavailable: return ExitCode::locked_or_busy;
    case Errc::timeout: return ExitCode::timed_out;
    case Errc::permission: return ExitCode::permission;
    case Errc::io:
    case Errc::corrupt: return ExitCode::io_or_corrupt;
    case Errc::bad_encoding:
    case Errc::bad_signature:
    case Errc::limit_exceeded: return ExitCode::failed;
  }
  return ExitCode::bug;
}

}  // namespace quorate::node
