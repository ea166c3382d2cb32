#include "crypto/secure_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "crypto/base/disk_error.hpp"

namespace quorate::crypto {
namespace {

using std::filesystem::path;

// An open file descriptor, closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

tl::unexpected<Error> io_error(std::string_view what, const path& where, int error) {
  return disk_error("cannot " + std::string(what), where, error);
}

path directory_of(const path& file) {
  return file.has_parent_path() ? file.parent_path() : path(".");
}

// A rename or a new name is durable only once its directory is synced.
Result<void> sync_directory(const path& directory) {
  const Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open() || ::fsync(fd.get()) != 0)
    return io_error("sync the directory", directory, errno);
  return {};
}

Result<void> write_all(const Descriptor& fd, ByteView bytes, const path& where) {
  // It was made with 0600 less the umask, which may have taken the owner's bits as well.
  if (::fchmod(fd.get(), S_IRUSR | S_IWUSR) != 0) return io_error("protect", where, errno);
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_error("write", where, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  if (::fsync(fd.get()) != 0) return io_error("sync", where, errno);
  return {};
}

// Gives the synced temporary file its name, unless the name is taken.
Result<void> claim_name(const std::string& temporary, const path& target) {
  int done = ::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE);
  if (done != 0 && (errno == EINVAL || errno == ENOSYS)) {
    // Some network file systems lack that flag; a hard link does not overwrite either.
    done = ::link(temporary.c_str(), target.c_str());
    if (done == 0) ::unlink(temporary.c_str());
  }
  if (done == 0) return {};
  if (errno == EEXIST) {
    return fail(Errc::conflict, target.string() +
                                    " exists already and is never overwritten; move " +
                                    "it away first if it is no longer needed");
  }
  return io_error("create", target, errno);
}

Result<void> replace_name(const std::string& temporary, const path& target) {
  if (::rename(temporary.c_str(), target.c_str()) != 0) return io_error("replace", target, errno);
  return {};
}

using GiveName = Result<void> (*)(const std::string& temporary, const path& target);

Result<void> write_with(GiveName give_name, const path& target, ByteView bytes) {
  std::string temporary = target.string() + ".XXXXXX";
  const Descriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.is_open()) {
    if (errno == ENOENT) {
      return fail(Errc::not_found, "the directory " + directory_of(target).string() +
                                       " does not exist; create it first");
    }
    return io_error("create a file beside", target, errno);
  }
  auto done = write_all(fd, bytes, temporary);
  if (done) done = give_name(temporary, target);
  if (!done) {
    ::unlink(temporary.c_str());
    return done;
  }
  return sync_directory(directory_of(target));
}

Result<Bytes> read_all(const Descriptor& fd, const path& where) {
  Bytes out;
  std::array<std::uint8_t, 4096> buffer{};
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", where, errno);
    if (got == 0) return out;
    if (out.size() + static_cast<std::size_t>(got) > kPrivateFileSizeMax) {
      return fail(Errc::limit_exceeded, where.string() + " is larger than " +
                                            std::to_string(kPrivateFileSizeMax) +
                                            " bytes; this is not a key file");
    }
    out.insert(out.end(), buffer.begin(), buffer.begin() + got);
  }
}

}  // namespace

Result<void> write_private_file(const path& target, ByteView bytes) {
  return write_with(claim_name, target, bytes);
}

Result<void> replace_private_file(const path& target, ByteView bytes) {
  return write_with(replace_name, target, bytes);
}

Result<Bytes> read_private_file(const path& file) {
  // Without O_NONBLOCK a named pipe at this path would stop the program here.
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.is_open()) {
    if (errno == ENOENT) return fail(Errc::not_found, file.string() + " does not exist");
    if (errno == EACCES) {
      return fail(Errc::permission,
                  file.string() + " may not be read by this user; run as its owner");
    }
    return io_error("open", file, errno);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return io_error("examine", file, errno);
  if (!S_ISREG(status.st_mode)) return fail(Errc::io, file.string() + " is not a regular file");
  if ((status.st_mode & 077U) != 0) {
    return fail(Errc::permission,
                file.string() + " holds a secret, but others may access it; run: " + "chmod 600 " +
                    file.string());
  }
  return read_all(fd, file);
}

Result<void> make_private_directory(const path& directory) {
  std::error_code error;
  if (std::filesystem::is_directory(directory, error)) return {};
  const path parent = directory_of(directory);
  if (parent != directory) QUORATE_CHECK(make_private_directory(parent));
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return io_error("create the directory", directory, errno);
  }
  if (!std::filesystem::is_directory(directory, error)) {
    return fail(Errc::conflict, directory.string() + " exists, but is not a directory");
  }
  return sync_directory(parent);
}

}  // namespace quorate::crypto
