#include "node/runtime/fatal.hpp"

#include <cstdlib>

#include "crypto/base/exit_code.hpp"

namespace quorate::node {

void end_process(Log& log, std::string_view component, std::string_view what, const Error& error) {
  const bool disk = error.code == Errc::io || error.code == Errc::corrupt;
  const int status = static_cast<int>(disk ? ExitCode::io_or_corrupt : ExitCode::bug);
  log.error(component, "ending the process",
            {{"what", std::string(what)},
             {"error", error.detail},
             {"code", std::string(to_string(error.code))},
             {"exit", std::to_string(status)}});
  log.flush();
  std::_Exit(status);
}

}  // namespace quorate::node
