#include "crypto/base/result.hpp"

namespace quorate {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::bad_encoding: return "bad_encoding";
    case Errc::bad_signature: return "bad_signature";
    case Errc::invalid_argument: return "invalid_argument";
    case Errc::not_found: return "not_found";
    case Errc::conflict: return "conflict";
    case Errc::limit_exceeded: return "limit_exceeded";
    case Errc::rejected: return "rejected";
    case Errc::unavailable: return "unavailable";
    case Errc::timeout: return "timeout";
    case Errc::permission: return "permission";
    case Errc::io: return "io";
    case Errc::corrupt: return "corrupt";
  }
  return "unknown";
}

}  // namespace quorate
