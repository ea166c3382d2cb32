// A failed call on a file as an error that says what to do about it. Any thread.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

#include "crypto/base/result.hpp"

namespace quorate {

// What an operator does about it; empty when there is nothing to say.
inline std::string disk_advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "; make room on this volume (or raise its quota) and start again: what was "
             "acknowledged is on the disk";
    case EIO:
      return "; the disk fails: look into the kernel's log, replace the disk, and restore neither "
             "votes nor keys from an older copy";
    case EROFS:
      return "; the volume is read-only, which a kernel does after disk errors: look into its log, "
             "repair the file system, mount it writable and start again";
    case EACCES:
    case EPERM: return "; let the user that runs this program own the folder";
    case EMFILE:
    case ENFILE: return "; raise the limit of open files (ulimit -n)";
    default: return "";
  }
}

// `what` is "cannot sync", "cannot create", ...; `error` an errno.
inline tl::unexpected<Error> disk_error(std::string_view what, const std::string& path, int error) {
  return fail(Errc::io, std::string(what) + " " + path + ": " +
                            std::generic_category().message(error) + disk_advice(error));
}

}  // namespace quorate
