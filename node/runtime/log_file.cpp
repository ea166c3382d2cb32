#include "node/runtime/log_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "crypto/base/disk_error.hpp"

namespace quorate::node {

namespace fs = std::filesystem;

template <class Call>
int LogFile::run(FileStep step, const Call& call) const {
  if (options_.fault) {
    if (const int injected = options_.fault(step); injected != 0) return injected;
  }
  while (call() < 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

LogFile::LogFile(LogFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      options_(std::move(other.options_)),
      end_(other.end_),
      allocated_(other.allocated_) {}

LogFile& LogFile::operator=(LogFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(options_, other.options_);
  std::swap(end_, other.end_);
  std::swap(allocated_, other.allocated_);
  return *this;
}

LogFile::~LogFile() {
  if (fd_ >= 0) ::close(fd_);
}

LogFile::Mapping::~Mapping() {
  if (at_ != nullptr) ::munmap(at_, size_);
}

Result<void> LogFile::lock() {
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK) {
    return fail(Errc::conflict, "another process has " + path_.string() + " open");
  }
  return disk_error("cannot lock", path_, errno);
}

Result<LogFile> LogFile::open(const fs::path& path, LogFileOptions options) {
  LogFile out(::open(path.c_str(), O_RDWR | O_CLOEXEC), path, std::move(options));
  if (out.fd_ < 0) return disk_error("cannot open", path, errno);
  QUORATE_CHECK(out.lock());
  struct stat status {};
  if (::fstat(out.fd_, &status) != 0) return disk_error("cannot look at", path, errno);
  out.end_ = out.allocated_ = static_cast<std::size_t>(status.st_size);
  return out;
}

Result<LogFile> LogFile::create(const fs::path& path, ByteView content, LogFileOptions options) {
  const fs::path temporary = path.string() + ".tmp";
  LogFile out(-1, temporary, std::move(options));
  const int error = out.run(FileStep::create, [&] {
    out.fd_ = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return out.fd_;
  });
  if (error != 0) return disk_error("cannot create", temporary, error);
  QUORATE_CHECK(out.lock());
  QUORATE_CHECK(out.append(content));
  // Not fdatasync: its length and its blocks are new.
  const int synced = out.run(FileStep::sync, [&] { return ::fsync(out.fd_); });
  if (synced != 0) return disk_error("cannot sync", temporary, synced);
  QUORATE_CHECK(out.publish(path));
  return out;
}

Result<void> LogFile::publish(const fs::path& path) {
  const int renamed = run(FileStep::rename, [&] { return ::rename(path_.c_str(), path.c_str()); });
  if (renamed != 0) return disk_error("cannot rename", path_, renamed);
  path_ = path;
  const fs::path folder = path.parent_path();
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return disk_error("cannot open the folder", folder, errno);
  const int synced = run(FileStep::sync_folder, [&] { return ::fsync(fd); });
  ::close(fd);
  if (synced != 0) return disk_error("cannot sync the folder", folder, synced);
  return {};
}

Result<std::unique_ptr<LogFile::Mapping>> LogFile::map() const {
  if (allocated_ == 0) return std::make_unique<Mapping>(nullptr, 0);
  void* at = ::mmap(nullptr, allocated_, PROT_READ, MAP_PRIVATE, fd_, 0);
  if (at == MAP_FAILED) return disk_error("cannot read", path_, errno);
  return std::make_unique<Mapping>(at, allocated_);
}

Result<void> LogFile::cut() {
  const int cut = run(FileStep::write, [&] { return ::ftruncate(fd_, static_cast<off_t>(end_)); });
  if (cut != 0) return disk_error("cannot cut the torn end off", path_, cut);
  allocated_ = end_;
  const int synced = run(FileStep::sync, [&] { return ::fsync(fd_); });
  if (synced != 0) return disk_error("cannot sync", path_, synced);
  return {};
}

Result<void> LogFile::allocate(std::size_t end) {
  const std::size_t step = options_.preallocate_bytes;
  if (end <= allocated_ || step == 0) return {};
  const std::size_t target = (end / step + 1) * step;
  const int error = run(FileStep::allocate, [&] {
    return ::fallocate(fd_, 0, static_cast<off_t>(allocated_),
                       static_cast<off_t>(target - allocated_));
  });
  if (error == EOPNOTSUPP) {  // of the file system: the file then grows as it is written
    options_.preallocate_bytes = 0;
    return {};
  }
  if (error != 0) return disk_error("cannot preallocate", path_, error);
  allocated_ = target;
  return {};
}

Result<void> LogFile::append(ByteView bytes) {
  QUORATE_CHECK(allocate(end_ + bytes.size()));
  while (!bytes.empty()) {
    ssize_t written = 0;
    const int error = run(FileStep::write, [&] {
      written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(end_));
      return written;
    });
    if (error != 0) return disk_error("cannot write to", path_, error);
    if (written == 0) return disk_error("cannot write to", path_, ENOSPC);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    end_ += static_cast<std::size_t>(written);
  }
  if (end_ > allocated_) allocated_ = end_;
  return {};
}

Result<void> LogFile::sync() {
  const int error = run(FileStep::sync, [&] { return ::fdatasync(fd_); });
  if (error != 0) return disk_error("cannot sync", path_, error);
  return {};
}

}  // namespace quorate::node
