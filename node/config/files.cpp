#include "node/config/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "crypto/base/disk_error.hpp"

namespace quorate::node {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> io_error(std::string_view what, const std::filesystem::path& path) {
  return disk_error(what, path, errno);
}

Result<void> write_and_sync(const std::filesystem::path& path, std::string_view text, mode_t mode) {
  const FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (file.get() < 0) return io_error("cannot create", path);
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_error("cannot write", path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0) return io_error("cannot sync", path);
  return {};
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return io_error("cannot sync folder", folder);
  return {};
}

}  // namespace

Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t bytes_max) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return fail(Errc::not_found, path.string() + " does not exist");
  }
  if (std::filesystem::is_directory(status)) return fail(Errc::io, path.string() + " is a folder");
  std::ifstream in(path, std::ios::binary);
  if (!in) return io_error("cannot open", path);
  std::string text;
  std::array<char, 16384> chunk{};
  while (in.read(chunk.data(), chunk.size()) || in.gcount() > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > bytes_max) {
      return fail(Errc::limit_exceeded,
                  path.string() + " is larger than " + std::to_string(bytes_max) + " bytes");
    }
  }
  if (in.bad()) return io_error("cannot read", path);
  return text;
}

Result<void> write_new_file(const std::filesystem::path& path, std::string_view text, mode_t mode) {
  std::filesystem::path temporary = path;
  temporary += ".new-" + std::to_string(::getpid());
  ::unlink(temporary.c_str());  // left by a process of the same number that was killed
  auto written = write_and_sync(temporary, text, mode);
  // link() never replaces, unlike rename(): two writers cannot both win.
  if (written && ::link(temporary.c_str(), path.c_str()) != 0) {
    written = errno == EEXIST
                  ? Result<void>(fail(Errc::conflict, path.string() + " exists already"))
                  : Result<void>(io_error("cannot create", path));
  }
  ::unlink(temporary.c_str());
  QUORATE_CHECK(written);
  return sync_folder(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

}  // namespace quorate::node
