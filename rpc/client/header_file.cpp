#include "rpc/client/header_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace quorate::rpc {
namespace {

constexpr std::size_t kRecordSize = crypto::work::kHeaderSize + 32;
// So many of the newest are looked at when the file is opened: what a torn write can have left.
constexpr std::uint64_t kSoundEnd = 64;

tl::unexpected<Error> failed(const char* what) {
  return fail(Errc::io,
              std::string("the file of work headers: ") + what + ": " + std::strerror(errno));
}

Result<void> write_at(int file, ByteView bytes, off_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed("write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += written;
  }
  return {};
}

Result<Bytes> read_at(int file, std::size_t size, off_t offset) {
  Bytes out(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(file, out.data() + done, size - done, offset + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read");
    if (got == 0) return fail(Errc::corrupt, "the file of work headers ends too early");
    done += static_cast<std::size_t>(got);
  }
  return out;
}

Result<std::uint64_t> size_of(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return failed("stat");
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

HeaderFile::HeaderFile(HeaderFile&& other) noexcept
    : file_(std::exchange(other.file_, -1)), base_(other.base_), tip_(other.tip_) {}

HeaderFile& HeaderFile::operator=(HeaderFile&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(base_, other.base_);
  std::swap(tip_, other.tip_);
  return *this;
}

std::int64_t HeaderFile::offset_of(Height height) const {
  return static_cast<std::int64_t>((height.value() - base_.value() - 1) * kRecordSize);
}

HeaderFile::~HeaderFile() {
  if (file_ >= 0) ::close(file_);
}

Result<HeaderFile> HeaderFile::temporary(Height base) {
  std::string name = (std::filesystem::temp_directory_path() / "quorate-headers-XXXXXX").string();
  const int file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) return failed("create");
  ::unlink(name.c_str());
  return HeaderFile(file, base);
}

Result<HeaderFile> HeaderFile::open(const std::filesystem::path& path) {
  std::error_code ignored;  // opening says what is wrong
  std::filesystem::create_directories(path.parent_path(), ignored);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return failed(path.c_str());
  HeaderFile out(file, Height(0));
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    QUORATE_TRY(HeaderFile own, temporary());
    QUORATE_CHECK(own.copy_from(file));
    out = std::move(own);
  }
  QUORATE_CHECK(out.count());
  if (!out.end_is_sound()) QUORATE_CHECK(out.truncate(Height(0)));
  return out;
}

Result<void> HeaderFile::copy_from(int other) {
  constexpr std::size_t kPiece = 1U << 20U;
  QUORATE_TRY(const std::uint64_t size, size_of(other));
  for (std::uint64_t at = 0; at < size; at += kPiece) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, size - at));
    QUORATE_TRY(const Bytes bytes, read_at(other, piece, static_cast<off_t>(at)));
    QUORATE_CHECK(write_at(file_, bytes, static_cast<off_t>(at)));
  }
  return {};
}

Result<void> HeaderFile::count() {
  QUORATE_TRY(const std::uint64_t size, size_of(file_));
  tip_ = Height(size / kRecordSize);
  return {};
}

bool HeaderFile::end_is_sound() const {
  if (tip_ == Height(0)) return true;
  Height at = tip_.value() > kSoundEnd ? Height(tip_.value() - kSoundEnd) : Height(1);
  auto parent = read(at);
  while (parent && at < tip_) {
    at = at.next();
    auto child = read(at);
    if (!child || child->header.parent != crypto::work::id_of(parent->header)) return false;
    parent = std::move(child);
  }
  return parent.has_value();
}

Result<HeaderFile::Record> HeaderFile::read(Height height) const {
  QUORATE_TRY(const Bytes bytes, read_at(file_, kRecordSize, offset_of(height)));
  const ByteView all(bytes);
  const auto header = crypto::work::decode_header(all.first(crypto::work::kHeaderSize));
  if (!header || header->height != height) {
    return fail(Errc::corrupt, "the file of work headers is damaged at height " +
                                   std::to_string(height.value()) + "; remove it");
  }
  QUORATE_TRY(const Digest work, Digest::from(all.subspan(crypto::work::kHeaderSize)));
  return Record{*header, crypto::work::from_little_endian(work)};
}

Result<void> HeaderFile::append(const Record& record) {
  Bytes bytes = crypto::work::encode(record.header);
  const Bytes work = to_bytes(crypto::work::to_little_endian(record.total_work));
  bytes.insert(bytes.end(), work.begin(), work.end());
  QUORATE_CHECK(write_at(file_, bytes, offset_of(tip_.next())));
  tip_ = tip_.next();
  return {};
}

Result<void> HeaderFile::truncate(Height tip) {
  if (::ftruncate(file_, offset_of(tip.next())) != 0) return failed("truncate");
  tip_ = tip;
  return {};
}

}  // namespace quorate::rpc
