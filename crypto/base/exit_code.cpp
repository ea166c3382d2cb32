#include "crypto/base/exit_code.hpp"

namespace quorate {

std::string_view to_string(ExitCode code) {
  switch (code) {
    case ExitCode::success: return "success";
    case ExitCode::failed: return "failed";
    case ExitCode::usage: return "usage";
    case ExitCode::not_found: return "not_found";
    case ExitCode::rejected: return "rejected";
    case ExitCode::timed_out: return "timed_out";
    case ExitCode::unreachable: return "unreachable";
    case ExitCode::bug: return "bug";
    case ExitCode::will_not_overwrite: return "will_not_overwrite";
    case ExitCode::io_or_corrupt: return "io_or_corrupt";
    case ExitCode::locked_or_busy: return "locked_or_busy";
    case ExitCode::permission: return "permission";
    case ExitCode::configuration: return "configuration";
    case ExitCode::interrupted: return "interrupted";
  }
  return "bug";
}

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

}  // namespace quorate
